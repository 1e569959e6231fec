//! The control API, which can do everything: only who shows its token may ask, and no page of another origin even then.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::case::Case;
use super::case::Outcome::Status;
use super::config::CONTROL_TOKEN;
use super::target::{HostKind, Target};
use super::wire::{FIN, Peer, TEXT, frame, handshake};

const PATH: &str = "/__switchboard/api/v1";

/// The largest body that is taken.
const MAX_BODY: usize = 1 << 20;

pub(super) fn cases(kind: HostKind) -> Vec<Case> {
    // In Vite its own middleware answers them, and lets pages of this machine ask; what they ask is refused then.
    let preflight = if kind == HostKind::Plugin { 204 } else { 405 };
    let token = format!("Authorization: Bearer {CONTROL_TOKEN}\r\n");
    let mut cases = Vec::new();
    for (name, host, lines, status) in [
        ("nobody in particular", "localhost", String::new(), 401),
        ("a guessed token", "localhost", "Authorization: Bearer hunter22\r\n".to_owned(), 401),
        ("an empty token", "localhost", "Authorization: Bearer \r\n".to_owned(), 401),
        ("half of the token", "localhost", token.replace(CONTROL_TOKEN, &CONTROL_TOKEN[..8]), 401),
        ("the token in another scheme", "localhost", token.replace("Bearer", "Basic"), 401),
        ("who knows the token", "localhost", token.clone(), 200),
        ("a page of another port", "localhost", format!("{token}Origin: http://localhost:1\r\n"), 403),
        ("a page of another site", "localhost", format!("{token}Origin: https://evil.example\r\n"), 403),
        ("a page that was opened as a file", "localhost", format!("{token}Origin: null\r\n"), 403),
        ("a page that hides its origin", "localhost", format!("{token}Sec-Fetch-Site: cross-site\r\n"), 403),
        ("a name that was pointed here", "evil.example", token.clone(), 403),
        ("a page of that name", "evil.example", format!("{token}Origin: http://evil.example\r\n"), 403),
    ] {
        cases.push(Case::request(name, request("GET", "/routes", host, &lines, b""), Status(status)));
        let lines: Vec<&str> = lines.lines().collect();
        let bytes = String::from_utf8_lossy(&handshake(&format!("{PATH}/events"), &lines))
            .replace("Host: 127.0.0.1\r\n", &format!("Host: {host}\r\n"));
        let status = if status == 200 { 101 } else { status };
        cases.push(Case::request(format!("{name} wants events"), bytes.into_bytes(), Status(status)));
    }
    let large = vec![b' '; MAX_BODY + 1];
    let deep = "[".repeat(MAX_BODY / 2);
    for (name, method, path, body, status) in [
        ("a preflight request", "OPTIONS", "/send", &b""[..], preflight),
        ("another method", "PATCH", "/send", b"", 405),
        ("the token in the query of a plain request", "GET", "/routes?token=x", b"", 400),
        ("a body that is no JSON", "POST", "/send", b"{\"connection\":", 400),
        ("a body of half a million brackets", "POST", "/send", deep.as_bytes(), 400),
        ("a body that is too large", "POST", "/send", &large, 413),
        ("a connection with a long id", "GET", &*format!("/connections/{}", "x".repeat(4_000)), b"", 404),
        ("a path out of the API", "GET", "/feeds/..%2f..%2fetc%2fpasswd", b"", 404),
        ("a number that is none", "GET", "/connections?limit=99999999999999999999", b"", 400),
        ("a million years at once", "POST", "/clock", b"{\"advance\":31536000000000000}", 400),
        ("time that goes back", "POST", "/clock", b"{\"advance\":-1}", 400),
        ("a clock that is not stopped", "POST", "/clock", b"{\"advance\":1}", 409),
        (
            "an expression that would take a huge program",
            "POST",
            "/breakpoints",
            br#"{"everyone":true,"expression":"(\\w{200}){200}"}"#,
            400,
        ),
        (
            "a breakpoint that holds for a year",
            "POST",
            "/breakpoints",
            br#"{"everyone":true,"timeout":31536000000}"#,
            400,
        ),
        ("a message that nobody holds", "POST", "/held/99999999999999999999", br#"{"action":"pass"}"#, 404),
        ("a pause for ever", "POST", "/pause", br#"{"everyone":true,"timeout":1e300}"#, 400),
        ("a place that is none", "GET", "/rooms?after=99999999999999999999:x", b"", 400),
    ] {
        let bytes = request(method, path, "localhost", &token, body);
        cases.push(Case::request(name, bytes, Status(status)));
    }
    let chunked = format!("{token}Transfer-Encoding: chunked\r\n");
    let mut endless = format!("POST {PATH}/send HTTP/1.1\r\nHost: localhost\r\n{chunked}\r\n").into_bytes();
    for _ in 0..40 {
        endless.extend_from_slice(b"8000\r\n");
        endless.resize(endless.len() + 0x8000, b' ');
        endless.extend_from_slice(b"\r\n");
    }
    cases.push(Case::story("a body in chunks that does not end", move |target| {
        refused(target, &endless, 413)
    }));
    let slow = format!(
        "POST {PATH}/send HTTP/1.1\r\nHost: localhost\r\n{token}Connection: close\r\nContent-Length: 100\r\n\r\n{{"
    );
    cases.push(Case::request("a body that never comes", slow, Status(408)));
    cases.push(Case::story("messages that are no subscription, and one that is too large", |target| {
        // Nobody joins a room meanwhile.
        let (mut peer, _) = Peer::open_with(target.port, &format!("{}&kinds=joined", events()), &[])?;
        peer.message()?;
        for text in [
            "",
            "{",
            "[]",
            "{\"type\":\"subscribe\",\"payloadBytes\":1e999}",
            "{\"type\":\"subscribe\",\"kinds\":[1]}",
        ] {
            peer.say(text)?;
            let answer = peer.message()?.text();
            if !answer.starts_with("{\"type\":\"rejected\"") {
                bail!("{text} is answered {answer:.100}");
            }
        }
        peer.write_regardless(&frame(FIN | TEXT, &vec![b' '; 70_000]));
        peer.expect_close(1009)
    }));
    let binary = frame(FIN | TEXT, b"\xff");
    cases.push(Case::story("text that is none", move |target| {
        let (mut peer, _) = Peer::open_with(target.port, &events(), &[])?;
        peer.message()?;
        peer.write_regardless(&binary);
        peer.expect_close(1007)
    }));
    cases.push(Case::story("more subscribers than there may be", |target| {
        let mut subscribers = Vec::new();
        for _ in 0..16 {
            let (mut peer, _) = Peer::open_with(target.port, &events(), &[])?;
            peer.message()?;
            subscribers.push(peer);
        }
        refused(target, &handshake(&events(), &[]), 503)
    }));
    cases.push(
        Case::story("thousands of breakpoints", |target| {
            let statuses = (0..2_000).map(|_| asked(target, "POST", "/breakpoints", NOWHERE));
            let statuses = statuses.collect::<Result<Vec<_>>>()?;
            let added = statuses.iter().filter(|status| **status == 200).count();
            let cleared = asked(target, "DELETE", "/breakpoints", "")?;
            match (added, statuses.last(), cleared) {
                (64, Some(400), 200) => Ok(()),
                other => bail!("expected 64 of them, 400 and 200, got {other:?}"),
            }
        })
        .within(60),
    );
    cases.push(Case::story("floods behind breakpoints in both directions", held).within(60));
    cases.push(
        Case::story("a subscriber that does not read costs others nothing and no memory", stalled).within(30),
    );
    cases
}

/// Waits for a refusal, whatever becomes of the rest that was sent.
fn refused(target: &Target, bytes: &[u8], status: u16) -> Result<()> {
    let mut peer = Peer::connect(target.port)?;
    peer.write_regardless(bytes);
    match peer.head()? {
        Some(head) if head.status == status => Ok(()),
        other => bail!("expected {status}, got {other:?}"),
    }
}

/// Events of 60 MB pass beside somebody who is to be told them and reads none.
fn stalled(target: &Target) -> Result<()> {
    let (mut subscriber, _) = Peer::open_with(target.port, &format!("{}&payloadBytes=65536", events()), &[])?;
    subscriber.message()?;
    target.bounded(32 << 20, || {
        let mut peer = target.open("/api/ws/echo")?;
        let text = "x".repeat(60_000);
        for _ in 0..500 {
            peer.echo(&text)?;
        }
        Ok(())
    })?;
    // What was left out is told once it reads.
    subscriber.patience(Duration::from_secs(10));
    loop {
        let told = subscriber.message()?.text();
        if told.starts_with("{\"type\":\"missed\"") {
            return Ok(());
        }
        thread::yield_now();
    }
}

/// Clients flood, and all that they say and would hear is held: no more than has a limit. Then it goes on.
fn held(target: &Target) -> Result<()> {
    for direction in ["in", "out"] {
        let breakpoint =
            format!("{{\"route\":\"/api/ws/echo\",\"direction\":\"{direction}\",\"persist\":true}}");
        // Held are 16 MiB, and behind them what may wait for each client.
        let flood = target.bounded(96 << 20, || {
            if asked(target, "POST", "/breakpoints", &breakpoint)? != 200 {
                bail!("the breakpoint {breakpoint} is refused");
            }
            let mut peers = Vec::new();
            for _ in 0..12 {
                let mut peer = target.open("/api/ws/echo")?;
                peer.push()?;
                peers.push(peer);
            }
            Ok(())
        });
        let cleared = asked(target, "DELETE", "/breakpoints", "")?;
        flood?;
        if cleared != 200 {
            bail!("taking breakpoints back is answered {cleared}");
        }
        target.open("/api/ws/echo")?.echo("it goes on")?;
    }
    Ok(())
}

/// A breakpoint that holds nothing.
const NOWHERE: &str = "{\"route\":\"/nowhere\"}";

/// The status of a request with the token.
fn asked(target: &Target, method: &str, path: &str, body: &str) -> Result<u16> {
    let token = format!("Authorization: Bearer {CONTROL_TOKEN}\r\n");
    let head = target.ask(&request(method, path, "localhost", &token, body.as_bytes()))?;
    head.map(|head| head.status).context("no answer")
}

fn events() -> String {
    format!("{PATH}/events?token={CONTROL_TOKEN}")
}

fn request(method: &str, path: &str, host: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {PATH}{path} HTTP/1.1\r\nHost: {host}\r\n{lines}Connection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
