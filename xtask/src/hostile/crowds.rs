//! More connections than there may be, and more messages: 503, 429 and 1008, each said once.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::case::Case;
use super::host::Hosts;
use super::target::{HostKind, Target};
use super::wire::{FIN, Peer, TEXT, frame, handshake};

const CONNECTIONS: usize = 12;
const PER_ADDRESS: usize = 6;
const RATE: usize = 50;
const BURST: usize = 30;

/// These cases need a server with limits of their own. Health takes connections too, so it comes with them.
pub(super) fn start(hosts: &Hosts) -> Result<Target> {
    hosts.start(&json!({
        "maxConnections": CONNECTIONS,
        "maxConnectionsPerAddress": PER_ADDRESS,
        "messageRate": { "perSecond": RATE, "burst": BURST },
        "closeTimeout": 1000,
        "handshakeTimeout": 1500,
    }))
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::story("more connections from one address than it may have", |target| {
            let peers = crowd(target, Ipv4Addr::LOCALHOST, PER_ADDRESS)?;
            for _ in 0..200 {
                refused(target, Ipv4Addr::LOCALHOST, 429)?;
            }
            is_said_once(target, "maxConnectionsPerAddress")?;
            leave(peers)?;
            newcomer(target, Ipv4Addr::LOCALHOST)
        }),
        // All of 127.0.0.0/8 is this machine on Linux and Windows; elsewhere a second address is not to be had.
        Case::story("more connections than there may be", |target| {
            if cfg!(target_os = "macos") {
                return Ok(());
            }
            let mut peers = crowd(target, Ipv4Addr::new(127, 0, 0, 2), PER_ADDRESS)?;
            peers.extend(crowd(target, Ipv4Addr::new(127, 0, 0, 3), PER_ADDRESS)?);
            for last in 4..204 {
                refused(target, Ipv4Addr::new(127, 0, 0, last), 503)?;
            }
            is_said_once(target, "maxConnections is reached")?;
            for peer in &mut peers {
                peer.echo("not disturbed")?;
            }
            leave(peers)?;
            newcomer(target, Ipv4Addr::LOCALHOST)
        }),
        Case::story("connections of one address that ask for nothing", |target| {
            // In Vite they are Vite's, and only WebSockets count.
            if target.kind == HostKind::Plugin || cfg!(target_os = "macos") {
                return Ok(());
            }
            let from = Ipv4Addr::new(127, 0, 0, 5);
            let silent: Vec<Peer> =
                (0..PER_ADDRESS).map(|_| Peer::connect_as(target.port, from, None)).collect::<Result<_>>()?;
            refused(target, from, 429)?;
            newcomer(target, Ipv4Addr::LOCALHOST)?;
            drop(silent);
            newcomer(target, from)
        }),
        Case::story("plain HTTP leaves half of the connections to others", |target| {
            if target.kind == HostKind::Plugin || cfg!(target_os = "macos") {
                return Ok(());
            }
            let health = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
            let mut asking = Vec::new();
            for number in 0..CONNECTIONS - 1 {
                let from = Ipv4Addr::new(127, 0, 1, number as u8 + 1);
                let mut peer = Peer::connect_as(target.port, from, None)?;
                peer.write(health)?;
                let status = peer.head()?.context("dropped")?.status;
                let expected = if number < CONNECTIONS / 2 { 200 } else { 503 };
                if status != expected {
                    bail!("connection {number} was answered {status} instead of {expected}");
                }
                asking.push(peer);
            }
            newcomer(target, Ipv4Addr::LOCALHOST)
        }),
        Case::story("refused connections leave nothing", |target| {
            for _ in 0..20 {
                let peers = crowd(target, Ipv4Addr::LOCALHOST, PER_ADDRESS)?;
                refused(target, Ipv4Addr::LOCALHOST, 429)?;
                peers.into_iter().try_for_each(Peer::reset)?;
                newcomer(target, Ipv4Addr::LOCALHOST)?;
            }
            Ok(())
        }),
        Case::story("more messages than messageRate", |target| {
            let mut quiet = target.open("/api/ws/echo")?;
            for _ in 0..3 {
                let mut peer = target.open("/api/ws/echo")?;
                peer.write_regardless(&frame(FIN | TEXT, b"x").repeat(1000));
                let mut answers = 0;
                let code = loop {
                    let frame = peer.frame()?.context("dropped")?;
                    match frame.opcode() {
                        super::wire::CLOSE => break frame.close_code(),
                        _ => answers += 1,
                    }
                };
                if code != 1008 || answers > BURST + RATE {
                    bail!("closed with {code} after {answers} messages");
                }
                quiet.echo("not disturbed")?;
            }
            is_said_once(target, "messageRate")
        }),
        Case::story("as many messages as messageRate are fine", |target| {
            let mut peer = target.open("/api/ws/echo")?;
            for _ in 0..BURST {
                peer.echo("x")?;
            }
            Ok(())
        }),
    ]
}

fn crowd(target: &Target, from: Ipv4Addr, count: usize) -> Result<Vec<Peer>> {
    (0..count).map(|_| knock(target, from)).collect()
}

/// Opens a connection; earlier ones may take a moment to close.
fn knock(target: &Target, from: Ipv4Addr) -> Result<Peer> {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let mut peer = Peer::connect_as(target.port, from, None)?;
        peer.write(&handshake("/api/ws/echo", &[]))?;
        match peer.head()?.context("dropped")?.status {
            101 => return Ok(peer),
            429 | 503 if Instant::now() < end => {}
            status => bail!("answered {status}"),
        }
    }
}

fn newcomer(target: &Target, from: Ipv4Addr) -> Result<()> {
    knock(target, from)?.echo("welcome")
}

fn refused(target: &Target, from: Ipv4Addr, status: u16) -> Result<()> {
    let mut peer = Peer::connect_as(target.port, from, None)?;
    peer.write(&handshake("/api/ws/echo", &[]))?;
    match peer.head()? {
        Some(head) if head.status == status => Ok(()),
        other => bail!("{other:?} instead of {status}"),
    }
}

fn leave(peers: Vec<Peer>) -> Result<()> {
    peers.into_iter().try_for_each(|mut peer| {
        peer.write(&super::wire::close(1000))?;
        peer.expect_close(1000)
    })
}

/// Once a second, that is: hundreds of refusals are a few lines at most.
fn is_said_once(target: &Target, what: &str) -> Result<()> {
    match target.count_lines(what)? {
        1..=5 => Ok(()),
        count => bail!("{count} lines say {what}"),
    }
}
