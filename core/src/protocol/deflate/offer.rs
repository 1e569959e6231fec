//! One permessage-deflate offer of the client (RFC 7692 section 7.1).

use super::super::extension::ExtensionOffer;

/// The parameters of one valid offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The server must not use context takeover.
    pub server_no_context_takeover: bool,
    /// A hint: the client will not use context takeover.
    pub client_no_context_takeover: bool,
    /// The largest window the server may use: 8–15.
    pub server_max_window_bits: Option<u8>,
    /// The client understands this parameter in the response; inside, the largest window it will use: 8–15.
    pub client_max_window_bits: Option<Option<u8>>,
}

impl Offer {
    /// Reads the parameters; `None` when one is unknown, repeated or has a wrong value. Such an offer must be declined
    /// (section 7.1).
    pub fn parse(extension: &ExtensionOffer) -> Option<Self> {
        if !extension.is_well_formed {
            return None;
        }
        let mut offer = Self::default();
        for (name, value) in &extension.parameters {
            let value = value.as_deref();
            match name.to_ascii_lowercase().as_str() {
                "server_no_context_takeover" => set_flag(&mut offer.server_no_context_takeover, value)?,
                "client_no_context_takeover" => set_flag(&mut offer.client_no_context_takeover, value)?,
                "server_max_window_bits" if offer.server_max_window_bits.is_none() => {
                    offer.server_max_window_bits = Some(window_bits(value?)?);
                }
                "client_max_window_bits" if offer.client_max_window_bits.is_none() => {
                    offer.client_max_window_bits = Some(match value {
                        Some(value) => Some(window_bits(value)?),
                        None => None,
                    });
                }
                _ => return None,
            }
        }
        Some(offer)
    }
}

/// Sets a parameter that takes no value and stands at most once.
fn set_flag(flag: &mut bool, value: Option<&str>) -> Option<()> {
    (value.is_none() && !*flag).then(|| *flag = true)
}

/// A decimal from 8 to 15 without leading zeros (section 7.1.2).
fn window_bits(value: &str) -> Option<u8> {
    match value {
        "8" => Some(8),
        "9" => Some(9),
        "10" => Some(10),
        "11" => Some(11),
        "12" => Some(12),
        "13" => Some(13),
        "14" => Some(14),
        "15" => Some(15),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parameters: &str) -> Option<Offer> {
        let offers = ExtensionOffer::parse_list(&format!("permessage-deflate{parameters}"));
        assert_eq!(offers.len(), 1, "{parameters}");
        Offer::parse(&offers[0])
    }

    #[test]
    fn valid_offers() {
        let none = Offer::default();
        let cases = [
            ("", none),
            ("; server_no_context_takeover", Offer { server_no_context_takeover: true, ..none }),
            ("; client_no_context_takeover", Offer { client_no_context_takeover: true, ..none }),
            ("; client_max_window_bits", Offer { client_max_window_bits: Some(None), ..none }),
            ("; client_max_window_bits=8", Offer { client_max_window_bits: Some(Some(8)), ..none }),
            ("; server_max_window_bits=10", Offer { server_max_window_bits: Some(10), ..none }),
            ("; server_max_window_bits=\"10\"", Offer { server_max_window_bits: Some(10), ..none }),
            ("; server_max_window_bits=\"1\\0\"", Offer { server_max_window_bits: Some(10), ..none }),
            (
                " ;client_max_window_bits ; server_max_window_bits = 9",
                Offer { client_max_window_bits: Some(None), server_max_window_bits: Some(9), ..none },
            ),
        ];
        for (parameters, expected) in cases {
            assert_eq!(parse(parameters), Some(expected), "{parameters}");
        }
    }

    #[test]
    fn invalid_offers() {
        for parameters in [
            "; unknown",
            "; unknown=1",
            "; server_no_context_takeover=1",
            "; server_no_context_takeover; server_no_context_takeover",
            "; client_no_context_takeover=true",
            "; server_max_window_bits",
            "; server_max_window_bits=7",
            "; server_max_window_bits=16",
            "; server_max_window_bits=08",
            "; server_max_window_bits=+9",
            "; server_max_window_bits=\"\"",
            "; server_max_window_bits=10; server_max_window_bits=10",
            "; client_max_window_bits=100",
            "; client_max_window_bits; client_max_window_bits",
            "; client_max_window_bits=\"10",
            "; client_max_window_bits=10\"",
            "; client_max_window_bits=",
            ";",
            "; =10",
        ] {
            assert_eq!(parse(parameters), None, "{parameters}");
        }
    }
}
