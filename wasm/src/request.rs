//! A request's head as Node gives it.
//!
//! Lines of one byte per character: the method, the version, the URL, the client's address, then names and values of
//! the headers in turn. No part of a request has a line feed in it.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, Uri, Version};
use switchboard_core::control::ClockStep;

/// A request that cannot be understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A request without its body, and who sent it.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) request: Request<()>,
    pub(crate) address: Option<IpAddr>,
}

/// Reads a head. URL and values share one copy of it.
pub(crate) fn parse(head: &[u8]) -> Result<Head, Malformed> {
    let head = Bytes::copy_from_slice(head);
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| head.slice_ref(line));
    let mut line = || lines.next().ok_or(Malformed);
    let (method, version, url, address) = (line()?, line()?, line()?, line()?);
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(&method).map_err(|_| Malformed)?;
    *request.uri_mut() = Uri::from_maybe_shared(url).map_err(|_| Malformed)?;
    *request.version_mut() = match &version[..] {
        b"1.1" => Version::HTTP_11,
        b"1.0" => Version::HTTP_10,
        _ => return Err(Malformed),
    };
    while let Some(name) = lines.next() {
        let name = HeaderName::from_bytes(&name).map_err(|_| Malformed)?;
        let value = HeaderValue::from_maybe_shared(lines.next().ok_or(Malformed)?).map_err(|_| Malformed)?;
        request.headers_mut().try_append(name, value).map_err(|_| Malformed)?;
    }
    let address = std::str::from_utf8(&address).ok().and_then(|address| address.parse().ok());
    Ok(Head { request, address })
}

/// Stands where otherwise the status does, for a file that is the body.
pub(crate) const FILE: &str = "file";

/// An answer for JavaScript: the status, then names and values of the headers in turn, then the body.
pub(crate) fn answer(response: &Response<impl AsRef<[u8]>>) -> Vec<String> {
    let mut parts = vec![response.status().as_u16().to_string()];
    for (name, value) in response.headers() {
        parts.extend([name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()]);
    }
    parts.push(String::from_utf8_lossy(response.body().as_ref()).into_owned());
    parts
}

/// What has to be done with the clock, in words.
pub(crate) fn clock_step(step: ClockStep) -> Vec<String> {
    match step {
        ClockStep::Pause => vec!["pause".to_owned()],
        ClockStep::Resume => vec!["resume".to_owned()],
        ClockStep::Advance(time) => vec!["advance".to_owned(), time.to_string()],
        ClockStep::RunNext => vec!["runNext".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_their_bytes_and_their_repetitions() {
        let head = parse(b"GET\n1.1\n/a?b\n127.0.0.1\nHost\na\nX-Name\n\xe9\nx-name\nb").unwrap();
        assert_eq!(head.request.uri().path(), "/a");
        assert_eq!(head.address, Some(IpAddr::from([127, 0, 0, 1])));
        let values: Vec<_> =
            head.request.headers().get_all("x-name").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(values, [&b"\xe9"[..], b"b"]);
    }

    #[test]
    fn nonsense_is_malformed() {
        for head in [
            "G T\n1.1\n/\n",
            "GET\n2.0\n/\n",
            "GET\n1.1\n/<\n",
            "GET\n1.1\n\n",
            "GET\n1.1\na b\n",
            "GET\n1.1\n/\n\na b\nc",
            "GET\n1.1\n/\n\na\nb\nc",
            "GET\n1.1\n/",
        ] {
            assert!(parse(head.as_bytes()).is_err(), "{head}");
        }
        assert_eq!(parse(b"GET\n1.1\n/\n").unwrap().address, None);
    }
}
