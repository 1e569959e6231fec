//! An opening handshake's request in a compact form.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};

/// Names that are written as one byte, which is their place here.
static KNOWN: [HeaderName; 18] = [
    header::HOST,
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::USER_AGENT,
    header::ORIGIN,
    header::COOKIE,
    header::AUTHORIZATION,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::PRAGMA,
    header::ACCEPT,
    header::FORWARDED,
    header::REFERER,
];

/// Stands for a name that is written out.
const OTHER: u8 = u8::MAX;

/// A GET request over HTTP/1.1 in one allocation. An `http::Request` takes 224 bytes and three allocations, and its
/// parts may be slices of a buffer that is much larger.
///
/// ```text
/// query length + 1, 0 without a query │ path length │ URI length │ URI │ (name │ value length │ value)…
/// ```
#[derive(Debug)]
pub(crate) struct StoredRequest(Box<[u8]>);

impl StoredRequest {
    /// Keeps target and headers. The method and the version are those of every opening handshake.
    pub(crate) fn new(request: &Request<()>) -> Self {
        let uri = request.uri().to_string();
        let headers = request.headers();
        let lengths = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 12);
        let mut bytes = Vec::with_capacity(uri.len() + lengths.sum::<usize>() + 15);
        push_length(&mut bytes, request.uri().query().map_or(0, |query| query.len() + 1));
        push_length(&mut bytes, request.uri().path().len());
        push_length(&mut bytes, uri.len());
        bytes.extend_from_slice(uri.as_bytes());
        for (name, value) in headers {
            match KNOWN.iter().position(|known| known == name) {
                Some(place) => bytes.push(place as u8),
                None => {
                    bytes.push(OTHER);
                    push_length(&mut bytes, name.as_str().len());
                    bytes.extend_from_slice(name.as_str().as_bytes());
                }
            }
            push_length(&mut bytes, value.len());
            bytes.extend_from_slice(value.as_bytes());
        }
        Self(bytes.into())
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        let Target { uri, path, query, .. } = self.target();
        let end = uri.len() - query;
        text(&uri[end - path..end])
    }

    /// The query without its `?`; empty when there is none.
    pub(crate) fn query(&self) -> &str {
        let Target { uri, query, .. } = self.target();
        text(&uri[(uri.len() - query + 1).min(uri.len())..])
    }

    /// The request as it came, without the extensions of its host.
    pub(crate) fn to_request(&self) -> Request<()> {
        let Target { uri, mut rest, .. } = self.target();
        let mut headers = HeaderMap::new();
        while let Some(place) = take(&mut rest, 1).first() {
            let name = match KNOWN.get(usize::from(*place)) {
                Some(known) => Ok(known.clone()),
                None => HeaderName::from_bytes(take_field(&mut rest)),
            };
            let value = HeaderValue::from_bytes(take_field(&mut rest));
            // They were valid when they were stored.
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        let mut request = Request::new(());
        *request.uri_mut() = Uri::try_from(uri).unwrap_or_default();
        *request.headers_mut() = headers;
        request
    }

    fn target(&self) -> Target<'_> {
        let mut rest = &*self.0;
        let query = take_length(&mut rest);
        let path = take_length(&mut rest);
        let uri = take_field(&mut rest);
        Target { uri, path, query, rest }
    }
}

/// The beginning of what is stored.
struct Target<'a> {
    uri: &'a [u8],
    /// How many bytes before the query are the path.
    path: usize,
    /// How many bytes at the end are the query with its `?`.
    query: usize,
    /// The headers.
    rest: &'a [u8],
}

/// Seven bits a byte, the low ones first.
fn push_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

fn take_length(rest: &mut &[u8]) -> usize {
    let mut length = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let Some(byte) = take(rest, 1).first() else { break };
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    length
}

fn take_field<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = take_length(rest);
    take(rest, length)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, after) = rest.split_at(length.min(rest.len()));
    *rest = after;
    taken
}

/// A URI is ASCII.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(uri: &str, headers: &[(&str, &[u8])]) -> StoredRequest {
        let mut builder = Request::get(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(()).expect("a request");
        let stored = StoredRequest::new(&request);
        let back = stored.to_request();
        assert_eq!((back.method(), back.version()), (request.method(), request.version()));
        assert_eq!((back.uri(), back.headers()), (request.uri(), request.headers()));
        assert_eq!(stored.path(), request.uri().path());
        assert_eq!(stored.query(), request.uri().query().unwrap_or_default());
        stored
    }

    #[test]
    fn a_request_comes_back_as_it_was() {
        let long = [b'x'; 20_000];
        round_trip(
            "/rooms/a%20b?token=1&x=?",
            &[
                ("host", b"example.com"),
                ("cookie", b"a=1"),
                ("x-own", b"\xff\xfe"),
                ("cookie", b"b=2"),
                ("x-empty", b""),
                ("x-long", &long),
            ],
        );
    }

    #[test]
    fn every_form_of_target() {
        for uri in ["/", "/a", "/a?", "/?b", "http://host:1/a/b?c", "http://host", "http://host?c"] {
            round_trip(uri, &[]);
        }
    }

    #[test]
    fn a_browser_less_handshake_is_small() {
        let stored = round_trip(
            "/echo",
            &[
                ("host", b"127.0.0.1:8080"),
                ("upgrade", b"websocket"),
                ("connection", b"Upgrade"),
                ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
                ("sec-websocket-version", b"13"),
            ],
        );
        assert_eq!(stored.0.len(), 3 + 5 + 5 * 2 + 14 + 9 + 7 + 24 + 2);
    }
}
