//! The control: one call for each receiver.

use std::io;

use bench_peers::raw::{self, Method, Send};
use rustix::net::SendFlags;

struct Each;

impl Method for Each {
    const SENDS: usize = 1;

    fn send<'s>(&mut self, sends: impl Iterator<Item = Send<'s>>, taken: &mut Vec<usize>) -> io::Result<()> {
        // An error comes again when the rest is written.
        taken.extend(sends.map(|send| {
            send.and_then(|(socket, bytes)| rustix::net::send(socket, bytes, SendFlags::NOSIGNAL).ok())
                .unwrap_or(0)
        }));
        Ok(())
    }
}

fn main() -> io::Result<()> {
    raw::serve(Each)
}
