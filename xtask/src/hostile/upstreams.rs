//! Behind a proxy: servers that stall, flood, break off or never answer, and clients that do the same to them.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::case::{Case, Outcome};
use super::target::Target;
use super::wire::{BINARY, FIN, Peer, frame, handshake};
use crate::targets::{self, Targets};

/// What the server may grow by while one client pushes or is flooded: what waits before the proxy, in it and behind it.
const GROWTH: u64 = 24 << 20;

/// More than all systems and the proxy together keep.
const MUCH: usize = 48 << 20;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::story("stalled: who sends to it is closed with 1011, and little is kept", |target| {
            target.bounded(GROWTH, || {
                let mut peer = target.open("/api/ws/up/stalled")?;
                let pushing = push(&peer, MUCH / PIECE)?;
                peer.patience(Duration::from_secs(20)).expect_close(1011)?;
                pushing.join().map_err(|_| anyhow!("the writer broke"))?;
                Ok(())
            })?;
            all_gone(&target.targets)
        })
        .within(40),
        Case::story("stalled: clients that leave take along what waits", |target| {
            target.bounded(2 * GROWTH, || {
                let mut peers = Vec::new();
                for _ in 0..16 {
                    let peer = target.open("/api/ws/up/stalled")?;
                    push(&peer, 16)?.join().map_err(|_| anyhow!("the writer broke"))?;
                    peers.push(peer);
                }
                peers.into_iter().try_for_each(Peer::reset)
            })?;
            all_gone(&target.targets)
        })
        .within(60),
        Case::story("slow: everything gets there, in order", |target| {
            target.bounded(GROWTH, || {
                let mut peer = target.open("/api/ws/up/slow")?;
                let pushing = push(&peer, 400)?;
                peer.patience(Duration::from_secs(60));
                for expected in 0..400 {
                    is_number(&peer.message()?.payload, expected)?;
                }
                pushing.join().map_err(|_| anyhow!("the writer broke"))?;
                Ok(())
            })
        })
        .within(70),
        Case::story("echo: both sides send at once", |target| {
            target.bounded(2 * GROWTH, || {
                let mut peer = target.open("/api/ws/up/echo")?;
                let pushing = push(&peer, MUCH / PIECE)?;
                peer.patience(Duration::from_secs(60));
                for expected in 0..(MUCH / PIECE) as u32 {
                    is_number(&peer.message()?.payload, expected)?;
                }
                pushing.join().map_err(|_| anyhow!("the writer broke"))?;
                Ok(())
            })
        })
        .within(70),
        Case::story("flooding: who reads late gets all of it, and little is kept", |target| {
            target.bounded(GROWTH, || {
                let mut peer = narrow(target, "/api/ws/up/flood?count=3000&bytes=16384")?;
                thread::sleep(Duration::from_secs(1));
                peer.patience(Duration::from_secs(60));
                for expected in 0..3000 {
                    is_number(&peer.message()?.payload, expected)?;
                }
                peer.expect_close(targets::FLOOD_OVER)
            })
        })
        .within(70),
        Case::story("flooding: who leaves ends it", |target| {
            target.bounded(GROWTH, || {
                for _ in 0..8 {
                    let mut peer = narrow(target, "/api/ws/up/flood?count=100000&bytes=16384")?;
                    for expected in 0..10 {
                        is_number(&peer.message()?.payload, expected)?;
                    }
                    peer.reset()?;
                }
                Ok(())
            })?;
            all_gone(&target.targets)
        })
        .within(40),
        Case::story(
            "closing in the middle of a message: what came before, then an end without a close frame",
            |target| {
                let mut peer = target.open("/api/ws/up/middle")?;
                for expected in 0..targets::BEFORE_THE_MIDDLE {
                    is_number(&peer.message()?.payload, expected)?;
                }
                match peer.ending()? {
                    None => all_gone(&target.targets),
                    Some(code) => bail!("closed with {code}"),
                }
            },
        ),
        Case::request("never answering: 504", handshake("/api/ws/up/mute", &[]), Outcome::Status(504)),
        Case::story("never answering: clients that leave take their connections along", |target| {
            for _ in 0..100 {
                let mut peer = Peer::connect(target.port)?;
                peer.write(&handshake("/api/ws/up/mute", &[]))?;
                peer.reset()?;
            }
            all_gone(&target.targets)
        })
        .within(20),
        Case::request("refusing: its status", handshake("/api/ws/up/refuse", &[]), Outcome::Status(503)),
        Case::request("answering nonsense: 502", handshake("/api/ws/up/garbage", &[]), Outcome::Status(502)),
    ]
}

/// How long each message is that is pushed.
const PIECE: usize = 64 * 1024;

/// Writes numbered messages from another thread, until all are written or the server takes no more for a while.
fn push(peer: &Peer, count: usize) -> Result<thread::JoinHandle<()>> {
    let mut stream = peer.stream.try_clone()?;
    Ok(thread::spawn(move || {
        for number in 0..count as u32 {
            let mut payload = vec![0; PIECE];
            payload[..4].copy_from_slice(&number.to_be_bytes());
            if std::io::Write::write_all(&mut stream, &frame(FIN | BINARY, &payload)).is_err() {
                return;
            }
        }
    }))
}

/// A client with small kernel buffers.
fn narrow(target: &Target, path: &str) -> Result<Peer> {
    let mut peer = Peer::connect_as(target.port, std::net::Ipv4Addr::LOCALHOST, Some(16 * 1024))?;
    peer.shake(path, &[])?;
    Ok(peer)
}

fn is_number(payload: &[u8], expected: u32) -> Result<()> {
    match payload.first_chunk() {
        Some(bytes) if u32::from_be_bytes(*bytes) == expected => Ok(()),
        Some(bytes) => bail!("{} instead of {expected}", u32::from_be_bytes(*bytes)),
        None => bail!("a message of {} bytes", payload.len()),
    }
}

/// Waits until the proxy has let go of all its targets.
fn all_gone(targets: &Targets) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(10);
    while targets.alive() > 0 {
        if Instant::now() > end {
            return Err(anyhow!("{} are still connected", targets.alive())).context("targets");
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
