//! Sockets that are written together once every connection that was ready has been read.

use std::sync::Arc;

use crate::flush::sending_half::SendingHalf;

/// Replies that wait until all that came at the same time is answered.
///
/// A hundred clients that send at the same time are answered with one system call instead of a hundred. The task that
/// corks first writes, when the runtime returns to it after all others that are ready. A client that is alone is
/// answered at once: whether clients come together is tried only now and then.
#[derive(Default)]
pub(crate) struct Cork {
    sockets: Vec<Arc<SendingHalf>>,
    /// How many more times not to wait for others.
    alone: u32,
}

/// When to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corked {
    /// Now: lately there was no other connection to wait for.
    Not,
    /// Soon, by the task that gets this.
    ToBeFlushed,
    /// Soon, by another task.
    Behind,
}

/// After a connection was alone, how often not to wait for others.
const ALONE: u32 = 64;

impl Cork {
    /// Takes sockets to be written, or leaves them to the caller.
    pub(crate) fn add(&mut self, sockets: &mut Vec<Arc<SendingHalf>>) -> Corked {
        if !self.sockets.is_empty() {
            self.sockets.append(sockets);
            return Corked::Behind;
        }
        if self.alone > 0 {
            self.alone -= 1;
            return Corked::Not;
        }
        self.sockets.append(sockets);
        if self.sockets.is_empty() { Corked::Behind } else { Corked::ToBeFlushed }
    }

    /// Takes all that wait into an empty list.
    pub(crate) fn take(&mut self, sockets: &mut Vec<Arc<SendingHalf>>) {
        std::mem::swap(&mut self.sockets, sockets);
        self.alone = if sockets.len() > 1 { 0 } else { ALONE };
    }
}

#[cfg(test)]
mod tests {
    use switchboard_core::ConnectionIds;
    use switchboard_core::protocol::{Overflow, SocketOptions, WebSocket};

    use super::*;

    fn socket() -> Vec<Arc<SendingHalf>> {
        let writer = WebSocket::new(&SocketOptions::default()).writer;
        vec![Arc::new(SendingHalf::new(ConnectionIds::default().allocate(), writer, Overflow::Close))]
    }

    #[test]
    fn the_first_writes_for_those_behind_it() {
        let mut cork = Cork::default();
        assert_eq!(cork.add(&mut socket()), Corked::ToBeFlushed);
        assert_eq!(cork.add(&mut socket()), Corked::Behind);
        let mut taken = Vec::new();
        cork.take(&mut taken);
        assert_eq!(taken.len(), 2);
        assert_eq!(cork.add(&mut socket()), Corked::ToBeFlushed);
    }

    #[test]
    fn who_is_alone_waits_for_nobody_most_of_the_time() {
        let mut cork = Cork::default();
        assert_eq!(cork.add(&mut socket()), Corked::ToBeFlushed);
        cork.take(&mut Vec::new());
        let mut alone = socket();
        for _ in 0..ALONE {
            assert_eq!(cork.add(&mut alone), Corked::Not);
        }
        assert_eq!(alone.len(), 1, "left to be written now");
        assert_eq!(cork.add(&mut alone), Corked::ToBeFlushed);
    }

    #[test]
    fn a_turn_that_touched_nobody_corks_nothing() {
        let mut cork = Cork::default();
        assert_eq!(cork.add(&mut Vec::new()), Corked::Behind);
        assert_eq!(cork.add(&mut socket()), Corked::ToBeFlushed);
    }
}
