//! An opening handshake answered with an HTTP error.

use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::response::encode_head;

/// Why the connection does not become a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The response's status.
    pub status: StatusCode,
    /// Headers that the status requires, such as `Sec-WebSocket-Version` with 426.
    pub headers: HeaderMap,
    /// The response's body: one line for the client's developer.
    pub reason: &'static str,
}

impl Refusal {
    /// A refusal without headers of its own.
    pub fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, headers: HeaderMap::new(), reason }
    }

    /// A refusal whose reason is the status's own, such as `Unauthorized`.
    pub fn of_status(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or_default())
    }

    /// 400: the request is not a valid opening handshake.
    pub fn bad_request(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// 405: only GET opens a WebSocket.
    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "a WebSocket is opened with GET")
            .with(ALLOW, HeaderValue::from_static("GET"))
    }

    /// 426: a plain request for a path that serves only WebSockets.
    pub(super) fn upgrade_required() -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket endpoint").with_upgrade()
    }

    /// 426: another version of the protocol (RFC 6455 section 4.4).
    pub(super) fn version_required() -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "Sec-WebSocket-Version must be 13")
            .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
            .with_upgrade()
    }

    /// The whole response; the connection ends after it.
    pub fn response(&self) -> Response<&'static str> {
        let mut response = Response::new(self.reason);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.reason.len()));
        headers.extend(self.headers.clone());
        response
    }

    /// The whole response as HTTP/1.1 bytes, to be written as they are.
    pub fn encode(&self) -> Vec<u8> {
        let response = self.response();
        let mut bytes = encode_head(&response);
        bytes.extend_from_slice(response.body().as_bytes());
        bytes
    }

    fn with(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// 426 has to name the protocol, and `Upgrade` has to be named by `Connection` (RFC 9110 sections 7.8, 15.5.22).
    fn with_upgrade(self) -> Self {
        self.with(UPGRADE, HeaderValue::from_static("websocket"))
            .with(CONNECTION, HeaderValue::from_static("close, upgrade"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_on_the_wire() {
        let bytes = Refusal::bad_request("Host is missing").encode();
        let text = String::from_utf8(bytes).expect("ASCII");
        assert_eq!(
            text,
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: 15\r\n\r\nHost is missing"
        );
    }

    #[test]
    fn an_upgrade_demand_names_the_protocol() {
        let response = Refusal::version_required().response();
        assert_eq!(response.headers()["sec-websocket-version"], "13");
        assert_eq!(response.headers()["upgrade"], "websocket");
        assert_eq!(response.headers()["connection"], "close, upgrade");
    }
}
