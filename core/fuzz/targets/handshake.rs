//! The opening handshake: any head is taken or refused, what is taken is valid, and the answer is whole HTTP.
//!
//! Input: a request line, then header lines; what cannot be in a request at all is left out.
#![no_main]

use http::{HeaderName, HeaderValue, Request, Version};
use libfuzzer_sys::fuzz_target;
use switchboard_core::protocol::{
    DeflateConfig, Handshake, check, encode_head, negotiate, response, select_subprotocol,
};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::server::create_response;

fuzz_target!(|data: &[u8]| {
    let Some(request) = request(data) else { return };
    match check(&request) {
        Ok(handshake) => accepted(&request, handshake),
        Err(refusal) => {
            assert!(refusal.status.is_client_error());
            let bytes = refusal.encode();
            let (status, body) = parse(&bytes);
            assert_eq!((status, body), (refusal.status.as_u16(), refusal.reason.as_bytes()));
        }
    }
});

fn request(data: &[u8]) -> Option<Request<()>> {
    let mut lines = data.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let mut words = first.split(' ');
    let mut builder =
        Request::builder().method(words.next()?).uri(words.next()?).version(match words.next()? {
            "HTTP/1.1" => Version::HTTP_11,
            "HTTP/1.0" => Version::HTTP_10,
            _ => Version::HTTP_2,
        });
    for line in lines.take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            builder = builder.header(name, value);
        }
    }
    builder.body(()).ok()
}

fn accepted(request: &Request<()>, handshake: Handshake) {
    let headers = request.headers();
    let count = |name: &str| headers.get_all(name).iter().count();
    assert_eq!((request.method().as_str(), request.version()), ("GET", Version::HTTP_11));
    assert_eq!([count("host"), count("sec-websocket-key"), count("sec-websocket-version")], [1; 3]);
    assert_eq!(headers["sec-websocket-version"], "13");
    let key = headers["sec-websocket-key"].as_bytes();
    assert_eq!((key.len(), handshake.accept.as_bytes()), (24, derive_accept_key(key).as_bytes()));
    for (index, name) in handshake.protocols.iter().enumerate() {
        assert!(
            !handshake.protocols[..index].contains(name)
                && !name.contains([',', ' ', '"'])
                && name.is_ascii()
        );
    }
    // tungstenite looks at the first line of each only and at `Upgrade` as a whole, and cares for the last digit's spare
    // bits, which are all zero in these four.
    let is_simple = count("connection") == 1
        && !headers["connection"].as_bytes().contains(&b'\t')
        && headers["upgrade"].as_bytes().eq_ignore_ascii_case(b"websocket")
        && b"AQgw".contains(&key[21]);
    assert!(!is_simple || create_response(request).is_ok(), "tungstenite refuses {request:?}");

    let subprotocol = select_subprotocol(&handshake.protocols, &["chat", "v2", "a"]).map(str::to_owned);
    assert!(subprotocol.as_ref().is_none_or(|chosen| handshake.protocols.contains(chosen)));
    let extension = negotiate(&DeflateConfig::default(), &handshake.extensions).ok().flatten();
    let response = response(&handshake, subprotocol.as_deref(), extension.map(|(_, header)| header));
    let bytes = encode_head(&response);
    assert_eq!(parse(&bytes), (101, &b""[..]));
}

/// The status and the body of a response that must be whole.
fn parse(bytes: &[u8]) -> (u16, &[u8]) {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut headers);
    let head = response.parse(bytes).expect("HTTP").unwrap();
    let body = &bytes[head..];
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |header| std::str::from_utf8(header.value).unwrap().parse().unwrap());
    assert_eq!(body.len(), length);
    (response.code.expect("a status"), body)
}
