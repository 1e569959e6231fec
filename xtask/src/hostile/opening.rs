//! Opening handshakes that are none, or almost none.

use std::time::Duration;

use anyhow::{Result, bail};

use super::case::Case;
use super::case::Outcome::Status;
use super::target::{HostKind, Target};
use super::wire::{CLOSE, FIN, KEY, Peer, TEXT, frame, handshake};

const PATH: &str = "/api/ws/echo";

pub(super) fn cases(kind: HostKind) -> Vec<Case> {
    let mut cases = requests(kind);
    cases.extend(targets());
    cases.extend(subprotocols());
    cases.extend(heads());
    cases
}

/// The valid handshake with one thing replaced by another.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let request = String::from_utf8_lossy(&handshake(PATH, &[])).into_owned();
    debug_assert!(request.contains(from));
    request.replacen(from, to, 1).into_bytes()
}

fn requests(kind: HostKind) -> Vec<Case> {
    let host = "Host: 127.0.0.1\r\n";
    let key = format!("Sec-WebSocket-Key: {KEY}\r\n");
    let version = "Sec-WebSocket-Version: 13\r\n";
    let repeated = |line: &str| line.repeat(2);
    let table: Vec<(&str, Vec<u8>, u16)> = vec![
        ("the example of the RFC is none", handshake(PATH, &[]), 101),
        ("no Host", changed(host, ""), 400),
        ("two Hosts", changed(host, &repeated(host)), 400),
        ("an empty Host", changed(host, "Host: \r\n"), 400),
        ("a Host with a space", changed(host, "Host: a b\r\n"), 400),
        ("a Host with a path", changed(host, "Host: a/b\r\n"), 400),
        ("a Host with a user", changed(host, "Host: a@b\r\n"), 400),
        ("a Host with a bad port", changed(host, "Host: a:99999\r\n"), 400),
        ("a Host that is half an address", changed(host, "Host: [::1\r\n"), 400),
        ("a Host that is not ASCII", changed(host, "Host: \u{e9}\r\n"), 400),
        ("no key", changed(&key, ""), 400),
        ("two keys", changed(&key, &repeated(&key)), 400),
        ("an empty key", changed(KEY, ""), 400),
        ("a key of 15 bytes", changed(KEY, "dGhlIHNhbXBsZSBub25j"), 400),
        ("a key of 17 bytes", changed(KEY, "dGhlIHNhbXBsZSBub25jZXg="), 400),
        ("a key that is no base64", changed(KEY, "dGhlIHNhbXBsZSBub25-Zw=="), 400),
        ("a key of 8000 digits", changed(KEY, &"A".repeat(8000)), 400),
        ("no version", changed(version, ""), 426),
        ("version 8", changed("Version: 13", "Version: 8"), 426),
        ("version 12", changed("Version: 13", "Version: 12"), 426),
        ("version 013", changed("Version: 13", "Version: 013"), 426),
        ("version 13, 8", changed("Version: 13", "Version: 13, 8"), 426),
        ("version x", changed("Version: 13", "Version: x"), 426),
        ("two versions", changed(version, &repeated(version)), 400),
        ("another Upgrade", changed("Upgrade: websocket", "Upgrade: h2c"), 400),
        ("a Connection without upgrade", changed("Connection: Upgrade", "Connection: keep-alive"), 400),
        ("POST", changed("GET", "POST"), 405),
        ("DELETE", changed("GET", "DELETE"), 405),
        ("HTTP/1.0", changed("HTTP/1.1", "HTTP/1.0"), 400),
        (
            "lower case is fine",
            changed("Upgrade: websocket\r\nConnection: Upgrade", "upgrade: websocket\r\nconnection: upgrade"),
            101,
        ),
        (
            "odd case is fine",
            changed(
                "Upgrade: websocket\r\nConnection: Upgrade",
                "uPgRaDe: WebSocket\r\nCONNECTION: keep-alive, uPGRADE",
            ),
            101,
        ),
        ("lists are fine", changed("Upgrade: websocket", "Upgrade: h2c, websocket"), 101),
        ("unknown headers are fine", handshake(PATH, &["X-Nothing: \u{1f600}", "Cookie: a=b"]), 101),
    ];
    table
        .into_iter()
        // For Node such a request is no upgrade, so Vite answers it.
        .filter(|(name, ..)| kind == HostKind::Native || *name != "a Connection without upgrade")
        .map(|(name, bytes, status)| Case::request(name, bytes, Status(status)))
        .collect()
}

fn targets() -> Vec<Case> {
    let at = |target: &str| changed(PATH, target);
    let table: [(&str, Vec<u8>, u16); 16] = [
        ("an unknown path below the prefix", at("/api/ws/nowhere"), 404),
        ("the prefix itself", at("/api"), 404),
        ("a slash too many at the end", at("/api/ws/echo/"), 404),
        ("a percent-encoded letter", at("/api/ws/%65cho"), 404),
        ("a broken percent-encoding", at("/api/ws/%zz"), 404),
        ("a percent at the end", at("/api/ws/number/12%"), 404),
        ("a percent-encoded slash", at("/api/ws%2Fecho"), 404),
        ("a percent-encoded NUL", at("/api/ws/echo%00"), 404),
        ("dots", at("/api/ws/../ws/echo"), 404),
        ("repeated slashes count once", at("//api///ws//echo"), 101),
        ("a query of bad percent-encodings", at("/api/ws/echo?%=%zz&&=%&%FF"), 101),
        ("a parameter that does not match", at("/api/ws/number/12a"), 404),
        ("a path of 2000 bytes", at(&format!("/api/ws/relay/{}", "a".repeat(1986))), 101),
        ("a path of 9000 bytes", at(&format!("/api/ws/relay/{}", "a".repeat(8986))), 404),
        ("a path of 3000 segments", at(&format!("/api/ws/relay/{}a", "a/".repeat(3000))), 404),
        ("the absolute form", at("http://127.0.0.1/api/ws/echo"), 101),
    ];
    let mut cases: Vec<Case> =
        table.into_iter().map(|(name, bytes, status)| Case::request(name, bytes, Status(status))).collect();
    for (name, target) in [
        ("a target without a slash", "api/ws/echo"),
        ("the target *", "*"),
        ("an absolute form that is no URL", "http://[/api/ws/echo"),
        ("a target of two slashes", "//"),
        ("a target of slashes and a bracket", "//[/api/ws/echo"),
        ("a target with a space", "/api/ws/ec ho"),
        ("a target with a NUL", "/api/ws/\0"),
        ("a target that is not ASCII", "/api/ws/\u{fc}"),
        ("an authority form", "127.0.0.1:80"),
    ] {
        cases.push(elsewhere(name, at(target)));
    }
    cases.push(refused("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec()));
    cases
        .push(refused("a header without a colon", changed("Host: 127.0.0.1", "Host: 127.0.0.1\r\nnonsense")));
    cases.push(refused(
        "a header with a space in its name",
        changed("Host: 127.0.0.1", "Host: 127.0.0.1\r\na b: c"),
    ));
    cases.push(refused("a folded header", changed("Host: 127.0.0.1", "Host: 127.0.0.1\r\nA: b\r\n c")));
    cases.push(refused("a NUL in a header", changed("Host: 127.0.0.1", "Host: 127.0.0.1\r\nA: \0")));
    cases
}

/// Targets that are not ours. The native server has its port to itself and refuses them; in Vite they are for others,
/// of whom there may be none.
fn elsewhere(name: &str, bytes: Vec<u8>) -> Case {
    let case = refused(name, bytes.clone());
    Case::story(name, move |target| match target.kind {
        HostKind::Native => case.attack(target),
        HostKind::Plugin => {
            let mut peer = Peer::connect(target.port)?;
            peer.write_regardless(&bytes);
            match peer.patience(Duration::from_millis(300)).head() {
                Ok(Some(head)) if head.status < 400 => bail!("answered {}", head.status),
                _ => Ok(()),
            }
        }
    })
}

/// What no two HTTP parsers answer alike: with any error, or by hanging up, but not with a WebSocket.
fn refused(name: &str, bytes: Vec<u8>) -> Case {
    Case::story(name, move |target| {
        let mut peer = Peer::connect(target.port)?;
        peer.write_regardless(&bytes);
        match peer.head()? {
            None => Ok(()),
            Some(head) if (400..600).contains(&head.status) => peer.expect_end(),
            Some(head) => bail!("answered {}", head.status),
        }
    })
}

fn subprotocols() -> Vec<Case> {
    let path = "/api/ws/subprotocols";
    let offer = |value: &str| handshake(path, &[&format!("Sec-WebSocket-Protocol: {value}")]);
    let many = (0..65).map(|number| format!("p{number}")).collect::<Vec<_>>().join(",");
    let mut cases: Vec<Case> = [
        ("an empty subprotocol", offer("")),
        ("an empty element", offer("chat.v1,,chat.v2")),
        ("a subprotocol with a space", offer("chat v1")),
        ("a quoted subprotocol", offer("\"chat.v1\"")),
        ("a subprotocol that is not ASCII", offer("ch\u{e4}t")),
        ("a repeated subprotocol", offer("chat.v1, chat.v1")),
        ("65 subprotocols", offer(&many)),
    ]
    .map(|(name, bytes)| Case::request(name, bytes, Status(400)))
    .into();
    for (offered, chosen) in [
        ("chat.v1", Some("chat.v1")),
        ("chat.v2, chat.v1", Some("chat.v2")),
        ("chat.v1 , chat.v2", Some("chat.v1")),
        ("other, chat.v2", Some("chat.v2")),
        ("CHAT.V1", None),
        ("other", None),
    ] {
        let name = format!("of {offered} {} is chosen", chosen.unwrap_or("nothing"));
        cases.push(Case::story(name, move |target| {
            let line = format!("Sec-WebSocket-Protocol: {offered}");
            let (mut peer, head) = Peer::open_with(target.port, path, &[&line])?;
            if head.header("sec-websocket-protocol") != chosen {
                bail!("chose {:?}", head.header("sec-websocket-protocol"));
            }
            peer.echo("chosen")
        }));
    }
    cases
}

/// Requests that never end, and requests with more behind them.
fn heads() -> Vec<Case> {
    vec![
        Case::story("one header line that never ends", |target| endless(target, "X: ", "x")),
        Case::story("header lines that never end", |target| endless(target, "", "X-Y: z\r\n")),
        Case::story("a target that never ends", |target| endless_request(target, "GET /api/ws/echo?", "x")),
        Case::story("spaces that never end", |target| match target.kind {
            HostKind::Native => endless(target, "X:", " "),
            // Node's parser skips them without counting. `headersTimeout` ends the request, see `patience`.
            HostKind::Plugin => Ok(()),
        }),
        Case::story("frames together with the request", |target| {
            let mut peer = Peer::connect(target.port)?;
            let bytes = [handshake(PATH, &[]), frame(FIN | TEXT, b"early"), frame(TEXT, b"ha")].concat();
            peer.write(&bytes)?;
            match peer.head()? {
                Some(head) if head.status == 101 => {}
                other => bail!("answered {other:?}"),
            }
            expect(&mut peer, "early")?;
            peer.write(&frame(FIN, b"lf"))?;
            expect(&mut peer, "half")
        }),
        Case::story("a megabyte of frames together with the request", |target| {
            let mut peer = Peer::connect(target.port)?;
            let mut reader = Peer::connect(target.port)?;
            reader.shake(PATH, &[])?;
            let text = "x".repeat(1000);
            let bytes = [handshake(PATH, &[]), frame(FIN | TEXT, text.as_bytes()).repeat(1000)].concat();
            let mut writer = peer.stream.try_clone()?;
            let writing = std::thread::spawn(move || std::io::Write::write_all(&mut writer, &bytes));
            peer.head()?;
            for _ in 0..1000 {
                expect(&mut peer, &text)?;
            }
            writing.join().map_err(|_| anyhow::anyhow!("the writer broke"))??;
            reader.echo("meanwhile")
        }),
        Case::story("a violation together with the request", |target| {
            let mut peer = Peer::connect(target.port)?;
            peer.write(&[handshake(PATH, &[]), frame(FIN | 3, b"x")].concat())?;
            peer.head()?;
            peer.expect_close(1002)
        }),
        Case::story("a close together with the request", |target| {
            let mut peer = Peer::connect(target.port)?;
            peer.write(&[handshake(PATH, &[]), frame(FIN | CLOSE, b"")].concat())?;
            peer.head()?;
            peer.expect_close(1005)
        }),
        Case::story("a second request together with a refused one", |target| {
            let mut peer = Peer::connect(target.port)?;
            peer.write(&[changed("Version: 13", "Version: 8"), handshake(PATH, &[])].concat())?;
            match peer.head()? {
                Some(head) if head.status == 426 => {}
                other => bail!("answered {other:?}"),
            }
            match String::from_utf8_lossy(&peer.rest()?) {
                rest if rest.contains("HTTP/1.1") => bail!("answered both"),
                _ => Ok(()),
            }
        }),
    ]
}

/// Sends header lines until the server has had enough, which is 431 and before a megabyte.
fn endless(target: &Target, start: &str, again: &str) -> Result<()> {
    endless_request(target, &format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\n{start}"), again)
}

fn endless_request(target: &Target, start: &str, again: &str) -> Result<()> {
    let mut peer = Peer::connect(target.port)?;
    peer.write(start.as_bytes())?;
    let piece = again.repeat(1024 / again.len());
    for _ in 0..1024 {
        if std::io::Write::write_all(&mut peer.stream, piece.as_bytes()).is_err() {
            break;
        }
    }
    match peer.head()? {
        // A client that is still writing may lose the answer to the reset that its own bytes cause.
        None => Ok(()),
        Some(head) if matches!(head.status, 400 | 414 | 431) => peer.expect_end(),
        Some(head) => bail!("answered {}", head.status),
    }
}

fn expect(peer: &mut Peer, text: &str) -> Result<()> {
    let message = peer.message()?;
    if message.payload != text.as_bytes() {
        bail!("{:.80} instead of {text:.80}", message.text());
    }
    Ok(())
}
