//! Clients that misbehave.

use std::time::Duration;

use anyhow::{Result, bail};
use chacha20::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::behavior::{below, pause};
use super::client_frame::{BINARY, CLOSE, CONTINUATION, FIN, PING, RSV1, TEXT, client_frame, client_header};
use super::peer::{Incoming, PATIENCE, Peer, Setup, dial, request};
use super::target::Target;

/// Leaves with a TCP reset: before, during or after the opening handshake, within a header, a payload or a message, or while closing.
pub(super) async fn reset(target: Target, chance: &mut ChaCha8Rng) -> Result<()> {
    let stage = below(chance, 8);
    if stage < 3 {
        let mut stream = dial(target.port, false).await?;
        let request = request(target.room(chance), false);
        let length = [0, below(chance, request.len() as u64) as usize, request.len()][stage as usize];
        stream.write_all(&request.as_bytes()[..length]).await?;
        pause(chance, 0..20).await;
        return Ok(stream.set_zero_linger()?);
    }
    let path = if below(chance, 2) == 0 { target.echo(chance) } else { target.room(chance) };
    let mut peer =
        Peer::connect(target.port, path, Setup { deflate: below(chance, 2) == 0, small_buffer: false })
            .await?;
    match stage {
        3 => peer.write(&[FIN | BINARY]).await?,
        4 => peer.write(&client_header(FIN | BINARY, 100_000)).await?,
        5 => peer.write(&client_frame(TEXT, b"{\"join\":")).await?,
        6 => peer.say("{\"join\":\"room-7\"}").await?,
        _ => peer.send_close(1000).await?,
    }
    pause(chance, 0..200).await;
    peer.reset()
}

/// Breaks one rule and is closed with its code.
pub(super) async fn violate(target: Target, chance: &mut ChaCha8Rng) -> Result<()> {
    let (code, wire) = match below(chance, 12) {
        0 => (1002, vec![FIN | TEXT, 1, b'x']),
        1 => (1002, client_frame(FIN | 3, b"reserved")),
        2 => (1002, client_frame(FIN | RSV1 | 0x20 | TEXT, b"reserved")),
        3 => (1002, client_frame(PING, b"fragmented")),
        4 => (1002, client_frame(FIN | PING, &[0; 126])),
        5 => (1002, client_frame(FIN | CONTINUATION, b"of nothing")),
        6 => (1002, [client_frame(TEXT, b"a"), client_frame(FIN | TEXT, b"b")].concat()),
        7 => (1002, client_frame(FIN | CLOSE, &1006_u16.to_be_bytes())),
        8 => (1007, client_frame(FIN | TEXT, b"\xce\xba\xed\xa0\x80")),
        9 => (1007, client_frame(FIN | TEXT, b"cut \xf0\x9f")),
        10 => (1009, client_header(FIN | BINARY, 1 << 40)),
        _ => (1009, client_header(FIN | TEXT, 1_048_577)),
    };
    let mut peer = Peer::connect(target.port, target.echo(chance), Setup::default()).await?;
    peer.write_in_pieces(&wire, chance).await?;
    peer.expect_close(code).await
}

/// Never finishes its opening handshake; the server ends that.
pub(super) async fn hesitate(target: Target, chance: &mut ChaCha8Rng) -> Result<()> {
    let mut stream = dial(target.port, false).await?;
    let request = request(target.room(chance), false);
    let length = below(chance, request.len() as u64 - 1) as usize;
    stream.write_all(&request.as_bytes()[..length]).await?;
    if below(chance, 2) == 0 {
        pause(chance, 0..1_000).await;
        return Ok(());
    }
    let mut answer = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut answer)).await {
        // Ended, with or without an HTTP error, or reset.
        Ok(_) => Ok(()),
        Err(_) => bail!("half a handshake is waited for after {PATIENCE:?}"),
    }
}

/// Answers no ping, and is closed with 1000 after a few.
pub(super) async fn ignore_pings(target: Target, chance: &mut ChaCha8Rng) -> Result<()> {
    let mut peer = Peer::connect(target.port, target.room(chance), Setup::default()).await?;
    peer.answers_pings = false;
    peer.expect_close(1000).await
}

/// Says nothing, and is closed with 1000.
pub(super) async fn stay_silent(target: Target, chance: &mut ChaCha8Rng) -> Result<()> {
    let mut peer = Peer::connect(target.port, "/quiet", Setup::default()).await?;
    for _ in 0..below(chance, 3) {
        // Said in time: the silence begins anew.
        tokio::time::sleep(Duration::from_millis(100)).await;
        if peer.say("still here").await.is_err() {
            // Not in time after all, on a busy machine: then it has been closed like the others.
            break;
        }
    }
    match peer.receive().await? {
        Incoming::Close(1000) => Ok(()),
        other => bail!("{other:?} instead of a close with 1000"),
    }
}
