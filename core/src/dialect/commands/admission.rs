//! What the dialect demands of an opening handshake in addition to RFC 6455.
//!
//! | Opening handshake | Answer |
//! |---|---|
//! | `Host` is not among `allowedHosts` | 400 |
//! | no `Origin`, but `originRequired` | 403 |
//! | none of the route's subprotocols, but `protocolRequired` | 400 |
//! | no extension, but `extensionsRequired` | 400 |
//!
//! Another version than 13 is 426, as everywhere.

use http::StatusCode;
use http::header::{HOST, HeaderMap, HeaderName, ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};

use super::CommandsOptions;
use crate::protocol::Refusal;

pub(super) fn check(
    options: &CommandsOptions,
    subprotocols: &[String],
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_allowed = |allowed: &String| allowed.eq_ignore_ascii_case(host);
    if !options.allowed_hosts.is_empty() && !options.allowed_hosts.iter().any(is_allowed) {
        return Err(Refusal::bad_request("this Host is not served here"));
    }
    if options.origin_required && is_blank(headers, ORIGIN) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Origin is required"));
    }
    if options.protocol_required && !offers_protocol(subprotocols, headers) {
        return Err(Refusal::bad_request("a subprotocol of this endpoint is required"));
    }
    if options.extensions_required && is_blank(headers, SEC_WEBSOCKET_EXTENSIONS) {
        return Err(Refusal::bad_request("an extension is required"));
    }
    Ok(())
}

fn is_blank(headers: &HeaderMap, name: HeaderName) -> bool {
    headers.get_all(name).iter().all(|value| value.as_bytes().trim_ascii().is_empty())
}

/// On a route without subprotocols any will do.
fn offers_protocol(own: &[String], headers: &HeaderMap) -> bool {
    let mut offers = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|offer| !offer.is_empty());
    offers.any(|offer| own.is_empty() || own.iter().any(|own| own == offer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_has_to_be_there() {
        let hosts = CommandsOptions { allowed_hosts: vec!["localhost:6001".into()], ..Default::default() };
        let origin = CommandsOptions { origin_required: true, ..Default::default() };
        let protocol = CommandsOptions { protocol_required: true, ..Default::default() };
        let extensions = CommandsOptions { extensions_required: true, ..Default::default() };
        let none: &[String] = &[];
        let chat: &[String] = &["chat".to_owned()];
        for (options, own, header, value, status) in [
            (&CommandsOptions::default(), none, "x", "", None),
            (&hosts, none, "host", "LOCALHOST:6001", None),
            (&hosts, none, "host", "localhost", Some(400)),
            (&origin, none, "origin", "http://localhost", None),
            (&origin, none, "origin", " ", Some(403)),
            (&origin, none, "x", "", Some(403)),
            (&protocol, none, "sec-websocket-protocol", "x", None),
            (&protocol, none, "x", "", Some(400)),
            (&protocol, chat, "sec-websocket-protocol", "x, chat", None),
            (&protocol, chat, "sec-websocket-protocol", "x", Some(400)),
            (&extensions, none, "sec-websocket-extensions", "permessage-deflate", None),
            (&extensions, none, "x", "", Some(400)),
        ] {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(header), value.parse().unwrap())]);
            let refused = check(options, own, &headers).err().map(|refusal| refusal.status.as_u16());
            assert_eq!(refused, status, "{header}: {value}");
        }
    }
}
