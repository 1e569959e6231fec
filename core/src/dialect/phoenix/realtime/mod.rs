//! A channel for clients of Supabase Realtime: broadcasts and presence.
//!
//! | client's event | payload | what comes of it |
//! |---|---|---|
//! | `phx_join` | `{config: {broadcast: {ack, self}, presence: {key, enabled}, postgres_changes: […]}}` | ok with the `postgres_changes`, each with an `id`; `presence_state` when enabled |
//! | `broadcast` | `{type, event, payload}` | the same to the others, with `self` to the sender too; a reply only with `ack` |
//! | `presence` | `{type, event: "track" or "untrack", payload}` | `presence_diff` to all; ok |
//! | anything else | | nothing |
//!
//! Programs and clients that have not joined broadcast over HTTP: see `http_broadcast`.

mod http_broadcast;

use std::any::Any;
use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::channel::{Channel, ChannelContext, Reply};
use super::topic::TopicPattern;
use crate::handler::{HandlerError, HandlerResult};
use crate::interface::channel::Termination;
use crate::interface::connection_id::ConnectionId;
use crate::interface::http_endpoint::HttpEndpoint;
use crate::interface::payload::Payload;
use crate::state::connection::Connection;

/// The channel.
#[derive(Debug)]
pub struct Realtime {
    clients: HashMap<(ConnectionId, String), Client>,
    /// The topics of broadcasts by HTTP.
    topics: TopicPattern,
    /// The paths for broadcasts by HTTP.
    paths: Vec<String>,
}

/// The configuration of a client's join.
#[derive(Debug)]
struct Client {
    acknowledge: bool,
    include_self: bool,
    presence_key: String,
    presence: bool,
}

impl Default for Realtime {
    fn default() -> Self {
        let topics = TopicPattern::below(http_broadcast::PREFIX);
        Self { clients: HashMap::new(), topics, paths: Vec::new() }
    }
}

impl Realtime {
    /// A channel for any number of topics.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with broadcasts over HTTP to these topics, for each of these paths of its WebSockets: without its
    /// `/websocket` and `/socket`, and with `/api/broadcast`. Supabase's clients look for it there. Default none.
    pub fn with_http<S: AsRef<str>>(
        mut self,
        topics: TopicPattern,
        sockets: impl IntoIterator<Item = S>,
    ) -> Self {
        self.topics = topics;
        self.paths = sockets.into_iter().filter_map(|socket| http_broadcast::path(socket.as_ref())).collect();
        self
    }

    fn client(&self, cx: &ChannelContext<'_, '_>) -> Option<&Client> {
        self.clients.get(&(cx.id()?, cx.topic().to_owned()))
    }
}

impl Channel for Realtime {
    fn join(&mut self, cx: &mut ChannelContext<'_, '_>, payload: &Payload) -> Result<Reply, HandlerError> {
        let config = &payload.json()["config"];
        let key = config["presence"]["key"].as_str().filter(|key| !key.is_empty()).map(str::to_owned);
        let key = key.or_else(|| cx.connection().map(Connection::public_id).map(ToString::to_string));
        let client = Client {
            acknowledge: config["broadcast"]["ack"] == true,
            include_self: config["broadcast"]["self"] == true,
            presence_key: key.unwrap_or_default(),
            presence: config["presence"]["enabled"] != false,
        };
        let mut changes = config["postgres_changes"].as_array().cloned().unwrap_or_default();
        for (index, change) in changes.iter_mut().enumerate() {
            if let Value::Object(change) = change {
                change.insert("id".into(), (index + 1).into());
            }
        }
        if let Some(id) = cx.id() {
            self.clients.insert((id, cx.topic().to_owned()), client);
        }
        Ok(Reply::Ok(json!({ "postgres_changes": changes }).into()))
    }

    fn joined(&mut self, cx: &mut ChannelContext<'_, '_>) -> HandlerResult {
        if self.client(cx).is_some_and(|client| client.presence) {
            cx.push_presence_state();
        }
        Ok(())
    }

    fn handle_in(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        event: &str,
        payload: Payload,
    ) -> Result<Reply, HandlerError> {
        let Some(client) = self.client(cx) else {
            return Ok(Reply::None);
        };
        match event {
            "broadcast" => {
                match client.include_self {
                    true => cx.broadcast(event, payload),
                    false => cx.broadcast_from(event, payload),
                }
                Ok(if client.acknowledge { Reply::Ok(Payload::empty()) } else { Reply::None })
            }
            "presence" => {
                let (key, payload) = (&client.presence_key, payload.json());
                match payload["event"].as_str() {
                    Some("track") => {
                        let meta = payload["payload"].as_object().cloned();
                        if let Err(error) = cx.track(key, meta.unwrap_or_else(Map::new)) {
                            return Ok(Reply::Error(json!({ "reason": error.to_string() }).into()));
                        }
                    }
                    Some("untrack") => cx.untrack(Some(key)),
                    _ => return Ok(Reply::Error(json!({ "reason": "unknown presence event" }).into())),
                }
                Ok(Reply::Ok(Payload::empty()))
            }
            _ => Ok(Reply::None),
        }
    }

    fn endpoints(&self) -> Vec<HttpEndpoint> {
        self.paths.iter().map(http_broadcast::endpoint).collect()
    }

    fn request(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        request: &http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HandlerError> {
        let broadcasts = match http_broadcast::broadcasts(&self.paths, request) {
            Ok(broadcasts) => broadcasts,
            Err(refusal) => return Ok(*refusal),
        };
        for broadcast in broadcasts {
            if self.topics.matches(&broadcast.topic) {
                cx.broadcast_on(&broadcast.topic, "broadcast", broadcast.payload);
            }
        }
        Ok(http_broadcast::accepted())
    }

    fn succeed(&mut self, predecessor: &mut dyn Any) -> bool {
        let Some(predecessor) = predecessor.downcast_mut::<Self>() else {
            return false;
        };
        self.clients = std::mem::take(&mut predecessor.clients);
        true
    }

    fn terminate(&mut self, cx: &mut ChannelContext<'_, '_>, _: Termination) {
        if let Some(id) = cx.id() {
            self.clients.remove(&(id, cx.topic().to_owned()));
        }
    }
}
