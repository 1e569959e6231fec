//! Linux's io_uring: many sends in one system call.
//!
//! # What is unsafe in this crate, and why it is sound
//!
//! | Where | What | Why it is sound |
//! |---|---|---|
//! | [`Ring::run`] | the kernel reads what a submission points to | the batch is borrowed and its frames, the headers and the slices stay where they are until every completion has been seen; where one cannot be seen, they are leaked |
//! | [`Batch::add`] | a descriptor is kept beyond the borrow that it came from | the caller promises that the socket stays open while its owner exists, and the batch keeps the owner until the send has completed |
//! | `batched.rs` | the one caller of `add` | the owner is the `SendingHalf` which has the socket, and gives it up only when it is dropped |
//! | `Ring::point_at` | a zeroed `msghdr` | it consists of integers and pointers, for which zero is a value |
//! | `kernel.rs` | `ioctl` | the descriptor belongs to a stream that is borrowed meanwhile, and the kernel writes one `int` |
//! | `script/bytes.rs` | the bytes of an interpreter's buffer | the interpreter runs on this thread alone, and not until they are copied |
//! | the program's `memory.rs` | `mallopt` | it sets a number in the allocator before any other thread has started |
//!
//! All other code is safe: the crate denies `unsafe_code`, and the core forbids it.
//!
//! Most of the cost of a `send` is in the kernel, and a good part of that is entering and leaving it. A broadcast pays
//! for that once per batch instead of once per receiver.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::slice::Iter;

use bytes::Bytes;
use io_uring::{IoUring, opcode, squeue, types};

/// How many sends one submission takes.
pub(crate) const BATCH_SENDS: usize = 256;

/// Frames to be sent, in order, for each of several sockets, whose owners are kept meanwhile.
pub(crate) struct Batch<O> {
    frames: Vec<Bytes>,
    sends: Vec<Send<O>>,
}

struct Send<O> {
    socket: RawFd,
    /// Keeps the socket open.
    owner: O,
    /// Where its frames end; they begin where those before end.
    end: usize,
    /// The kernel's result: bytes, or a negative error number.
    outcome: i32,
}

impl<O> Default for Batch<O> {
    fn default() -> Self {
        Self { frames: Vec::new(), sends: Vec::new() }
    }
}

impl<O> Batch<O> {
    /// Where to put the frames of the next [`add`](Self::add).
    pub(crate) fn frames(&mut self) -> &mut Vec<Bytes> {
        &mut self.frames
    }

    /// The frames since the last call go to `socket`. The batch keeps its `owner` until it is [concluded](Self::conclude).
    ///
    /// # Safety
    ///
    /// `socket` stays open for as long as `owner` exists.
    pub(crate) unsafe fn add(&mut self, socket: BorrowedFd<'_>, owner: O) {
        let socket = socket.as_raw_fd();
        let send = Send { socket, owner, end: self.frames.len(), outcome: -libc::EAGAIN };
        self.sends.push(send);
    }

    /// Reports for each owner, in the order they were added, how many bytes its socket took without waiting, and gives its
    /// frames back. Empties the batch for the next time.
    pub(crate) fn conclude(&mut self, mut each: impl FnMut(O, &mut [Bytes], io::Result<usize>)) {
        let mut begin = 0;
        for send in self.sends.drain(..) {
            let outcome = usize::try_from(send.outcome);
            let outcome = outcome.map_err(|_| io::Error::from_raw_os_error(-send.outcome));
            each(send.owner, &mut self.frames[begin..send.end], outcome);
            begin = send.end;
        }
        self.frames.clear();
    }
}

/// A submission and a completion queue, for one thread.
pub(crate) struct Ring {
    queues: IoUring,
    slices: Vec<libc::iovec>,
    headers: Vec<libc::msghdr>,
}

impl Ring {
    /// Fails where the kernel has none, is older than Linux 6.1, or does not allow it, as in many containers.
    pub(crate) fn new() -> io::Result<Self> {
        let queues = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .dontfork()
            .build(BATCH_SENDS as u32)?;
        Ok(Self { queues, slices: Vec::new(), headers: Vec::new() })
    }

    /// Sends everything and stores the results. False: the ring is broken and has to be dropped; sends without a result
    /// count as "would block".
    #[must_use]
    pub(crate) fn run<O>(&mut self, batch: &mut Batch<O>) -> bool {
        let count = batch.sends.len().min(BATCH_SENDS);
        self.point_at(batch);
        let (mut begin, mut headers) = (0, self.headers.iter());
        for (index, send) in batch.sends[..count].iter().enumerate() {
            let entry = entry(send.socket, &self.slices[begin..send.end], &mut headers);
            let entry = entry.user_data(index as u64);
            begin = send.end;
            // SAFETY: what the entry points at are the batch's frames and this ring's headers and slices. None of
            // them is touched, and the batch is borrowed, until `complete` has seen this entry's completion; where
            // it cannot, it keeps all of it for ever. The batch has the socket's owner.
            if unsafe { self.queues.submission().push(&entry) }.is_err() {
                break;
            }
        }
        self.complete(batch)
    }

    /// Makes the kernel's view of the batch. Nothing moves from here on.
    fn point_at<O>(&mut self, batch: &Batch<O>) {
        self.slices.clear();
        self.slices.extend(
            batch.frames.iter().map(|frame| libc::iovec {
                iov_base: frame.as_ptr().cast_mut().cast(),
                iov_len: frame.len(),
            }),
        );
        self.headers.clear();
        let mut begin = 0;
        for send in &batch.sends {
            let frames = begin..send.end;
            begin = send.end;
            if frames.len() == 1 {
                continue;
            }
            // SAFETY: a message header is integers and pointers, for which zero is a value.
            let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
            header.msg_iovlen = frames.len();
            header.msg_iov = self.slices[frames].as_mut_ptr();
            self.headers.push(header);
        }
    }

    /// Submits and waits for all completions, which come at once: no send waits for its socket.
    fn complete<O>(&mut self, batch: &mut Batch<O>) -> bool {
        let mut missing = self.queues.submission().len();
        while missing > 0 {
            let submitted = self.queues.submit_and_wait(missing);
            for completion in self.queues.completion() {
                missing -= 1;
                if let Some(send) = batch.sends.get_mut(completion.user_data() as usize) {
                    send.outcome = completion.result();
                }
            }
            if let Err(error) = submitted
                && !is_passing(&error)
            {
                tracing::warn!("io_uring failed and is not used any more: {error}");
                // The kernel may still look at these.
                std::mem::forget(batch.frames.clone());
                std::mem::forget(std::mem::take(&mut self.slices));
                std::mem::forget(std::mem::take(&mut self.headers));
                return false;
            }
        }
        true
    }
}

/// A single frame needs no header; several use the next one.
fn entry(socket: RawFd, frames: &[libc::iovec], headers: &mut Iter<'_, libc::msghdr>) -> squeue::Entry {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let socket = types::Fd(socket);
    match (frames, headers.as_slice()) {
        (&[frame], _) => {
            opcode::Send::new(socket, frame.iov_base.cast(), frame.iov_len as u32).flags(flags).build()
        }
        (_, [header, ..]) => {
            headers.next();
            opcode::SendMsg::new(socket, header).flags(flags as u32).build()
        }
        (_, []) => opcode::Nop::new().build(),
    }
}

/// Whether it may succeed the next time.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINTR | libc::EAGAIN | libc::EBUSY))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::sync::Arc;

    use super::*;

    /// `None` where the kernel gives no ring: then there is nothing to test.
    fn ring() -> Option<Ring> {
        Ring::new().inspect_err(|error| eprintln!("no io_uring here: {error}")).ok()
    }

    fn pair() -> (Arc<TcpStream>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let client = TcpStream::connect(listener.local_addr().expect("its address")).expect("connected");
        (Arc::new(listener.accept().expect("accepted").0), client)
    }

    fn add(batch: &mut Batch<Arc<TcpStream>>, socket: &Arc<TcpStream>) {
        // SAFETY: a `TcpStream` is open until it is dropped.
        unsafe { batch.add(socket.as_fd(), socket.clone()) };
    }

    fn outcomes(batch: &mut Batch<Arc<TcpStream>>) -> Vec<Result<usize, io::ErrorKind>> {
        let mut outcomes = Vec::new();
        batch.conclude(|_, _, outcome| outcomes.push(outcome.map_err(|error| error.kind())));
        outcomes
    }

    #[test]
    fn every_socket_gets_its_frames_in_order() {
        let Some(mut ring) = ring() else { return };
        let pairs: Vec<_> = (0..BATCH_SENDS).map(|_| pair()).collect();
        let mut batch = Batch::default();
        for (number, (server, _)) in pairs.iter().enumerate() {
            for part in 0..=number % 4 {
                batch.frames().push(Bytes::from(format!("{number}.{part};")));
            }
            add(&mut batch, server);
        }
        assert!(ring.run(&mut batch));
        let mut outcomes = Vec::new();
        batch.conclude(|_, frames, outcome| outcomes.push((frames.len(), outcome)));
        for (number, ((_, client), (frames, outcome))) in pairs.iter().zip(outcomes).enumerate() {
            assert_eq!(frames, number % 4 + 1);
            let expected: String = (0..=number % 4).map(|part| format!("{number}.{part};")).collect();
            assert_eq!(outcome.expect("sent"), expected.len());
            let mut received = vec![0; expected.len()];
            (&mut &*client).read_exact(&mut received).expect("all of it");
            assert_eq!(String::from_utf8_lossy(&received), expected);
        }
    }

    #[test]
    fn a_socket_stays_open_until_its_send_is_done() {
        let Some(mut ring) = ring() else { return };
        let (server, mut client) = pair();
        let mut batch = Batch::default();
        batch.frames().push(Bytes::from_static(b"to the end"));
        add(&mut batch, &server);
        drop(server);
        // What is opened now gets the lowest free descriptor, which is the dropped one's if that is closed.
        let (_others, mut other) = pair();
        assert!(ring.run(&mut batch));
        assert_eq!(outcomes(&mut batch), [Ok(10)]);
        let mut received = String::new();
        client.read_to_string(&mut received).expect("all of it, and the end");
        assert_eq!(received, "to the end");
        other.set_nonblocking(true).expect("set");
        assert!(other.read(&mut [0; 1]).is_err(), "nobody else gets it");
    }

    #[test]
    fn a_full_socket_and_a_broken_one_cost_only_themselves() {
        let Some(mut ring) = ring() else { return };
        let [(full, _unread), (broken, gone), (fine, _client)] = [pair(), pair(), pair()];
        broken.shutdown(std::net::Shutdown::Write).expect("shut down");
        drop(gone);
        let mut batch = Batch::default();
        let large = Bytes::from(vec![7; 64 << 20]);
        for (server, frame) in [(&full, &large), (&broken, &large), (&fine, &Bytes::from_static(b"x"))] {
            batch.frames().push(frame.clone());
            add(&mut batch, server);
        }
        assert!(ring.run(&mut batch));
        let outcomes = outcomes(&mut batch);
        assert!(matches!(outcomes[0], Ok(written) if written > 0 && written < large.len()), "{outcomes:?}");
        assert_eq!(outcomes[1..], [Err(io::ErrorKind::BrokenPipe), Ok(1)]);
        // The kernel may still move what was sent to the other end, which makes room until that is full as well.
        let mut left = 1000;
        loop {
            batch.frames().push(large.clone());
            add(&mut batch, &full);
            assert!(ring.run(&mut batch));
            match self::outcomes(&mut batch)[..] {
                [Ok(written)] if written > 0 && left > 0 => left -= 1,
                [Err(io::ErrorKind::WouldBlock)] => break,
                ref other => panic!("{other:?}"),
            }
        }
    }
}
