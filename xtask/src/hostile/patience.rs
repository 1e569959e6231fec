//! Requests that take their time: dropped when it is over.
//!
//! They run while the other cases do, as Node looks for slow requests only twice a minute.

use std::io::Write;
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use super::target::{HostKind, Target};
use super::wire::{Peer, handshake};

/// What happens to requests that never end.
pub(super) struct Slow {
    clients: Vec<(&'static str, JoinHandle<Result<Duration>>)>,
    within: Duration,
}

impl Slow {
    /// Begins requests that do not end.
    pub(super) fn begin(target: &Target) -> Self {
        let port = target.port;
        // The native server has `handshakeTimeout`; with Node it is `headersTimeout`, and the next look after it.
        let within = match target.kind {
            HostKind::Native => Duration::from_millis(1500 + 1500),
            HostKind::Plugin => Duration::from_secs(2 + 30 + 3),
        };
        let clients = vec![
            ("a client that sends nothing", thread::spawn(move || drip(port, b"", within))),
            ("a request line and no more", thread::spawn(move || drip(port, b"GET / HTTP/1.1\r\n", within))),
            ("a byte each 100 ms", thread::spawn(move || drip(port, &slowly(), within))),
            (
                "a header each 100 ms",
                thread::spawn(move || {
                    trickle(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-Y: z\r\n", within)
                }),
            ),
            (
                "after an answered request, half of the next",
                thread::spawn(move || second(port, b"GET / HT", within)),
            ),
            ("after an answered request, nothing", thread::spawn(move || second(port, b"", within))),
        ];
        Self { clients, within }
    }

    /// Waits for the last of them; returns which were dropped in time, and which were not.
    pub(super) fn end(self) -> Vec<(String, Result<()>)> {
        let within = self.within;
        let outcome =
            |client: JoinHandle<Result<Duration>>| match client.join().map_err(|_| anyhow!("broke"))?? {
                taken if taken > within => bail!("took {taken:?}"),
                _ => Ok(()),
            };
        self.clients.into_iter().map(|(name, client)| (name.to_owned(), outcome(client))).collect()
    }
}

/// A valid request, too slow.
fn slowly() -> Vec<u8> {
    let line = format!("X-Filling: {}", "x".repeat(1000));
    handshake("/api/ws/echo", &[&line])
}

/// Sends a byte each 100 ms, then nothing, until the server has had enough.
fn drip(port: u16, bytes: &[u8], within: Duration) -> Result<Duration> {
    let peer = Peer::connect(port)?;
    let mut writer = peer.stream.try_clone()?;
    let bytes = bytes.to_vec();
    thread::spawn(move || send_slowly(&mut writer, bytes.chunks(1)));
    until_dropped(peer, within)
}

fn trickle(port: u16, start: &[u8], again: &'static [u8], within: Duration) -> Result<Duration> {
    let mut peer = Peer::connect(port)?;
    peer.write(start)?;
    let mut writer = peer.stream.try_clone()?;
    thread::spawn(move || send_slowly(&mut writer, std::iter::repeat(again)));
    until_dropped(peer, within)
}

fn second(port: u16, next: &[u8], within: Duration) -> Result<Duration> {
    let mut peer = Peer::connect(port)?;
    peer.write(&[b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", next].concat())?;
    until_dropped(peer, within)
}

fn send_slowly<'a>(writer: &mut TcpStream, pieces: impl Iterator<Item = &'a [u8]>) {
    for piece in pieces {
        if writer.write_all(piece).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn until_dropped(mut peer: Peer, within: Duration) -> Result<Duration> {
    let started = Instant::now();
    let answer = peer.patience(within + Duration::from_secs(5)).rest()?;
    if String::from_utf8_lossy(&answer).contains(" 101 ") {
        bail!("was let in");
    }
    Ok(started.elapsed())
}
