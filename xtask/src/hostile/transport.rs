//! Connections that end at every moment at which they can: reset, half closed, or silent.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::case::Case;
use super::target::{HostKind, Target};
use super::wire::{BINARY, CLOSE, FIN, PING, Peer, TEXT, close, frame, handshake, header};

/// How far a connection has come when it ends.
struct Moment {
    name: &'static str,
    path: &'static str,
    /// Whether the WebSocket is open by then.
    is_open: bool,
    bytes: Vec<u8>,
}

pub(super) fn cases(kind: HostKind) -> Vec<Case> {
    let mut cases = Vec::new();
    for moment in moments(kind) {
        let (name, path, is_open) = (moment.name, moment.path, moment.is_open);
        let bytes = moment.bytes;
        let act = move |target: &Target| -> Result<Peer> {
            let mut peer = Peer::connect(target.port)?;
            if is_open {
                peer.shake(path, &[])?;
            }
            peer.write(&bytes)?;
            Ok(peer)
        };
        let act = std::rc::Rc::new(act);
        let again = act.clone();
        cases.push(Case::story(format!("reset {name}"), move |target| {
            // Many at once, so that a leak of one each would show.
            let peers = (0..20).map(|_| again(target)).collect::<Result<Vec<_>>>()?;
            peers.into_iter().try_for_each(Peer::reset)?;
            no_connection_is_left(target)
        }));
        cases.push(Case::story(format!("half closed {name}"), move |target| {
            let mut peer = act(target)?;
            peer.stream.shutdown(Shutdown::Write)?;
            peer.rest().context("the other half")?;
            no_connection_is_left(target)
        }));
    }
    cases.extend(silence());
    cases.push(Case::story("500 connections, opened and reset at once", |target| {
        for _ in 0..500 {
            target.open("/api/ws/rules")?.reset()?;
        }
        no_connection_is_left(target)
    }));
    cases
}

fn moments(kind: HostKind) -> Vec<Moment> {
    let echo = "/api/ws/echo";
    let before = |name, bytes| Moment { name, path: echo, is_open: false, bytes };
    let open = |name, bytes| Moment { name, path: echo, is_open: true, bytes };
    let whole = handshake(echo, &[]);
    let mut moments = vec![
        before("before any byte", Vec::new()),
        before("in the request line", b"GET /api/ws/ec".to_vec()),
        before("in the headers", whole[..whole.len() - 20].to_vec()),
        before("before the answer is read", whole.clone()),
        before("in the first frame, sent with the request", [whole, header(FIN | TEXT, 5)].concat()),
        open("once open", Vec::new()),
        open("in a frame's header", header(FIN | BINARY, 70_000)[..7].to_vec()),
        open("in a frame's mask", header(FIN | TEXT, 5)[..4].to_vec()),
        open("in a frame's payload", frame(FIN | TEXT, &[b'x'; 1000])[..500].to_vec()),
        open("in a ping", header(FIN | PING, 100)),
        open("in a message", frame(TEXT, b"half")),
        open("in a character", frame(TEXT, "\u{1f600}".as_bytes())[..8].to_vec()),
        open("with messages under way", frame(FIN | BINARY, &[1; 60_000]).repeat(20)),
        open("in a close frame", frame(FIN | CLOSE, &[0x03, 0xe8])[..7].to_vec()),
        open("in the closing handshake", close(1000)),
        open("after a violation", frame(FIN | 3, b"")),
        Moment {
            name: "while the server closes",
            path: "/api/ws/rules",
            is_open: true,
            bytes: frame(FIN | TEXT, br#"{"type":"bye","reason":"enough"}"#),
        },
        Moment {
            name: "with rooms joined",
            path: "/api/ws/rules",
            is_open: true,
            bytes: frame(FIN | TEXT, br#"{"type":"join","room":"dev"}"#),
        },
    ];
    if kind == HostKind::Plugin {
        let slow = "/api/js/auth/slow";
        moments.extend([
            Moment {
                name: "while authenticate waits",
                path: slow,
                is_open: false,
                bytes: handshake(slow, &[]),
            },
            Moment {
                name: "while authenticate waits, with frames sent already",
                path: slow,
                is_open: false,
                bytes: [handshake(slow, &[]), frame(FIN | TEXT, b"early")].concat(),
            },
            Moment {
                name: "while a callback waits",
                path: "/api/js/never",
                is_open: true,
                bytes: frame(FIN | TEXT, b"1").repeat(300),
            },
        ]);
    }
    moments
}

/// Clients that are gone without a close frame are found by timeouts.
fn silence() -> Vec<Case> {
    vec![
        Case::story("a client that answers no ping", |target| {
            let mut peer = target.open("/api/ws/heartbeat")?;
            let mut pings = 0;
            while let Some(frame) = peer.frame()? {
                match frame.opcode() {
                    PING => pings += 1,
                    CLOSE => {
                        return if pings == 3 {
                            peer.expect_end()
                        } else {
                            bail!("closed after {pings} pings")
                        };
                    }
                    _ => bail!("sent {:.80}", frame.text()),
                }
            }
            bail!("dropped after {pings} pings without a close frame")
        })
        .within(4),
        Case::story("a client that says nothing", |target| {
            let mut peer = target.open("/api/ws/quiet")?;
            match peer.ending()? {
                Some(_) => peer.expect_end(),
                None => bail!("dropped without a close frame"),
            }
        })
        .within(4),
        Case::story("a client that does not answer the close", |target| {
            let mut peer = target.open("/api/ws/rules")?;
            peer.say(r#"{"type":"bye","reason":"enough"}"#)?;
            peer.expect_close(4000)
        })
        .within(4),
        Case::story("a client that talks on instead of answering the close", |target| {
            let mut peer = target.open("/api/ws/rules")?;
            peer.say(r#"{"type":"bye","reason":"enough"}"#)?;
            let mut writer = peer.stream.try_clone()?;
            let talking = std::thread::spawn(move || {
                let chatter = frame(FIN | TEXT, &[b'x'; 1000]);
                while std::io::Write::write_all(&mut writer, &chatter).is_ok() {}
            });
            let end = peer.expect_close(4000);
            drop(peer);
            talking.join().map_err(|_| anyhow::anyhow!("the writer broke"))?;
            end
        })
        .within(6),
    ]
}

/// The number of connections, as the native server reports it.
fn no_connection_is_left(target: &Target) -> Result<()> {
    if target.kind == HostKind::Plugin {
        return Ok(());
    }
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let mut peer = Peer::connect(target.port)?;
        peer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let answer = String::from_utf8_lossy(&peer.rest()?).into_owned();
        if answer.contains("\"connections\":0,") {
            return Ok(());
        }
        if Instant::now() > end {
            bail!("connections are left: {}", answer.lines().last().unwrap_or_default());
        }
    }
}
