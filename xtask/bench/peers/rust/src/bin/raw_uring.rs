//! The other control: all receivers of one turn through one submission to io_uring.

use std::io;
use std::os::fd::AsRawFd;

use bench_peers::raw::{self, Method, Send};
use io_uring::{IoUring, opcode, types};

struct Together {
    ring: IoUring,
}

impl Method for Together {
    const SENDS: usize = 256;

    fn send<'s>(&mut self, sends: impl Iterator<Item = Send<'s>>, taken: &mut Vec<usize>) -> io::Result<()> {
        let mut missing = 0;
        for (at, send) in sends.enumerate() {
            taken.push(0);
            let Some((socket, bytes)) = send else { continue };
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            let entry = opcode::Send::new(types::Fd(socket.as_raw_fd()), bytes.as_ptr(), bytes.len() as u32);
            let entry = entry.flags(flags).build().user_data(at as u64);
            // SAFETY: the socket and the bytes are borrowed until this method ends, which is after the completion.
            unsafe { self.ring.submission().push(&entry) }.map_err(io::Error::other)?;
            missing += 1;
        }
        while missing > 0 {
            match self.ring.submit_and_wait(missing) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => std::process::abort(),
                _ => {}
            }
            for completion in self.ring.completion() {
                missing -= 1;
                // An error comes again when the rest is written.
                taken[completion.user_data() as usize] = completion.result().try_into().unwrap_or(0);
            }
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let ring = IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(256)?;
    raw::serve(Together { ring })
}
