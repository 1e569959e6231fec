//! The pages of the server: the console, and `/health`.

use std::sync::OnceLock;
use std::time::Instant;

use axum::body::Body;
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};
use switchboard_core::control::PATH;
use switchboard_core::{ByteCounts, HttpEndpoint, Stats};

use crate::endpoint::EndpointInfo;

/// The console: its files by path, each with its type.
const FILES: [(&str, &str, &str); 5] = [
    ("/", "text/html; charset=utf-8", include_str!("console.html")),
    ("/switchboard/console.css", "text/css; charset=utf-8", include_str!("console.css")),
    ("/switchboard/console.js", "text/javascript; charset=utf-8", include_str!("console.js")),
    ("/switchboard/frames.js", "text/javascript; charset=utf-8", include_str!("frames.js")),
    ("/switchboard/presets.js", "text/javascript; charset=utf-8", include_str!("presets.js")),
];

/// The path at which the console finds the list of endpoints.
const ENDPOINTS: &str = "/switchboard/endpoints";

/// The console, with which every endpoint can be tried, or one of its files.
pub(crate) fn console(
    path: &str,
    endpoints: &[EndpointInfo],
    http: &[HttpEndpoint],
) -> Option<Response<Body>> {
    if path == ENDPOINTS {
        return Some(respond("application/json", inventory(endpoints, http).to_string()));
    }
    let (_, content_type, text) = FILES.iter().find(|(known, _, _)| *known == path)?;
    let mut response = respond(content_type, *text);
    // The console needs nothing else, so a browser may load nothing else.
    // No page may show it in a frame, and so have its buttons pressed.
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self' ws: wss:; img-src data:; \
                  frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Some(response)
}

/// Answers that the server runs, with its statistics.
pub(crate) fn health(stats: &Stats) -> Response<Body> {
    let body = json!({
        "status": "ok",
        "connections": stats.connections,
        "rooms": stats.rooms,
        "timers": stats.timers,
        "calls": stats.calls,
        "upstreams": stats.upstreams,
        "clientBytes": bytes(stats.client_bytes),
        "upstreamBytes": bytes(stats.upstream_bytes),
        "droppedMessages": stats.dropped_messages,
        "contractViolations": stats.contract_violations,
        "uptimeSeconds": started().elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    respond("application/json", body.to_string())
}

fn bytes(counts: ByteCounts) -> Value {
    json!({
        "received": counts.received,
        "undecoded": counts.undecoded,
        "waiting": counts.waiting,
        "queued": counts.queued,
        "sent": counts.sent,
        "dropped": counts.dropped,
    })
}

/// When the process began to serve.
pub(crate) fn started() -> Instant {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    *STARTED.get_or_init(Instant::now)
}

/// What is served where.
fn inventory(endpoints: &[EndpointInfo], http: &[HttpEndpoint]) -> Value {
    let websockets = endpoints.iter().map(|endpoint| {
        json!({
            "pattern": endpoint.pattern,
            "kind": endpoint.kind,
            "rules": endpoint.rules(),
            "example": endpoint.example,
            "message": endpoint.message,
            "subprotocols": endpoint.subprotocols,
        })
    });
    // The control API is no endpoint to try: whoever may use it has its token.
    let plain = http
        .iter()
        .filter(|known| known.path != PATH)
        .map(|known| json!({ "method": known.method.as_str(), "path": known.path }));
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "endpoints": websockets.collect::<Value>(),
        "http": plain.collect::<Value>(),
    })
}

fn respond(content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_page_may_show_or_load_the_console() {
        for path in FILES.iter().map(|(path, ..)| *path).chain([ENDPOINTS]) {
            let response = console(path, &[], &[]).expect("a file of the console");
            let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
            assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
            assert_eq!(header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
            let policy = header("content-security-policy").unwrap_or_default();
            let is_closed = ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"];
            assert!(
                path == ENDPOINTS || is_closed.iter().all(|part| policy.contains(part)),
                "{path}: {policy}"
            );
        }
    }
}
