//! Much of what alone is harmless: pings, fragments, single bytes, rooms, names.

use std::io::Write;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use super::case::Case;
use super::config::INBOUND;
use super::target::Target;
use super::wire::{BINARY, CLOSE, FIN, PING, PONG, Peer, TEXT, frame, handshake};

const MIB: u64 = 1 << 20;

/// A value for a feed.
const POST: &[u8] = b"POST /feeds/news HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::story("200,000 pings of a client that does not read", |target| {
            target.bounded(16 * MIB, || ping_flood(target, 200_000))
        })
        .within(60),
        Case::story("100,000 pings of a client that reads", |target| {
            let mut peer = target.open("/api/ws/echo")?;
            let mut writer = peer.stream.try_clone()?;
            let writing =
                thread::spawn(move || writer.write_all(&frame(FIN | PING, b"ping").repeat(100_000)));
            peer.patience(std::time::Duration::from_secs(40));
            // Pongs may stand for several pings; a ping after the flood gets its own.
            writing.join().map_err(|_| anyhow!("the writer broke"))??;
            peer.write(&frame(FIN | PING, b"last"))?;
            until_pong(&mut peer, b"last")
        })
        .within(60),
        Case::story("10,000 requests in a row of clients that do not read", |target| {
            target.bounded(32 * MIB, || {
                let mut peers = Vec::new();
                for _ in 0..4 {
                    let mut peer = Peer::connect(target.port)?;
                    // The server stops reading, as nobody takes its answers.
                    peer.stream.set_write_timeout(Some(std::time::Duration::from_millis(300)))?;
                    peer.write_regardless(&POST.repeat(10_000));
                    peers.push(peer);
                }
                target.check_health()
            })
        })
        .within(30),
        Case::story("1,000 requests in a row are answered in order", |target| {
            let mut peer = Peer::connect(target.port)?;
            let mut writer = peer.stream.try_clone()?;
            let writing = thread::spawn(move || writer.write_all(&POST.repeat(1000)));
            let mut answers = String::new();
            while answers.matches(r#"{"accepted":1}"#).count() < 1000 {
                match peer.head()? {
                    Some(head) if head.status == 202 => answers.push_str(&peer.body(&head)?),
                    other => bail!("answered {other:?}"),
                }
            }
            writing.join().map_err(|_| anyhow!("the writer broke"))??;
            Ok(())
        })
        .within(30),
        Case::story("a message a byte at a time", |target| {
            let mut peer = target.open("/api/ws/echo")?;
            for byte in frame(FIN | TEXT, &[b'x'; 300]) {
                peer.write(&[byte])?;
            }
            match peer.message()?.payload.len() {
                300 => Ok(()),
                other => bail!("{other} bytes came back"),
            }
        }),
        Case::story("an opening handshake a byte at a time", |target| {
            let mut peer = Peer::connect(target.port)?;
            for byte in handshake("/api/ws/echo", &[]) {
                peer.write(&[byte])?;
            }
            match peer.head()? {
                Some(head) if head.status == 101 => peer.echo("at last"),
                other => bail!("answered {other:?}"),
            }
        }),
        Case::story("100 messages of 16 MiB, begun and left", |target| {
            target.bounded(32 * MIB, || {
                let begun = [&super::wire::header(FIN | BINARY, 16 << 20)[..], &[0; 1000]].concat();
                let mut peers = Vec::new();
                for _ in 0..100 {
                    let mut peer = target.open("/api/ws/echo")?;
                    peer.write(&begun)?;
                    peers.push(peer);
                }
                target.check_health()
            })
        }),
        Case::story("40 messages of 16 MiB, all but complete", |target| {
            let begun = [&super::wire::header(FIN | BINARY, 16 << 20)[..], &vec![0; 15 << 20]].concat();
            // What is held lies in a buffer of up to twice its size, which is copied where it grows.
            target.bounded(3 * INBOUND as u64, || {
                let mut peers = Vec::new();
                for _ in 0..40 {
                    let mut peer = target.open("/api/ws/echo")?;
                    // It may be closed before all is written.
                    peer.write_regardless(&begun);
                    peers.push(peer);
                }
                let mut completed = 0;
                for peer in &mut peers {
                    peer.write_regardless(&vec![0; 1 << 20]);
                    match peer.frame()? {
                        Some(frame) if frame.opcode() == BINARY => completed += 1,
                        Some(frame) if frame.close_code() == 1013 => {}
                        // It was dropped before it read why.
                        None => {}
                        other => bail!("{other:?}"),
                    }
                }
                match completed {
                    1..=4 => Ok(()),
                    many => bail!("{many} of 40 messages were completed, and at most 4 fit"),
                }
            })?;
            target.wait_for_line("limits.inboundBytes")?;
            target.check_health()
        })
        .within(60),
        Case::story("5,000 rooms of one client", |target| {
            target.bounded(16 * MIB, || {
                let mut peer = target.open("/api/ws/rules")?;
                let joins: Vec<u8> = (0..5000)
                    .flat_map(|number| message(&format!(r#"{{"type":"join","room":"room-{number}"}}"#)))
                    .collect();
                let mut writer = peer.stream.try_clone()?;
                let writing = thread::spawn(move || writer.write_all(&joins));
                let mut joined = 0;
                for _ in 0..5000 {
                    joined += usize::from(peer.message()?.payload == br#"{"joined":true}"#);
                }
                writing.join().map_err(|_| anyhow!("the writer broke"))??;
                if joined != 1000 {
                    bail!("{joined} rooms were joined instead of 1000");
                }
                is_heard(target, "room-0")
            })
        })
        .within(30),
        Case::story("20,000 rooms, each for a moment", |target| {
            target.bounded(16 * MIB, || {
                let mut peer = target.open("/api/ws/rules")?;
                for block in 0..20 {
                    let mut bytes = Vec::new();
                    for number in 0..1000 {
                        let room = block * 1000 + number;
                        bytes.extend(message(&format!(r#"{{"type":"join","room":"{room}"}}"#)));
                        bytes.extend(message(&format!(r#"{{"type":"leave","room":"{room}"}}"#)));
                    }
                    peer.write(&bytes)?;
                    for _ in 0..1000 {
                        peer.message()?;
                    }
                }
                is_heard(target, "1")
            })
        })
        .within(30),
        Case::story("room names of a megabyte", |target| {
            target.bounded(32 * MIB, || {
                let mut peer = target.open("/api/ws/rules")?;
                let name = "r".repeat(1 << 20);
                for _ in 0..10 {
                    peer.say(&format!(r#"{{"type":"join","room":"{name}"}}"#))?;
                    let answer = peer.message()?.text();
                    if answer == r#"{"joined":true}"# {
                        bail!("the room was joined");
                    }
                    if answer.len() > 10_000 {
                        bail!("the answer has {} bytes", answer.len());
                    }
                }
                is_heard(target, "r")
            })
        }),
        Case::story("100,000 rooms in one message", |target| {
            target.bounded(64 * MIB, || {
                let mut peer = target.open("/api/ws/rules")?;
                let rooms: Vec<String> = (0..100_000).map(|number| format!("\"r{number}\"")).collect();
                peer.say(&format!(r#"{{"type":"join","room":[{}]}}"#, rooms.join(",")))?;
                peer.message().context("an answer")?;
                is_heard(target, "r0")
            })
        }),
        Case::story("20,000 messages at once in order", |target| {
            let mut peer = target.open("/api/ws/echo")?;
            let bytes: Vec<u8> = (0..20_000).flat_map(|number: u32| message(&number.to_string())).collect();
            let mut writer = peer.stream.try_clone()?;
            let writing = thread::spawn(move || writer.write_all(&bytes));
            for number in 0..20_000 {
                let text = peer.message()?.text();
                if text != number.to_string() {
                    bail!("{text} came instead of {number}");
                }
            }
            writing.join().map_err(|_| anyhow!("the writer broke"))??;
            Ok(())
        })
        .within(30),
    ]
}

fn message(text: &str) -> Vec<u8> {
    frame(FIN | TEXT, text.as_bytes())
}

/// Two clients of a room hear each other, whatever a third one does.
fn is_heard(target: &Target, room: &str) -> Result<()> {
    let mut peer = target.open("/api/ws/rules")?;
    peer.say(&format!(r#"{{"type":"join","room":"{room}"}}"#))?;
    peer.message()?;
    peer.say(&format!(r#"{{"type":"say","room":"{room}","text":"heard?"}}"#))?;
    match peer.message()?.text() {
        text if text == "heard?" => Ok(()),
        text => bail!("heard {text:.80}"),
    }
}

fn ping_flood(target: &Target, count: usize) -> Result<()> {
    let mut peer = target.open("/api/ws/echo")?;
    let payload = [b'p'; 100];
    peer.write(&frame(FIN | PING, &payload).repeat(count)).context("pings")?;
    peer.write(&frame(FIN | PING, b"last"))?;
    peer.write(&message("and a message"))?;
    peer.patience(std::time::Duration::from_secs(40));
    let mut pongs = 0;
    loop {
        let frame = peer.frame()?.context("dropped")?;
        match frame.opcode() {
            PONG => {
                pongs += 1;
                if frame.payload == b"last" {
                    break;
                }
            }
            CLOSE => bail!("closed with {}", frame.close_code()),
            _ => bail!("the message came before the last pong"),
        }
    }
    if pongs > count {
        bail!("{pongs} pongs for {count} pings");
    }
    match peer.message()?.text() {
        text if text == "and a message" => Ok(()),
        text => bail!("{text:.80}"),
    }
}

fn until_pong(peer: &mut Peer, payload: &[u8]) -> Result<()> {
    loop {
        let frame = peer.frame()?.context("dropped")?;
        if frame.opcode() == PONG && frame.payload == payload {
            return Ok(());
        }
        if frame.opcode() == CLOSE {
            bail!("closed with {}", frame.close_code());
        }
    }
}
