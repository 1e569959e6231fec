//! Sending: to one connection, to a room, to everyone.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::Context;
use crate::handler::HandlerError;
use crate::handler::command::CommandError;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Recipients};
use crate::message::Message;
use crate::state::connection::Connection;

impl Context<'_> {
    /// Sends to this connection; nothing happens when it is no longer open.
    pub fn send(&mut self, message: impl Into<Message>) {
        if let Some(id) = self.id {
            self.send_to(id, message);
        }
    }

    /// Sends to any connection of this route.
    pub fn send_to(&mut self, id: ConnectionId, message: impl Into<Message>) {
        // Nothing is sent to a connection that is closed.
        let _ = self.try_send_to(id, message);
    }

    /// Sends to any connection of this route, unless it is closed.
    pub fn try_send_to(&mut self, id: ConnectionId, message: impl Into<Message>) -> Result<(), CommandError> {
        if !self.peer(id).is_some_and(Connection::is_open) {
            return Err(CommandError::Closed);
        }
        let message = message.into();
        if !self.may_send(&[id], &message) {
            return Ok(());
        }
        self.state.client_bytes.sent += message.len() as u64;
        self.effects.push(Effect::Send { to: Recipients::One(id), message });
        Ok(())
    }

    /// Sends to these connections, encoded once. Those that are not open are left out.
    pub fn send_to_each(&mut self, mut ids: Vec<ConnectionId>, message: impl Into<Message>) {
        ids.retain(|id| self.peer(*id).is_some_and(Connection::is_open));
        self.deliver(ids, message.into());
    }

    /// Sends to everyone else on the route.
    pub fn broadcast(&mut self, message: impl Into<Message>) {
        let to = self.state.routes[self.route].rooms.everyone(self.id);
        self.deliver_in(&[], to, message.into());
    }

    /// Sends to everyone on the route.
    pub fn broadcast_to_all(&mut self, message: impl Into<Message>) {
        let to = self.state.routes[self.route].rooms.everyone(None);
        self.deliver_in(&[], to, message.into());
    }

    /// Sends to the members of any of `rooms`, each once, this connection only if `include_self`.
    pub fn broadcast_to<R: AsRef<str>>(
        &mut self,
        rooms: impl IntoIterator<Item = R>,
        include_self: bool,
        message: impl Into<Message>,
    ) {
        let except = self.id.filter(|_| !include_self);
        let mut named: Vec<Arc<str>> = Vec::new();
        let has_history = self.state.routes[self.route].history.is_some();
        let is_named = self.state.trace.is_some() || has_history || self.state.cluster.is_some();
        let note = |room: &R| {
            if is_named {
                named.push(room.as_ref().into());
            }
        };
        let rooms = rooms.into_iter().inspect(note);
        let to = self.state.routes[self.route].rooms.members(rooms, except);
        if let [room] = &named[..] {
            self.note_room(room);
        }
        match named[..] {
            // Nobody wants to know the rooms, or there are none.
            [] => {
                self.deliver(to, message.into());
            }
            _ => self.deliver_in(&named, to, message.into()),
        }
    }

    /// Sends to the members of all rooms this connection is in, each once; without rooms, to the route.
    pub fn broadcast_all_rooms(&mut self, include_self: bool, message: impl Into<Message>) {
        let except = self.id.filter(|_| !include_self);
        let mine: Vec<Arc<str>> =
            self.connection().map(|connection| connection.rooms().cloned().collect()).unwrap_or_default();
        let rooms = &self.state.routes[self.route].rooms;
        let to = if mine.is_empty() { rooms.everyone(except) } else { rooms.members(&mine, except) };
        if let [room] = &mine[..] {
            self.note_room(room);
        }
        self.deliver_in(&mine, to, message.into());
    }

    /// Tells the client `{"type":"error","message":…}`.
    pub fn send_error_frame(&mut self, error: &HandlerError) {
        self.send(Message::from(&json!({ "type": "error", "message": error.to_string() })));
    }

    /// Sends a ping of at most 125 bytes.
    pub fn ping(&mut self, payload: Bytes) -> Result<(), CommandError> {
        self.control(payload, |id, payload| Effect::Ping { id, payload })
    }

    /// Sends a pong of at most 125 bytes.
    pub fn pong(&mut self, payload: Bytes) -> Result<(), CommandError> {
        self.control(payload, |id, payload| Effect::Pong { id, payload })
    }

    fn control(
        &mut self,
        payload: Bytes,
        effect: impl FnOnce(ConnectionId, Bytes) -> Effect,
    ) -> Result<(), CommandError> {
        if payload.len() > 125 {
            return Err(CommandError::ControlPayload(payload.len()));
        }
        if let Some(id) = self.connection().filter(|connection| connection.is_open()).map(Connection::id) {
            self.effects.push(effect(id, payload));
        }
        Ok(())
    }

    /// The next message goes to members of this room, which those who are told of it learn.
    pub(crate) fn note_room(&mut self, room: &str) {
        if let Some(trace) = &mut self.state.trace {
            trace.rooms.push((self.effects.len(), room.into()));
        }
    }

    /// Whether the contract of this route, if it has one, lets a message pass.
    #[inline]
    pub(crate) fn may_send(&mut self, to: &[ConnectionId], message: &Message) -> bool {
        !self.state.has_contracts || self.state.may_send(self.now, self.route, to, message, self.effects)
    }

    /// Sends to these connections; false if the contract does not let the message pass.
    pub(crate) fn deliver(&mut self, to: Vec<ConnectionId>, message: Message) -> bool {
        let may_send = self.may_send(&to, &message);
        if may_send {
            self.push(to, message);
        }
        may_send
    }

    #[inline]
    pub(super) fn push(&mut self, to: Vec<ConnectionId>, message: Message) {
        self.state.client_bytes.sent += (to.len() * message.len()) as u64;
        match to[..] {
            [] => {}
            [id] => self.effects.push(Effect::Send { to: Recipients::One(id), message }),
            _ => self.effects.push(Effect::Send { to: Recipients::Many(to), message }),
        }
    }
}
