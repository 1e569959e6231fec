//! The opening handshake's answer, and response heads as bytes.

use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{HeaderValue, Response, StatusCode};

use super::handshake::Handshake;

/// The 101 that opens the WebSocket (RFC 6455 section 4.2.2), with the chosen subprotocol and the agreed extension.
///
/// A subprotocol with characters that no header can have is left out; one from the client's own list never has them.
pub fn response(
    handshake: &Handshake,
    subprotocol: Option<&str>,
    extension: Option<HeaderValue>,
) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, handshake.accept.clone());
    if let Some(subprotocol) = subprotocol.and_then(|name| HeaderValue::from_str(name).ok()) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    if let Some(extension) = extension {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, extension);
    }
    response
}

/// Status line and headers as HTTP/1.1 bytes, with the empty line that ends them.
///
/// The headers are written as they are: if there is a body, its `Content-Length` has to be among them.
pub fn encode_head<T>(response: &Response<T>) -> Vec<u8> {
    let status = response.status();
    let mut head = Vec::with_capacity(256);
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    head.extend_from_slice(b"\r\n");
    for (name, value) in response.headers() {
        write_name(name, &mut head);
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Writes the name as RFC 6455 spells it: some clients compare it with case.
fn write_name(name: &HeaderName, head: &mut Vec<u8>) {
    for (index, part) in name.as_str().split('-').enumerate() {
        if index > 0 {
            head.push(b'-');
        }
        match part.as_bytes() {
            b"websocket" => head.extend_from_slice(b"WebSocket"),
            [first, rest @ ..] => {
                head.push(first.to_ascii_uppercase());
                head.extend_from_slice(rest);
            }
            [] => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_on_the_wire() {
        let handshake = Handshake {
            accept: HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            protocols: vec!["chat".to_owned()],
            extensions: Vec::new(),
        };
        let extension = HeaderValue::from_static("permessage-deflate");
        let head = encode_head(&response(&handshake, Some("chat"), Some(extension)));
        assert_eq!(
            String::from_utf8(head).expect("ASCII"),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        );
    }

    #[test]
    fn nothing_is_said_that_was_not_chosen() {
        let handshake = Handshake {
            accept: HeaderValue::from_static("x"),
            protocols: Vec::new(),
            extensions: Vec::new(),
        };
        let response = response(&handshake, None, None);
        assert!(!response.headers().contains_key("sec-websocket-protocol"));
        assert!(!response.headers().contains_key("sec-websocket-extensions"));
    }
}
