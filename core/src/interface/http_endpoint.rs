//! Plain HTTP requests that handlers and feeds answer: status pages, admin statistics, publishing.

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use serde_json::Value;

/// A path that answers plain HTTP requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpEndpoint {
    /// The only method it answers. GET also answers HEAD.
    pub method: Method,
    /// The whole path, exactly.
    pub path: String,
    /// The largest body it takes, in bytes; a larger one is 413.
    pub max_body: usize,
}

impl HttpEndpoint {
    /// An endpoint that is only read.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), max_body: 0 }
    }

    /// An endpoint that takes a body of at most `max_body` bytes.
    pub fn post(path: impl Into<String>, max_body: usize) -> Self {
        Self { method: Method::POST, path: path.into(), max_body }
    }

    /// Whether a request for `path` is for this endpoint.
    pub fn matches(&self, method: &Method, path: &str) -> bool {
        self.path == path && (self.method == *method || self.method == Method::GET && *method == Method::HEAD)
    }
}

/// A JSON response.
pub fn json_response(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
