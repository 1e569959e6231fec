//! One client, from its opening handshake to its last hook.

use std::net::IpAddr;
use std::sync::Arc;

use indexmap::{IndexSet, set};
use serde_json::Value;

use crate::heartbeat::{Heartbeat, Inactivity};
use crate::hook::CallId;
use crate::inbox::Inbox;
use crate::message::CloseFrame;
use crate::pattern::Params;
use crate::protocol::Handshake;
use crate::rate::Bucket;
use crate::stored_request::StoredRequest;

/// A connection's handle, made by the host before the opening handshake ([`ConnectionIds`]).
///
/// The slot is small and reused, so that hosts and the engine can keep connections in plain vectors; the
/// generation tells two users of one slot apart, so a late command can never reach a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    slot: u32,
    generation: u32,
}

impl ConnectionId {
    /// The index for a vector of connections.
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// The handle as one number, for crossing into JavaScript as two `u32`.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// The inverse of [`to_bits`](Self::to_bits).
    pub fn from_bits(bits: u64) -> Self {
        Self { slot: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// Hands out [`ConnectionId`]s. A slot is reused once the engine said
/// [`Effect::Removed`](crate::Effect::Removed).
#[derive(Debug, Default)]
pub struct ConnectionIds {
    generations: Vec<u32>,
    free: Vec<u32>,
}

impl ConnectionIds {
    /// An id that no living connection has.
    pub fn allocate(&mut self) -> ConnectionId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.generations.push(0);
            (self.generations.len() - 1) as u32
        });
        ConnectionId { slot, generation: self.generations[slot as usize] }
    }

    /// Frees an id's slot. Releasing an id twice does nothing.
    pub fn release(&mut self, id: ConnectionId) {
        if let Some(generation) = self.generations.get_mut(id.slot())
            && *generation == id.generation
        {
            *generation = generation.wrapping_add(1);
            self.free.push(id.slot);
        }
    }
}

/// A client as handlers see it.
///
/// There may be very many that do nothing, so what most of them do not have costs them a pointer.
#[derive(Debug)]
pub struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) name: Arc<str>,
    pub(crate) route: usize,
    pub(crate) request: StoredRequest,
    /// What the request asks for, until it is answered.
    pub(crate) handshake: Option<Box<Handshake>>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) params: Option<Box<Params>>,
    pub(crate) subprotocol: Option<Arc<str>>,
    pub(crate) auth_data: Option<Box<Value>>,
    pub(crate) extensions: http::Extensions,
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
    pub fn name(&self) -> &Arc<str> {
        &self.name
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

    /// The opening handshake's request, without the extensions that the host gave it. It is kept in a few bytes and
    /// made anew by each call: what is needed often is to be kept.
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

    /// What authentication said about the client; `null` when it said nothing.
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

    /// A place for a handler's own data on this connection.
    pub fn extensions(&self) -> &http::Extensions {
        &self.extensions
    }

    /// A place for a handler's own data on this connection, to write.
    pub fn extensions_mut(&mut self) -> &mut http::Extensions {
        &mut self.extensions
    }

    /// Whether messages can still be sent: the opening handshake is done and no close frame was sent.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether the opening handshake is done, however the connection stands since.
    pub(crate) fn has_opened(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closing(_) | Phase::Closed(_))
    }
}

/// Where a connection stands. All transitions are in `engine/upgrade.rs` and `engine/closing.rs`.
///
/// ```text
/// Upgrade ─▶ Authenticating ─▶ Accepted ─▶ Open ─▶ Closing ─▶ Closed ─▶ removed
///    │            │    │           │         └────(lost)───────▲
///    │            │    └───────────┴─▶ Refusing ─▶ removed     (accepted only to carry a close code; no hook runs)
///    └────────────┴──────▶ removed                  (rejected with an HTTP status)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The user's code decides whether the client may come in.
    Authenticating(CallId),
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

/// How a connection ended: what the close hook is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closure {
    pub(crate) frame: CloseFrame,
    pub(crate) cause: CloseCause,
}

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCause {
    /// The client sent a close frame first.
    Client,
    /// This server closed it: a handler, a timer, a limit, a protocol violation, a shutdown.
    Server,
    /// The transport ended without a close frame.
    Lost,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_slot_comes_back_with_another_generation() {
        let mut ids = ConnectionIds::default();
        let (first, second) = (ids.allocate(), ids.allocate());
        assert_ne!(first, second);
        ids.release(first);
        ids.release(first);
        let third = ids.allocate();
        assert_eq!(third.slot(), first.slot());
        assert_ne!(third, first);
        assert_ne!(ids.allocate().slot(), third.slot());
        assert_eq!(ConnectionId::from_bits(third.to_bits()), third);
    }

    #[test]
    fn an_idle_connection_is_small() {
        assert!(size_of::<Connection>() <= 208, "{} bytes", size_of::<Connection>());
    }
}
