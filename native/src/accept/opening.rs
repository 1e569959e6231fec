//! The first bytes of a connection if they are, as nearly always, a whole opening handshake.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};

/// Requests with more lines are left to HTTP.
const MAX_LINES: usize = 48;

/// Headers that give a request another meaning than that of a plain opening handshake.
const NOT_OURS: [HeaderName; 3] = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT];

/// Reads a GET request that asks for an upgrade and has no body, and returns it with its length in bytes. None: it is
/// something else, incomplete or malformed, and left to HTTP.
pub(crate) fn parse(bytes: &[u8]) -> Option<(Request<()>, usize)> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let mut parsed = httparse::Request::new(&mut lines);
    let Ok(httparse::Status::Complete(length)) = parsed.parse(bytes) else { return None };
    if parsed.method != Some("GET") || parsed.version != Some(1) {
        return None;
    }
    let shared = Bytes::copy_from_slice(&bytes[..length]);
    // The copy has everything where the original has it.
    let part = |part: &[u8]| {
        let start = part.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        (start + part.len() <= length).then(|| shared.slice(start..start + part.len()))
    };
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    for line in parsed.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_maybe_shared(part(line.value)?).ok()?);
    }
    if !headers.contains_key(header::UPGRADE) || NOT_OURS.iter().any(|name| headers.contains_key(name)) {
        return None;
    }
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_maybe_shared(part(parsed.path?.as_bytes())?).ok()?;
    *request.headers_mut() = headers;
    Some((request, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str =
        "GET /a?b=c HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nCookie: 1\r\nCookie:  2 \r\n\r\n";

    #[test]
    fn an_opening_handshake() {
        let bytes = format!("{REQUEST}rest");
        let (request, length) = parse(bytes.as_bytes()).expect("an opening handshake");
        assert_eq!(length, REQUEST.len());
        assert_eq!(request.uri(), "/a?b=c");
        let cookies: Vec<_> = request.headers().get_all(header::COOKIE).iter().collect();
        assert_eq!(cookies, ["1", "2"]);
        assert_eq!(request.headers().len(), 4);
    }

    #[test]
    fn what_is_left_to_http() {
        let body = REQUEST.replace("Cookie: 1", "Content-Length: 1");
        let chunked = REQUEST.replace("Cookie: 1", "Transfer-Encoding: chunked");
        let others = [
            &REQUEST[..REQUEST.len() - 1],
            &REQUEST.replace("GET", "POST"),
            &REQUEST.replace("1.1", "1.0"),
            &REQUEST.replace("Upgrade", "Downgrade"),
            &REQUEST.replace("/a", "\u{1}"),
            &REQUEST.replace("Host", "Ho st"),
            &REQUEST.replace("Cookie: 1\r\n", &"A: b\r\n".repeat(100)),
            &body,
            &chunked,
            "",
        ];
        for other in others {
            assert!(parse(other.as_bytes()).is_none(), "{other}");
        }
    }
}
