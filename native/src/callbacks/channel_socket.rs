//! A client on a topic of Phoenix, as a channel's functions see it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use switchboard_core::ChannelReply;
use switchboard_core::dialect::phoenix::{Payload, Status};

use crate::callbacks::peer::Peer;

/// A client on a topic, from its join to its leave: clone it, keep it, use it from any task or thread.
///
/// Everything it is asked to do happens at once. For a client that has left the topic it does nothing, but its
/// broadcasts still reach the others. What the dialect does not take is logged as a warning.
#[derive(Clone)]
pub struct ChannelSocket {
    peer: Peer,
    joined: Arc<Membership>,
    reference: Value,
}

/// One client's time on one topic.
pub(crate) struct Membership {
    topic: String,
    assigns: Mutex<http::Extensions>,
    is_over: AtomicBool,
}

impl Membership {
    pub(super) fn new(topic: String) -> Self {
        Self { topic, assigns: Mutex::default(), is_over: AtomicBool::new(false) }
    }
}

impl ChannelSocket {
    pub(super) fn new(peer: Peer, joined: Arc<Membership>, reference: Value) -> Self {
        Self { peer, joined, reference }
    }

    /// The client's connection, the same on all its topics.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The topic that it joined.
    pub fn topic(&self) -> &str {
        &self.joined.topic
    }

    /// A place for your own data on this topic, by type. Not to be held across an await.
    pub fn assigns(&self) -> MutexGuard<'_, http::Extensions> {
        self.joined.assigns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `ref` of the message in work, for a [`reply`](Self::reply) when its function is long over; null where there
    /// is none.
    pub fn reference(&self) -> &Value {
        &self.reference
    }

    /// Sends an event to this client: JSON, or bytes.
    pub fn push(&self, event: &str, payload: impl Into<Payload>) {
        self.command("push", json!({ "event": event, "payload": payload.into().into_user() }));
    }

    /// Sends an event to everyone on the topic, this client included.
    pub fn broadcast(&self, event: &str, payload: impl Into<Payload>) {
        let payload = payload.into().into_user();
        self.tell(false, "broadcast", json!({ "event": event, "payload": payload }));
    }

    /// Sends an event to everyone else on the topic.
    pub fn broadcast_from(&self, event: &str, payload: impl Into<Payload>) {
        // Who has left is not among those who would hear it.
        if self.is_over() {
            return self.broadcast(event, payload);
        }
        self.command("broadcastFrom", json!({ "event": event, "payload": payload.into().into_user() }));
    }

    /// Answers the message of this [`reference`](Self::reference), which its function has not answered.
    pub fn reply(&self, reference: &Value, reply: ChannelReply) {
        if let Some((status, response)) = reply.reply {
            let status = if status == Status::Ok { "ok" } else { "error" };
            let response = response.into_user();
            self.command("reply", json!({ "ref": reference, "status": status, "response": response }));
        }
    }

    /// Makes this client present under `key`, or changes its meta, an object, and tells everyone on the topic.
    pub fn track(&self, key: &str, meta: Value) {
        self.command("track", json!({ "key": key, "meta": meta }));
    }

    /// Makes this client absent under `key` and tells everyone on the topic.
    pub fn untrack(&self, key: &str) {
        self.command("untrack", json!({ "key": key }));
    }

    /// Makes this client absent under every key and tells everyone on the topic.
    pub fn untrack_all(&self) {
        self.command("untrack", json!({}));
    }

    /// Tells this client who is present.
    pub fn push_presence_state(&self) {
        self.command("presenceState", json!({}));
    }

    /// Ends the channel for this client with `phx_close`.
    pub fn stop(&self) {
        self.command("stop", json!({}));
    }

    /// Ends the channel for this client with `phx_error`, after which Phoenix's clients join again.
    pub fn crash(&self) {
        self.command("stop", json!({ "error": true }));
    }

    /// The client is no longer on the topic, or was not let in.
    pub(super) fn end(&self) {
        self.joined.is_over.store(true, Ordering::Relaxed);
        let mut channels = self.peer.data().channels();
        if channels.get(self.topic()).is_some_and(|joined| Arc::ptr_eq(joined, &self.joined)) {
            channels.remove(self.topic());
        }
    }

    fn is_over(&self) -> bool {
        self.joined.is_over.load(Ordering::Relaxed) || self.peer.is_closed()
    }

    fn command(&self, name: &str, fields: Value) {
        if !self.is_over() {
            self.tell(true, name, fields);
        }
    }

    fn tell(&self, by_client: bool, name: &str, mut fields: Value) {
        fields["topic"] = self.topic().into();
        let told = if by_client {
            self.peer.dialect_command(name, fields)
        } else {
            self.peer.route_command(name, fields)
        };
        if let Err(error) = told {
            // It may come long after the function is over, where nobody could take an error.
            tracing::warn!("{name} on {}: {error}", self.topic());
        }
    }
}

impl fmt::Debug for ChannelSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelSocket")
            .field("peer", &self.peer)
            .field("topic", &self.topic())
            .finish_non_exhaustive()
    }
}
