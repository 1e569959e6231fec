//! A page that has pointed a name of its own at the server gets nothing (DNS rebinding).

mod support;

use std::net::SocketAddr;

use support::raw::Raw;
use support::start;
use switchboard::{Config, Hosts, Server};

const CONFIG: &str = "routes = [{ pattern = '/echo', dialect = 'echo' }]
                      feeds = [{ name = 'news', post = true }]";

/// The first line of the answer.
async fn ask(address: SocketAddr, request: &str, host: &str, rest: &str) -> String {
    let mut raw = Raw::connect(address).await;
    let text = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{rest}");
    raw.write(text.as_bytes()).await;
    raw.head().await.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn pages_and_feeds_answer_under_hosts_that_are_allowed() {
    let config = Config::from_toml(CONFIG).expect("a configuration");
    let builder = Server::builder().config(config).page(true).allowed_hosts(Hosts::listed([".corp.example"]));
    let server = start(builder).await;
    let end = "\r\n";
    let post = "Content-Length: 3\r\n\r\n[1]";
    let evil = format!("Origin: http://evil.com\r\n{post}");
    for (request, host, rest, status) in [
        ("GET /", "evil.com", end, 403),
        ("GET /", "127.0.0.1:4004", end, 302),
        ("GET /__switchboard/", "evil.com", end, 403),
        ("GET /__switchboard/", "127.0.0.1:4004", end, 200),
        ("GET /__switchboard/", "a.corp.example", end, 200),
        ("GET /__switchboard/start.json", "evil.com", end, 403),
        ("GET /__switchboard/start.json", "localhost", end, 200),
        ("GET /nothing", "evil.com", end, 403),
        ("GET /health", "evil.com", "Origin: http://evil.com\r\n\r\n", 403),
        ("GET /health", "any.name", end, 200),
        ("POST /feeds/news", "evil.com", &evil, 403),
        ("POST /feeds/news", "corp.example", post, 202),
    ] {
        let line = ask(server.address, request, host, rest).await;
        assert!(line.contains(&format!(" {status} ")), "{request} under {host}: {line}");
    }
}
