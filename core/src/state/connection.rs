//! One client, from its opening handshake to its last hook.

use std::net::IpAddr;
use std::sync::Arc;

use indexmap::{IndexSet, set};
use serde_json::Value;

use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::hook::CallId;
use crate::message::CloseFrame;
use crate::protocol::Handshake;
use crate::routing::pattern::Params;
use crate::state::close_wait::CloseWait;
use crate::state::heartbeat::{Heartbeat, Inactivity};
use crate::state::inbox::Inbox;
use crate::state::rate::Bucket;
use crate::state::stored_request::StoredRequest;
use crate::template::ConnectionScope;

/// A client as handlers see it.
///
/// There may be very many idle ones, so what most of them do not have takes only a pointer.
#[derive(Debug)]
pub struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) public_id: Arc<str>,
    pub(crate) route: usize,
    pub(crate) request: StoredRequest,
    /// The opening handshake, until it is answered.
    pub(crate) handshake: Option<Box<Handshake>>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) params: Option<Box<Params>>,
    pub(crate) subprotocol: Option<Arc<str>>,
    pub(crate) auth_data: Option<Box<Value>>,
    pub(crate) metadata: http::Extensions,
    pub(crate) rooms: Option<Box<IndexSet<Arc<str>>>>,
    pub(crate) phase: Phase,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) inactivity: Inactivity,
    pub(crate) inbox: Inbox,
    pub(crate) bucket: Bucket,
}

impl Connection {
    /// The handle that commands and effects name.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The id that users see: a version 4 UUID.
    pub fn public_id(&self) -> &Arc<str> {
        &self.public_id
    }

    /// The index of the route that matched.
    pub fn route(&self) -> usize {
        self.route
    }

    /// The whole path of the opening handshake, prefix included, without the query.
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// The query string of the opening handshake without its `?`; empty when there was none.
    pub fn query(&self) -> &str {
        self.request.query()
    }

    /// The opening handshake's request, without the extensions that the host gave it. It is stored in a compact form and
    /// built anew by each call, so keep what you need often.
    pub fn request(&self) -> http::Request<()> {
        self.request.to_request()
    }

    /// The client's address, if the host knows it.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// What the pattern's `{name}` parts stood for, not URL-decoded.
    pub fn params(&self) -> &Params {
        static NONE: Params = Params::NONE;
        self.params.as_deref().unwrap_or(&NONE)
    }

    /// The subprotocol both sides agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// What authentication returned as the client's data; `null` if nothing.
    pub fn auth_data(&self) -> &Value {
        self.auth_data.as_deref().unwrap_or(&Value::Null)
    }

    /// The rooms the connection is in, in the order it joined them.
    pub fn rooms(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.rooms.as_deref().map_or_else(set::Iter::default, IndexSet::iter)
    }

    pub(crate) fn rooms_len(&self) -> usize {
        self.rooms.as_deref().map_or(0, IndexSet::len)
    }

    /// Whether the connection is in `room`.
    pub fn is_in_room(&self, room: &str) -> bool {
        self.rooms.as_deref().is_some_and(|rooms| rooms.contains(room))
    }

    /// The connection as templates and rules see it. `rooms` gives the names of its rooms when asked.
    pub fn scope<'a>(&'a self, rooms: &'a dyn Fn() -> Vec<String>) -> ConnectionScope<'a> {
        ConnectionScope {
            id: self.public_id(),
            path: self.path(),
            subprotocol: self.subprotocol(),
            params: self.params(),
            query: self.query(),
            auth_data: self.auth_data(),
            rooms,
        }
    }

    /// A place for a handler's own data on this connection.
    pub fn metadata(&self) -> &http::Extensions {
        &self.metadata
    }

    /// A place for a handler's own data on this connection, to write.
    pub fn metadata_mut(&mut self) -> &mut http::Extensions {
        &mut self.metadata
    }

    /// Whether messages can still be sent: the opening handshake is done and no close frame was sent.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether outgoing connections can be opened for it.
    pub(crate) fn may_dial(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Delayed)
    }

    /// Whether the transport is gone.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed(_))
    }

    /// Whether the opening handshake is done; the connection may have closed since.
    pub(crate) fn has_opened(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closing(_) | Phase::Closed(_))
    }
}

/// The state of a connection. All transitions are in `engine/upgrade.rs`, `engine/opening.rs` and `engine/closing.rs`.
///
/// | From | To | When |
/// |---|---|---|
/// | the opening handshake | `Authenticating` | the user's code has to decide |
/// | | `Held` | a fault delays the answer, or there will be none |
/// | it, or `Held` | `Authenticating`, `Delayed`, `Accepted` | the fault lets it go on |
/// | it, or `Authenticating` | `Delayed` | the client is admitted, and its handler answers later |
/// | it, `Authenticating` or `Delayed` | `Accepted` | the client is admitted |
/// | | `Refusing` | it is refused with a close code, for which the upgrade is completed; no hook runs |
/// | | removed | it is refused with an HTTP status, or lost |
/// | `Accepted` | `Open` | the host has reported `Opened` |
/// | | `Refusing` | the server is stopping |
/// | | removed | it is lost before it has opened |
/// | `Refusing` | removed | the transport is gone |
/// | `Open` | `Closing` | a close frame was sent or received, or the connection is being dropped |
/// | | `Closed` | the transport is gone without a close frame |
/// | `Closing` | `Closed` | the transport is gone |
/// | `Closed` | removed | its last hook has run |
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The user's code decides whether the client is admitted.
    Authenticating(CallId),
    /// Its handler answers the opening handshake, once an outgoing connection has opened or failed.
    Delayed,
    /// A fault keeps its opening handshake from being answered, for a time or for ever.
    Held,
    /// The host was told to answer 101 and has not reported `Opened` yet.
    Accepted,
    /// Accepted only so that this close frame reaches the client.
    Refusing(Box<CloseFrame>),
    /// Messages flow.
    Open,
    /// A close frame was sent or received, or the connection is being dropped; the transport is still there.
    Closing(Box<Closure>),
    /// The transport is gone; hooks that came before the close hook may still run.
    Closed(Box<Closure>),
}

/// How a connection ended, for the close hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closure {
    pub(crate) frame: CloseFrame,
    pub(crate) cause: CloseCause,
    /// How long the client may still take; `None` once it is not waited for.
    pub(crate) wait: Option<CloseWait>,
}

impl Closure {
    /// An end whose client is not waited for yet.
    pub(crate) fn new(frame: CloseFrame, cause: CloseCause) -> Box<Self> {
        Box::new(Self { frame, cause, wait: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_is_small() {
        assert!(size_of::<Connection>() <= 208, "{} bytes", size_of::<Connection>());
    }
}
