//! Config × offers → agreement and response (RFC 7692 section 7.1).
//!
//! The offers are tried in the client's order and the first acceptable one is taken. Each parameter on its own, with
//! `–` for absent:
//!
//! ```text
//! server_no_context_takeover        client_no_context_takeover
//! config  offer │ answer  takeover   config  offer │ answer  takeover
//! false   –     │ –       yes        false   –     │ –       yes
//! false   set   │ set     no         false   set   │ set     no      a promise: holding it to it frees memory
//! true    –     │ set     no         true    –     │ set     no      allowed unasked (7.1.1.2)
//! true    set   │ set     no         true    set   │ set     no
//!
//! server_max_window_bits            client_max_window_bits
//! config  offer  │ answer   bits     config  offer      │ answer    bits
//! 15      –      │ –        15       any     –          │ –         15      must not be answered unasked (7.1.2.2)
//! c < 15  –      │ c        c        15      no value   │ –         15
//! c       9..=15 │ min(c,o) min(c,o) c < 15  no value   │ c         c
//! c       8      │ offer declined    c       o = 8..=15 │ min(c,o)  min(c,o)  nothing answered when that is 15
//! ```
//!
//! A server window of 8 bits is declined because zlib cannot compress with it; a client window of 8 bits is fine,
//! larger windows inflate it.

use http::HeaderValue;

use super::super::extension::ExtensionOffer;
use super::super::refusal::Refusal;
use super::{Agreement, DeflateConfig, EXTENSION, Offer};

/// The smallest window zlib compresses with, as a power of two.
const MIN_SERVER_BITS: u8 = 9;

/// Takes the first acceptable offer: what was agreed and the `Sec-WebSocket-Extensions` header that says so.
///
/// `None` goes on without compression; only a [strict](DeflateConfig::strict) configuration refuses, and only when
/// permessage-deflate was offered but never acceptably.
pub fn negotiate(
    config: &DeflateConfig,
    offers: &[ExtensionOffer],
) -> Result<Option<(Agreement, HeaderValue)>, Refusal> {
    let mut declined = false;
    for extension in offers.iter().filter(|offer| offer.is_named(EXTENSION)) {
        if let Some(accepted) = Offer::parse(extension).and_then(|offer| accept(config, offer)) {
            return Ok(Some(accepted));
        }
        declined = true;
    }
    if declined && config.strict {
        return Err(Refusal::bad_request("Invalid or unacceptable Sec-WebSocket-Extensions header"));
    }
    Ok(None)
}

fn accept(config: &DeflateConfig, offer: Offer) -> Option<(Agreement, HeaderValue)> {
    let server_config = config.server_max_window_bits.clamp(MIN_SERVER_BITS, 15);
    let client_config = config.client_max_window_bits.clamp(8, 15);
    let server_bits = match offer.server_max_window_bits {
        Some(bits) if bits < MIN_SERVER_BITS => return None,
        Some(bits) => bits.min(server_config),
        None => server_config,
    };
    let client_bits = match offer.client_max_window_bits {
        Some(bits) => bits.unwrap_or(15).min(client_config),
        None => 15,
    };
    let agreement = Agreement {
        server_takeover: !(config.server_no_context_takeover || offer.server_no_context_takeover),
        client_takeover: !(config.client_no_context_takeover || offer.client_no_context_takeover),
        server_bits,
        client_bits,
        threshold: config.threshold,
        level: config.level.min(9),
    };

    let mut answer = EXTENSION.to_owned();
    if !agreement.server_takeover {
        answer.push_str("; server_no_context_takeover");
    }
    if !agreement.client_takeover {
        answer.push_str("; client_no_context_takeover");
    }
    if offer.server_max_window_bits.is_some() || server_bits < 15 {
        answer.push_str(&format!("; server_max_window_bits={server_bits}"));
    }
    if client_bits < 15 {
        answer.push_str(&format!("; client_max_window_bits={client_bits}"));
    }
    HeaderValue::try_from(answer).ok().map(|answer| (agreement, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(server_none: bool, client_none: bool, server_bits: u8, client_bits: u8) -> DeflateConfig {
        DeflateConfig {
            server_no_context_takeover: server_none,
            client_no_context_takeover: client_none,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
            ..DeflateConfig::default()
        }
    }

    fn answer(config: &DeflateConfig, line: &str) -> Option<(Agreement, String)> {
        let offers = ExtensionOffer::parse_list(line);
        let accepted = negotiate(config, &offers).expect("no refusal");
        accepted.map(|(agreement, header)| (agreement, header.to_str().expect("ASCII").to_owned()))
    }

    fn parameters(config: &DeflateConfig, offer: &str) -> String {
        let (_, header) = answer(config, &format!("permessage-deflate{offer}")).expect("accepted");
        header.trim_start_matches("permessage-deflate").trim_start_matches("; ").to_owned()
    }

    #[test]
    fn context_takeover_table() {
        let cases = [
            (false, false, "", "", true, true),
            (false, false, "; server_no_context_takeover", "server_no_context_takeover", false, true),
            (false, false, "; client_no_context_takeover", "client_no_context_takeover", true, false),
            (true, false, "", "server_no_context_takeover", false, true),
            (false, true, "", "client_no_context_takeover", true, false),
            (true, true, "", "server_no_context_takeover; client_no_context_takeover", false, false),
            (
                true,
                true,
                "; client_no_context_takeover; server_no_context_takeover",
                "server_no_context_takeover; client_no_context_takeover",
                false,
                false,
            ),
        ];
        for (server, client, offer, expected, server_takeover, client_takeover) in cases {
            let config = config(server, client, 15, 15);
            assert_eq!(parameters(&config, offer), expected, "{offer}");
            let (agreement, _) = answer(&config, &format!("permessage-deflate{offer}")).expect("accepted");
            assert_eq!(
                (agreement.server_takeover, agreement.client_takeover),
                (server_takeover, client_takeover)
            );
        }
    }

    #[test]
    fn window_table() {
        let cases = [
            (15, 15, "", "", 15, 15),
            (12, 15, "", "server_max_window_bits=12", 12, 15),
            (15, 15, "; server_max_window_bits=15", "server_max_window_bits=15", 15, 15),
            (15, 15, "; server_max_window_bits=9", "server_max_window_bits=9", 9, 15),
            (10, 15, "; server_max_window_bits=12", "server_max_window_bits=10", 10, 15),
            (8, 15, "", "server_max_window_bits=9", 9, 15),
            (15, 10, "", "", 15, 15),
            (15, 15, "; client_max_window_bits", "", 15, 15),
            (15, 10, "; client_max_window_bits", "client_max_window_bits=10", 15, 10),
            (15, 15, "; client_max_window_bits=15", "", 15, 15),
            (15, 15, "; client_max_window_bits=12", "client_max_window_bits=12", 15, 12),
            (15, 10, "; client_max_window_bits=12", "client_max_window_bits=10", 15, 10),
            (15, 12, "; client_max_window_bits=10", "client_max_window_bits=10", 15, 10),
            (15, 15, "; client_max_window_bits=8", "client_max_window_bits=8", 15, 8),
        ];
        for (server, client, offer, expected, server_bits, client_bits) in cases {
            let config = config(false, false, server, client);
            assert_eq!(parameters(&config, offer), expected, "{server} {client} {offer}");
            let (agreement, _) = answer(&config, &format!("permessage-deflate{offer}")).expect("accepted");
            assert_eq!((agreement.server_bits, agreement.client_bits), (server_bits, client_bits));
        }
    }

    #[test]
    fn the_first_acceptable_offer_is_taken() {
        let config = config(false, false, 15, 15);
        let line = "x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=8, \
                    permessage-deflate; bogus, permessage-deflate; server_max_window_bits=\"10, \
                    permessage-deflate";
        assert_eq!(answer(&config, line), None, "the open quote swallows the rest");
        let line = "x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=8, \
                    permessage-deflate; bogus, permessage-deflate; server_max_window_bits=10, \
                    permessage-deflate";
        let (agreement, header) = answer(&config, line).expect("accepted");
        assert_eq!(header, "permessage-deflate; server_max_window_bits=10");
        assert_eq!(agreement.server_bits, 10);
    }

    #[test]
    fn only_strict_refuses_and_only_what_was_offered() {
        let lenient = DeflateConfig::default();
        let strict = DeflateConfig { strict: true, ..DeflateConfig::default() };
        let bad = ExtensionOffer::parse_list("permessage-deflate; server_max_window_bits=8");
        assert_eq!(negotiate(&lenient, &bad), Ok(None));
        let refusal = negotiate(&strict, &bad).expect_err("refused");
        assert_eq!(refusal.status, http::StatusCode::BAD_REQUEST);
        assert_eq!(negotiate(&strict, &ExtensionOffer::parse_list("something-else")), Ok(None));
        assert_eq!(negotiate(&strict, &[]), Ok(None));
    }

    #[test]
    fn browsers() {
        let expected = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        for line in ["permessage-deflate; client_max_window_bits", "permessage-deflate"] {
            assert_eq!(answer(&DeflateConfig::default(), line).expect("accepted").1, expected);
        }
    }
}
