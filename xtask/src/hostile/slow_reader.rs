//! Clients that do not read, while another one does.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::case::Case;
use super::config::OUTBOUND;
use super::target::Target;
use super::wire::{BINARY, FIN, Peer, frame};

/// How many messages are published, and how long each is.
const COUNT: u32 = 1500;
const BYTES: usize = 16 * 1024;

/// What the reader may wait for one message.
const DELAY: Duration = Duration::from_secs(2);

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::story("close: 1013 after what was sent before", |target| {
            let mut stuck = narrow(target, "/api/ws/slow/close")?;
            let mut publisher = target.open("/api/ws/slow/close")?;
            // More than its system, the server's system and the server keep for it.
            let publishing = thread::spawn(move || -> Result<()> {
                (0..COUNT / 2).try_for_each(|number| publisher.write(&message(number)))
            });
            target.wait_for_line("/ws/slow/close reads too slowly")?;
            let (received, code) = read_to_close(&mut stuck)?;
            publishing.join().map_err(|_| anyhow!("the publisher broke"))??;
            if code != 1013 {
                bail!("closed with {code}");
            }
            is_prefix(&received)?;
            match target.count_lines("/ws/slow/close reads too slowly")? {
                1..=5 => Ok(()),
                count => bail!("{count} lines say so"),
            }
        })
        .within(40),
        Case::story("close: who never reads is dropped, and the others get everything at once", |target| {
            let stuck = fan_out(target, "/api/ws/slow/close")?;
            // The close frame cannot reach a client that does not read; closeTimeout ends the wait.
            wait_for_reset(stuck)
        })
        .within(40),
        Case::story("close: who was sent 1013 and does not read it is not read either", |target| {
            let mut stuck = narrow(target, "/api/ws/slow/close")?;
            let mut publisher = target.open("/api/ws/slow/close")?;
            (0..COUNT / 2).try_for_each(|number| publisher.write(&message(number)))?;
            // With the answer to this all of them have been handled, and far more waits than may.
            publisher.write(&frame(FIN | super::wire::PING, b""))?;
            publisher.patience(Duration::from_secs(30)).frame()?.context("the publisher was dropped")?;
            let taken = stuck.push()?;
            at_most(taken, 0)
        })
        .within(40),
        Case::story("who was sent 1002 and goes on is not read for ever", |target| {
            let mut peer = target.open("/api/ws/small")?;
            peer.write(&frame(FIN | 3, b"reserved"))?;
            at_most(peer.push()?, 1 << 20)
        }),
        Case::story("who was closed by a handler and does not close is not read for ever", |target| {
            let mut peer = target.open("/api/ws/rules")?;
            peer.say(r#"{"type":"bye","reason":"enough"}"#)?;
            if peer.frame()?.is_none_or(|frame| frame.close_code() != 4000) {
                bail!("not closed with 4000");
            }
            at_most(peer.push()?, 16 << 20)
        }),
        Case::story("drop-oldest: the newest come, and the others get everything at once", |target| {
            let mut stuck = fan_out(target, "/api/ws/slow/drop-oldest")?;
            let mut received = Vec::new();
            while received.last() != Some(&(COUNT - 1)) {
                received.push(number(&stuck.message()?.payload)?);
            }
            if !received.is_sorted_by(|a, b| a < b) {
                bail!("out of order");
            }
            if received.len() == COUNT as usize {
                bail!("nothing was dropped, so nothing was tested");
            }
            Ok(())
        })
        .within(40),
        Case::story("pause: the others get everything at once", |target| {
            let mut stuck = fan_out(target, "/api/ws/slow/pause")?;
            let mut received = Vec::new();
            // Up to twice the bound waits; what comes beyond it is dropped.
            stuck.patience(Duration::from_secs(3));
            while let Ok(message) = stuck.message() {
                received.push(number(&message.payload)?);
            }
            is_prefix(&received)
        })
        .within(40),
        Case::story("pause: nothing is read from who does not read", |target| {
            target.bounded(8 << 20, || {
                let mut peer = narrow(target, "/api/ws/slow/echo")?;
                peer.stream.set_write_timeout(Some(Duration::from_secs(1)))?;
                let mut written = 0;
                // A partly written message would break the framing, so the rest of it is kept for later.
                let mut unwritten = Vec::new();
                while written < COUNT && unwritten.is_empty() {
                    unwritten = write_some(&mut peer, &message(written))?;
                    written += 1;
                }
                if written == COUNT {
                    bail!("{} MB were read", COUNT as usize * BYTES / 1_000_000);
                }
                target.check_health()?;
                peer.stream.set_write_timeout(Some(Duration::from_secs(10)))?;
                let mut writer = peer.stream.try_clone()?;
                let writing = thread::spawn(move || std::io::Write::write_all(&mut writer, &unwritten));
                peer.patience(Duration::from_secs(20));
                for expected in 0..written {
                    let found = number(&peer.message()?.payload)?;
                    if found != expected {
                        bail!("{found} came instead of {expected}");
                    }
                }
                Ok(writing.join().map_err(|_| anyhow!("the writer broke"))??)
            })
        })
        .within(40),
        Case::story("one message larger than the bound still comes", |target| {
            let mut peer = target.open("/api/ws/slow/close")?;
            let mut other = target.open("/api/ws/slow/close")?;
            other.write(&frame(FIN | BINARY, &vec![7; 4 * OUTBOUND]))?;
            match peer.message()?.payload.len() {
                length if length == 4 * OUTBOUND => Ok(()),
                length => bail!("{length} bytes came"),
            }
        }),
        Case::story("64 clients that never read", |target| {
            target.bounded(64 * (OUTBOUND as u64) * 2 + (32 << 20), || {
                let stuck = (0..64)
                    .map(|_| narrow(target, "/api/ws/slow/drop-oldest"))
                    .collect::<Result<Vec<_>>>()?;
                let last = fan_out(target, "/api/ws/slow/drop-oldest")?;
                drop((stuck, last));
                Ok(())
            })
        })
        .within(60),
    ]
}

/// Publishes to one client that reads and one that does not, which is given back. The reader must get every message,
/// and never wait long for the next.
fn fan_out(target: &Target, path: &str) -> Result<Peer> {
    let stuck = narrow(target, path)?;
    let mut reader = target.open(path)?;
    let mut publisher = target.open(path)?;
    target.bounded(24 << 20, || {
        let mut writer = publisher.stream.try_clone()?;
        let publishing = thread::spawn(move || -> std::io::Result<()> {
            for number in 0..COUNT {
                std::io::Write::write_all(&mut writer, &message(number))?;
                // The reader must keep up, or it would be a slow one itself.
                if number % 8 == 7 {
                    thread::sleep(Duration::from_millis(2));
                }
            }
            Ok(())
        });
        reader.patience(Duration::from_secs(30));
        for expected in 0..COUNT {
            let asked = Instant::now();
            let found = number(
                &reader.message().with_context(|| format!("the reader's message {expected}"))?.payload,
            )?;
            if found != expected {
                bail!("the reader got {found} instead of {expected}");
            }
            if asked.elapsed() > DELAY {
                bail!("the reader waited {:?} for message {expected}", asked.elapsed());
            }
        }
        publishing.join().map_err(|_| anyhow!("the publisher broke"))??;
        Ok(())
    })?;
    publisher.write(&frame(FIN | super::wire::PING, b"alive?"))?;
    match publisher.frame()? {
        Some(frame) if frame.opcode() == super::wire::PONG => Ok(stuck),
        other => bail!("the publisher got {other:?}"),
    }
}

/// A client with small kernel buffers.
fn narrow(target: &Target, path: &str) -> Result<Peer> {
    let mut peer = Peer::connect_as(target.port, std::net::Ipv4Addr::LOCALHOST, Some(16 * 1024))?;
    peer.shake(path, &[])?;
    peer.patience(Duration::from_secs(30));
    Ok(peer)
}

fn message(number: u32) -> Vec<u8> {
    let mut payload = vec![0; BYTES];
    payload[..4].copy_from_slice(&number.to_be_bytes());
    frame(FIN | BINARY, &payload)
}

fn number(payload: &[u8]) -> Result<u32> {
    match payload.first_chunk() {
        Some(bytes) if payload.len() == BYTES => Ok(u32::from_be_bytes(*bytes)),
        _ => bail!("a message of {} bytes", payload.len()),
    }
}

/// Apart from what the server may read, the kernel takes bytes into both sockets' buffers. Linux lets the receiving one
/// grow to 32 MiB by default on large machines (`net.ipv4.tcp_rmem`), the sending one to 4 MiB.
fn at_most(taken: usize, read: usize) -> Result<()> {
    const SYSTEMS: usize = 40 << 20;
    if taken > read + SYSTEMS {
        bail!("{} MiB were taken", taken >> 20);
    }
    Ok(())
}

fn read_to_close(peer: &mut Peer) -> Result<(Vec<u32>, u16)> {
    let mut received = Vec::new();
    loop {
        let frame = peer.frame()?.context("dropped without a close frame")?;
        if frame.opcode() == super::wire::CLOSE {
            return Ok((received, frame.close_code()));
        }
        received.push(number(&frame.payload)?);
    }
}

fn is_prefix(received: &[u32]) -> Result<()> {
    if !received.iter().copied().eq(0..received.len() as u32) {
        bail!("a gap in what came");
    }
    if received.len() == COUNT as usize {
        bail!("everything came, so nothing was tested");
    }
    Ok(())
}

/// Without reading: writing fails once the server has dropped the connection.
fn wait_for_reset(mut peer: Peer) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if peer.write(&frame(FIN | super::wire::PONG, b"")).is_err() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    bail!("still connected")
}

/// Writes until the other side takes no more; what is left.
fn write_some(peer: &mut Peer, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match std::io::Write::write(&mut peer.stream, rest) {
            Ok(written) => rest = &rest[written..],
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                break;
            }
            Err(error) => return Err(error).context("cannot write"),
        }
    }
    Ok(rest.to_vec())
}
