//! A route, and its rooms, from outside of its callbacks.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use switchboard_core::{CommandError, Engine, FaultScope, HandlerResult, Message, RouteCommand};

use crate::callbacks::{Peer, RouteCallbacks};
use crate::faults::Faults;
use crate::host::Host;

/// A handle on one route, from [`Switchboard::route`](crate::Switchboard::route): for timers, HTTP handlers, and
/// everything else that is not a callback. Clone it, keep it, use it from any task or thread.
///
/// Its methods act at once, in the order of the calls; none waits for the network. A
/// [`Handler`](crate::Handler) runs while the engine is locked and uses its [`Context`](crate::Context) instead: a `Route`
/// would wait for the handler for ever.
///
/// It means the route that has the pattern at the time, also after [`Switchboard::reconfigure`](crate::Switchboard::reconfigure);
/// when there is none any more, it has no connections.
#[derive(Clone)]
pub struct Route {
    host: Arc<Host>,
    callbacks: Arc<RouteCallbacks>,
    pattern: Arc<str>,
}

/// A handle on one room of a [`Route`]. The room need not exist: then it has no members.
#[derive(Clone)]
pub struct Room {
    route: Route,
    name: Arc<str>,
}

impl Route {
    pub(crate) fn new(host: Arc<Host>, callbacks: Arc<RouteCallbacks>, pattern: &str) -> Self {
        Self { host, callbacks, pattern: pattern.into() }
    }

    pub(crate) fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// The index of the route that has the pattern now; of none when it was removed.
    pub(crate) fn index(&self) -> usize {
        self.host.look(|engine| engine.route_of(&self.pattern)).unwrap_or(usize::MAX)
    }

    /// The pattern, as it was asked for.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// One of the route's rooms.
    pub fn room(&self, name: impl Into<Arc<str>>) -> Room {
        Room { route: self.clone(), name: name.into() }
    }

    /// The names of the rooms that have members, in no particular order.
    pub fn rooms(&self) -> Vec<String> {
        let index = self.index();
        self.host.look(|engine| engine.rooms(index).map(str::to_owned).collect())
    }

    /// Sends to everyone on the route, and returns to how many. The message is sent as it is, whatever the route's dialect;
    /// for messages of the dialect itself there is [`command`](Self::command).
    pub fn send(&self, message: impl Into<Message>) -> usize {
        self.send_to(None, message.into())
    }

    /// The open connections of the route, in the order they came.
    pub fn connections(&self) -> Vec<Peer> {
        self.peers(None)
    }

    /// The connection with this [`id`](Peer::id); `None` if it is not on this route, or no longer open. Takes time in
    /// proportion to the connections of the route.
    pub fn connection(&self, id: &str) -> Option<Peer> {
        self.callbacks.peer(&self.host, self.index(), id)
    }

    /// How many connections are open.
    pub fn count(&self) -> usize {
        self.count_in(None)
    }

    /// Starts the closing handshake with everyone on the route, and returns with how many; new clients are admitted as
    /// before. Fails, and closes none, for a code that must not be sent: use 1000–1003, 1007–1014 or 3000–4999. A long
    /// reason is cut at 123 bytes.
    pub fn close(&self, code: u16, reason: impl Into<String>) -> Result<usize, CommandError> {
        self.close_in(None, code, reason.into())
    }

    /// Gives a command to the route's dialect, such as `broadcast` on a topic of Phoenix, with
    /// `{"topic":…,"event":…,"payload":…}`. Fails if the dialect does not know it.
    pub fn command(&self, name: &str, payload: Value) -> HandlerResult {
        self.host.dialect_command(self.index(), None, name, payload)
    }

    /// Lets things go wrong on purpose for the connections of this route.
    pub fn faults(&self) -> Faults {
        Faults::new(self.host.clone(), FaultScope::Pattern(self.pattern.as_ref().into()))
    }

    fn send_to(&self, room: Option<&str>, message: Message) -> usize {
        let room = room.map(str::to_owned);
        // Sending to a route cannot fail.
        self.host.route_command(self.index(), RouteCommand::Send { message, room }).unwrap_or_default()
    }

    fn close_in(&self, room: Option<&str>, code: u16, reason: String) -> Result<usize, CommandError> {
        let room = room.map(str::to_owned);
        self.host.route_command(self.index(), RouteCommand::Close { code, reason, room })
    }

    fn count_in(&self, room: Option<&str>) -> usize {
        let index = self.index();
        self.host.look(|engine: &Engine| engine.audience_len(index, room))
    }

    fn peers(&self, room: Option<&str>) -> Vec<Peer> {
        self.callbacks.peers(&self.host, self.index(), room)
    }
}

impl Room {
    /// The room's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends to everyone in the room, and returns to how many.
    pub fn send(&self, message: impl Into<Message>) -> usize {
        self.route.send_to(Some(&self.name), message.into())
    }

    /// Everyone in the room, in the order they came.
    pub fn connections(&self) -> Vec<Peer> {
        self.route.peers(Some(&self.name))
    }

    /// Lets things go wrong on purpose for the members of this room.
    pub fn faults(&self) -> Faults {
        let (pattern, room) = (self.route.pattern.as_ref().into(), self.name.as_ref().into());
        Faults::new(self.route.host.clone(), FaultScope::Room { pattern, room })
    }

    /// How many are in the room.
    pub fn count(&self) -> usize {
        self.route.count_in(Some(&self.name))
    }

    /// Starts the closing handshake with everyone in the room, as [`Route::close`] does.
    pub fn close(&self, code: u16, reason: impl Into<String>) -> Result<usize, CommandError> {
        self.route.close_in(Some(&self.name), code, reason.into())
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = &self.route.pattern;
        f.debug_struct("Room").field("route", pattern).field("name", &self.name).finish()
    }
}

/// There is no route with this pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no route {pattern}; there {}", list(.known))]
#[non_exhaustive]
pub struct UnknownRoute {
    /// The pattern.
    pub pattern: String,
    /// The patterns that there are, with their prefixes.
    pub known: Vec<String>,
}

impl UnknownRoute {
    pub(crate) fn new(pattern: &str, known: &[String]) -> Self {
        Self { pattern: pattern.to_owned(), known: known.to_vec() }
    }
}

fn list(known: &[String]) -> String {
    match known {
        [] => "are no routes".to_owned(),
        [one] => format!("is {one}"),
        several => format!("are {}", several.join(", ")),
    }
}
