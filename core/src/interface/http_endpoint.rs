//! Plain HTTP requests that handlers and feeds answer: status pages, admin statistics, publishing.

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use serde_json::Value;

/// A path that answers plain HTTP requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpEndpoint {
    /// The only method it answers. GET also answers HEAD.
    pub method: Method,
    /// The whole path.
    pub path: String,
    /// The largest body it takes, in bytes; a larger one is 413.
    pub max_body: usize,
    /// Whether it answers all paths below `path` too. Default false.
    pub is_tree: bool,
    /// Whether a request has to pass the origin check and the authentication of the route's WebSockets. Pages that may ask
    /// get CORS headers, also for a preflight request with OPTIONS. Default false.
    pub is_guarded: bool,
    /// Whether it answers every method, those with a body as `max_body` says. Default false.
    pub takes_every_method: bool,
}

impl HttpEndpoint {
    /// An endpoint that is only read.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            max_body: 0,
            is_tree: false,
            is_guarded: false,
            takes_every_method: false,
        }
    }

    /// An endpoint that takes a body of at most `max_body` bytes.
    pub fn post(path: impl Into<String>, max_body: usize) -> Self {
        Self { method: Method::POST, max_body, ..Self::get(path) }
    }

    /// The same with all paths below it.
    pub fn tree(self) -> Self {
        Self { is_tree: true, ..self }
    }

    /// The same only for clients that may open a WebSocket on the route.
    pub fn guarded(self) -> Self {
        Self { is_guarded: true, ..self }
    }

    /// The same for every method.
    pub fn every_method(self) -> Self {
        Self { takes_every_method: true, ..self }
    }

    /// Whether a request for `path` is for this endpoint.
    pub fn matches(&self, method: &Method, path: &str) -> bool {
        let is_its_path = match path.strip_prefix(&*self.path) {
            Some("") => true,
            Some(below) => self.is_tree && below.starts_with('/'),
            None => false,
        };
        let is_its_method = self.takes_every_method
            || self.method == *method
            || self.method == Method::GET && *method == Method::HEAD
            || self.is_guarded && *method == Method::OPTIONS;
        is_its_path && is_its_method
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_path_or_a_tree() {
        let post = HttpEndpoint::post("/api/broadcast", 1);
        let tree = post.clone().tree().guarded();
        for (method, path, is_posts, is_trees) in [
            (Method::POST, "/api/broadcast", true, true),
            (Method::OPTIONS, "/api/broadcast", false, true),
            (Method::GET, "/api/broadcast", false, false),
            (Method::POST, "/api/broadcast/a/events/b", false, true),
            (Method::POST, "/api/broadcasts", false, false),
            (Method::POST, "/api", false, false),
        ] {
            assert_eq!(post.matches(&method, path), is_posts, "{method} {path}");
            assert_eq!(tree.matches(&method, path), is_trees, "{method} {path}");
        }
        assert!(HttpEndpoint::get("/health").matches(&Method::HEAD, "/health"));
    }
}
