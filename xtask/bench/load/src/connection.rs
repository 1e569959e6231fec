//! One client connection.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with, sockopt};

use crate::frame::{FrameReader, Piece};
use crate::handshake;

/// A socket that never blocks, and what is known of its stream.
pub(crate) struct Connection {
    stream: TcpStream,
    frames: FrameReader,
    /// The response's bytes up to now; `None` once it is complete.
    response: Option<Vec<u8>>,
    deflate: bool,
    /// Messages received.
    pub(crate) received: usize,
}

impl Connection {
    /// Begins to connect; when the socket can be written to, it has.
    pub(crate) fn begin(port: u16, deflate: bool) -> Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket: OwnedFd =
            socket_with(AddressFamily::INET, SocketType::STREAM, flags, Some(ipproto::TCP))?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        // Closing resets the connection, so that its port is free at once.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        match connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(error).context("cannot connect"),
        }
        let stream = TcpStream::from(socket);
        Ok(Self { stream, frames: FrameReader::default(), response: Some(Vec::new()), deflate, received: 0 })
    }

    /// Whether the handshake is done.
    pub(crate) fn is_open(&self) -> bool {
        self.response.is_none()
    }

    /// Writes as much as the socket takes now.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self.stream.write(bytes) {
            Ok(written) => Ok(written),
            Err(error) if is_temporary(&error) => Ok(0),
            Err(error) => Err(error).context("a connection broke"),
        }
    }

    /// Reads what there is, once, and passes each piece of a message on with that message's number. Returns how many
    /// bytes came.
    pub(crate) fn read(
        &mut self,
        scratch: &mut [u8],
        mut each: impl FnMut(Piece<'_>, usize) -> Result<()>,
    ) -> Result<usize> {
        let length = match self.stream.read(scratch) {
            Ok(0) => bail!("the server dropped a connection"),
            Ok(length) => length,
            Err(error) if is_temporary(&error) => return Ok(0),
            Err(error) => return Err(error).context("a connection broke"),
        };
        let (frames, received) = (&mut self.frames, &mut self.received);
        let mut count = |piece: Piece<'_>| {
            each(piece, *received)?;
            *received += usize::from(piece.is_last);
            Ok(())
        };
        let Some(response) = &mut self.response else {
            frames.read(&scratch[..length], count)?;
            return Ok(length);
        };
        response.extend_from_slice(&scratch[..length]);
        if let Some(end) = handshake::check(response, self.deflate)? {
            frames.read(&response[end..], &mut count)?;
            self.response = None;
        }
        Ok(length)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
