//! A client that can do everything wrong: bytes over TCP, frames read back, every wait bounded.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use socket2::{Domain, SockRef, Socket, Type};

/// How long an answer may take, unless the case has a time of its own.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What the final fragment's bit and the bits of extensions add to an opcode in a frame's first byte.
pub(super) const FIN: u8 = 0x80;
pub(super) const RSV1: u8 = 0x40;
pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// Any; the answer to it is known.
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame with its length in the shortest form.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The header alone, for a payload of this length.
pub(super) fn header(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// A close frame with this code.
pub(super) fn close(code: u16) -> Vec<u8> {
    frame(FIN | CLOSE, &code.to_be_bytes())
}

/// A valid opening handshake of a path, with these header lines in addition to the necessary ones.
pub(super) fn handshake(path: &str, lines: &[&str]) -> Vec<u8> {
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n"
    );
    for line in lines {
        request.push_str(line);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.into_bytes()
}

/// A frame of the server.
#[derive(Debug)]
pub(super) struct Frame {
    /// FIN, RSV bits and opcode.
    pub(super) first: u8,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn opcode(&self) -> u8 {
        self.first & 0x0f
    }

    /// The code of a close frame; 1005 if it has none.
    pub(super) fn close_code(&self) -> u16 {
        match self.payload[..] {
            [high, low, ..] => u16::from_be_bytes([high, low]),
            _ => 1005,
        }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// A response's head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    text: String,
}

impl Head {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// One TCP connection to the server under test.
pub(super) struct Peer {
    pub(super) stream: TcpStream,
    /// What was read and not used yet.
    buffer: Vec<u8>,
    used: usize,
    /// When reading gives up.
    pub(super) end: Instant,
}

impl Peer {
    /// Connects, and no more.
    pub(super) fn connect(port: u16) -> Result<Self> {
        Self::connect_as(port, Ipv4Addr::LOCALHOST, None)
    }

    /// Connects from this address of the loopback network, with a small receive buffer if one is given.
    pub(super) fn connect_as(port: u16, from: Ipv4Addr, receive_buffer: Option<usize>) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        socket.connect_timeout(&address.into(), PATIENCE).context("nobody listens")?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: Vec::new(), used: 0, end: Instant::now() + PATIENCE })
    }

    /// Connects and opens a WebSocket.
    pub(super) fn open(port: u16, path: &str) -> Result<Self> {
        Ok(Self::open_with(port, path, &[])?.0)
    }

    /// The same with more header lines; also the response.
    pub(super) fn open_with(port: u16, path: &str, lines: &[&str]) -> Result<(Self, Head)> {
        let mut peer = Self::connect(port)?;
        let head = peer.shake(path, lines)?;
        Ok((peer, head))
    }

    /// Sends an opening handshake that must succeed.
    pub(super) fn shake(&mut self, path: &str, lines: &[&str]) -> Result<Head> {
        self.write(&handshake(path, lines))?;
        let head = self.head()?.context("dropped instead of opened")?;
        if head.status != 101 {
            bail!("{path:.80} answered {} instead of 101", head.status);
        }
        Ok(head)
    }

    /// From now on reading gives up after this time.
    pub(super) fn patience(&mut self, time: Duration) -> &mut Self {
        self.end = Instant::now() + time;
        self
    }

    /// Sends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).context("cannot write")
    }

    /// Sends bytes to a server that may hang up before it has read them all.
    pub(super) fn write_regardless(&mut self, bytes: &[u8]) {
        // How it hung up is what reading tells.
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a text message.
    pub(super) fn say(&mut self, text: &str) -> Result<()> {
        self.write(&frame(FIN | TEXT, text.as_bytes()))
    }

    /// Sends one binary message after another, without reading, until the other side takes no more or hangs up; how many
    /// bytes it, and both systems, took. Gives up after 256 MiB.
    pub(super) fn push(&mut self) -> Result<usize> {
        const MUCH: usize = 256 << 20;
        self.stream.set_write_timeout(Some(Duration::from_millis(500)))?;
        let message = frame(FIN | BINARY, &[7; 64 * 1024]);
        let mut taken = 0;
        while taken < MUCH {
            match self.stream.write(&message[taken % message.len()..]) {
                Ok(written) => taken += written,
                Err(_) => break,
            }
        }
        Ok(taken)
    }

    /// Ends the connection with a TCP reset.
    pub(super) fn reset(self) -> Result<()> {
        Ok(SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?)
    }

    /// The next response's head; `None`: the server hung up first.
    pub(super) fn head(&mut self) -> Result<Option<Head>> {
        loop {
            let unread = &self.buffer[self.used..];
            if let Some(length) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&unread[..length]).into_owned();
                self.used += length + 4;
                let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
                return Ok(Some(Head { status: status.with_context(|| format!("no HTTP: {text}"))?, text }));
            }
            if !self.read_more()? {
                return Ok(None);
            }
        }
    }

    /// The body of the response with this head.
    pub(super) fn body(&mut self, head: &Head) -> Result<String> {
        if head.header("transfer-encoding").is_some() {
            return self.chunks();
        }
        let length =
            head.header("content-length").and_then(|length| length.parse().ok()).context("no length")?;
        self.text(length)
    }

    fn chunks(&mut self) -> Result<String> {
        let mut body = String::new();
        loop {
            let mut line = String::new();
            while !line.ends_with("\r\n") {
                line += &self.text(1)?;
            }
            let length = usize::from_str_radix(line.trim(), 16).context("no chunk")?;
            body += &self.text(length)?;
            self.text(2)?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    /// So many bytes.
    fn text(&mut self, length: usize) -> Result<String> {
        while self.buffer.len() - self.used < length {
            if !self.read_more()? {
                bail!("dropped in a body");
            }
        }
        let text = String::from_utf8_lossy(&self.buffer[self.used..self.used + length]).into_owned();
        self.used += length;
        Ok(text)
    }

    /// The next frame; `None`: the server hung up.
    pub(super) fn frame(&mut self) -> Result<Option<Frame>> {
        loop {
            let unread = &self.buffer[self.used..];
            if let Some((start, length)) = frame_bounds(unread)?
                && unread.len() >= start + length
            {
                let frame = Frame { first: unread[0], payload: unread[start..start + length].to_vec() };
                self.used += start + length;
                return Ok(Some(frame));
            }
            if !self.read_more()? {
                return Ok(None);
            }
        }
    }

    /// The next message, pings and pongs left out.
    pub(super) fn message(&mut self) -> Result<Frame> {
        loop {
            let frame = self.frame()?.context("dropped instead of answered")?;
            match frame.opcode() {
                PING | PONG => {}
                CLOSE => bail!("closed with {} ({}) instead of answered", frame.close_code(), frame.text()),
                _ => return Ok(frame),
            }
        }
    }

    /// Sends a text message and waits for the same.
    pub(super) fn echo(&mut self, text: &str) -> Result<()> {
        self.say(text)?;
        let answer = self.message()?;
        if answer.payload != text.as_bytes() {
            bail!("{text:.60} came back as {:.60}", answer.text());
        }
        Ok(())
    }

    /// Reads on to the close frame's code, or to the end without one.
    pub(super) fn ending(&mut self) -> Result<Option<u16>> {
        while let Some(frame) = self.frame()? {
            if frame.opcode() == CLOSE {
                return Ok(Some(frame.close_code()));
            }
        }
        Ok(None)
    }

    /// Expects the close frame, and the end of the connection after it.
    pub(super) fn expect_close(&mut self, code: u16) -> Result<()> {
        match self.ending()? {
            Some(found) if found == code => self.expect_end(),
            Some(found) => bail!("closed with {found} instead of {code}"),
            None => bail!("dropped instead of closed with {code}"),
        }
    }

    /// Expects the end of the connection.
    pub(super) fn expect_end(&mut self) -> Result<()> {
        while self.read_more()? {
            self.used = self.buffer.len();
        }
        Ok(())
    }

    /// Everything up to the end of the connection.
    pub(super) fn rest(&mut self) -> Result<Vec<u8>> {
        while self.read_more()? {}
        Ok(self.buffer.split_off(self.used))
    }

    /// Whether there was more; false at the end of the connection, polite or not.
    fn read_more(&mut self) -> Result<bool> {
        if self.used > 0 && self.used == self.buffer.len() {
            self.buffer.clear();
            self.used = 0;
        } else if self.used > 1 << 20 {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!("no answer in time");
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => Ok(false),
            Ok(length) => {
                self.buffer.extend_from_slice(&piece[..length]);
                Ok(true)
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => Ok(true),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => bail!("no answer in time"),
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
                    Ok(false)
                }
                _ => Err(error).context("cannot read"),
            },
        }
    }
}

/// Where the payload starts and how long it is, once the header is complete.
fn frame_bounds(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let [_, second, rest @ ..] = bytes else { return Ok(None) };
    if second & 0x80 != 0 {
        bail!("the server masked a frame");
    }
    Ok(match (second, rest) {
        (126, [high, low, ..]) => Some((4, usize::from(u16::from_be_bytes([*high, *low])))),
        (127, _) => rest.first_chunk::<8>().map(|length| (10, u64::from_be_bytes(*length) as usize)),
        (126, _) => None,
        (length, _) => Some((2, usize::from(*length))),
    })
}
