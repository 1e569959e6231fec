//! Clients of a proxy whose targets behave badly.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chacha20::ChaCha8Rng;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::behavior::{below, pause};
use super::peer::{CLOSE_TIMEOUT, Incoming, PATIENCE, Peer, Setup, dial, request};
use super::tally::Tally;
use super::target::Target;
use crate::targets;

/// How long each message is that is pushed, and how many are more than everybody keeps.
const PIECE: usize = 64 * 1024;
const MANY: u64 = 160;

/// How long a server that has paused us is waited for.
const STUCK: Duration = Duration::from_secs(1);

/// Floods, stalls, breaks off or never answers.
pub(super) async fn live(target: Target, chance: &mut ChaCha8Rng, tally: &Tally) -> Result<()> {
    match below(chance, 10) {
        0..5 => flooded(target, chance, tally).await,
        5 => stalled(target, chance, tally).await,
        6..8 => broken_off(target, tally).await,
        _ => unanswered(target, chance).await,
    }
}

/// Everything comes, in order, however late it is read; or the client leaves in the middle of it. Once the target
/// has closed, one that takes too little is cut off.
async fn flooded(target: Target, chance: &mut ChaCha8Rng, tally: &Tally) -> Result<()> {
    let (count, bytes) = (50 + below(chance, 400) as u32, 4 + below(chance, 20_000));
    let path = format!("/up/flood?count={count}&bytes={bytes}");
    let small_buffer = below(chance, 2) == 0;
    // All of it may have been sent long before this client learns that it is connected.
    let asked = Instant::now();
    let mut peer =
        Peer::connect(target.port, &path, Setup { deflate: below(chance, 2) == 0, small_buffer }).await?;
    if below(chance, 2) == 0 {
        pause(chance, 0..500).await;
    }
    let leaves_at = if below(chance, 3) == 0 { below(chance, count.into()) as u32 } else { count };
    for expected in 0..leaves_at {
        match heard(&mut peer).await? {
            Heard::Number(number) if number == expected => tally.count("proxied", 1),
            Heard::End if may_be_cut_off(asked, small_buffer) => {
                tally.count("cut off", 1);
                return Ok(());
            }
            other => bail!(
                "{other:?} instead of message {expected} of {count}, {:?} after it asked, small_buffer {small_buffer}",
                asked.elapsed()
            ),
        }
    }
    if leaves_at < count {
        return peer.reset();
    }
    match heard(&mut peer).await? {
        Heard::Close(targets::FLOOD_OVER) => peer.answer_close(targets::FLOOD_OVER).await,
        Heard::End if may_be_cut_off(asked, small_buffer) => {
            tally.count("cut off", 1);
            Ok(())
        }
        other => bail!("{other:?} instead of {}", targets::FLOOD_OVER),
    }
}

/// Whether a client that asked at this time may have taken nothing for a close timeout since the target has closed, or have
/// taken as long as it may in all. Only a system that keeps next to nothing takes nothing for so long.
fn may_be_cut_off(asked: Instant, small_buffer: bool) -> bool {
    let timeouts = if small_buffer { 1 } else { 6 };
    asked.elapsed() > CLOSE_TIMEOUT * timeouts
}

/// The client is paused, and closed with 1011 when nothing is taken for too long; or it leaves before.
async fn stalled(target: Target, chance: &mut ChaCha8Rng, tally: &Tally) -> Result<()> {
    let mut peer = Peer::connect(target.port, "/up/stalled", Setup::default()).await?;
    let piece = vec![7; PIECE];
    let is_leaving = below(chance, 2) == 0;
    for _ in 0..if is_leaving { below(chance, MANY) } else { MANY } {
        // While it is paused; an error means that it is closed already, which reading tells.
        match timeout(STUCK, peer.send(false, &piece, chance)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    if is_leaving {
        return peer.reset();
    }
    tally.count("given up", 1);
    loop {
        match peer.receive().await? {
            // Answers to pings between its fragments.
            Incoming::Pong => {}
            Incoming::Close(1011) | Incoming::End => return Ok(()),
            Incoming::Close(code) => bail!("closed with {code} instead of 1011"),
            other => bail!("{other:?} of a target that says nothing"),
        }
    }
}

/// What came before, then an end without a close frame.
async fn broken_off(target: Target, tally: &Tally) -> Result<()> {
    let mut peer = Peer::connect(target.port, "/up/middle", Setup::default()).await?;
    for expected in 0..targets::BEFORE_THE_MIDDLE {
        match heard(&mut peer).await? {
            Heard::Number(number) if number == expected => tally.count("proxied", 1),
            other => bail!("{other:?} instead of message {expected}"),
        }
    }
    match heard(&mut peer).await? {
        Heard::End => Ok(()),
        other => bail!("{other:?} instead of an end without a close frame"),
    }
}

/// 504, 503 or 502; or the client does not wait for it.
async fn unanswered(target: Target, chance: &mut ChaCha8Rng) -> Result<()> {
    let (path, status) =
        [("/up/mute", "504"), ("/up/refuse", "503"), ("/up/garbage", "502")][below(chance, 3) as usize];
    let mut stream = dial(target.port, false).await?;
    tokio::io::AsyncWriteExt::write_all(&mut stream, request(path, false).as_bytes()).await?;
    if below(chance, 3) == 0 {
        pause(chance, 0..300).await;
        return Ok(stream.set_zero_linger()?);
    }
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.context("the proxy does not answer")??;
    let answer = String::from_utf8_lossy(&answer);
    if !answer.starts_with(&format!("HTTP/1.1 {status} ")) {
        bail!("{path} is answered {:.40}", answer);
    }
    Ok(())
}

/// What a client receives from a target that numbers its messages.
#[derive(Debug)]
enum Heard {
    Number(u32),
    /// A close frame with this code.
    Close(u16),
    /// No close frame.
    End,
}

async fn heard(peer: &mut Peer) -> Result<Heard> {
    loop {
        return Ok(match peer.receive().await? {
            Incoming::Ping | Incoming::Pong => continue,
            Incoming::Close(code) => Heard::Close(code),
            Incoming::End => Heard::End,
            Incoming::Binary(payload) => Heard::Number(u32::from_be_bytes(
                *payload.first_chunk().context("a message without a number")?,
            )),
            Incoming::Text(_) => bail!("text of a target that sends none"),
        });
    }
}
