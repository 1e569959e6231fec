//! Rooms: in each one client speaks numbers, and others listen whether all come in order.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chacha20::ChaCha8Rng;
use serde::Deserialize;
use serde_json::json;

use super::behavior::{below, chance, pause};
use super::peer::{CLOSE_TIMEOUT, Incoming, Peer, Setup};
use super::tally::Tally;
use super::target::Target;

/// How many rooms a path has; in the last one most is said.
pub(super) const ROOMS: u64 = 8;

const BUSIEST: u64 = ROOMS - 1;

/// How many of its own numbers a speaker may not have heard yet: nobody who reads falls back further than this.
const MAX_AHEAD: u64 = 8;

/// In every room of every path somebody speaks.
pub(super) fn speakers(target: Target) -> impl Iterator<Item = Speaker> {
    let rooms = target.rooms().iter().flat_map(|&path| (0..ROOMS).map(move |room| (path, room)));
    rooms.zip(0..).map(move |((path, room), number)| Speaker { port: target.port, path, room, number })
}

/// Who speaks in a room.
pub(super) struct Speaker {
    port: u16,
    path: &'static str,
    room: u64,
    /// Of all speakers.
    number: u64,
}

/// Sends numbers until the end of the run.
pub(super) async fn speak(speaker: Speaker, seed: u64, end: Instant, tally: Tally) {
    // Streams of their own, far from those of the other clients.
    let mut chance = chance(seed, u64::MAX - speaker.number);
    let life = speak_numbers(&speaker, &mut chance, end, &tally).await;
    tally.lived("speaker", speaker.number, life);
}

async fn speak_numbers(
    &Speaker { port, path, room, .. }: &Speaker,
    chance: &mut ChaCha8Rng,
    end: Instant,
    tally: &Tally,
) -> Result<()> {
    let mut peer = Peer::connect(port, path, Setup::default()).await?;
    let mut ear = Ear::default();
    peer.say(&json!({ "join": name(room) }).to_string()).await?;
    while !ear.is_in(room) {
        ear.hear(peer.receive().await?)?;
    }
    let mut number = 0;
    while Instant::now() < end {
        number += 1;
        let length = if room == BUSIEST { 16_000 } else { below(chance, 2_000) };
        let padding = "0123456789".repeat(length as usize / 10);
        let text = json!({ "say": name(room), "number": number, "padding": padding }).to_string();
        peer.send(true, text.as_bytes(), chance).await?;
        while number - ear.last(room) > MAX_AHEAD {
            ear.hear(peer.receive().await?)?;
        }
        let most = if room == BUSIEST { 8 } else { 120 };
        // Pings too are heard in time.
        let until = Instant::now() + Duration::from_millis(below(chance, most));
        listen_until(&mut peer, &mut ear, until).await?;
    }
    while ear.last(room) < number {
        ear.hear(peer.receive().await?)?;
    }
    tally.count("spoken", number);
    peer.close(|incoming| ear.hear(incoming)).await
}

/// Joins and leaves rooms and checks what it hears, then leaves in one of several ways.
pub(super) async fn listen(
    target: Target,
    chance: &mut ChaCha8Rng,
    end: Instant,
    tally: &Tally,
) -> Result<()> {
    let setup = Setup { deflate: below(chance, 2) == 0, small_buffer: false };
    let mut peer = Peer::connect(target.port, target.room(chance), setup).await?;
    let mut ear = Ear::default();
    for _ in 0..1 + below(chance, 4) {
        let room = below(chance, ROOMS);
        let verb = if ear.is_in(room) { "leave" } else { "join" };
        peer.send(true, json!({ verb: name(room) }).to_string().as_bytes(), chance).await?;
        let wanted = !ear.is_in(room);
        while ear.is_in(room) != wanted {
            ear.hear(peer.receive().await?)?;
        }
        let until = Instant::now() + Duration::from_millis(below(chance, 3_000));
        listen_until(&mut peer, &mut ear, until.min(end)).await?;
    }
    tally.count("heard", ear.heard);
    match below(chance, 5) {
        0 => peer.reset(),
        1 => {
            drop(peer);
            Ok(())
        }
        _ => peer.close(|incoming| ear.hear(incoming)).await,
    }
}

/// Listens; a server that says nothing for that long is fine.
async fn listen_until(peer: &mut Peer, ear: &mut Ear, until: Instant) -> Result<()> {
    while let Ok(incoming) = tokio::time::timeout_at(until.into(), peer.receive()).await {
        ear.hear(incoming?)?;
    }
    Ok(())
}

/// Stops reading in the busiest room, then reads on: everything comes in order up to a close with 1013, or all of it.
/// After more than the close timeout the end may come without a frame: it was sent, and could not be delivered.
pub(super) async fn read_slowly(target: Target, chance: &mut ChaCha8Rng, tally: &Tally) -> Result<()> {
    let setup = Setup { deflate: false, small_buffer: true };
    let mut peer = Peer::connect(target.port, target.room(chance), setup).await?;
    let mut ear = Ear::default();
    peer.say(&json!({ "join": name(BUSIEST) }).to_string()).await?;
    while !ear.is_in(BUSIEST) {
        ear.hear(peer.receive().await?)?;
    }
    let stopped = Instant::now();
    pause(chance, 500..12_000).await;
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        let incoming = tokio::time::timeout_at(until.into(), peer.receive()).await;
        // That may also happen while it catches up.
        let may_be_cut_off = stopped.elapsed() > CLOSE_TIMEOUT;
        match incoming {
            Err(_) => break,
            Ok(incoming) => match incoming? {
                Incoming::Close(1013) => {
                    tally.count("closed with 1013", 1);
                    let _ = peer.send_close(1013).await;
                    return Ok(());
                }
                Incoming::End if may_be_cut_off => {
                    tally.count("cut off", 1);
                    return Ok(());
                }
                // Who read nothing heard no ping either.
                Incoming::Close(1000) if may_be_cut_off => {
                    tally.count("closed without pong", 1);
                    let _ = peer.send_close(1000).await;
                    return Ok(());
                }
                incoming => ear
                    .hear(incoming)
                    .with_context(|| format!("{:?} after it stopped reading", stopped.elapsed()))?,
            },
        }
    }
    tally.count("caught up", 1);
    peer.reset()
}

/// A message in a room; its padding is not kept.
#[derive(Deserialize)]
struct Heard<'a> {
    joined: Option<&'a str>,
    left: Option<&'a str>,
    say: Option<&'a str>,
    number: Option<u64>,
}

/// What a client has received in its rooms.
#[derive(Default)]
struct Ear {
    /// The last number of each joined room; 0 before the first.
    rooms: HashMap<String, u64>,
    heard: u64,
}

impl Ear {
    fn is_in(&self, room: u64) -> bool {
        self.rooms.contains_key(&name(room))
    }

    fn last(&self, room: u64) -> u64 {
        self.rooms.get(&name(room)).copied().unwrap_or(0)
    }

    /// Checks one message against what came before.
    fn hear(&mut self, incoming: Incoming) -> Result<()> {
        let text = match incoming {
            Incoming::Text(text) => text,
            Incoming::Ping | Incoming::Pong => return Ok(()),
            other => bail!("{other:?} in a room"),
        };
        let message: Heard<'_> = serde_json::from_slice(&text).context("no JSON in a room")?;
        if let Some(room) = message.joined {
            self.rooms.insert(room.to_owned(), 0);
        } else if let Some(room) = message.left {
            self.rooms.remove(room);
        } else {
            let room = message.say.context("a message of no room")?;
            let number = message.number.context("a message without a number")?;
            let Some(last) = self.rooms.get_mut(room) else {
                bail!("{number} of {room}, which was not joined")
            };
            if *last != 0 && number != *last + 1 {
                bail!("{number} after {last} in {room}");
            }
            *last = number;
            self.heard += 1;
        }
        Ok(())
    }
}

fn name(room: u64) -> String {
    format!("room-{room}")
}
