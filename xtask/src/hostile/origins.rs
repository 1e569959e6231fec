//! Pages of other hosts, which browsers let connect to anything: 403.

use super::case::Case;
use super::case::Outcome::Status;
use super::target::HostKind;
use super::wire::handshake;

pub(super) fn cases(kind: HostKind) -> Vec<Case> {
    let own = "/api/ws/echo";
    let mut table = vec![
        (own, "http://127.0.0.1:1", 101),
        (own, "http://localhost:5173", 101),
        (own, "https://localhost", 101),
        (own, "http://app.localhost:3000", 101),
        (own, "http://[::1]:8080", 101),
        (own, "https://evil.example", 403),
        (own, "http://localhost.evil.example", 403),
        (own, "http://127.0.0.1.evil.example", 403),
        (own, "http://127.0.0.1:4423.evil.example", 403),
        (own, "http://localhost:4423.evil.example", 403),
        (own, "http://[::1]:4423.evil.example", 403),
        (own, "http://[::1].evil.example", 403),
        (own, "http://localhost:80", 403),
        (own, "http://localhost:08080", 403),
        (own, "http://localhost:65536", 403),
        (own, "http://localhost:", 403),
        (own, "http://localhost/", 403),
        (own, "http://LOCALHOST:8080", 403),
        (own, "http://localhost, https://evil.example", 403),
        (own, "http://localhost https://evil.example", 403),
        (own, "http://2130706433", 403),
        (own, "file://", 403),
        (own, "http://evil.example/localhost", 403),
        (own, "http://localhost@evil.example", 403),
        (own, "http://evil.example#localhost", 403),
        (own, "http://evil.example?localhost", 403),
        (own, "null", 403),
        (own, "", 403),
        (own, "localhost.", 403),
        (own, "://", 403),
        (own, "http://[", 403),
        (own, "\u{fc}", 403),
        ("/api/ws/listed", "https://a.example.com", 101),
        ("/api/ws/listed", "https://a.b.example.com", 101),
        ("/api/ws/listed", "https://example.com", 403),
        ("/api/ws/listed", "http://a.example.com", 403),
        ("/api/ws/listed", "https://a.example.com.evil.example", 403),
        ("/api/ws/listed", "https://evil.example/.example.com", 403),
        ("/api/ws/listed", "http://localhost", 403),
        ("/api/ws/listed", "https://a.example.com:1.example.com", 403),
        ("/api/ws/listed", "https://evil.example\\.example.com", 403),
        ("/api/ws/listed", "https://evil.example:1@a.example.com", 403),
        ("/api/ws/anyone", "https://evil.example", 101),
        ("/api/ws/anyone", "null", 101),
    ];
    if kind == HostKind::Plugin {
        // Vite's `server.allowedHosts` is about `Host`, not about other pages.
        table.push((own, "http://dev.allowed.example", 403));
        table.push(("/api/js/echo", "http://dev.allowed.example", 403));
        table.push(("/api/js/echo", "http://localhost:5173", 101));
        table.push(("/api/js/echo", "https://evil.example", 403));
    }
    let mut cases: Vec<Case> = table
        .into_iter()
        .map(|(path, origin, status)| {
            let line = format!("Origin: {origin}");
            Case::request(format!("{origin} to {path}"), handshake(path, &[&line]), Status(status))
        })
        .collect();
    // What a browser says of the page that posts to a feed.
    for (lines, status) in [
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\nOrigin: https://evil.example\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\nOrigin: null\r\n", 403),
        ("Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost:5173\r\n", 202),
        ("", 202),
    ] {
        let request = format!(
            "POST /feeds/news HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n{lines}\r\n1"
        );
        let name = format!("a post with {:?}", lines.trim_end());
        cases.push(Case::request(name, request, Status(status)));
    }
    let two = ["Origin: http://localhost", "Origin: https://evil.example"];
    cases.push(Case::request("two origins", handshake(own, &two), Status(403)));
    cases
}
