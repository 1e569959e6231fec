//! Carries out the engine's effects, as far as no socket is needed.

use std::mem;

use bytes::Bytes;
use switchboard_core::protocol::{Burst, encode_head};
use switchboard_core::{Accept, ConnectionId, Effect, Input, Recipients, UpstreamId};

use super::Host;
use crate::peer::{Peer, PeerState};
use crate::{call, contract, upstream};

impl Host {
    /// Does what the engine asks for until it asks for nothing more: an accepted connection is open at once, an
    /// outbox that overflows ends its connection.
    pub(super) fn carry_out(&mut self) {
        let mut inputs = Vec::new();
        while !self.effects.is_empty() {
            let mut effects = mem::take(&mut self.effects);
            for effect in effects.drain(..) {
                // What hooks do writes to no socket: they may go on with the burst.
                if !matches!(effect, Effect::Send { .. } | Effect::Call { .. }) {
                    self.send(&mut inputs);
                }
                self.carry_out_one(effect, &mut inputs);
            }
            self.effects = effects;
            for input in inputs.drain(..) {
                self.engine.handle_input(self.now, input, &mut self.effects);
            }
        }
    }

    fn carry_out_one(&mut self, effect: Effect, inputs: &mut Vec<Input>) {
        match effect {
            Effect::Ignore { id } => {
                self.ids.release(id);
                self.is_foreign = true;
            }
            Effect::Refuse { id, refusal } => {
                self.over.push(id);
                self.batch.before.record(contract::REJECT).id(id).bytes(refusal.encode().into());
            }
            Effect::Accept(accept) => {
                inputs.push(Input::Opened { id: accept.id });
                self.accept(*accept);
            }
            Effect::Send { to, message } => {
                let must_tell =
                    matches!(to, Recipients::One(id) if self.peer(id).is_some_and(|it| it.may_fill()));
                match &mut self.burst {
                    Some((recipients, burst)) if *recipients == to && burst.has_room() => burst.push(message),
                    _ => {
                        self.send(inputs);
                        let burst = Burst::new(message, to.len());
                        self.burst = Some((to, burst));
                    }
                }
                if must_tell {
                    self.send(inputs);
                }
            }
            Effect::SendDamaged { id, message, damage } => {
                if let Some(peer) = self.peer(id) {
                    let pushed = peer.socket.writer.send_damaged(&message, damage);
                    inputs.extend(peer.filled(pushed));
                    self.touch(id);
                }
            }
            Effect::Ping { id, payload } => self.write(id, |peer| peer.socket.writer.ping(&payload)),
            Effect::Pong { id, payload } => self.write(id, |peer| peer.socket.writer.pong(&payload)),
            Effect::Close { id, frame } => {
                self.write(id, |peer| {
                    peer.socket.writer.close(frame.as_ref());
                    // What the client has begun to say is let go.
                    peer.reader();
                });
            }
            Effect::Disconnect { id } => self.write(id, |peer| {
                if peer.state == PeerState::Open {
                    peer.state = PeerState::Ending;
                }
            }),
            Effect::ReportUnsent { id } => self.batch.after.about(contract::REPORT_UNSENT, id),
            Effect::Terminate { id } => {
                // What it would have been given in an earlier turn, had there been fewer sockets.
                if self.schedule.is_waiting() {
                    self.flush(id);
                }
                if let Some(peer) = self.peer(id) {
                    peer.state = PeerState::Ended;
                    self.expect_more(id);
                }
                self.batch.after.about(contract::TERMINATE, id);
            }
            Effect::Pause { id } => self.pause(id, true),
            Effect::Resume { id } => self.pause(id, false),
            Effect::Call { call, id, route, hook } => {
                let route = self.numbered(route);
                call::record(&mut self.batch.calls, call, id, route, hook);
            }
            Effect::CancelCall { call, .. } => {
                self.batch.before.record(contract::CANCEL_CALL).wide(call.to_bits());
            }
            Effect::ReadFile { feed, file } => {
                self.batch.before.record(contract::READ).bytes(feed.into()).bytes(file.into());
            }
            Effect::ReadFilePart { read, file, offset, length } => {
                let record = self.batch.before.record(contract::READ_PART);
                record.wide(read.to_bits()).wide(offset).word(length).bytes(file.into());
            }
            Effect::AppendFile { file, bytes } => {
                let file = Bytes::copy_from_slice(file.as_bytes());
                self.batch.before.record(contract::APPEND).bytes(file).bytes(bytes);
            }
            // An engine in JavaScript takes part in no cluster.
            Effect::Backplane(_) => {}
            Effect::Removed { id } => {
                self.over.push(id);
                self.batch.after.about(contract::REMOVED, id);
            }
            Effect::Dial { upstream, dial } => {
                let record = self.batch.after.record(contract::DIAL);
                record.wide(upstream.to_bits()).bytes(upstream::description(&dial).into());
            }
            Effect::SendUpstream { upstream, message } => {
                let (kind, payload) = call::payload(message);
                let record = self.batch.after.record(contract::UPSTREAM);
                record.wide(upstream.to_bits()).word(kind).bytes(payload);
            }
            Effect::PauseUpstream { upstream } => self.about_upstream(contract::PAUSE_UPSTREAM, upstream),
            Effect::ResumeUpstream { upstream } => self.about_upstream(contract::RESUME_UPSTREAM, upstream),
            Effect::TerminateUpstream { upstream } => {
                self.about_upstream(contract::TERMINATE_UPSTREAM, upstream);
            }
            Effect::CloseUpstream { upstream, frame } => {
                let (code, reason) = upstream::farewell(frame);
                let record = self.batch.after.record(contract::HANG_UP);
                record.wide(upstream.to_bits()).word(code).bytes(reason);
            }
            Effect::Log { level, text } => {
                self.batch.before.record(contract::LOG).word(level as u32).bytes(text.into());
            }
        }
    }

    fn accept(&mut self, accept: Accept) {
        let id = accept.id;
        if self.peers.len() <= id.slot() {
            self.peers.resize_with(id.slot() + 1, || None);
        }
        self.peers[id.slot()] = Some(Box::new(Peer::new(id, &accept.socket)));
        let head = encode_head(&accept.response);
        let data = self.engine.connection(id).map(|connection| connection.auth_data());
        let data = data.filter(|data| !data.is_null()).map(ToString::to_string);
        let params = call::params(&accept.params);
        let route = self.numbered(accept.route);
        self.batch
            .before
            .record(contract::ACCEPT)
            .id(id)
            .word(route as u32)
            .bytes(head.into())
            .text(Some(&accept.public_id))
            .text(accept.subprotocol.as_deref())
            .text(params.as_deref())
            .text(data.as_deref());
    }

    fn write(&mut self, id: ConnectionId, write: impl FnOnce(&mut Peer)) {
        if let Some(peer) = self.peer(id) {
            write(peer);
            self.touch(id);
        }
    }

    /// A record that only names an outgoing connection.
    fn about_upstream(&mut self, opcode: u32, upstream: UpstreamId) {
        self.batch.after.record(opcode).wide(upstream.to_bits());
    }
}
