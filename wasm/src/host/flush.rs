//! From the engine's messages to the frames that sockets write.

use std::mem;

use switchboard_core::{ConnectionId, Input};

use super::{Host, find};
use crate::contract;
use crate::peer::PeerState;
use crate::schedule::Touched;

impl Host {
    /// Packs what is to be done now; returns how many words that is.
    ///
    /// While there are hooks to run, sockets wait: what the hooks send goes out with the rest. JavaScript takes turns
    /// until there is nothing left to do, and goes on in the next round of its loop where
    /// [sockets wait](Self::is_waiting). Where hooks had to be left for another round, sockets wait no longer: they are
    /// written to `before_calls`.
    pub(crate) fn turn(&mut self, flush: bool, before_calls: bool) -> usize {
        // JavaScript has read the batch before.
        self.read_over.drain(..).for_each(|id| self.ids.release(id));
        if flush && (before_calls || !self.batch.has_calls()) {
            self.send_all();
            let mut schedule = mem::take(&mut self.schedule);
            schedule.run(|id| {
                if let Some(peer) = find(&mut self.peers, id) {
                    peer.touched = Touched::No;
                }
                self.flush(id);
            });
            self.schedule = schedule;
            for id in mem::take(&mut self.drained) {
                // It may have been filled again since.
                if find(&mut self.peers, id).is_none_or(|peer| !peer.is_full) {
                    self.input(Input::Drained { id });
                }
            }
        }
        mem::swap(&mut self.over, &mut self.read_over);
        self.batch.pack()
    }

    /// A new round of JavaScript's loop: as many sockets may be written as are at a stretch, and readers go on.
    pub(crate) fn begin_round(&mut self) {
        self.schedule.begin_round();
        self.resume_readers();
    }

    /// Whether sockets or readers wait for the next round.
    pub(crate) fn is_waiting(&self) -> bool {
        self.schedule.is_waiting() || !self.undecoded.is_empty()
    }

    pub(super) fn flush(&mut self, id: ConnectionId) {
        let Some(peer) = find(&mut self.peers, id) else {
            return;
        };
        if peer.blocked || peer.state == PeerState::Ended {
            return self.update_reading(id);
        }
        let outbox = peer.socket.writer.outbox();
        self.batch.write(id, std::iter::from_fn(|| outbox.pop()));
        if peer.state == PeerState::Ending {
            peer.state = PeerState::Ended;
            // JavaScript reads on by itself.
            peer.is_paused = false;
            self.batch.after.about(contract::END, id);
        }
        if mem::take(&mut peer.is_full) {
            self.drained.push(id);
        }
        self.expect_more(id);
        self.update_reading(id);
    }

    /// Puts the burst into its receivers' outboxes, and tells the engine what came of it.
    fn send_all(&mut self) {
        let mut inputs = Vec::new();
        while self.burst.is_some() {
            self.send(&mut inputs);
            inputs.drain(..).for_each(|input| self.input(input));
        }
    }

    /// Puts the burst into its receivers' outboxes.
    pub(super) fn send(&mut self, inputs: &mut Vec<Input>) {
        let Some((to, mut burst)) = self.burst.take() else {
            return;
        };
        for &id in to.iter() {
            let Some(peer) = find(&mut self.peers, id) else {
                continue;
            };
            let (batch, is_blocked) = (&mut self.batch, peer.blocked);
            let pushed = peer.socket.writer.send_burst(&mut burst, |outbox| {
                if !is_blocked {
                    batch.write(id, std::iter::from_fn(|| outbox.pop()));
                }
            });
            inputs.extend(peer.filled(pushed));
            self.schedule.touch(id, &mut peer.touched, to.len());
            // Much that is sent at once does not mean that a client reads too slowly: only what its socket has refused counts as
            // waiting.
            if peer.has_to_flush() || (peer.is_ready_to_flush() && self.schedule.take_place()) {
                self.flush(id);
            }
        }
    }
}
