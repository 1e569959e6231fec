//! The trait of channels, to write one in Rust.

use std::any::Any;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::message::{Body, Outgoing};
use super::nodes::{tell_tracked, tell_untracked};
use super::presence::{Presence, Untracked};
use super::sockets::{ReplyTo, Sockets};
use crate::feed::FeedValue;
use crate::handler::context::Context;
use crate::handler::{HandlerError, HandlerResult};
use crate::interface::channel::{Status, Termination};
use crate::interface::connection_id::ConnectionId;
use crate::interface::hook::{Answer, CallId};
use crate::interface::http_endpoint::HttpEndpoint;
use crate::interface::payload::Payload;
use crate::state::connection::Connection;

/// The behaviour behind a topic pattern. One value serves all clients and all topics of its pattern.
///
/// The methods are called one after another for each client; after a [`Reply::Later`] its next message waits for the answer.
/// An error, or a panic, costs the client this channel: a join is refused with `join crashed`, a joined channel
/// ends with `phx_error`, after which Phoenix's clients join again.
///
/// ```
/// use switchboard_core::dialect::phoenix::{Channel, ChannelContext, Payload, Reply};
/// use switchboard_core::HandlerError;
/// use serde_json::json;
///
/// struct Room;
///
/// impl Channel for Room {
///     fn join(&mut self, _: &mut ChannelContext<'_, '_>, payload: &Payload) -> Result<Reply, HandlerError> {
///         match payload.json().get("name") {
///             Some(_) => Ok(Reply::Ok(Payload::empty())),
///             None => Ok(Reply::Error(json!({ "reason": "a name is needed" }).into())),
///         }
///     }
///
///     fn handle_in(
///         &mut self,
///         cx: &mut ChannelContext<'_, '_>,
///         event: &str,
///         payload: Payload,
///     ) -> Result<Reply, HandlerError> {
///         cx.broadcast_from(event, payload);
///         Ok(Reply::None)
///     }
/// }
/// ```
pub trait Channel: Any + Send {
    /// A client has connected; it has joined nothing yet.
    fn connect(&mut self, cx: &mut Context<'_>) {
        let _ = cx;
    }

    /// A client wants to join. [`Reply::None`] and [`Reply::Ok`] accept it. Do not push here: the client does not
    /// listen yet, see [`joined`](Self::joined).
    fn join(&mut self, cx: &mut ChannelContext<'_, '_>, payload: &Payload) -> Result<Reply, HandlerError>;

    /// The client has the reply to its join: the time for first pushes and presence.
    fn joined(&mut self, cx: &mut ChannelContext<'_, '_>) -> HandlerResult {
        let _ = cx;
        Ok(())
    }

    /// The client sent an event.
    fn handle_in(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        event: &str,
        payload: Payload,
    ) -> Result<Reply, HandlerError>;

    /// The answer to the [`Hook`](crate::Hook) of a [`Reply::Later`]; it has the result of the method that called it.
    fn answer(&mut self, cx: &mut ChannelContext<'_, '_>, answer: Answer) -> Result<Reply, HandlerError> {
        let _ = (cx, answer);
        Ok(Reply::None)
    }

    /// The client is no longer on the topic, and its presence is gone. Called once for every join that
    /// [`join`](Self::join) accepted, even if [`joined`](Self::joined) was not called: a client that is in too many rooms
    /// is refused after all.
    fn terminate(&mut self, cx: &mut ChannelContext<'_, '_>, why: Termination) {
        let _ = (cx, why);
    }

    /// A value was published on one of the route's feeds. No client and no topic is in focus.
    fn publish(&mut self, cx: &mut ChannelContext<'_, '_>, feed: &str, value: &FeedValue) -> HandlerResult {
        let _ = (cx, feed, value);
        Ok(())
    }

    /// Takes over its topics from the channel that had the same pattern before the engine was
    /// [reconfigured](crate::Handler::succeed): its state is to be taken from it, by its type. False: the clients' channels
    /// end with `phx_error`, after which Phoenix's clients join again. That is the default; a channel without state of its
    /// clients writes `predecessor.is::<Self>()`.
    fn succeed(&mut self, predecessor: &mut dyn Any) -> bool {
        let _ = predecessor;
        false
    }

    /// A timer of this client's channel is due ([`ChannelContext::set_timer`]).
    fn timeout(&mut self, cx: &mut ChannelContext<'_, '_>, key: u32) -> HandlerResult {
        let _ = (cx, key);
        Ok(())
    }

    /// The plain HTTP paths that the channel answers.
    fn endpoints(&self) -> Vec<HttpEndpoint> {
        Vec::new()
    }

    /// A request for one of [`endpoints`](Self::endpoints).
    fn request(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        request: &http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HandlerError> {
        let _ = (cx, request);
        Err("this channel answers no HTTP requests".into())
    }
}

/// The result of a client's message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// No reply; to a join, `ok` with `{}`.
    None,
    /// Reply `ok`.
    Ok(Payload),
    /// Reply `error`; a join is refused.
    Error(Payload),
    /// No reply, and the channel ends for this client with `phx_close`.
    Stop,
    /// A hook was called; [`Channel::answer`] goes on from here.
    Later(CallId),
}

/// A channel's view of its route during one step: this client on this topic, and everyone else.
pub struct ChannelContext<'a, 'b> {
    pub(super) cx: &'a mut Context<'b>,
    pub(super) sockets: &'a Sockets,
    pub(super) presence: &'a mut Presence,
    /// Which of the route's channels this is.
    pub(super) mount: usize,
    pub(super) topic: &'a str,
    pub(super) reference: &'a Value,
}

impl<'b> ChannelContext<'_, 'b> {
    /// The topic; empty if no client is in focus.
    pub fn topic(&self) -> &str {
        self.topic
    }

    /// The client's connection.
    pub fn connection(&self) -> Option<&Connection> {
        self.cx.connection()
    }

    /// The client.
    pub fn id(&self) -> Option<ConnectionId> {
        self.cx.id()
    }

    /// The `ref` of the current message; `null` if there is none.
    pub fn reference(&self) -> &Value {
        self.reference
    }

    /// The route behind the channel: clocks, randomness, feeds, hooks, the log.
    pub fn context(&mut self) -> &mut Context<'b> {
        self.cx
    }

    /// How many clients are connected to the route.
    pub fn clients(&self) -> usize {
        self.sockets.len()
    }

    /// Sends an event to this client.
    pub fn push(&mut self, event: &str, payload: impl Into<Payload>) {
        let topic = self.topic;
        if let Some(id) = self.cx.id() {
            self.push_each([id], topic, event, payload);
        }
    }

    /// Sends an event to each of these clients that has joined `topic`, encoded once.
    pub fn push_each(
        &mut self,
        ids: impl IntoIterator<Item = ConnectionId>,
        topic: &str,
        event: &str,
        payload: impl Into<Payload>,
    ) {
        self.sockets.push_each(self.cx, ids, topic, event, &payload.into());
    }

    /// Sends an event to everyone on the topic, this client included.
    pub fn broadcast(&mut self, event: &str, payload: impl Into<Payload>) {
        self.sockets.broadcast(self.cx, self.topic, event, &payload.into(), None);
    }

    /// Sends an event to everyone else on the topic.
    pub fn broadcast_from(&mut self, event: &str, payload: impl Into<Payload>) {
        let this = self.cx.id();
        self.sockets.broadcast(self.cx, self.topic, event, &payload.into(), this);
    }

    /// Sends an event to everyone on any topic.
    pub fn broadcast_on(&mut self, topic: &str, event: &str, payload: impl Into<Payload>) {
        self.sockets.broadcast(self.cx, topic, event, &payload.into(), None);
    }

    /// Sends an event to everyone on any topic of this channel that somebody on this node has joined. A feed's values come to
    /// each node, so that all are reached; it is no part of the route's history.
    pub fn broadcast_on_each_topic(&mut self, event: &str, payload: impl Into<Payload>) {
        let payload = payload.into();
        for topic in self.sockets.topics(self.mount) {
            self.sockets.broadcast_unkept(self.cx, topic, event, &payload, None);
        }
    }

    /// Answers the current message at once, so that other messages can follow the reply. Then return [`Reply::None`].
    pub fn reply(&mut self, status: Status, response: impl Into<Payload>) {
        let (reference, topic) = (self.reference, self.topic);
        if let Some(id) = self.cx.id() {
            let joined = self.sockets.joined(id, topic);
            let join_ref = joined.map_or(&Value::Null, |joined| &joined.join_ref);
            let body = &Body::new(&response.into());
            let ReplyTo { join_ref, reference, topic } = ReplyTo { join_ref, reference, topic };
            self.sockets.send(self.cx, id, &Outgoing::Reply { join_ref, reference, topic, status, body });
        }
    }

    /// Makes this client present under `key`, or changes its meta, and tells everyone on the topic. Errors: a key and meta
    /// of more than 64 KiB as JSON, or more than 1 MiB of them on the topic.
    pub fn track(&mut self, key: &str, meta: Map<String, Value>) -> HandlerResult {
        let Some(id) = self.cx.id() else { return Ok(()) };
        let mut bytes = [0; 12];
        self.cx.random(&mut bytes);
        let reference = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, bytes);
        let diff = self.presence.track(self.topic, key, id, meta, reference)?;
        tell_tracked(self.cx, self.presence, self.topic, key);
        self.tell_diff(diff);
        Ok(())
    }

    /// Makes this client absent under `key`, or under every key, and tells everyone on the topic.
    pub fn untrack(&mut self, key: Option<&str>) {
        let Some(id) = self.cx.id() else { return };
        if let Some(Untracked { diff, entries }) = self.presence.untrack(self.topic, key, id) {
            tell_untracked(self.cx, &entries);
            self.tell_diff(diff);
        }
    }

    /// Each node tells its own clients, as it learns who is present.
    fn tell_diff(&mut self, diff: Value) {
        self.sockets.broadcast_here(self.cx, self.topic, "presence_diff", &diff.into(), None);
    }

    /// Tells this client who is present on the topic.
    pub fn push_presence_state(&mut self) {
        let state = self.presence.state(self.topic);
        self.push("presence_state", state);
    }

    /// Who is present on the topic: `{"<key>":{"metas":[{"phx_ref":…},…]}}`.
    pub fn presences(&self) -> Value {
        self.presence.state(self.topic)
    }

    /// Sets or moves timer `key` of this client's channel, `after` from now. It ends with the channel.
    pub fn set_timer(&mut self, key: u32, after: Duration) {
        if let Some(joined) = self.cx.id().and_then(|id| self.sockets.joined(id, self.topic)) {
            self.cx.set_timer(timer(joined.number, key), after);
        }
    }
}

/// The connection's timer for a timer of a channel. Joins count from 1, so that 0 is never one.
pub(super) fn timer(join: u32, key: u32) -> u64 {
    u64::from(join) << 32 | u64::from(key)
}

/// An `error` reply with this reason.
pub(super) fn refusal(reason: impl Into<String>) -> Payload {
    json!({ "reason": reason.into() }).into()
}
