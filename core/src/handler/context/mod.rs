//! What a handler can see and do while one of its methods runs.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use rand_chacha::rand_core::RngCore;
use serde_json::json;

use crate::feed::Feed;
use crate::handler::HandlerError;
use crate::handler::command::{Command, CommandError};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level, Recipients};
use crate::interface::hook::{CallId, Hook};
use crate::interface::upstream::{Dial, UpstreamId};
use crate::message::{CloseCode, CloseFrame, Message};
use crate::protocol::Pushed;
use crate::routing::authentication::{Authentication, TokenPlace};
use crate::state::connection::Connection;
use crate::state::heartbeat::{Heartbeat, Inactivity};
use crate::state::timers::Timer;
use crate::state::{Owner, State};
use crate::time::{self, Now};

/// A handler's view of its route during one event. What it does happens at once and in that order: a
/// broadcast after a join reaches who was in the room at that moment.
pub struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) effects: &'a mut Vec<Effect>,
    pub(crate) now: Now,
    pub(crate) route: usize,
    pub(crate) id: Option<ConnectionId>,
}

impl Context<'_> {
    /// The two clocks of this event.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The port at which this server is found, if the host told it ([`Engine::set_port`](crate::Engine::set_port)).
    pub fn port(&self) -> Option<u16> {
        self.state.port
    }

    /// The connection this event is about; `None` in a route's own timer.
    pub fn connection(&self) -> Option<&Connection> {
        self.state.connections.get(self.id?)
    }

    /// The connection this event is about, to keep data on it.
    pub fn connection_mut(&mut self) -> Option<&mut Connection> {
        self.state.connections.get_mut(self.id?)
    }

    /// The id of the connection this event is about.
    pub fn id(&self) -> Option<ConnectionId> {
        self.id
    }

    /// Where clients of this route show the token that lets them in, if that is what does.
    pub(crate) fn token_place(&self) -> Option<&TokenPlace> {
        match &self.state.routes[self.route].settings.authentication {
            Authentication::Token(rule) => Some(&rule.place),
            _ => None,
        }
    }

    /// Any connection of this route.
    pub fn peer(&self, id: ConnectionId) -> Option<&Connection> {
        self.state.connections.get(id).filter(|peer| peer.route == self.route)
    }

    /// Everyone on this route who can be sent to, in the order they came.
    pub fn everyone(&self) -> Vec<ConnectionId> {
        self.state.routes[self.route].rooms.everyone(None)
    }

    /// How many can be sent to on all routes of this [`kind`](crate::RouteSettings::kind), for statistics.
    pub fn connections_of_kind(&self, kind: &str) -> usize {
        let routes = self.state.routes.iter().filter(|route| route.settings.kind == kind);
        routes.map(|route| route.rooms.everyone_len()).sum()
    }

    /// How many are in a room of this route.
    pub fn room_len(&self, room: &str) -> usize {
        self.state.routes[self.route].rooms.len(room)
    }

    /// The rooms of this route that have members, with their number, in no particular order.
    pub fn rooms(&self) -> Vec<(Arc<str>, usize)> {
        let rooms = &self.state.routes[self.route].rooms;
        rooms.names().map(|name| (name.clone(), rooms.len(name))).collect()
    }

    /// Who is in a room of this route, in the order they came.
    pub fn members(&self, room: &str) -> Vec<ConnectionId> {
        self.state.routes[self.route].rooms.members([room], None)
    }

    /// The call whose outcome this event is: in [`Handler::answer`](crate::Handler::answer), and in
    /// [`Handler::error`](crate::Handler::error) after a hook that failed. For dialects that have several
    /// calls under way at once.
    pub fn answered(&self) -> Option<CallId> {
        self.state.answered
    }

    /// The same handler's view with another connection of this route in focus.
    pub fn with(&mut self, id: ConnectionId) -> Context<'_> {
        Context { state: self.state, effects: self.effects, now: self.now, route: self.route, id: Some(id) }
    }

    /// Sends to this connection; nothing happens when it is no longer open.
    pub fn send(&mut self, message: impl Into<Message>) {
        if let Some(id) = self.id {
            self.send_to(id, message);
        }
    }

    /// Sends to any connection of this route.
    pub fn send_to(&mut self, id: ConnectionId, message: impl Into<Message>) {
        // To one that is closed nothing is sent.
        let _ = self.try_send_to(id, message);
    }

    /// Sends to any connection of this route, unless it is closed.
    pub fn try_send_to(&mut self, id: ConnectionId, message: impl Into<Message>) -> Result<(), CommandError> {
        if !self.peer(id).is_some_and(Connection::is_open) {
            return Err(CommandError::Closed);
        }
        let message = message.into();
        self.state.client_bytes.sent += message.len() as u64;
        self.effects.push(Effect::Send { to: Recipients::One(id), message });
        Ok(())
    }

    /// Sends to these connections, encoded once. Whoever is not open is passed over.
    pub fn send_to_each(&mut self, mut ids: Vec<ConnectionId>, message: impl Into<Message>) {
        ids.retain(|id| self.peer(*id).is_some_and(Connection::is_open));
        self.deliver(ids, message.into());
    }

    /// Sends to everyone else on the route.
    pub fn broadcast(&mut self, message: impl Into<Message>) {
        let to = self.state.routes[self.route].rooms.everyone(self.id);
        self.deliver(to, message.into());
    }

    /// Sends to everyone on the route.
    pub fn broadcast_to_all(&mut self, message: impl Into<Message>) {
        let to = self.state.routes[self.route].rooms.everyone(None);
        self.deliver(to, message.into());
    }

    /// Sends to the members of any of `rooms`, each once, this connection only if `include_self`.
    pub fn broadcast_to<R: AsRef<str>>(
        &mut self,
        rooms: impl IntoIterator<Item = R>,
        include_self: bool,
        message: impl Into<Message>,
    ) {
        let except = self.id.filter(|_| !include_self);
        let to = self.state.routes[self.route].rooms.members(rooms, except);
        self.deliver(to, message.into());
    }

    /// Joins a room. Joining twice is joining once.
    pub fn join(&mut self, room: &str) -> Result<(), CommandError> {
        let limits = &self.state.limits;
        let (max_name, max_rooms) = (limits.room_name_bytes, limits.rooms_per_connection);
        let Some(connection) = self.id.and_then(|id| self.state.connections.get_mut(id)) else {
            return Ok(());
        };
        if !connection.is_open() || connection.is_in_room(room) {
            return Ok(());
        }
        if room.len() > max_name {
            return Err(CommandError::RoomName { length: room.len(), limit: max_name });
        }
        if connection.rooms_len() >= max_rooms {
            return Err(CommandError::TooManyRooms(max_rooms));
        }
        let name = self.state.routes[self.route].rooms.join(connection.id, room);
        connection.rooms.get_or_insert_default().insert(name);
        Ok(())
    }

    /// Leaves a room; nothing happens when it was not in it.
    pub fn leave(&mut self, room: &str) {
        if let Some(connection) = self.id.and_then(|id| self.state.connections.get_mut(id))
            && connection.rooms.as_mut().is_some_and(|rooms| rooms.shift_remove(room))
        {
            self.state.routes[self.route].rooms.leave(connection.id, room);
        }
    }

    /// Starts the closing handshake. Nothing can be sent after it.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), CommandError> {
        if !code.is_sendable() {
            return Err(CommandError::CloseCode(code.0));
        }
        if let Some(id) = self.id {
            let frame = CloseFrame::new(code, reason);
            self.state.start_closing(id, Some(frame), self.now, self.effects);
        }
        Ok(())
    }

    /// Drops the connection without a close frame; the client sees 1006.
    pub fn terminate(&mut self) {
        if let Some(id) = self.id {
            self.state.terminate(id, CloseCause::Server, self.effects);
        }
    }

    /// Ends the connection without a close frame when what was sent is written; the client sees 1006.
    pub fn disconnect(&mut self) {
        if let Some(id) = self.id {
            self.state.disconnect(id, self.now, self.effects);
        }
    }

    /// Runs a hook of the user's code for this connection. Its next event waits for the answer.
    pub fn call(&mut self, hook: Hook) -> Option<CallId> {
        self.state.call(self.id?, hook, self.now, self.effects)
    }

    /// The same, without the limit of [`handler_timeout`](crate::Limits::handler_timeout): the answer may take as long as
    /// it takes, and the connection's next event waits as long.
    pub fn call_without_timeout(&mut self, hook: Hook) -> Option<CallId> {
        self.state.call_within(None, self.id?, hook, self.now, self.effects)
    }

    /// A feed's memory, for preloads and counts.
    pub fn feed(&self, name: &str) -> Option<&Feed> {
        self.state.feeds.iter().find(|feed| feed.name() == name)
    }

    /// Opens an outgoing connection for the connection in focus. It is closed with it. `None`: the connection in focus
    /// is not open, or has 100 of them already.
    ///
    /// The client's messages wait until it has opened or failed, and whenever it has not taken
    /// [`max_queued`](Dial::max_queued) bytes of what was sent; its own messages wait while the client does not read, if
    /// the route's [`Overflow`](crate::protocol::Overflow) is `Pause`, and for hooks.
    pub fn dial(&mut self, dial: Dial) -> Option<UpstreamId> {
        let owner = self.connection().filter(|connection| connection.may_dial())?.id();
        self.state.dial(Owner::Handler(owner), dial, self.now, self.effects)
    }

    /// Sends on an outgoing connection that has opened. What comes of it only matters to who sends more than the client
    /// does: `Full` from [`max_queued`](Dial::max_queued) bytes on, `Dropped` from twice as many on, or when it is not
    /// open.
    pub fn send_upstream(&mut self, upstream: UpstreamId, message: Message) -> Pushed {
        self.state.send_upstream(upstream, message, self.now, self.effects)
    }

    /// Closes an outgoing connection when what was sent is written. Its events come no more. `None` closes without a
    /// code; 1006 drops the transport without a close frame.
    pub fn close_upstream(&mut self, upstream: UpstreamId, frame: Option<CloseFrame>) {
        self.state.close_upstream(upstream, frame, self.now, self.effects);
    }

    /// Answers an opening handshake that was left to the other side of an outgoing connection
    /// ([`Handler::delays_handshake`](crate::Handler::delays_handshake)): with 101 and this subprotocol.
    pub fn accept(&mut self, subprotocol: Option<&str>) {
        if let Some(id) = self.id {
            self.state.delayed.push((id, Ok(subprotocol.map(Arc::from))));
        }
    }

    /// Answers such an opening handshake with an HTTP status.
    pub fn reject(&mut self, status: StatusCode) {
        if let Some(id) = self.id {
            self.state.delayed.push((id, Err(status)));
        }
    }

    /// The subprotocols that the client offers and the route's settings allow, while its opening handshake is not
    /// answered.
    pub fn offered_subprotocols(&self) -> Vec<String> {
        let allowed = &self.state.routes[self.route].settings.subprotocols;
        let offered = self.connection().and_then(|connection| connection.handshake.as_ref());
        let offered = offered.map(|handshake| handshake.protocols.as_slice()).unwrap_or_default();
        offered.iter().filter(|name| allowed.iter().any(|it| it == "*" || it == *name)).cloned().collect()
    }

    /// Sets or moves this handler's timer `key` for this connection, `after` from now. It ends with the
    /// connection.
    pub fn set_timer(&mut self, key: u64, after: Duration) {
        if let Some(id) = self.id {
            self.state.timers.set(Timer::Connection(id, key), self.now.instant + after);
        }
    }

    /// Disarms timer `key` of this connection.
    pub fn cancel_timer(&mut self, key: u64) {
        if let Some(id) = self.id {
            self.state.timers.cancel(Timer::Connection(id, key));
        }
    }

    /// Whether timer `key` of this connection is armed.
    pub fn has_timer(&self, key: u64) -> bool {
        self.id.is_some_and(|id| self.state.timers.is_set(Timer::Connection(id, key)))
    }

    /// Sets or moves this handler's timer `key` for the route, `after` from now.
    pub fn set_route_timer(&mut self, key: u64, after: Duration) {
        self.state.timers.set(Timer::Route(self.route, key), self.now.instant + after);
    }

    /// Disarms timer `key` of the route.
    pub fn cancel_route_timer(&mut self, key: u64) {
        self.state.timers.cancel(Timer::Route(self.route, key));
    }

    /// Fills `bytes` from the engine's generator, which the host seeds.
    pub fn random(&mut self, bytes: &mut [u8]) {
        self.state.random.fill_bytes(bytes);
    }

    /// A line for the host's log.
    pub fn log(&mut self, level: Level, text: impl Into<String>) {
        self.effects.push(Effect::Log { level, text: text.into() });
    }

    /// The same, at most once a second for this route and this `kind` of thing: what is held back is counted. Long text
    /// is cut.
    pub fn log_throttled(&mut self, kind: &'static str, level: Level, text: impl FnOnce() -> String) {
        self.state.log_throttle.note(self.now.instant, (self.route, kind), level, text, self.effects);
    }

    /// Tells the client `{"type":"error","message":…}`.
    pub fn send_error_frame(&mut self, error: &HandlerError) {
        self.send(Message::from(&json!({ "type": "error", "message": error.to_string() })));
    }

    /// Carries out a request of the user's code for this connection.
    pub fn apply(&mut self, command: Command) -> Result<(), CommandError> {
        match command {
            Command::Send(message) => {
                let id = self.id.ok_or(CommandError::Closed)?;
                return self.try_send_to(id, message);
            }
            Command::Broadcast { message, rooms: None, include_self } => {
                let except = self.id.filter(|_| !include_self);
                let to = self.state.routes[self.route].rooms.everyone(except);
                self.deliver(to, message);
            }
            Command::Broadcast { message, rooms: Some(rooms), include_self } => {
                self.broadcast_to(rooms, include_self, message);
            }
            Command::BroadcastAllRooms { message, include_self } => {
                self.broadcast_all_rooms(include_self, message);
            }
            Command::Join(room) => return self.join(&room),
            Command::Leave(room) => self.leave(&room),
            Command::Ping(payload) => return self.ping(payload),
            Command::Pong(payload) => return self.pong(payload),
            Command::Close { code: Some(code), reason } => return self.close(CloseCode(code), &reason),
            Command::Close { code: None, .. } => {
                if let Some(id) = self.id {
                    self.state.start_closing(id, None, self.now, self.effects);
                }
            }
            Command::Terminate => self.terminate(),
            Command::Heartbeat(interval) => self.set_heartbeat(interval),
            Command::InactivityTimeout(timeout) => self.set_inactivity_timeout(timeout),
            Command::ResetMissedPongs => {
                if let Some(connection) = self.connection_mut() {
                    connection.heartbeat.answered();
                }
            }
        }
        Ok(())
    }

    /// Sends to the members of all rooms this connection is in, each once; without rooms, to the route.
    pub fn broadcast_all_rooms(&mut self, include_self: bool, message: impl Into<Message>) {
        let except = self.id.filter(|_| !include_self);
        let mine: Vec<Arc<str>> =
            self.connection().map(|connection| connection.rooms().cloned().collect()).unwrap_or_default();
        let rooms = &self.state.routes[self.route].rooms;
        let to = if mine.is_empty() { rooms.everyone(except) } else { rooms.members(mine, except) };
        self.deliver(to, message.into());
    }

    /// Sends a ping of at most 125 bytes.
    pub fn ping(&mut self, payload: Bytes) -> Result<(), CommandError> {
        self.control(payload, |id, payload| Effect::Ping { id, payload })
    }

    /// Sends a pong of at most 125 bytes.
    pub fn pong(&mut self, payload: Bytes) -> Result<(), CommandError> {
        self.control(payload, |id, payload| Effect::Pong { id, payload })
    }

    /// Starts the heartbeat anew; `None` or zero stops it.
    pub fn set_heartbeat(&mut self, interval: Option<Duration>) {
        let now = self.now.instant;
        let Some(connection) = self.connection_mut().filter(|connection| connection.is_open()) else {
            return;
        };
        connection.heartbeat = Heartbeat::start(interval.map(time::ms));
        let (timer, interval) = (Timer::Heartbeat(connection.id), connection.heartbeat.interval);
        match interval {
            Some(ms) => self.state.timers.set(timer, now + ms.get()),
            None => self.state.timers.cancel(timer),
        }
    }

    /// Starts the inactivity timeout anew; `None` or zero stops it.
    pub fn set_inactivity_timeout(&mut self, timeout: Option<Duration>) {
        let now = self.now.instant;
        let Some(connection) = self.connection_mut().filter(|connection| connection.is_open()) else {
            return;
        };
        connection.inactivity = Inactivity::start(timeout.map(time::ms), now);
        let (timer, deadline) = (Timer::Inactivity(connection.id), connection.inactivity.deadline());
        match deadline {
            Some(deadline) => self.state.timers.set(timer, deadline),
            None => self.state.timers.cancel(timer),
        }
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

    pub(crate) fn deliver(&mut self, to: Vec<ConnectionId>, message: Message) {
        self.state.client_bytes.sent += (to.len() * message.len()) as u64;
        match to[..] {
            [] => {}
            [id] => self.effects.push(Effect::Send { to: Recipients::One(id), message }),
            _ => self.effects.push(Effect::Send { to: Recipients::Many(to), message }),
        }
    }
}
