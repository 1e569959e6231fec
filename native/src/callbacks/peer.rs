//! A connection as callbacks see it.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use switchboard_core::{
    Command, CommandError, Connection, ConnectionId, FaultScope, HandlerResult, Message, Params,
};

use crate::callbacks::Membership;
use crate::callbacks::foreign::Foreign;
use crate::callbacks::incoming::Incoming;
use crate::callbacks::socket::Inlet;
use crate::faults::Faults;
use crate::host::Host;

/// A handle on one connection: clone it, keep it, use it from any task or thread.
///
/// Its methods act at once, in the order of the calls; none waits for the network. When the connection is closed they
/// do nothing. A [`Handler`](crate::Handler) runs while the engine is locked and uses its
/// [`Context`](crate::Context) instead: a `Peer` would wait for the handler for ever.
#[derive(Clone)]
pub struct Peer {
    host: Arc<Host>,
    data: Arc<PeerData>,
}

/// The facts of a connection, which do not change, and what its callbacks keep.
pub(crate) struct PeerData {
    id: ConnectionId,
    name: Arc<str>,
    request: http::Request<()>,
    address: Option<IpAddr>,
    params: Params,
    subprotocol: Option<String>,
    auth_data: Value,
    metadata: Mutex<http::Extensions>,
    /// Held by the callback that runs: those of one connection never overlap.
    callback: tokio::sync::Mutex<()>,
    /// The message of two hooks in a row.
    current: Mutex<Option<Incoming>>,
    route: usize,
    /// The memberships in topics of Phoenix, from the beginning of a join.
    channels: Mutex<HashMap<String, Arc<Membership>>>,
    /// The way of its messages to its task, if it has one.
    inlet: OnceLock<Arc<Inlet>>,
    /// Functions in another language that know of it.
    foreign: OnceLock<Arc<dyn Foreign>>,
}

/// The receivers of [`Peer::broadcast_with`]. The default is everyone else on the route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// The members of any of these rooms, each once; with an empty list nobody. Default `None`: the whole route.
    pub rooms: Option<Vec<String>>,
    /// Also the sender, if it is among them. Default false.
    pub include_self: bool,
}

impl Audience {
    /// The others in one room. The sender need not be a member.
    pub fn room(name: impl Into<String>) -> Self {
        Self::rooms([name])
    }

    /// The others in any of these rooms.
    pub fn rooms<R: Into<String>>(names: impl IntoIterator<Item = R>) -> Self {
        Self { rooms: Some(names.into_iter().map(Into::into).collect()), include_self: false }
    }

    /// The same, with the sender.
    pub fn including_self(mut self) -> Self {
        self.include_self = true;
        self
    }
}

impl Peer {
    pub(crate) fn new(host: Arc<Host>, data: Arc<PeerData>) -> Self {
        Self { host, data }
    }

    pub(crate) fn data(&self) -> &PeerData {
        &self.data
    }

    /// The id that users see: a version 4 UUID.
    pub fn id(&self) -> &str {
        &self.data.name
    }

    /// The whole path of the opening handshake, without the query.
    pub fn path(&self) -> &str {
        self.data.request.uri().path()
    }

    /// The opening handshake's request.
    pub fn request(&self) -> &http::Request<()> {
        &self.data.request
    }

    /// Lets things go wrong on purpose for this connection.
    pub fn faults(&self) -> Faults {
        Faults::new(self.host.clone(), FaultScope::Connection(self.data.id))
    }

    /// The client's address, if the server knows it.
    pub fn address(&self) -> Option<IpAddr> {
        self.data.address
    }

    /// What the pattern's `{name}` parts stood for, not percent-decoded.
    pub fn params(&self) -> &Params {
        &self.data.params
    }

    /// The subprotocol both sides agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.data.subprotocol.as_deref()
    }

    /// What authentication returned as the client's data; null if nothing.
    pub fn auth_data(&self) -> &Value {
        &self.data.auth_data
    }

    /// A place for your own data on this connection, by type. Not to be held across an await.
    pub fn metadata(&self) -> MutexGuard<'_, http::Extensions> {
        self.data.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing can be sent any more.
    pub fn is_closed(&self) -> bool {
        !self.look(Connection::is_open).unwrap_or_default()
    }

    /// Sends a message: a string as text, [`Bytes`] as binary, a [`Value`] as JSON; your own types through
    /// [`Message::json`].
    pub fn send(&self, message: impl Into<Message>) {
        self.apply(Command::Send(message.into()));
    }

    /// Sends a message, or fails with [`CommandError::Closed`] if the connection is gone. A message that was sent need not
    /// arrive: the connection may break.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), CommandError> {
        self.command(Command::Send(message.into()))
    }

    /// Sends to everyone else on the route.
    pub fn broadcast(&self, message: impl Into<Message>) {
        self.broadcast_with(message, Audience::default());
    }

    /// Sends to an audience.
    pub fn broadcast_with(&self, message: impl Into<Message>, to: Audience) {
        let Audience { rooms, include_self } = to;
        self.apply(Command::Broadcast { message: message.into(), rooms, include_self });
    }

    /// Sends to the members of all rooms that this connection is in, each once; without rooms, to the whole route.
    pub fn broadcast_all_rooms(&self, message: impl Into<Message>, include_self: bool) {
        self.apply(Command::BroadcastAllRooms { message: message.into(), include_self });
    }

    /// Joins a room. Fails if a limit is reached.
    pub fn join(&self, room: impl Into<String>) -> Result<(), CommandError> {
        self.command(Command::Join(room.into()))
    }

    /// Leaves a room; nothing happens when it was not in it.
    pub fn leave(&self, room: impl Into<String>) {
        self.apply(Command::Leave(room.into()));
    }

    /// Has the client take part in the route's history, as `switchboard-history` in its query does: it joins the room, if it
    /// is not in it, is told how far the room is, and with the last `position` that it was told gets what it has missed since.
    /// An empty room is everyone on the route. Fails if the route keeps no history, or a limit is reached.
    pub fn recover(&self, room: impl Into<String>, position: Option<String>) -> Result<(), CommandError> {
        self.command(Command::Recover { room: room.into(), position })
    }

    /// Whether the connection is in a room.
    pub fn is_in_room(&self, room: &str) -> bool {
        self.look(|connection| connection.is_in_room(room)).unwrap_or_default()
    }

    /// The rooms the connection is in, in the order it joined them.
    pub fn rooms(&self) -> Vec<String> {
        self.look(|connection| connection.rooms().map(|room| room.to_string()).collect()).unwrap_or_default()
    }

    /// Sends a ping of at most 125 bytes.
    pub fn ping(&self, payload: impl Into<Bytes>) -> Result<(), CommandError> {
        self.command(Command::Ping(payload.into()))
    }

    /// Sends a pong of at most 125 bytes.
    pub fn pong(&self, payload: impl Into<Bytes>) -> Result<(), CommandError> {
        self.command(Command::Pong(payload.into()))
    }

    /// Starts the closing handshake. Fails for a code that must not be sent; a long reason is cut at 123 bytes.
    pub fn close(&self, code: u16, reason: impl Into<String>) -> Result<(), CommandError> {
        self.command(Command::Close { code: Some(code), reason: reason.into() })
    }

    /// Drops the connection without a close frame; the client sees 1006.
    pub fn terminate(&self) {
        self.apply(Command::Terminate);
    }

    /// Starts or restarts the heartbeat with this interval. After three pings without a pong the connection is closed with
    /// 1000.
    pub fn start_heartbeat(&self, interval: Duration) {
        self.apply(Command::Heartbeat(Some(interval)));
    }

    /// Stops the heartbeat.
    pub fn stop_heartbeat(&self) {
        self.apply(Command::Heartbeat(None));
    }

    /// Resets the number of missed pongs.
    pub fn reset_missed_pongs(&self) {
        self.apply(Command::ResetMissedPongs);
    }

    /// Closes the connection when nothing comes for this long, from now on.
    pub fn start_inactivity_timeout(&self, timeout: Duration) {
        self.apply(Command::InactivityTimeout(Some(timeout)));
    }

    /// Stops the inactivity timeout.
    pub fn stop_inactivity_timeout(&self) {
        self.apply(Command::InactivityTimeout(None));
    }

    /// Gives a command to the route's dialect or [`Handler`](crate::Handler), on behalf of this connection:
    /// [`Handler::command`](crate::Handler::command).
    pub fn dialect_command(&self, name: &str, payload: Value) -> HandlerResult {
        self.host.dialect_command(self.data.route, Some(self.data.id), name, payload)
    }

    /// The same on behalf of no connection.
    pub(crate) fn route_command(&self, name: &str, payload: Value) -> HandlerResult {
        self.host.dialect_command(self.data.route, None, name, payload)
    }

    fn command(&self, command: Command) -> Result<(), CommandError> {
        self.host.command(self.data.id, command)
    }

    /// For commands that cannot fail.
    fn apply(&self, command: Command) {
        let _ = self.command(command);
    }

    fn look<T>(&self, look: impl FnOnce(&Connection) -> T) -> Option<T> {
        self.host.look(|engine| engine.connection(self.data.id).map(look))
    }
}

impl fmt::Debug for Peer {
    /// The path without the query, which may contain a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("id", &self.id()).field("path", &self.path()).finish_non_exhaustive()
    }
}

/// Two handles are equal if they are handles on the same connection.
impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.data, &other.data)
    }
}

impl Eq for Peer {}

/// The hash of the connection, which never changes, so a `Peer` can be a key. Clippy cannot know that, and demands an
/// `allow(clippy::mutable_key_type)`.
impl Hash for Peer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.data).hash(state);
    }
}

impl PeerData {
    pub(crate) fn new(connection: &Connection) -> Self {
        Self {
            id: connection.id(),
            name: connection.public_id().clone(),
            request: connection.request(),
            address: connection.address(),
            params: connection.params().clone(),
            subprotocol: connection.subprotocol().map(str::to_owned),
            auth_data: connection.auth_data().clone(),
            metadata: Mutex::new(connection.metadata().clone()),
            callback: tokio::sync::Mutex::default(),
            current: Mutex::default(),
            route: connection.route(),
            channels: Mutex::default(),
            inlet: OnceLock::new(),
            foreign: OnceLock::new(),
        }
    }

    /// These functions see the connection from now on.
    pub(crate) fn known_to(&self, foreign: &Arc<dyn Foreign>) {
        // After an edit they are others, but what runs them is the same.
        let _ = self.foreign.get_or_init(|| foreign.clone());
    }

    /// The functions in another language that know of it.
    pub(crate) fn foreign(&self) -> Option<&Arc<dyn Foreign>> {
        self.foreign.get()
    }

    pub(crate) fn request(&self) -> &http::Request<()> {
        &self.request
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    pub(crate) fn channels(&self) -> MutexGuard<'_, HashMap<String, Arc<Membership>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn inlet(&self) -> Option<&Arc<Inlet>> {
        self.inlet.get()
    }

    /// A connection opens once, so that there is none yet.
    pub(crate) fn set_inlet(&self, inlet: Arc<Inlet>) {
        let _ = self.inlet.set(inlet);
    }

    pub(crate) fn callback(&self) -> &tokio::sync::Mutex<()> {
        &self.callback
    }

    pub(crate) fn set_current(&self, incoming: Incoming) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(incoming);
    }

    pub(crate) fn take_current(&self) -> Option<Incoming> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What functions in another language are told.
#[cfg(feature = "javascript")]
impl PeerData {
    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(crate) fn public_id(&self) -> &str {
        &self.name
    }

    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    pub(crate) fn auth_data(&self) -> &Value {
        &self.auth_data
    }

    pub(crate) fn route(&self) -> usize {
        self.route
    }
}
