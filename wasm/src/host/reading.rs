//! From the bytes of sockets to the engine's inputs, and which sockets are read.

use std::mem;

use switchboard_core::protocol::Event;
use switchboard_core::{ConnectionId, Input};

use super::{Host, find};
use crate::contract;
use crate::peer::PeerState;

impl Host {
    /// Bytes came from a socket. They are unmasked in place.
    pub(crate) fn receive(&mut self, id: ConnectionId, bytes: &mut [u8]) {
        let mut events = mem::take(&mut self.events);
        if let Some(peer) = self.peer(id) {
            peer.reader().receive(bytes, &mut events);
            peer.received += peer.socket.reader.take_traffic();
        }
        self.report(id, events);
    }

    /// The socket is closed, or was before it was accepted.
    pub(crate) fn disconnected(&mut self, id: ConnectionId) {
        match self.peer(id) {
            // What it sent before comes first.
            Some(peer) if peer.socket.reader.has_undecoded() && peer.takes_messages() => {
                peer.is_gone = true;
                // Nothing else reports that there is room in its outbox again.
                peer.blocked = false;
                self.touch(id);
                self.expect_more(id);
            }
            Some(_) => self.forget(id),
            None => self.input(Input::Disconnected { id }),
        }
    }

    /// Goes on with what sockets have brought beyond their readers' budgets, each once in a round of JavaScript's loop.
    pub(super) fn resume_readers(&mut self) {
        for id in mem::take(&mut self.undecoded) {
            let mut events = mem::take(&mut self.events);
            if let Some(peer) = self.peer(id) {
                peer.is_undecoded = false;
                if peer.is_handled() {
                    peer.reader().resume(&mut events);
                    peer.received += peer.socket.reader.take_traffic();
                }
            }
            self.report(id, events);
        }
    }

    /// The engine pauses or resumes a client.
    pub(super) fn pause(&mut self, id: ConnectionId, pause: bool) {
        if let Some(peer) = self.peer(id) {
            peer.is_stopped = pause;
            self.expect_more(id);
            self.update_reading(id);
        }
    }

    /// Has a reader resumed in the next round, if there is something to decode that may be handled.
    pub(super) fn expect_more(&mut self, id: ConnectionId) {
        if let Some(peer) = find(&mut self.peers, id)
            && !peer.is_undecoded
            && (peer.is_gone || (peer.socket.reader.has_undecoded() && peer.is_handled()))
        {
            peer.is_undecoded = true;
            self.undecoded.push(id);
        }
    }

    /// Tells JavaScript whether to read on, if that has changed.
    pub(super) fn update_reading(&mut self, id: ConnectionId) {
        let Some(peer) = find(&mut self.peers, id) else {
            return;
        };
        let is_paused = !peer.wants_input();
        if mem::replace(&mut peer.is_paused, is_paused) != is_paused {
            self.batch.after.about(if is_paused { contract::PAUSE } else { contract::RESUME }, id);
        }
    }

    fn report(&mut self, id: ConnectionId, mut events: Vec<Event>) {
        for event in events.drain(..) {
            let input = match event {
                Event::Message(message) => Input::Message { id, message },
                Event::Ping(payload) => Input::Ping { id, payload },
                Event::Pong(payload) => Input::Pong { id, payload },
                Event::Close(frame) => Input::CloseReceived { id, frame },
                Event::Violation(violation) => Input::Violated { id, violation },
            };
            self.engine.handle_input(self.now, input, &mut self.effects);
        }
        if let Some(bytes) = self.peer(id).and_then(|peer| peer.socket.reader.take_buffered()) {
            self.engine.handle_input(self.now, Input::Buffered { id, bytes }, &mut self.effects);
        }
        self.events = events;
        self.carry_out();
        let Some(peer) = self.peer(id) else { return };
        if peer.is_gone && !(peer.socket.reader.has_undecoded() && peer.takes_messages()) {
            return self.forget(id);
        }
        if peer.state == PeerState::Open && peer.socket.writer.is_closed() && peer.socket.reader.is_finished()
        {
            // Its own close frame came before, or it broke the protocol: there is nothing to wait for.
            peer.state = PeerState::Ending;
            self.touch(id);
        }
        if self.peer(id).is_some_and(|peer| !peer.is_gone || peer.is_handled()) {
            self.expect_more(id);
        }
        self.update_reading(id);
    }

    fn forget(&mut self, id: ConnectionId) {
        let peer = self.peers[id.slot()].take();
        if self.engine.has_control()
            && let Some(peer) = peer
        {
            let counts = Box::new(peer.counts());
            self.engine.handle_input(self.now, Input::Counted { id, counts }, &mut self.effects);
        }
        self.input(Input::Disconnected { id });
    }
}
