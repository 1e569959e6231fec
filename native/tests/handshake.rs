//! What is answered instead of 101.

mod support;

use support::raw::{Raw, upgrade_request};
use support::{Running, start};
use switchboard::{Callbacks, Config, Incoming, Peer, Server};

async fn server() -> Running {
    let echo = Callbacks::new().on_message(|peer: Peer, message: Incoming| async move {
        peer.send(message.as_text().unwrap_or_default());
    });
    start(Server::builder().prefix("/api").route("/echo", echo)).await
}

/// The head that answers a request of these bytes.
async fn head(server: &Running, request: &str) -> String {
    let mut raw = Raw::connect(server.address).await;
    raw.write(request.as_bytes()).await;
    raw.head().await
}

async fn status(server: &Running, request: &str) -> u16 {
    let head = head(server, request).await;
    head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status")
}

#[tokio::test]
async fn invalid_handshakes_are_refused_and_the_server_lives() {
    let server = server().await;
    let valid = upgrade_request("/api/echo", "");
    let cases = [
        (400, "GET /api/%zz\\ HTTP/1.1 x\r\n\r\n".to_owned()),
        (400, valid.replace("Host: localhost\r\n", "")),
        (400, valid.replace("localhost", "a b")),
        (400, valid.replace("localhost", "[::1")),
        (400, valid.replace("Host: localhost\r\n", "Host: localhost\r\nHost: localhost\r\n")),
        (400, valid.replace(support::raw::KEY, "c2hvcnQ=")),
        (400, valid.replace("Upgrade: websocket", "Upgrade: h2c")),
        (400, valid.replace("Connection: Upgrade", "Connection: keep-alive")),
        (426, valid.replace("Version: 13", "Version: 8")),
        (405, valid.replacen("GET", "POST", 1)),
        (404, valid.replace("/api/echo", "/api/other")),
        (404, valid.replace("/api/echo", "/apix/echo")),
        (404, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        (400, "GET /nothing HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned()),
    ];
    for (expected, request) in cases {
        assert_eq!(status(&server, &request).await, expected, "{request}");
    }
    let (mut raw, _) = Raw::open(server.address, "/api/echo", "").await;
    raw.send(0x81, b"alive").await;
    assert_eq!(raw.frame().await.payload, b"alive");
    drop(raw);
    server.emptied().await;
}

#[tokio::test]
async fn a_plain_request_is_told_to_upgrade() {
    let server = server().await;
    let head = head(&server, "GET /api/echo HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 426 "), "{head}");
    assert!(head.to_lowercase().contains("\r\nupgrade: websocket\r\n"), "{head}");
}

#[tokio::test]
async fn another_version_is_told_which() {
    let server = server().await;
    let request = upgrade_request("/api/echo", "").replace("Version: 13", "Version: 8");
    let head = head(&server, &request).await.to_lowercase();
    assert!(head.contains("\r\nsec-websocket-version: 13\r\n"), "{head}");
}

#[tokio::test]
async fn health_counts_connections() {
    let server = server().await;
    let _client = server.connect("/api/echo").await;
    let health = health(&server).await;
    assert_eq!((health["status"].as_str(), health["connections"].as_u64()), (Some("ok"), Some(1)));
    for nothing in ["rooms", "timers", "calls", "upstreams"] {
        assert_eq!(health[nothing].as_u64(), Some(0), "{nothing}");
    }
}

/// What `GET /health` says.
async fn health(server: &Running) -> serde_json::Value {
    let mut raw = Raw::connect(server.address).await;
    raw.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
    serde_json::from_slice(&raw.rest().await).expect("JSON")
}

#[tokio::test]
async fn health_counts_in_the_default_configuration_unless_a_dialect_answers_there() {
    let default = include_str!("../switchboard.toml");
    let dialect = "[[routes]]\npattern = '/api/ws/chat'\nevents = { mock = [], health = '/health' }";
    for (text, is_dialect) in [(default, false), (dialect, true)] {
        let mut config = Config::from_toml(text).expect("a configuration");
        config.resolve(|_| Some("9".to_owned())).expect("no other variable");
        let server = start(Server::builder().config(config)).await;
        let _client = server.connect("/api/ws/chat").await;
        let health = health(&server).await;
        assert_eq!(health["status"].as_str(), Some("ok"));
        assert_eq!(health["timestamp"].is_string(), is_dialect, "{health}");
        for count in ["connections", "rooms", "timers", "calls", "upstreams"] {
            assert_eq!(health[count].is_u64(), !is_dialect, "{count}");
        }
    }
}
