//! Large frames for many sockets: the kernel copies their bytes once and gives each socket references to the pages.
//!
//! Sending 64 KiB to each receiver is mostly copying. A file in memory that is sent to each of them is copied once, when
//! it is made; it is freed when its last page was sent.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use bytes::Bytes;
use rustix::fs::{MemfdFlags, memfd_create, sendfile};

/// From this many bytes on, copying costs more than making a file.
const MIN_BYTES: usize = 16 * 1024;

/// How many different frames of one flush are remembered.
const MAX_FILES: usize = 16;

/// The frames that a flush has met.
#[derive(Default)]
pub(crate) struct Pages {
    files: Vec<(Bytes, OwnedFd)>,
    /// The kernel gave no file.
    is_unavailable: bool,
}

impl Pages {
    /// Whether a frame, or the rest of one, is better sent this way: it is large, and has other receivers.
    pub(crate) fn suit(&self, frame: &Bytes) -> bool {
        frame.len() >= MIN_BYTES && !self.is_unavailable && !frame.is_unique()
    }

    /// Sends what the socket takes without waiting, and returns how many bytes that is.
    pub(crate) fn send(&mut self, socket: BorrowedFd<'_>, frame: &Bytes) -> io::Result<usize> {
        let (file, offset) = self.file(frame)?;
        Ok(sendfile(socket, file, Some(&mut (offset as u64)), frame.len())?)
    }

    fn file(&mut self, frame: &Bytes) -> io::Result<(&OwnedFd, usize)> {
        let known = self.files.iter().position(|(known, _)| offset(known, frame).is_some());
        let index = match known {
            Some(index) => index,
            None => {
                let file = file_of(frame).inspect_err(|_| self.is_unavailable = true)?;
                if self.files.len() == MAX_FILES {
                    self.files.clear();
                }
                self.files.push((frame.clone(), file));
                self.files.len() - 1
            }
        };
        let (known, file) = &self.files[index];
        Ok((file, offset(known, frame).unwrap_or_default()))
    }
}

/// The offset in `whole` at which its `rest` begins.
fn offset(whole: &Bytes, rest: &Bytes) -> Option<usize> {
    let (whole, rest) = (whole.as_ptr_range(), rest.as_ptr_range());
    (whole.end == rest.end).then(|| (rest.start as usize).checked_sub(whole.start as usize)).flatten()
}

fn file_of(frame: &Bytes) -> io::Result<OwnedFd> {
    let file = memfd_create(c"switchboard", MemfdFlags::CLOEXEC)?;
    let mut rest = &frame[..];
    while !rest.is_empty() {
        rest = &rest[rustix::io::write(&file, rest)?..];
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let client = TcpStream::connect(listener.local_addr().expect("its address")).expect("connected");
        let server = listener.accept().expect("accepted").0;
        server.set_nonblocking(true).expect("non-blocking");
        (server, client)
    }

    fn frame(length: usize, seed: usize) -> Bytes {
        (0..length).map(|index| (index * 7 + index / 4096 + seed) as u8).collect()
    }

    #[test]
    fn only_what_is_large_and_shared_is_worth_it() {
        let pages = Pages::default();
        let (large, small) = (frame(MIN_BYTES, 0), frame(MIN_BYTES - 1, 0));
        assert!(!pages.suit(&large), "one receiver");
        let _others = (large.clone(), small.clone());
        assert!(pages.suit(&large));
        assert!(!pages.suit(&small));
    }

    #[test]
    fn every_socket_gets_the_same_bytes_from_one_file() {
        let mut pages = Pages::default();
        let frames = [frame(MIN_BYTES + 5, 1), frame(3 * MIN_BYTES, 2)];
        for _ in 0..3 {
            let (server, mut client) = pair();
            for frame in &frames {
                assert_eq!(pages.send(server.as_fd(), frame).expect("sent"), frame.len());
            }
            drop(server);
            let mut received = Vec::new();
            client.read_to_end(&mut received).expect("all of it");
            assert_eq!(received, frames.concat());
        }
        assert_eq!(pages.files.len(), 2);
    }

    #[test]
    fn a_socket_that_was_full_goes_on_where_it_stopped() {
        let (mut pages, (server, mut client)) = (Pages::default(), pair());
        let whole = frame(32 << 20, 3);
        let (mut rest, mut received) = (whole.clone(), Vec::new());
        while !rest.is_empty() {
            match pages.send(server.as_fd(), &rest) {
                Ok(sent) => drop(rest.split_to(sent)),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    let mut piece = [0; 64 * 1024];
                    let length = client.read(&mut piece).expect("some");
                    received.extend_from_slice(&piece[..length]);
                }
            }
        }
        drop(server);
        client.read_to_end(&mut received).expect("the rest");
        assert_eq!(received.len(), whole.len());
        assert!(received == whole, "altered");
        assert_eq!(pages.files.len(), 1);
    }

    #[test]
    fn old_files_make_room() {
        let (mut pages, (server, mut client)) = (Pages::default(), pair());
        let frames: Vec<Bytes> = (0..MAX_FILES + 1).map(|seed| frame(10, seed)).collect();
        for frame in &frames {
            assert_eq!(pages.send(server.as_fd(), frame).expect("sent"), 10);
        }
        assert_eq!(pages.files.len(), 1);
        drop(server);
        let mut received = Vec::new();
        client.read_to_end(&mut received).expect("all of it");
        assert_eq!(received, frames.concat());
    }
}
