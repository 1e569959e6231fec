//! The opening handshake's request (RFC 6455 sections 4.1 and 4.2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Method, Request, Version};
use sha1::{Digest, Sha1};

use super::extension::ExtensionOffer;
use super::host::is_valid_host;
use super::refusal::Refusal;
use super::token::{has_element, is_token};

/// What every server appends to the key (section 1.3).
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// How many subprotocols a client may offer.
const MAX_PROTOCOLS: usize = 64;

/// A valid opening handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// The answer to the client's key: `Sec-WebSocket-Accept`.
    pub accept: HeaderValue,
    /// The offered subprotocols in the client's order; at most 64, none twice.
    pub protocols: Vec<String>,
    /// The offered extensions in the client's order, malformed ones marked.
    pub extensions: Vec<ExtensionOffer>,
}

/// Checks the request; a refusal says what to answer instead of 101.
///
/// | Request | Refusal |
/// |---|---|
/// | another method than GET | 405, `Allow` |
/// | another version than HTTP/1.1; `Host` missing, repeated or malformed | 400 |
/// | GET without `Upgrade` | 426, `Upgrade` |
/// | `Upgrade` without `websocket`, `Connection` without `upgrade` | 400 |
/// | `Sec-WebSocket-Version` repeated | 400 |
/// | `Sec-WebSocket-Version` missing or not 13 | 426, `Sec-WebSocket-Version` |
/// | `Sec-WebSocket-Key` missing, repeated or not 16 bytes in base64 | 400 |
/// | `Sec-WebSocket-Protocol` not a list of different tokens | 400 |
pub fn check<T>(request: &Request<T>) -> Result<Handshake, Refusal> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    if request.version() != Version::HTTP_11 {
        return Err(Refusal::bad_request("a WebSocket is opened over HTTP/1.1"));
    }
    let host = only_line(headers, HOST, "Host is missing", "Host is repeated")?;
    if !is_valid_host(host.as_bytes()) {
        return Err(Refusal::bad_request("Host is malformed"));
    }
    if !headers.contains_key(UPGRADE) {
        return Err(Refusal::upgrade_required());
    }
    if !has_element(headers, UPGRADE, "websocket") {
        return Err(Refusal::bad_request("Upgrade does not name websocket"));
    }
    if !has_element(headers, CONNECTION, "upgrade") {
        return Err(Refusal::bad_request("Connection does not name upgrade"));
    }
    check_version(headers)?;
    Ok(Handshake {
        accept: accept(headers)?,
        protocols: protocols(headers)?,
        extensions: headers
            .get_all(SEC_WEBSOCKET_EXTENSIONS)
            .iter()
            .flat_map(|line| ExtensionOffer::parse_list(&String::from_utf8_lossy(line.as_bytes())))
            .collect(),
    })
}

/// The first of the client's subprotocols that the server supports. Names are compared with case; `*` supports
/// every one.
pub fn select_subprotocol<'a, S: AsRef<str>>(offered: &'a [String], supported: &[S]) -> Option<&'a str> {
    let speaks = |offer: &str| supported.iter().any(|name| [offer, "*"].contains(&name.as_ref()));
    offered.iter().map(String::as_str).find(|offer| speaks(offer))
}

fn check_version(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut versions = headers.get_all(SEC_WEBSOCKET_VERSION).iter();
    match (versions.next(), versions.next()) {
        (Some(version), None) if version == "13" => Ok(()),
        (_, None) => Err(Refusal::version_required()),
        (_, Some(_)) => Err(Refusal::bad_request("Sec-WebSocket-Version is repeated")),
    }
}

fn accept(headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
    let key = only_line(
        headers,
        SEC_WEBSOCKET_KEY,
        "Sec-WebSocket-Key is missing",
        "Sec-WebSocket-Key is repeated",
    )?;
    // 16 bytes are 22 digits and two fillers. The surplus bits of the last digit are ignored.
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let is_key = matches!(key.as_bytes(), [digits @ .., b'=', b'='] if digits.len() == 22 && digits.iter().all(is_digit));
    let invalid = Refusal::bad_request("Sec-WebSocket-Key is not 16 bytes in base64");
    if !is_key {
        return Err(invalid);
    }
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(KEY_SUFFIX).finalize();
    HeaderValue::try_from(STANDARD.encode(digest)).map_err(|_| invalid)
}

fn protocols(headers: &HeaderMap) -> Result<Vec<String>, Refusal> {
    let malformed = "Sec-WebSocket-Protocol is not a list of different tokens";
    let mut protocols: Vec<String> = Vec::new();
    for line in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        let line = line.to_str().map_err(|_| Refusal::bad_request(malformed))?;
        for protocol in line.split(',').map(str::trim) {
            let is_new = !protocols.iter().any(|known| known == protocol);
            if !is_token(protocol) || !is_new || protocols.len() == MAX_PROTOCOLS {
                return Err(Refusal::bad_request(malformed));
            }
            protocols.push(protocol.to_owned());
        }
    }
    Ok(protocols)
}

/// The header's value, which has to be there exactly once.
fn only_line<'a>(
    headers: &'a HeaderMap,
    name: HeaderName,
    missing: &'static str,
    repeated: &'static str,
) -> Result<&'a HeaderValue, Refusal> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next().ok_or_else(|| Refusal::bad_request(missing))?;
    match lines.next() {
        Some(_) => Err(Refusal::bad_request(repeated)),
        None => Ok(line),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    /// The request of RFC 6455 section 1.2, without the headers named in `without`.
    fn request(without: &[&str], with: &[(&str, &str)]) -> Request<()> {
        let headers = [
            ("host", "server.example.com"),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-version", "13"),
        ];
        let kept = headers.iter().filter(|(name, _)| !without.contains(name));
        let mut builder = Request::get("/chat");
        for (name, value) in kept.chain(with) {
            builder = builder.header(*name, *value);
        }
        builder.body(()).expect("a request")
    }

    fn status(request: &Request<()>) -> StatusCode {
        check(request).expect_err("a refusal").status
    }

    #[test]
    fn the_example_of_the_rfc() {
        let protocols = [("sec-websocket-protocol", "chat, superchat"), ("sec-websocket-protocol", "third")];
        let handshake = check(&request(&[], &protocols)).expect("valid");
        assert_eq!(handshake.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(handshake.protocols, ["chat", "superchat", "third"]);
        assert_eq!(select_subprotocol(&handshake.protocols, &["third", "superchat"]), Some("superchat"));
        assert_eq!(select_subprotocol(&handshake.protocols, &["CHAT"]), None);
        assert_eq!(
            select_subprotocol(&handshake.protocols, &["*"]),
            handshake.protocols.first().map(String::as_str)
        );
    }

    #[test]
    fn tokens_are_compared_without_case_over_lines() {
        let headers =
            [("connection", "keep-alive"), ("connection", "foo, uPGRADE"), ("upgrade", "h2c, WebSocket")];
        assert!(check(&request(&["connection", "upgrade"], &headers)).is_ok());
    }

    #[test]
    fn refusals() {
        let bad = StatusCode::BAD_REQUEST;
        let upgrade = StatusCode::UPGRADE_REQUIRED;
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(&[&str], Headers, StatusCode)] = &[
            (&["host"], &[], bad),
            (&["host"], &[("host", "")], bad),
            (&["host"], &[("host", "a b")], bad),
            (&[], &[("host", "other")], bad),
            (&["upgrade", "connection"], &[], upgrade),
            (&["upgrade"], &[("upgrade", "h2c")], bad),
            (&["connection"], &[], bad),
            (&["connection"], &[("connection", "close")], bad),
            (&["sec-websocket-version"], &[], upgrade),
            (&["sec-websocket-version"], &[("sec-websocket-version", "8")], upgrade),
            (&["sec-websocket-version"], &[("sec-websocket-version", "13, 8")], upgrade),
            (&[], &[("sec-websocket-version", "13")], bad),
            (&["sec-websocket-key"], &[], bad),
            (&[], &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")], bad),
            (&["sec-websocket-key"], &[("sec-websocket-key", "")], bad),
            (&["sec-websocket-key"], &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=")], bad),
            (&["sec-websocket-key"], &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQAA")], bad),
            (&["sec-websocket-key"], &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25j-Q==")], bad),
            (&[], &[("sec-websocket-protocol", "")], bad),
            (&[], &[("sec-websocket-protocol", "a,,b")], bad),
            (&[], &[("sec-websocket-protocol", "a b")], bad),
            (&[], &[("sec-websocket-protocol", "a, a")], bad),
            (&[], &[("sec-websocket-protocol", "a"), ("sec-websocket-protocol", "a")], bad),
        ];
        for (without, with, expected) in cases {
            assert_eq!(status(&request(without, with)), *expected, "without {without:?} with {with:?}");
        }
    }

    #[test]
    fn method_and_version() {
        let mut post = request(&[], &[]);
        *post.method_mut() = Method::POST;
        let refusal = check(&post).expect_err("a refusal");
        assert_eq!(refusal.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refusal.headers["allow"], "GET");
        for version in [Version::HTTP_10, Version::HTTP_09, Version::HTTP_2] {
            let mut old = request(&[], &[]);
            *old.version_mut() = version;
            assert_eq!(status(&old), StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn extensions_are_read_over_lines() {
        let lines = [
            ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits, x"),
            ("sec-websocket-extensions", "permessage-deflate"),
        ];
        let handshake = check(&request(&[], &lines)).expect("valid");
        let names: Vec<_> = handshake.extensions.iter().map(|offer| offer.name.as_str()).collect();
        assert_eq!(names, ["permessage-deflate", "x", "permessage-deflate"]);
    }
}
