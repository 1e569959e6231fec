//! One client's socket: frames in any fragmentation out, messages in, every wait bounded.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use chacha20::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::behavior::below;
use super::client_frame::{
    BINARY, CLOSE, CONTINUATION, ClientDeflate, ClientInflate, FIN, PING, PONG, RSV1, TEXT, client_frame,
    server_frame,
};

/// The longest wait for anything that has to come, on a machine that does other things as well.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

/// From the server's close frame to the end of the connection, as configured.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_millis(3_000);

const KEY: &str = "c2VhZCBhbmQgc29ha2VkIQ==";

/// What came from the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping,
    Pong,
    /// A close frame: its code, 1005 for none.
    Close(u16),
    /// No close frame: the end of the stream, or a reset.
    End,
}

/// An open connection.
pub(super) struct Peer {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// How many bytes of the buffer were returned.
    taken: usize,
    deflate: Option<(ClientDeflate, ClientInflate)>,
    /// Whether pings are answered.
    pub(super) answers_pings: bool,
}

/// How to connect.
#[derive(Clone, Copy, Default)]
pub(super) struct Setup {
    /// Whether compression with context takeover is offered.
    pub(super) deflate: bool,
    /// Whether the socket takes as little as the system allows before it is read.
    pub(super) small_buffer: bool,
}

impl Peer {
    /// Opens a WebSocket; anything but 101 is a fault.
    pub(super) async fn connect(port: u16, path: &str, setup: Setup) -> Result<Self> {
        let mut stream = dial(port, setup.small_buffer).await?;
        stream.write_all(request(path, setup.deflate).as_bytes()).await?;
        let mut buffer = Vec::new();
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            let count = timeout(PATIENCE, stream.read_buf(&mut buffer))
                .await
                .context("no answer to the opening handshake")??;
            if count == 0 {
                bail!("the opening handshake was cut off: {}", String::from_utf8_lossy(&buffer));
            }
        };
        let answer = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
        if !answer.starts_with("http/1.1 101 ") {
            bail!("the opening handshake was answered with {answer}");
        }
        buffer.drain(..head);
        let is_deflated = answer.contains("permessage-deflate");
        let deflate = is_deflated.then(|| {
            let takeover = |name: &str| !answer.contains(&format!("{name}_no_context_takeover"));
            (ClientDeflate::new(15, takeover("client")), ClientInflate::new(15, takeover("server")))
        });
        Ok(Self { stream, buffer, taken: 0, deflate, answers_pings: true })
    }

    /// Sends a message in one frame or several, compressed or not, with pings in between, all at random.
    pub(super) async fn send(
        &mut self,
        is_text: bool,
        payload: &[u8],
        chance: &mut ChaCha8Rng,
    ) -> Result<()> {
        let opcode = if is_text { TEXT } else { BINARY };
        let compressed = match &mut self.deflate {
            Some((deflate, _)) if below(chance, 2) == 0 => Some(deflate.compress(payload)),
            _ => None,
        };
        let (mut first, mut rest) = match &compressed {
            Some(compressed) => (RSV1 | opcode, &compressed[..]),
            None => (opcode, payload),
        };
        let mut wire = Vec::with_capacity(rest.len() + 64);
        let is_whole = below(chance, 3) == 0;
        loop {
            let most = rest.len() as u64 + 1;
            let length = if is_whole {
                rest.len()
            } else {
                below(chance, most.min(1 + rest.len() as u64 / 2 + 64)) as usize
            };
            let (piece, more) = rest.split_at(length.min(rest.len()));
            if more.is_empty() {
                wire.extend(client_frame(FIN | first, piece));
                break;
            }
            wire.extend(client_frame(first, piece));
            if below(chance, 8) == 0 {
                wire.extend(client_frame(FIN | PING, b"between"));
            }
            (first, rest) = (CONTINUATION, more);
        }
        self.write_in_pieces(&wire, chance).await
    }

    /// Writes raw bytes in one write or a few, at random.
    pub(super) async fn write_in_pieces(&mut self, mut wire: &[u8], chance: &mut ChaCha8Rng) -> Result<()> {
        while !wire.is_empty() {
            let length = if below(chance, 2) == 0 {
                wire.len()
            } else {
                1 + below(chance, wire.len() as u64) as usize
            };
            self.write(&wire[..length]).await?;
            wire = &wire[length..];
        }
        Ok(())
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .context("the server does not read")?
            .context("write")
    }

    /// A text message in one frame.
    pub(super) async fn say(&mut self, text: &str) -> Result<()> {
        self.write(&client_frame(FIN | TEXT, text.as_bytes())).await
    }

    /// The next event. Pings are answered, unless the client is one that does not, and returned too.
    pub(super) async fn receive(&mut self) -> Result<Incoming> {
        timeout(PATIENCE, self.next()).await.context("nothing comes")?
    }

    async fn next(&mut self) -> Result<Incoming> {
        loop {
            let mut rest = &self.buffer[self.taken..];
            let before = rest.len();
            if let Some((first, payload)) = server_frame(&mut rest) {
                let used = before - rest.len();
                let incoming = decode(first, payload, &mut self.deflate)?;
                let pong = (incoming == Incoming::Ping && self.answers_pings)
                    .then(|| client_frame(FIN | PONG, payload));
                self.taken += used;
                if let Some(pong) = pong {
                    // A server that has gone meanwhile is seen at the next read.
                    let _ = self.stream.write_all(&pong).await;
                }
                return Ok(incoming);
            }
            self.buffer.drain(..self.taken);
            self.taken = 0;
            self.buffer.reserve(16 * 1024);
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Ok(Incoming::End),
                Ok(_) => {}
            }
        }
    }

    /// Starts the closing handshake.
    pub(super) async fn send_close(&mut self, code: u16) -> Result<()> {
        self.write(&client_frame(FIN | CLOSE, &code.to_be_bytes())).await
    }

    /// Closes and reads on until the server has answered and ended the connection.
    pub(super) async fn close(mut self, mut heard: impl FnMut(Incoming) -> Result<()>) -> Result<()> {
        self.send_close(1000).await?;
        loop {
            match self.receive().await? {
                Incoming::Close(1000) => break,
                Incoming::Close(code) => bail!("1000 was answered with {code}"),
                Incoming::End => bail!("the closing handshake was cut off"),
                other => heard(other)?,
            }
        }
        match self.receive().await? {
            Incoming::End => Ok(()),
            other => bail!("{other:?} after the close frame"),
        }
    }

    /// The server must close with this code; messages before that do not count.
    pub(super) async fn expect_close(&mut self, code: u16) -> Result<()> {
        loop {
            match self.receive().await? {
                Incoming::Close(got) if got == code => break,
                Incoming::Close(got) => bail!("closed with {got} instead of {code}"),
                Incoming::End => bail!("ended without a close frame instead of {code}"),
                _ => {}
            }
        }
        self.answer_close(code).await
    }

    /// Answers the server's close frame; the end of the connection must follow.
    pub(super) async fn answer_close(&mut self, code: u16) -> Result<()> {
        // The answer may come too late for a server that has ended the connection.
        let _ = self.send_close(code).await;
        match self.receive().await? {
            Incoming::End => Ok(()),
            other => bail!("{other:?} after the close frame"),
        }
    }

    /// Ends the connection with a TCP reset.
    pub(super) fn reset(self) -> Result<()> {
        Ok(self.stream.set_zero_linger()?)
    }
}

/// A TCP connection.
pub(super) async fn dial(port: u16, small_buffer: bool) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if small_buffer {
        socket.set_recv_buffer_size(4096)?;
    }
    let address = ([127, 0, 0, 1], port).into();
    let stream =
        timeout(PATIENCE, socket.connect(address)).await.context("no connection")?.context("connect")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// An opening handshake.
pub(super) fn request(path: &str, deflate: bool) -> String {
    let extensions =
        if deflate { "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" } else { "" };
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
    )
}

fn decode(
    first: u8,
    payload: &[u8],
    deflate: &mut Option<(ClientDeflate, ClientInflate)>,
) -> Result<Incoming> {
    if first & FIN == 0 {
        bail!("a fragment: the server sends whole messages");
    }
    let payload = match deflate {
        Some((_, inflate)) if first & RSV1 != 0 => inflate.inflate(payload),
        _ if first & RSV1 != 0 => bail!("compressed without agreement"),
        _ => payload.to_vec(),
    };
    Ok(match first & 15 {
        TEXT => Incoming::Text(payload),
        BINARY => Incoming::Binary(payload),
        PING => Incoming::Ping,
        PONG => Incoming::Pong,
        CLOSE => Incoming::Close(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))),
        opcode => bail!("opcode {opcode}"),
    })
}
