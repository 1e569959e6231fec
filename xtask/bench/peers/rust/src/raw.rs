//! The limit: one thread on epoll that encodes what one read brought once and sends it to each receiver. No limits, no
//! control frames, no other rules.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use sha1::{Digest, Sha1};

const LISTENER: u64 = u64::MAX;
const SCRATCH: usize = 256 << 10;

/// How bytes get to sockets.
pub trait Method {
    /// So many sends are collected before they are made.
    const SENDS: usize;

    /// Makes them, without waiting for any socket, and appends of each how many bytes it took.
    fn send<'s>(&mut self, sends: impl Iterator<Item = Send<'s>>, taken: &mut Vec<usize>) -> io::Result<()>;
}

/// Bytes for a socket, if it is still there and nothing else waits for it.
pub type Send<'s> = Option<(BorrowedFd<'s>, &'s [u8])>;

/// Serves on a free port, which it prints.
pub fn serve(method: impl Method) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    println!("http://{}", listener.local_addr()?);
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let (connections, free, rooms) = (Vec::new(), Vec::new(), HashMap::new());
    let (queue, taken) = (Vec::new(), Vec::new());
    Server { method, epoll, listener, connections, free, rooms, queue, taken }.serve()
}

struct Connection {
    stream: TcpStream,
    room: Option<Rc<str>>,
    is_open: bool,
    received: Vec<u8>,
    unsent: Vec<u8>,
}

struct Server<M> {
    method: M,
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    rooms: HashMap<Rc<str>, Vec<usize>>,
    /// Not sent yet.
    queue: Vec<(usize, Rc<[u8]>)>,
    /// How much of each the sockets took.
    taken: Vec<usize>,
}

impl<M: Method> Server<M> {
    fn serve(&mut self) -> io::Result<()> {
        let (mut events, mut scratch): (Vec<Event>, _) = (Vec::with_capacity(1024), vec![0; SCRATCH]);
        loop {
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), None)?;
            for event in &events {
                let (data, flags) = (event.data.u64(), event.flags);
                if data == LISTENER {
                    self.accept()?;
                    continue;
                }
                let number = data as usize;
                if flags.contains(EventFlags::OUT) {
                    self.write(number, &[])?;
                }
                if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                    self.read(number, &mut scratch)?;
                }
            }
            self.send()?;
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Ok((stream, _)) = self.listener.accept() {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let number = self.free.pop().unwrap_or(self.connections.len());
            epoll::add(&self.epoll, &stream, EventData::new_u64(number as u64), EventFlags::IN)?;
            let (received, unsent) = (Vec::new(), Vec::new());
            let connection = Connection { stream, room: None, is_open: false, received, unsent };
            match self.connections.get_mut(number) {
                Some(place) => *place = Some(connection),
                None => self.connections.push(Some(connection)),
            }
        }
        Ok(())
    }

    fn read(&mut self, number: usize, scratch: &mut [u8]) -> io::Result<()> {
        let Some(connection) = &mut self.connections[number] else { return Ok(()) };
        let length = match connection.stream.read(scratch) {
            Ok(length) if length > 0 => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            _ => {
                // Its number may be another's soon.
                self.send()?;
                self.leave(number);
                return Ok(());
            }
        };
        if !connection.is_open {
            connection.received.extend_from_slice(&scratch[..length]);
            return self.open(number);
        }
        // Most of the time a read ends with a frame's end.
        let frames = if connection.received.is_empty() {
            let (frames, taken) = encode(&mut scratch[..length]);
            connection.received.extend_from_slice(&scratch[taken..length]);
            frames
        } else {
            connection.received.extend_from_slice(&scratch[..length]);
            let mut received = std::mem::take(&mut connection.received);
            let (frames, taken) = encode(&mut received);
            received.drain(..taken);
            connection.received = received;
            frames
        };
        if frames.is_empty() {
            return Ok(());
        }
        let frames: Rc<[u8]> = frames.into();
        match connection.room.clone() {
            None => self.queue(number, &frames),
            Some(room) => {
                // No socket twice at once.
                self.send()?;
                let members = self.rooms.get_mut(&room).map(std::mem::take).unwrap_or_default();
                for member in members.iter().filter(|member| **member != number) {
                    self.queue(*member, &frames)?;
                }
                // Whoever left meanwhile is found gone at the next write.
                self.rooms.insert(room, members);
                Ok(())
            }
        }
    }

    fn open(&mut self, number: usize) -> io::Result<()> {
        let Some(connection) = &mut self.connections[number] else { return Ok(()) };
        let Some(end) = connection.received.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(());
        };
        let head = String::from_utf8_lossy(&connection.received[..end]).into_owned();
        connection.received.drain(..end + 4);
        let path = head.split(' ').nth(1).unwrap_or_default();
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
        let accept = STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
        if !path.starts_with("/echo") {
            let room: Rc<str> = path.into();
            connection.room = Some(room.clone());
            self.rooms.entry(room).or_default().push(number);
        }
        connection.is_open = true;
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.write(number, response.as_bytes())
    }

    fn queue(&mut self, number: usize, bytes: &Rc<[u8]>) -> io::Result<()> {
        self.queue.push((number, bytes.clone()));
        if self.queue.len() == M::SENDS { self.send() } else { Ok(()) }
    }

    /// Sends what is queued; what a socket does not take waits for it.
    fn send(&mut self) -> io::Result<()> {
        let connections = &self.connections;
        let sends = self.queue.iter().map(|(number, bytes)| {
            let connection =
                connections[*number].as_ref().filter(|connection| connection.unsent.is_empty())?;
            Some((connection.stream.as_fd(), &bytes[..]))
        });
        self.taken.clear();
        self.method.send(sends, &mut self.taken)?;
        for at in 0..self.queue.len() {
            let (number, bytes) = &self.queue[at];
            if self.taken[at] < bytes.len() {
                let (number, bytes) = (*number, bytes.clone());
                self.write(number, &bytes[self.taken[at]..])?;
            }
        }
        self.queue.clear();
        Ok(())
    }

    /// Writes behind what waits.
    fn write(&mut self, number: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(connection) = &mut self.connections[number] else { return Ok(()) };
        let waited = !connection.unsent.is_empty();
        connection.unsent.extend_from_slice(bytes);
        match connection.stream.write(&connection.unsent) {
            Ok(written) => drop(connection.unsent.drain(..written)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Its end is read soon.
            Err(_) => connection.unsent.clear(),
        }
        let waits = !connection.unsent.is_empty();
        if waits != waited {
            let interest = if waits { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(&self.epoll, &connection.stream, EventData::new_u64(number as u64), interest)?;
        }
        Ok(())
    }

    fn leave(&mut self, number: usize) {
        let Some(connection) = self.connections[number].take() else { return };
        self.free.push(number);
        if let Some(room) = connection.room
            && let Some(members) = self.rooms.get_mut(&room)
        {
            members.retain(|member| *member != number);
            if members.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }
}

/// What the masked data frames hold, as a server sends it, and how many bytes they took.
fn encode(bytes: &mut [u8]) -> (Vec<u8>, usize) {
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Some((header, length)) = header(&bytes[at..]) {
        let end = at + header + length;
        if end > bytes.len() {
            break;
        }
        frames.extend_from_slice(&bytes[at..at + header - 4]);
        let unmasked = frames.len() + 1 - (header - 4);
        frames[unmasked] &= 0x7f;
        let mask =
            [bytes[at + header - 4], bytes[at + header - 3], bytes[at + header - 2], bytes[at + header - 1]];
        let key =
            u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
        let payload = &bytes[at + header..end];
        let (words, rest) = payload.as_chunks::<8>();
        frames.extend(words.iter().flat_map(|word| (u64::from_ne_bytes(*word) ^ key).to_ne_bytes()));
        frames.extend(rest.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        at = end;
    }
    (frames, at)
}

/// The lengths of a masked frame's header and payload.
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes.get(1)? & 0x7f {
        126 => Some((8, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)))),
        127 => Some((14, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize)),
        short => Some((6, usize::from(short))),
    }
}
