//! What a handler can see and do while one of its methods runs.

mod connection;
mod delivery;
mod file;
mod history;
mod nodes;
mod recovery;
mod sending;
mod timers;
mod upstream;

use std::collections::HashMap;
use std::sync::Arc;

use chacha20::rand_core::Rng;

use crate::control::event::What;
use crate::dialect::replay::Mismatch;
use crate::fault::FaultList;
use crate::feed::Feed;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::interface::hook::{CallId, Hook, HookKind};
use crate::routing::authentication::{Authentication, TokenPlace};
use crate::state::State;
use crate::state::connection::Connection;
use crate::time::Now;

/// A handler's view of its route during one event. What it does happens at once and in that order: a
/// broadcast after a join reaches everyone who is in the room at that moment.
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

    /// Where clients of this route show their token, if the route asks for one.
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

    /// How many can be sent to on all routes of this [`kind`](crate::RouteSettings::kind), on all nodes of the cluster, for
    /// statistics.
    pub fn connections_of_kind(&self, kind: &str) -> usize {
        let routes = self.state.routes.iter().enumerate().filter(|(_, route)| route.settings.kind == kind);
        routes
            .map(|(index, route)| route.rooms.everyone_len() + self.state.members_elsewhere(index, None))
            .sum()
    }

    /// How many are on this route, on all nodes of the cluster, for statistics. Of the other nodes it is what they have told.
    pub fn connections_on_all_nodes(&self) -> usize {
        let here = self.state.routes[self.route].rooms.everyone_len();
        here + self.state.members_elsewhere(self.route, None)
    }

    /// How many are in a room of this route, on all nodes of the cluster. Of the other nodes it is what they have told.
    pub fn room_len_on_all_nodes(&self, room: &str) -> usize {
        self.room_len(room) + self.state.members_elsewhere(self.route, Some(room))
    }

    /// Whether this server is a node of a cluster ([`Engine::join_cluster`](crate::Engine::join_cluster)).
    pub fn is_in_cluster(&self) -> bool {
        self.state.cluster.is_some()
    }

    /// How many are in a room of this route on this server.
    pub fn room_len(&self, room: &str) -> usize {
        self.state.routes[self.route].rooms.len(room)
    }

    /// The rooms of this route that have members on any node of the cluster, with their number, in no particular order.
    pub fn rooms(&self) -> Vec<(Arc<str>, usize)> {
        let rooms = &self.state.routes[self.route].rooms;
        let mut all: HashMap<Arc<str>, usize> =
            rooms.names().map(|name| (name.clone(), rooms.len(name))).collect();
        for (room, members) in self.state.rooms_elsewhere(self.route) {
            *all.entry(room).or_default() += members;
        }
        all.into_iter().collect()
    }

    /// Who is in a room of this route, in the order they came.
    pub fn members(&self, room: &str) -> Vec<ConnectionId> {
        self.state.routes[self.route].rooms.members([room], None)
    }

    /// The call whose answer this event is: in [`Handler::answer`](crate::Handler::answer), and in
    /// [`Handler::error`](crate::Handler::error) after a hook that failed. For dialects that have several
    /// calls under way at once.
    pub fn answered(&self) -> Option<CallId> {
        self.state.answered
    }

    /// The calls for connections of this route that are under way, in no particular order.
    pub(crate) fn calls_under_way(&self, kind: HookKind) -> Vec<CallId> {
        let calls = self.state.calls.iter();
        let calls = calls.filter(|(_, call)| call.kind == kind && self.peer(call.id).is_some());
        calls.map(|(id, _)| *id).collect()
    }

    /// The same handler's view with another connection of this route in focus.
    pub fn with(&mut self, id: ConnectionId) -> Context<'_> {
        Context { state: self.state, effects: self.effects, now: self.now, route: self.route, id: Some(id) }
    }

    /// Runs a hook of the user's code for this connection. Its next event waits for the answer.
    pub fn call(&mut self, hook: Hook) -> Option<CallId> {
        self.state.call(self.id?, hook, self.now, self.effects)
    }

    /// The same without the limit of [`handler_timeout`](crate::Limits::handler_timeout): the connection's next event
    /// waits for the answer however long it takes.
    pub fn call_without_timeout(&mut self, hook: Hook) -> Option<CallId> {
        self.state.call_within(None, self.id?, hook, self.now, self.effects)
    }

    /// Whether more waits for the connection in focus than its outbox is meant to hold
    /// ([`Overflow::Pause`](crate::protocol::Overflow::Pause)). [`Handler::drained`](crate::Handler::drained) is called when it
    /// no longer does.
    pub fn is_outbox_full(&self) -> bool {
        self.connection().is_some_and(|connection| connection.inbox.is_outbox_full)
    }

    /// The route's pattern with its first prefix, for logs.
    pub fn route_label(&self) -> &str {
        &self.state.routes[self.route].label
    }

    /// Adds faults for the connection in focus, until it ends. They count from the next turn on.
    pub fn add_faults(&mut self, faults: FaultList) {
        if let Some(id) = self.id {
            self.state.wanted_faults.push((id, faults));
            self.state.due.push(id);
        }
    }

    /// A feed's memory, for preloads and counts.
    pub fn feed(&self, name: &str) -> Option<&Feed> {
        self.state.feeds.iter().find(|feed| feed.name() == name)
    }

    /// Fills `bytes` from the engine's generator, which the host seeds.
    pub fn random(&mut self, bytes: &mut [u8]) {
        self.state.random.fill_bytes(bytes);
    }

    /// A line for the host's log.
    pub fn log(&mut self, level: Level, text: impl Into<String>) {
        self.effects.push(Effect::Log { level, text: text.into() });
    }

    /// The connection in focus sent what a recording or a scenario did not expect: tells the log and whoever is told events.
    pub(crate) fn mismatched(&mut self, mismatch: Mismatch) {
        let Some(connection) = self.connection() else { return };
        let text = format!("{}: {mismatch}", connection.path());
        let key = (self.route, "mismatch");
        self.state.routes[self.route].mismatches += 1;
        self.state.log_throttle.note(self.now.instant, key, Level::Warn, || text, self.effects);
        if let Some((trace, connection)) = self.id.and_then(|id| self.state.traced(id)) {
            trace.about(connection, || What::Mismatch(Box::new(mismatch)));
        }
    }

    /// The same, at most once a second for this route and this `kind` of thing: what is held back is counted. Long text
    /// is cut.
    pub fn log_throttled(&mut self, kind: &'static str, level: Level, text: impl FnOnce() -> String) {
        self.state.log_throttle.note(self.now.instant, (self.route, kind), level, text, self.effects);
    }
}
