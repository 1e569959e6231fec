//! The pages of the server: the inspector, and `/health`.

use std::sync::OnceLock;
use std::time::Instant;

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use switchboard_core::config::{EndpointInfo, inventory};
use switchboard_core::control::{INSPECTOR_PATH, admits_page};
use switchboard_core::{ByteCounts, HttpEndpoint, Stats};

/// The files of the inspector, each with its name. A browser gets them as they are.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../inspector/", $name)))),*]
    };
}

const FILES: &[(&str, &str)] = &files![
    "index.html",
    "style.css",
    "actions.js",
    "api.js",
    "breakpoints.js",
    "charts.js",
    "client.js",
    "composer.js",
    "connections.js",
    "copies.js",
    "details.js",
    "dialect.js",
    "dialogs.js",
    "elements.js",
    "feeds.js",
    "filter.js",
    "frames.js",
    "json.js",
    "list.js",
    "live.js",
    "log.js",
    "main.js",
    "notices.js",
    "presets.js",
    "recordings.js",
    "ring.js",
    "rooms.js",
    "routes.js",
    "rows.js",
    "saves.js",
    "store.js",
    "tree.js",
    "try-frames.js",
    "try.js",
    "values.js",
];

/// What the inspector asks for first: which endpoints there are to try.
const START: &str = "start.json";

/// What a browser may load: the inspector needs nothing but its own files. No page may show it in a frame, and so have its
/// buttons pressed. `ws:` and `wss:` are for
/// endpoints of other servers, which "Try" connects to as well.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; img-src data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The inspector, one of its files, or the way to it.
pub(crate) fn inspector<T>(
    request: &Request<T>,
    endpoints: &[EndpointInfo],
    http: &[HttpEndpoint],
) -> Option<Response<Body>> {
    let path = request.uri().path();
    if path == "/" || path == INSPECTOR_PATH.trim_end_matches('/') {
        return Some(redirection());
    }
    let name = match path.strip_prefix(INSPECTOR_PATH)? {
        "" => "index.html",
        name => name,
    };
    let file = FILES.iter().find(|(known, _)| *known == name);
    if file.is_none() && name != START {
        return None;
    }
    if !admits_page(request.headers()) {
        let why = "the inspector is for its own origin: open its address by itself, not by a link or from another page\n";
        let mut response = respond("text/plain; charset=utf-8", why);
        *response.status_mut() = StatusCode::FORBIDDEN;
        return Some(response);
    }
    Some(match file {
        Some((name, text)) => respond(content_type(name), *text),
        None => respond("application/json", inventory(endpoints, http).to_string()),
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        _ => "text/javascript; charset=utf-8",
    }
}

fn redirection() -> Response<Body> {
    let mut response = respond("text/plain; charset=utf-8", "");
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(INSPECTOR_PATH));
    response
}

/// Answers that the server runs, with its statistics. `cluster`: whether the node is cut off, and what is known of the others.
/// A node that is cut off serves its own clients, so that this is no error.
pub(crate) fn health(stats: &Stats, cluster: Option<(bool, Value)>) -> Response<Body> {
    let mut body = json!({
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
        "mismatches": stats.mismatches,
        "uptimeSeconds": started().elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    if let Some((is_cut_off, cluster)) = cluster {
        if is_cut_off {
            body["status"] = "degraded".into();
        }
        body["cluster"] = cluster;
    }
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

fn respond(content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, site: Option<&str>) -> Option<Response<Body>> {
        let mut request = Request::get(path);
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        inspector(&request.body(()).expect("a request"), &[], &[])
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/inspector");
        let entries = std::fs::read_dir(folder).expect("the folder of the inspector");
        let mut there: Vec<String> =
            entries.map(|entry| entry.expect("a file").file_name().into_string().expect("a name")).collect();
        let mut served: Vec<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        there.sort();
        served.sort();
        assert_eq!(served, there);
    }

    #[test]
    fn no_other_page_may_show_or_load_the_inspector() {
        for name in FILES.iter().map(|(name, _)| *name).chain([START, ""]) {
            let path = format!("{INSPECTOR_PATH}{name}");
            for (site, status) in [
                (None, 200),
                (Some("none"), 200),
                (Some("same-origin"), 200),
                (Some("same-site"), 403),
                (Some("cross-site"), 403),
                (Some("none, none"), 403),
            ] {
                let response = asked(&path, site).expect("a file of the inspector");
                assert_eq!(response.status(), status, "{path} {site:?}");
                let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
                assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
                assert_eq!(header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
                assert_eq!(header("cache-control"), Some("no-store"), "{path}");
                let policy = header("content-security-policy").unwrap_or_default();
                let is_closed =
                    ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"];
                assert!(is_closed.iter().all(|part| policy.contains(part)), "{path}: {policy}");
            }
        }
    }

    #[test]
    fn the_root_leads_to_it_and_nothing_else_is_touched() {
        for path in ["/", "/__switchboard"] {
            let response = asked(path, Some("cross-site")).expect("a redirection");
            assert_eq!(
                (response.status().as_u16(), &response.headers()[header::LOCATION]),
                (302, &INSPECTOR_PATH.parse().unwrap())
            );
        }
        for path in
            ["/x", "/__switchboard/api/v1", "/__switchboard/../index.html", "/__switchboard/nothing.js"]
        {
            assert!(asked(path, None).is_none(), "{path}");
        }
    }
}
