//! The clients of a route: how each is spoken to, and which channels it has joined.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::message::{Body, ClientMessage, Outgoing};
use super::serializer::{Form, Version};
use crate::handler::context::Context;
use crate::interface::channel::Status;
use crate::interface::connection_id::ConnectionId;
use crate::interface::payload::Payload;
use crate::time::Instant;

/// One client.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) version: Version,
    pub(crate) form: Form,
    /// When something last came.
    pub(crate) active: Instant,
    /// By topic, in the order of joining.
    pub(crate) channels: IndexMap<String, Joined>,
    /// Channels joined so far, for telling their timers apart.
    pub(crate) joins: u32,
}

/// A channel that a client has joined.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    /// Which of the route's channels it is.
    pub(crate) mount: usize,
    pub(crate) join_ref: Value,
    /// The number of the join, counted per socket.
    pub(crate) number: u32,
    /// Whether the client takes part in the history.
    pub(crate) follows: bool,
}

/// All clients of a route.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    sockets: HashMap<ConnectionId, Socket>,
    /// The topics that somebody has joined.
    topics: IndexMap<String, Topic>,
}

/// A topic that somebody has joined.
#[derive(Debug)]
struct Topic {
    /// Which of the route's channels serves it: one and the same for all clients.
    mount: usize,
    clients: usize,
}

impl Sockets {
    pub(crate) fn insert(&mut self, id: ConnectionId, version: Version, now: Instant) {
        let channels = IndexMap::new();
        let socket = Socket { version, form: version.form(), active: now, channels, joins: 0 };
        self.sockets.insert(id, socket);
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Socket> {
        self.sockets.remove(&id)
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Socket> {
        self.sockets.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Socket> {
        self.sockets.get_mut(&id)
    }

    /// All clients, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnectionId, &Socket)> {
        self.sockets.iter().map(|(id, socket)| (*id, socket))
    }

    /// Gives the route's channels other numbers.
    pub(crate) fn renumber(&mut self, number: impl Fn(usize) -> usize) {
        let joined = self.sockets.values_mut().flat_map(|socket| socket.channels.values_mut());
        joined.for_each(|joined| joined.mount = number(joined.mount));
        self.topics.values_mut().for_each(|topic| topic.mount = number(topic.mount));
    }

    pub(crate) fn len(&self) -> usize {
        self.sockets.len()
    }

    /// The client is on the topic from now on. With [`leave`](Self::leave) the only way on to a topic and off it, so
    /// that what is counted here is who is there.
    pub(crate) fn join(
        &mut self,
        id: ConnectionId,
        topic: &str,
        mount: usize,
        join_ref: Value,
        follows: bool,
    ) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.joins += 1;
        let joined = Joined { mount, join_ref, number: socket.joins, follows };
        if socket.channels.insert(topic.to_owned(), joined).is_none() {
            self.topics.entry(topic.to_owned()).or_insert(Topic { mount, clients: 0 }).clients += 1;
        }
    }

    /// The client is off the topic; gives how it was on it, if it was.
    pub(crate) fn leave(&mut self, id: ConnectionId, topic: &str) -> Option<Joined> {
        let joined = self.sockets.get_mut(&id)?.channels.shift_remove(topic)?;
        if let Some(left) = self.topics.get_mut(topic) {
            left.clients -= 1;
            if left.clients == 0 {
                self.topics.swap_remove(topic);
            }
        }
        Some(joined)
    }

    /// The topics of one of the route's channels that somebody has joined.
    pub(crate) fn topics(&self, mount: usize) -> impl Iterator<Item = &str> {
        self.topics.iter().filter(move |(_, topic)| topic.mount == mount).map(|(name, _)| name.as_str())
    }

    /// A channel that a client has joined.
    pub(crate) fn joined(&self, id: ConnectionId, topic: &str) -> Option<&Joined> {
        self.sockets.get(&id)?.channels.get(topic)
    }

    /// Sends one message to one client, in its form.
    pub(crate) fn send(&self, cx: &mut Context<'_>, id: ConnectionId, message: &Outgoing<'_>) {
        if let Some(frame) = self.sockets.get(&id).and_then(|socket| socket.form.encode(message)) {
            cx.send_to(id, frame);
        }
    }

    /// Answers a client's message.
    pub(crate) fn reply(
        &self,
        cx: &mut Context<'_>,
        id: ConnectionId,
        to: ReplyTo<'_>,
        status: Status,
        response: &Payload,
    ) {
        let ReplyTo { join_ref, reference, topic } = to;
        let body = &Body::new(response);
        self.send(cx, id, &Outgoing::Reply { join_ref, reference, topic, status, body });
    }

    /// Sends an event to each of these, as a push on the channel that it has joined. Encoded once for all who
    /// have the same `join_ref`.
    pub(crate) fn push_each(
        &self,
        cx: &mut Context<'_>,
        ids: impl IntoIterator<Item = ConnectionId>,
        topic: &str,
        event: &str,
        payload: &Payload,
    ) {
        let mut groups: HashMap<(Form, &Value), Vec<ConnectionId>> = HashMap::new();
        for id in ids {
            if let Some(socket) = self.sockets.get(&id)
                && let Some(joined) = socket.channels.get(topic)
            {
                // Objects carry no join_ref that could differ.
                let join_ref = if socket.form == Form::Object { &Value::Null } else { &joined.join_ref };
                groups.entry((socket.form, join_ref)).or_default().push(id);
            }
        }
        if groups.is_empty() {
            return;
        }
        let body = &Body::new(payload);
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_unstable_by_key(|(_, ids)| ids.first().copied());
        for ((form, join_ref), ids) in groups {
            if let Some(frame) = form.encode(&Outgoing::Push { join_ref, topic, event, body }) {
                cx.note_room(topic);
                cx.send_to_each(ids, frame);
            }
        }
    }

    /// Sends an event to everyone on a topic on this node but `except`, encoded once per form.
    pub(crate) fn broadcast_here(
        &self,
        cx: &mut Context<'_>,
        topic: &str,
        event: &str,
        payload: &Payload,
        except: Option<ConnectionId>,
    ) {
        let mut to = cx.members(topic);
        to.retain(|id| Some(*id) != except);
        if to.is_empty() {
            return;
        }
        let body = &Body::new(payload);
        for (form, ids) in self.by_form(&to) {
            if let Some(frame) = form.encode(&Outgoing::Broadcast { topic, event, body }) {
                cx.note_room(topic);
                cx.send_to_each(ids, frame);
            }
        }
    }

    /// Those of these clients who are spoken to in a form, for each that some of them are spoken to in.
    pub(super) fn by_form(&self, ids: &[ConnectionId]) -> impl Iterator<Item = (Form, Vec<ConnectionId>)> {
        [Form::Array, Form::Object].into_iter().filter_map(|form| {
            let is_of_form = |id: &ConnectionId| self.get(*id).is_some_and(|socket| socket.form == form);
            let of_form: Vec<_> = ids.iter().copied().filter(is_of_form).collect();
            (!of_form.is_empty()).then_some((form, of_form))
        })
    }
}

/// Which message an answer is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyTo<'a> {
    pub(crate) join_ref: &'a Value,
    pub(crate) reference: &'a Value,
    pub(crate) topic: &'a str,
}

impl<'a> ReplyTo<'a> {
    pub(crate) fn new(message: &'a ClientMessage) -> Self {
        Self { join_ref: &message.join_ref, reference: &message.reference, topic: &message.topic }
    }
}
