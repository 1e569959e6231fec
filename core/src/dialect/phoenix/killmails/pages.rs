//! What the server tells over plain HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, Response, StatusCode};
use serde_json::json;

use super::options::KillmailsOptions;
use crate::interface::http_endpoint::{HttpEndpoint, json_response};
use crate::time::WallTime;

/// Connections from which on the server calls itself degraded.
const MANY_CLIENTS: usize = 1_000;

/// What there is to tell.
pub(super) struct Facts<'a> {
    /// Where the socket is, as its clients write it.
    pub(super) path: &'a str,
    /// The socket's timeout.
    pub(super) timeout: Duration,
    pub(super) clients: usize,
    pub(super) subscriptions: usize,
    /// Kills published since the start.
    pub(super) kills: u64,
    /// Seconds.
    pub(super) uptime: u64,
    pub(super) now: WallTime,
}

pub(super) fn endpoints(options: &KillmailsOptions) -> Vec<HttpEndpoint> {
    let pages: &[_] = if options.pages { &["/websocket", "/websocket/status"] } else { &[] };
    let health: &[_] = if options.health { &["/health", "/status", "/ping"] } else { &[] };
    pages.iter().chain(health).copied().map(HttpEndpoint::get).collect()
}

pub(super) fn respond(
    request: &Request<Bytes>,
    options: &KillmailsOptions,
    facts: &Facts<'_>,
) -> Response<Bytes> {
    let timestamp = facts.now.to_iso_us();
    let operational = if facts.clients > MANY_CLIENTS { "degraded" } else { "operational" };
    let body = match request.uri().path() {
        "/ping" => {
            let mut response = Response::new(Bytes::from_static(b"pong"));
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, text);
            return response;
        }
        "/websocket" => {
            let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            json!({
                "websocket_url": format!("ws://{host}{}", facts.path),
                "protocol": "Phoenix Channels",
                "version": "2.0.0",
                "channels": { "killmails": options.topic },
                "authentication": {
                    "required": false,
                    "type": "none",
                    "description": "Anyone may connect",
                },
                "limits": {
                    "max_systems_per_subscription": options.max_subscribed_systems,
                    "timeout_seconds": facts.timeout.as_secs(),
                    "rate_limit": "per_connection",
                },
                "documentation": { "url": format!("http://{host}/"), "examples": format!("http://{host}/") },
            })
        }
        "/websocket/status" => json!({
            "status": operational,
            "active_connections": facts.clients,
            "active_subscriptions": facts.subscriptions,
            "uptime_seconds": facts.uptime,
            "timestamp": timestamp,
        }),
        "/health" => json!({ "status": "ok", "timestamp": timestamp }),
        _ => json!({
            "status": operational,
            "feed": options.feed,
            "killmails_published": facts.kills,
            "websocket": {
                "active_connections": facts.clients,
                "active_subscriptions": facts.subscriptions,
            },
            "uptime_seconds": facts.uptime,
            "timestamp": timestamp,
        }),
    };
    json_response(StatusCode::OK, &body)
}
