//! WebSocket servers that behave badly, for a proxy to connect to: one port, one behaviour per path.
//!
//! | Path | What it does |
//! |---|---|
//! | `/echo` | sends every message back before it reads the next |
//! | `/stalled` | reads nothing after its opening handshake |
//! | `/slow` | reads a message, waits a little, and sends its first four bytes back |
//! | `/flood?count=N&bytes=M` | sends that many messages, each with its number, as fast as it can; then closes with 4000 |
//! | `/middle` | sends three numbered messages and half of a fourth, and is gone |
//! | `/mute` | never answers the opening handshake |
//! | `/refuse` | answers it with 503 |
//! | `/garbage` | answers it with what is no HTTP |

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use socket2::{Domain, SockRef, Socket, Type};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

/// What a system keeps for one of these, so that what waits does so in the proxy.
const SYSTEM_BUFFER: usize = 16 * 1024;

/// No behaviour lasts longer.
const LONGEST: Duration = Duration::from_secs(90);

/// How long the slow one waits after each message.
const PAUSE: Duration = Duration::from_millis(2);

/// The close code of a flood that is over.
pub(crate) const FLOOD_OVER: u16 = 4000;

/// How many numbered messages come before the half of one.
pub(crate) const BEFORE_THE_MIDDLE: u32 = 3;

/// Those of one port. They run until the process ends.
#[derive(Clone)]
pub(crate) struct Targets {
    port: u16,
    alive: Arc<AtomicUsize>,
}

impl Targets {
    /// Starts them on a port of the system's choice, on 127.0.0.1.
    pub(crate) fn start() -> Result<Self> {
        let listener = listen()?;
        let port = listener.local_addr()?.port();
        let alive = Arc::new(AtomicUsize::new(0));
        let targets = Self { port, alive: alive.clone() };
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                alive.fetch_add(1, Ordering::SeqCst);
                let alive = alive.clone();
                thread::spawn(move || {
                    // How it ends is the proxy's business.
                    let _ = behave(stream);
                    alive.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(targets)
    }

    /// Where they listen.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there are.
    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }
}

fn listen() -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(SYSTEM_BUFFER)?;
    socket.set_send_buffer_size(SYSTEM_BUFFER)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

fn behave(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LONGEST))?;
    stream.set_write_timeout(Some(LONGEST))?;
    let (target, key) = request(&mut stream)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    match path {
        "/mute" => return until_it_ends(stream),
        "/refuse" => {
            return Ok(stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")?);
        }
        "/garbage" => return Ok(stream.write_all(b"\x00\xff this is no HTTP\r\n\r\n")?),
        _ => {}
    }
    let accept = derive_accept_key(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )?;
    let number = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    match path {
        "/echo" => echo(socket(stream)),
        "/slow" => slow(socket(stream)),
        "/stalled" => stalled(stream),
        "/flood" => flood(socket(stream), number("count") as u32, number("bytes")),
        "/middle" => middle(stream),
        other => bail!("nothing behaves like {other}"),
    }
}

/// The target and the key of an opening handshake.
fn request(stream: &mut TcpStream) -> Result<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            bail!("gone before it asked");
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head)?;
    let target = head.split(' ').nth(1).context("no target")?.to_owned();
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
    });
    Ok((target, key.context("no key")?))
}

fn socket(stream: TcpStream) -> WebSocket<TcpStream> {
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    WebSocket::from_raw_socket(stream, Role::Server, Some(config))
}

fn echo(mut socket: WebSocket<TcpStream>) -> Result<()> {
    loop {
        match socket.read()? {
            message @ (Message::Text(_) | Message::Binary(_)) => socket.send(message)?,
            _ => socket.flush()?,
        }
    }
}

fn slow(mut socket: WebSocket<TcpStream>) -> Result<()> {
    loop {
        match socket.read()? {
            Message::Binary(payload) => {
                thread::sleep(PAUSE);
                socket.send(Message::Binary(payload.slice(..payload.len().min(4))))?;
            }
            _ => socket.flush()?,
        }
    }
}

fn stalled(mut stream: TcpStream) -> Result<()> {
    let end = Instant::now() + LONGEST;
    // Only writing shows whether the client is still there.
    while Instant::now() < end {
        stream.write_all(&[0x89, 0])?;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn flood(mut socket: WebSocket<TcpStream>, count: u32, bytes: usize) -> Result<()> {
    for number in 0..count {
        let mut payload = vec![0; bytes.max(4)];
        payload[..4].copy_from_slice(&number.to_be_bytes());
        socket.send(Message::Binary(payload.into()))?;
    }
    let frame = tungstenite::protocol::CloseFrame { code: FLOOD_OVER.into(), reason: "over".into() };
    socket.close(Some(frame))?;
    loop {
        socket.read()?;
    }
}

fn middle(mut stream: TcpStream) -> Result<()> {
    for number in 0..BEFORE_THE_MIDDLE {
        stream.write_all(&[0x82, 4])?;
        stream.write_all(&number.to_be_bytes())?;
    }
    stream.write_all(&[0x82, 126, 0x03, 0xe8, 1, 2, 3])?;
    // A reset would overtake what was sent before.
    stream.shutdown(std::net::Shutdown::Write)?;
    until_it_ends(stream)
}

fn until_it_ends(mut stream: TcpStream) -> Result<()> {
    let mut piece = [0; 4096];
    while stream.read(&mut piece)? > 0 {}
    Ok(SockRef::from(&stream).set_linger(Some(Duration::ZERO))?)
}
