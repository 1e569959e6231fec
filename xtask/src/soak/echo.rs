//! Clients that expect an echo.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::{Result, bail};
use chacha20::ChaCha8Rng;
use chacha20::rand_core::Rng;

use super::behavior::{below, pause};
use super::peer::{Incoming, Peer, Setup};
use super::tally::Tally;
use super::target::Target;

/// How many bytes may be under way: less than the server lets wait for a client.
const MAX_WAITING: usize = 256 * 1024;

/// A few to a few dozen messages, several at once, all of them back in order.
pub(super) async fn live(target: Target, chance: &mut ChaCha8Rng, end: Instant, tally: &Tally) -> Result<()> {
    let setup = Setup { deflate: below(chance, 2) == 0, small_buffer: false };
    let mut peer = Peer::connect(target.port, target.echo(chance), setup).await?;
    let mut waiting: VecDeque<Incoming> = VecDeque::new();
    let mut bytes = 0;
    for _ in 0..1 + below(chance, 40) {
        let message = message(chance);
        let (is_text, payload) = parts(&message);
        while bytes + payload.len() > MAX_WAITING || waiting.len() >= 16 {
            bytes -= expect(&mut peer, &mut waiting, tally).await?;
        }
        peer.send(is_text, payload, chance).await?;
        bytes += payload.len();
        waiting.push_back(message);
        if below(chance, 4) == 0 {
            pause(chance, 0..40).await;
        }
        if Instant::now() > end {
            break;
        }
    }
    while !waiting.is_empty() {
        expect(&mut peer, &mut waiting, tally).await?;
    }
    if below(chance, 4) == 0 {
        return peer.reset();
    }
    peer.close(|incoming| match incoming {
        Incoming::Pong => Ok(()),
        other => bail!("{other:?} was not sent"),
    })
    .await
}

/// The oldest message comes back; returns its length.
async fn expect(peer: &mut Peer, waiting: &mut VecDeque<Incoming>, tally: &Tally) -> Result<usize> {
    loop {
        match peer.receive().await? {
            Incoming::Ping | Incoming::Pong => {}
            Incoming::Close(code) => bail!("closed with {code} while {} echoes were awaited", waiting.len()),
            Incoming::End => bail!("ended while {} echoes were awaited", waiting.len()),
            message => {
                let expected = waiting.pop_front();
                if expected.as_ref() != Some(&message) {
                    bail!(
                        "the echo differs: {} bytes instead of {}",
                        length(&message),
                        expected.as_ref().map_or(0, length)
                    );
                }
                tally.count("echoes", 1);
                return Ok(length(&message));
            }
        }
    }
}

/// Text or bytes; most are short, few are long, most repeat themselves.
fn message(chance: &mut ChaCha8Rng) -> Incoming {
    let length = match below(chance, 20) {
        0 => 0,
        1..12 => below(chance, 200),
        12..18 => below(chance, 10_000),
        _ => below(chance, 150_000),
    };
    let length = length as usize;
    if below(chance, 2) == 0 {
        let word = ["lorem ", "é€😀", "{\"a\":1}", "x"][below(chance, 4) as usize];
        return Incoming::Text(word.repeat(length / word.len()).into_bytes());
    }
    let mut bytes = vec![0; length];
    chance.fill_bytes(&mut bytes);
    Incoming::Binary(bytes)
}

fn parts(message: &Incoming) -> (bool, &[u8]) {
    match message {
        Incoming::Text(text) => (true, text),
        Incoming::Binary(bytes) => (false, bytes),
        _ => (false, &[]),
    }
}

fn length(message: &Incoming) -> usize {
    parts(message).1.len()
}
