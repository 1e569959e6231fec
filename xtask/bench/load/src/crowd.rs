//! Many connections on one epoll.

use std::collections::VecDeque;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::Timespec;

use crate::clock::Deadline;
use crate::connection::Connection;
use crate::frame::Piece;
use crate::handshake;

/// Events taken at once where nothing else has to be looked at in between.
pub(crate) const MANY: usize = 1024;

/// Handshakes at once where that is not what is measured.
const AT_ONCE: usize = 64;

/// Told once for what arrives: the kernel need not look at every socket again in the next turn.
const READABLE: EventFlags = EventFlags::IN.union(EventFlags::ET);

/// More than any socket's receive buffer holds most of the time.
const SCRATCH: usize = 256 << 10;

/// Connections by number.
pub(crate) struct Crowd {
    epoll: OwnedFd,
    port: u16,
    connections: Vec<Option<Connection>>,
    /// What could not be written at once, for the few to whom that happens.
    unsent: Vec<(usize, VecDeque<u8>)>,
    events: Vec<Event>,
    scratch: Vec<u8>,
}

impl Crowd {
    pub(crate) fn new(port: u16) -> Result<Self> {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            port,
            connections: Vec::new(),
            unsent: Vec::new(),
            events: Vec::with_capacity(MANY),
            scratch: vec![0; SCRATCH],
        })
    }

    /// Opens so many connections to a path; returns their numbers.
    pub(crate) fn open(
        &mut self,
        count: usize,
        path: &str,
        deflate: bool,
        deadline: Deadline,
    ) -> Result<Range<usize>> {
        let first = self.connections.len();
        let request = handshake::request(self.port, path, deflate);
        let (mut begun, mut open) = (0, 0);
        while open < count {
            while begun < count && begun - open < AT_ONCE {
                let number = first + begun;
                self.begin(number, &request, deflate)?;
                begun += 1;
            }
            self.turn(
                deadline.left(|| format!("{open} of {count} connections are open"))?,
                MANY,
                |_, _, _| Ok(()),
            )?;
            open = (first..first + begun).filter(|number| self.is_open(*number)).count();
        }
        Ok(first..first + count)
    }

    /// Begins the connection of this number, in place of the one that had it before.
    pub(crate) fn begin(&mut self, number: usize, request: &[u8], deflate: bool) -> Result<()> {
        let connection = Connection::begin(self.port, deflate)?;
        if number >= self.connections.len() {
            self.connections.resize_with(number + 1, || None);
        }
        epoll::add(&self.epoll, &connection, EventData::new_u64(number as u64), READABLE)?;
        self.connections[number] = Some(connection);
        self.send(number, request)
    }

    /// Whether this one's handshake is done.
    pub(crate) fn is_open(&self, number: usize) -> bool {
        self.connections[number].as_ref().is_some_and(Connection::is_open)
    }

    /// How many messages this one has received.
    pub(crate) fn received(&self, number: usize) -> usize {
        self.connections[number].as_ref().map_or(0, |connection| connection.received)
    }

    /// Lets these count anew.
    pub(crate) fn forget_received(&mut self, numbers: Range<usize>) {
        self.connections[numbers].iter_mut().flatten().for_each(|connection| connection.received = 0);
    }

    /// Drops these.
    pub(crate) fn drop_all(&mut self, numbers: Range<usize>) {
        self.connections[numbers].fill_with(|| None);
    }

    /// Writes now what the socket takes, and the rest in the next turns.
    pub(crate) fn send(&mut self, number: usize, bytes: &[u8]) -> Result<()> {
        let connection = self.connections[number].as_mut().context("nobody is there")?;
        let written = connection.write(bytes)?;
        if written < bytes.len() {
            let interest = READABLE | EventFlags::OUT;
            epoll::modify(&self.epoll, &*connection, EventData::new_u64(number as u64), interest)?;
            self.unsent.push((number, bytes[written..].iter().copied().collect()));
        }
        Ok(())
    }

    /// Waits until something happens, reads from up to `most` connections once each, and passes every piece of a
    /// message on: (who, what, which of its messages).
    pub(crate) fn turn(
        &mut self,
        patience: Duration,
        most: usize,
        mut each: impl FnMut(usize, Piece<'_>, usize) -> Result<()>,
    ) -> Result<()> {
        let patience =
            Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
        self.events.clear();
        self.events.shrink_to(most);
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&patience)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("epoll"),
        }
        for at in 0..self.events.len() {
            let (number, flags) = (self.events[at].data.u64() as usize, self.events[at].flags);
            if flags.contains(EventFlags::OUT) {
                self.send_rest(number)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(number, &mut each)?;
            }
        }
        Ok(())
    }

    /// Who was touched in the last turn.
    pub(crate) fn touched(&self) -> impl Iterator<Item = usize> + use<'_> {
        self.events.iter().map(|event| event.data.u64() as usize)
    }

    /// Reads all there is from one, which may be nothing.
    pub(crate) fn read(
        &mut self,
        number: usize,
        mut each: impl FnMut(usize, Piece<'_>, usize) -> Result<()>,
    ) -> Result<()> {
        let Some(connection) = &mut self.connections[number] else { return Ok(()) };
        // What does not fill the scratch is all: an end of the stream tells of itself.
        while connection.read(&mut self.scratch, |piece, message| each(number, piece, message))? == SCRATCH {}
        Ok(())
    }

    fn send_rest(&mut self, number: usize) -> Result<()> {
        let Some(at) = self.unsent.iter().position(|(whose, _)| *whose == number) else { return Ok(()) };
        let connection = self.connections[number].as_mut().context("nobody is there")?;
        let rest = &mut self.unsent[at].1;
        let written = connection.write(rest.make_contiguous())?;
        rest.drain(..written);
        if rest.is_empty() {
            self.unsent.swap_remove(at);
            epoll::modify(&self.epoll, &*connection, EventData::new_u64(number as u64), READABLE)?;
        }
        Ok(())
    }
}
