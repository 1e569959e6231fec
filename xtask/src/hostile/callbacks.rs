//! JavaScript callbacks that throw, reject, never settle, or use a connection that is gone.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::case::Case;
use super::case::Outcome::{Close, Status};
use super::target::Target;
use super::wire::{CLOSE, FIN, PING, PONG, TEXT, close, frame, handshake};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = authentication();
    cases.extend(connecting());
    cases.extend(messages());
    cases.extend(afterwards());
    cases
}

fn authentication() -> Vec<Case> {
    let case = |name: &str, path: &str, outcome| Case::request(name, handshake(path, &[]), outcome);
    vec![
        case("authenticate throws", "/api/js/auth/throw", Status(500)),
        case("authenticate rejects", "/api/js/auth/reject", Status(500)),
        case("authenticate never settles", "/api/js/auth/never", Status(503)).within(3),
        case("authenticate gives data that throws", "/api/js/auth/odd", Status(500)),
        Case::story("authenticate throws 300 times, which is said a few times", |target| {
            for _ in 0..300 {
                match target.ask(&handshake("/api/js/auth/throw", &[]))? {
                    Some(head) if head.status == 500 => {}
                    other => bail!("{other:?}"),
                }
            }
            match target.count_lines("authenticate for /api/js/auth/throw")? {
                1..=20 => Ok(()),
                count => bail!("{count} lines say so"),
            }
        }),
        Case::story("authenticate gives a code that is none", |target| {
            match target.ask(&handshake("/api/js/auth/code", &[]))? {
                // A refusal, in whichever form.
                Some(head) if matches!(head.status, 101 | 401 | 500) => Ok(()),
                other => bail!("{other:?}"),
            }
        }),
        Case::story("messages that came while authenticate took its time", |target| {
            let mut peer = super::wire::Peer::connect(target.port)?;
            peer.write(&[handshake("/api/js/auth/slow", &[]), frame(FIN | TEXT, b"early")].concat())?;
            match peer.head()? {
                Some(head) if head.status == 101 => {}
                other => bail!("{other:?}"),
            }
            match peer.message()?.text() {
                text if text == "early" => peer.echo("later"),
                text => bail!("{text}"),
            }
        }),
    ]
}

fn connecting() -> Vec<Case> {
    vec![
        Case::frames("onConnect throws", "/api/js/connect/throw", [], Close(1011)),
        Case::frames("onConnect rejects", "/api/js/connect/reject", [], Close(1011)),
        Case::frames("onConnect never settles", "/api/js/connect/never", [], Close(1011)).within(3),
        Case::frames("everything throws", "/api/js/all/throw", frame(FIN | TEXT, b"x"), Close(1011)),
    ]
}

fn messages() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/api/js/throw", "/api/js/reject", "/api/js/match"] {
        cases.push(Case::story(format!("{path} says that it failed, each time"), move |target| {
            let mut peer = target.open(path)?;
            for _ in 0..3 {
                peer.say("x")?;
                let answer = peer.message()?.text();
                if !answer.contains("\"error\"") {
                    bail!("{answer:.80}");
                }
            }
            Ok(())
        }));
    }
    cases.push(
        Case::story(
            "onMessage never settles, and the next message is handled when its time is over",
            |target| {
                let mut peer = target.open("/api/js/never")?;
                peer.say("x")?;
                peer.say("answer")?;
                loop {
                    let text = peer.message()?.text();
                    if text == "answered" {
                        return Ok(());
                    }
                    if !text.contains("\"error\"") {
                        bail!("{text:.80}");
                    }
                }
            },
        )
        .within(4),
    );
    cases.push(Case::story("10,000 messages to a callback that never settles", |target| {
        target.bounded(32 << 20, || {
            let mut peer = target.open("/api/js/never")?;
            peer.stream.set_write_timeout(Some(Duration::from_millis(500)))?;
            // 256 wait for their handler, then nothing is read: the writer is stopped long before its end.
            let written =
                (0..10_000).take_while(|_| peer.write(&frame(FIN | TEXT, &[b'x'; 10_000])).is_ok()).count();
            if written == 10_000 {
                bail!("100 MB were read");
            }
            target.check_health()
        })
    }));
    for name in [
        "undefined",
        "null",
        "symbol",
        "string",
        "proxy",
        "getter",
        "bare",
        "long",
        "thenable",
        "getThen",
        "twice",
        "stack",
        "circular",
        "bigint",
        "toJson",
        "code",
        "ping",
        "room",
        "heartbeat",
        "symbolRoom",
        "unknown",
    ] {
        cases.push(Case::story(format!("onMessage does something odd: {name}"), move |target| {
            let mut peer = target.open("/api/js/odd")?;
            peer.say(name)?;
            peer.write(&frame(FIN | PING, b"alive?"))?;
            loop {
                let frame = peer.frame()?.context("dropped")?;
                match frame.opcode() {
                    PONG => return Ok(()),
                    CLOSE => bail!("closed with {}", frame.close_code()),
                    _ if frame.payload.len() > 2_000_000 => bail!("{} bytes of error", frame.payload.len()),
                    _ => {}
                }
            }
        }));
    }
    cases.push(Case::story("hooks of pings, pongs and errors fail", |target| {
        let mut peer = target.open("/api/js/hooks/reject")?;
        peer.write(&[frame(FIN | PING, b"x"), frame(FIN | PONG, b"x"), frame(FIN | TEXT, b"x")].concat())?;
        loop {
            let text = peer.message()?.text();
            if text == "still there" {
                break;
            }
        }
        peer.write(&close(1000))?;
        peer.expect_close(1000)
    }));
    cases
}

fn afterwards() -> Vec<Case> {
    vec![
        Case::frames(
            "a handler uses its connection after closing it",
            "/api/js/late",
            frame(FIN | TEXT, b"x"),
            Close(4000),
        ),
        Case::story("handlers use connections that are reset", |target| {
            let before = used(target)?;
            for _ in 0..20 {
                let mut peer = target.open("/api/js/late")?;
                peer.say("x")?;
                peer.reset()?;
            }
            wait_for(target, before + 20)
        }),
        Case::story("onClose uses its connection", |target| {
            let before = used(target)?;
            let mut peer = target.open("/api/js/late")?;
            peer.write(&close(1000))?;
            peer.expect_close(1000)?;
            wait_for(target, before + 1)
        }),
    ]
}

/// How many connections have been used to the end after they were gone.
fn used(target: &Target) -> Result<usize> {
    let mut peer = target.open("/api/js/late/count")?;
    peer.say("?")?;
    Ok(peer.message()?.text().parse()?)
}

fn wait_for(target: &Target, count: usize) -> Result<()> {
    let end = std::time::Instant::now() + Duration::from_secs(5);
    while used(target)? < count {
        if std::time::Instant::now() > end {
            bail!("only {} of {count} close hooks came to their end", used(target)?);
        }
    }
    Ok(())
}
