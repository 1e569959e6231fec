//! What a browser or a monitor sees.

use std::sync::OnceLock;
use std::time::Instant;

use axum::body::Body;
use http::{HeaderValue, Response, header};
use serde_json::json;

/// The endpoint that the page talks to.
pub(crate) const CHAT: &str = "/api/ws/chat";

/// A page on which two tabs chat.
pub(crate) fn chat() -> Response<Body> {
    let mut response = respond("text/html; charset=utf-8", include_str!("page/chat.html").to_owned());
    // Everything it needs is in it; nothing else shall run.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self' ws: wss:; img-src data:";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// That the server lives, and how much it has to do.
pub(crate) fn health(connections: usize) -> Response<Body> {
    let body = json!({
        "status": "ok",
        "connections": connections,
        "uptimeSeconds": started().elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    respond("application/json", body.to_string())
}

/// When the process began to serve.
pub(crate) fn started() -> Instant {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    *STARTED.get_or_init(Instant::now)
}

fn respond(content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
