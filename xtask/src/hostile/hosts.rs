//! Pages that have pointed a name of their own at the server (DNS rebinding), which only `Host` tells: 403.

use super::case::Case;
use super::case::Outcome::Status;
use super::target::HostKind;
use super::wire::handshake;

pub(super) fn cases(kind: HostKind) -> Vec<Case> {
    let own = "/api/ws/echo";
    let mut cases = Vec::new();
    // Who opens the page of this name, and what becomes of its WebSocket.
    let mut names = vec![
        ("127.0.0.1:1", 101),
        ("[::1]:4423", 101),
        ("192.168.0.7", 101),
        ("localhost", 101),
        ("app.localhost:5173", 101),
        ("evil.example:5173", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("2130706433", 403),
        ("evillocalhost", 403),
        ("x.allowed.example.evil.example", 403),
    ];
    // Vite's `server.allowedHosts`.
    let allowed = if kind == HostKind::Plugin { 101 } else { 403 };
    names.extend([("allowed.example", allowed), ("dev.allowed.example:5173", allowed)]);
    for (host, status) in names {
        let bytes = under(host, &handshake(own, &[&format!("Origin: http://{host}")]));
        cases.push(Case::request(format!("a page of {host}"), bytes, Status(status)));
    }
    let evil = "evil.example:5173";
    let bytes = under(evil, &handshake("/api/ws/anyone", &["Origin: https://other.example"]));
    cases.push(Case::request("origins do not open hosts", bytes, Status(403)));
    let bytes = under(evil, &handshake(own, &[]));
    cases.push(Case::request("a program under any name", bytes, Status(101)));
    let post = "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]";
    let mut plain = vec![
        ("a page that posts to a feed", "POST /feeds/news", format!("Origin: http://{evil}\r\n{post}"), 403),
        ("a post under another name", "POST /feeds/news", post.to_owned(), 403),
        ("a page of another name", "GET /", "\r\n".to_owned(), 403),
        ("the inspector", "GET /__switchboard/", "\r\n".to_owned(), 403),
        ("the token of the inspector", "GET /__switchboard/start.json", "\r\n".to_owned(), 403),
    ];
    if kind == HostKind::Native {
        plain.extend([
            ("health for a page", "GET /health", format!("Origin: http://{evil}\r\n\r\n"), 403),
            ("health for a program", "GET /health", "\r\n".to_owned(), 200),
            ("what is not there", "GET /nothing", "\r\n".to_owned(), 403),
        ]);
    }
    for (name, line, rest, status) in plain {
        let request = format!("{line} HTTP/1.1\r\nHost: {evil}\r\nConnection: close\r\n{rest}");
        cases.push(Case::request(name, request, Status(status)));
    }
    cases
}

/// The same request under another `Host`.
fn under(host: &str, request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request).replace("Host: 127.0.0.1\r\n", &format!("Host: {host}\r\n"));
    text.into_bytes()
}
