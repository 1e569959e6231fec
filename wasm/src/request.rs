//! The opening handshake's request as Node gives it.

use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Uri, Version};

/// A request that cannot be understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Builds a request. `headers` are names and values in turn, as in Node's `rawHeaders`: one character per byte.
pub(crate) fn build(
    method: &str,
    version: &str,
    url: &str,
    headers: &[String],
) -> Result<Request<()>, Malformed> {
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| Malformed)?;
    *request.uri_mut() = url.parse::<Uri>().map_err(|_| Malformed)?;
    *request.version_mut() = match version {
        "1.1" => Version::HTTP_11,
        "1.0" => Version::HTTP_10,
        _ => return Err(Malformed),
    };
    for pair in headers.chunks_exact(2) {
        let name = HeaderName::from_bytes(pair[0].as_bytes()).map_err(|_| Malformed)?;
        let value = HeaderValue::from_bytes(&latin1(&pair[1])).map_err(|_| Malformed)?;
        request.headers_mut().try_append(name, value).map_err(|_| Malformed)?;
    }
    Ok(request)
}

/// The bytes behind Node's header strings; what cannot be one becomes `?`.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_their_bytes_and_their_repetitions() {
        let headers = ["Host", "a", "X-Name", "\u{e9}", "x-name", "b"].map(String::from);
        let request = build("GET", "1.1", "/a?b", &headers).unwrap();
        assert_eq!(request.uri().path(), "/a");
        let values: Vec<_> = request.headers().get_all("x-name").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(values, [&b"\xe9"[..], b"b"]);
    }

    #[test]
    fn nonsense_is_malformed() {
        for (method, version, url) in [
            ("G T", "1.1", "/"),
            ("GET", "2.0", "/"),
            ("GET", "1.1", "/<"),
            ("GET", "1.1", ""),
            ("GET", "1.1", "a b"),
        ] {
            assert_eq!(build(method, version, url, &[]).unwrap_err(), Malformed, "{method} {version} {url}");
        }
    }
}
