//! The dialect's plain HTTP endpoints.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::EventsOptions;
use crate::dialect::timed_name::timed_name;
use crate::handler::context::Context;
use crate::interface::http_endpoint::{HttpEndpoint, json_response};

/// The endpoints.
pub(super) fn endpoints(options: &EventsOptions) -> Vec<HttpEndpoint> {
    let stats = options.stats.as_ref().map(|path| match options.admin_tokens[..] {
        [] => HttpEndpoint::get(path).guarded(),
        // These are asked for instead.
        _ => HttpEndpoint::get(path),
    });
    stats.into_iter().chain(options.health.as_ref().map(HttpEndpoint::get)).collect()
}

/// The answer to a request for one of them.
pub(super) fn answer(
    options: &EventsOptions,
    is_enabled: bool,
    cx: &mut Context<'_>,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    let timestamp = cx.now().wall.to_string();
    if options.health.as_deref() == Some(request.uri().path()) {
        let body = json!({
            "status": "ok",
            "timestamp": timestamp,
            "message": "WebSocket server is running",
            "environment": "development",
            "version": env!("CARGO_PKG_VERSION"),
        });
        return json_response(StatusCode::OK, &body);
    }
    let error = |status: StatusCode, code: &str, message: &str| {
        let body = json!({ "error": { "code": code, "message": message, "timestamp": timestamp } });
        json_response(status, &body)
    };
    match (&options.admin_tokens[..], bearer(request)) {
        ([_, ..], None) => error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "An admin token is required"),
        (tokens @ [_, ..], Some(shown))
            if !tokens.iter().fold(false, |is_known, token| is_known | token.is(shown)) =>
        {
            error(StatusCode::FORBIDDEN, "FORBIDDEN", "This token is not the admin's")
        }
        _ if !is_enabled => {
            error(StatusCode::NOT_FOUND, "WEBSOCKET_NOT_ENABLED", "WebSocket server is not enabled")
        }
        _ => json_response(StatusCode::OK, &statistics(cx, timestamp)),
    }
}

fn statistics(cx: &mut Context<'_>, timestamp: String) -> Value {
    let proxied = cx.connections_of_kind("proxy");
    json!({
        "success": true,
        "data": {
            "enabled": true,
            "connectedClients": cx.connections_on_all_nodes() + proxied,
            "proxyConnections": proxied,
        },
        "meta": { "timestamp": timestamp, "requestId": timed_name(cx, "req_", '_') },
    })
}

fn bearer(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
