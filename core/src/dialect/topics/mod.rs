//! The dialect `topics`: EVE-KILL's live streams, whose clients choose topics. Its front ends speak two versions of the
//! protocol ([`Generation`]).
//!
//! Generation `g3`, the current one:
//!
//! | Client sends | Answer |
//! |---|---|
//! | nothing yet | `{"type":"info","message":"Welcome to Killmails! …","data":{"validTopics":[…],"partialTopics":[…]}}` |
//! | `{"type":"subscribe","topics":[…]}`, or `a,b` as text | `{"type":"subscribed","data":{"topics":[all topics it has now]}}` |
//! | `{"type":"unsubscribe","topics":[…]}` | `{"type":"unsubscribed","data":{"topics":[those]}}` |
//! | a topic that there is not | `{"type":"error","message":"Invalid topics: x"}`; none of the request's topics counts |
//! | `{"type":"ping","timestamp":…}` | `{"type":"pong","timestamp":<the same, or the time>}` |
//! | `{"type":"pong"}` | nothing: the answer to the server's `{"type":"ping","timestamp":…}` |
//! | another type, another shape | `{"type":"error","message":"Unknown message type: …"}`, `"Invalid message format: …"` |
//!
//! The server pings every `pingInterval`; a client that does not answer within `pingTimeout` is closed with 1000
//! `Unresponsive to ping`.
//!
//! Generation `g1`, the first one, has no pings, no JSON from clients and no way to unsubscribe:
//!
//! | Client sends | Answer |
//! |---|---|
//! | nothing yet | `{"type":"info","message":"Welcome! Please reply with a comma-separated list …","validTopics":[…]}` |
//! | `a,b` | `{"type":"subscribed","topics":["a","b"]}`; earlier topics are forgotten |
//! | a topic that there is not | `{"type":"error","message":"Invalid topics: x. Please reply with a valid list of topics."}` |
//!
//! | A value of the feed | Each client with one of its topics receives, once |
//! |---|---|
//! | on `killmails` | `{"type":"killmail","data":…}`; the topics are computed ([`routing`]) |
//! | on `comments` | `{"type":"comment","data":…}`, everyone; in `g1` the bare value and no welcome |
//! | on `site` | `{"type":"site-event","data":…}`; topics as in its `topics` or `routingKeys`, and `all` |
//!
//! Binary messages are ignored.

mod options;
mod request;
pub mod routing;
mod topic;
mod wire;

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::feed::FeedValue;
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::effect::Level;
use crate::interface::http_endpoint::{HttpEndpoint, json_response};
use crate::message::{CloseCode, Message};
use crate::state::connection::Connection;
pub use options::{Generation, Stream, TopicsOptions};
use request::Request;

/// The next application ping is due.
const PING: u64 = 0;
/// The answer to the last one is overdue.
const PONG: u64 = 1;

/// The dialect's handler. A topic is a room of the route.
#[derive(Clone, Debug, Default)]
pub struct Topics {
    options: TopicsOptions,
}

impl Topics {
    /// With these settings.
    pub fn new(options: TopicsOptions) -> Self {
        Self { options }
    }

    fn subscribe(&self, cx: &mut Context<'_>, topics: &[String]) -> HandlerResult {
        if let Err(message) = self.check(topics).and_then(|()| self.check_number(cx, topics)) {
            cx.send(wire::error(&message));
            return Ok(());
        }
        if self.options.generation == Generation::G1 {
            leave_all(cx);
        }
        for topic in topics {
            cx.join(topic)?;
        }
        let topics = topics_of(cx);
        cx.send(wire::subscribed(self.options.generation, &topics));
        Ok(())
    }

    /// Fails with the topics that do not exist.
    fn check(&self, topics: &[String]) -> Result<(), String> {
        let unknown: Vec<&str> = topics
            .iter()
            .map(String::as_str)
            .filter(|topic| !topic::is_valid(self.options.stream, self.options.generation, topic))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let unknown = unknown.join(", ");
        Err(match self.options.generation {
            Generation::G1 => format!("Invalid topics: {unknown}. Please reply with a valid list of topics."),
            Generation::G3 => format!("Invalid topics: {unknown}"),
        })
    }

    fn check_number(&self, cx: &Context<'_>, topics: &[String]) -> Result<(), String> {
        let mut all: HashSet<String> = topics.iter().cloned().collect();
        if self.options.generation == Generation::G3 {
            all.extend(topics_of(cx));
        }
        match all.len() <= self.options.max_topics {
            true => Ok(()),
            false => Err(format!("Too many topics (max: {})", self.options.max_topics)),
        }
    }

    fn arm_ping(&self, cx: &mut Context<'_>) {
        if let Some(interval) = self.ping_interval() {
            cx.set_timer(PING, interval);
        }
    }

    fn ping_interval(&self) -> Option<Duration> {
        self.options.ping_interval.duration().filter(|_| self.options.generation == Generation::G3)
    }

    fn stats(&self, cx: &Context<'_>) -> Value {
        let topics: serde_json::Map<String, Value> =
            cx.rooms().into_iter().map(|(room, members)| (room.to_string(), members.into())).collect();
        json!({
            "connections": cx.connections_on_all_nodes(),
            "topics": topics,
            "published": cx.feed(self.options.feed()).map_or(0, |feed| feed.published()),
            "timestamp": cx.now().wall.to_string(),
        })
    }
}

impl Handler for Topics {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        if self.options.stream == Stream::Comments {
            cx.join(topic::ALL)?;
        }
        if let Some(welcome) = wire::welcome(self.options.generation, self.options.stream) {
            cx.send(welcome);
        }
        self.arm_ping(cx);
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        let Some(text) = message.as_text() else {
            return Ok(());
        };
        let request = match self.options.generation {
            Generation::G1 => Request::Subscribe { topics: request::split(text) },
            Generation::G3 => Request::decode(text),
        };
        match request {
            // The stream of comments has no topics to choose.
            Request::Plain { .. } if self.options.stream == Stream::Comments => {}
            Request::Plain { topics } | Request::Subscribe { topics } => self.subscribe(cx, &topics)?,
            Request::Unsubscribe { topics } => {
                topics.iter().for_each(|topic| cx.leave(topic));
                cx.send(wire::unsubscribed(&topics));
            }
            Request::Ping { timestamp } => {
                let timestamp = timestamp.unwrap_or_else(|| cx.now().wall.to_string().into());
                cx.send(wire::pong(&timestamp));
            }
            Request::Pong => cx.cancel_timer(PONG),
            Request::Unknown { message } => cx.send(wire::error(&message)),
        }
        Ok(())
    }

    fn timeout(&mut self, cx: &mut Context<'_>, key: u64) -> HandlerResult {
        if key == PONG {
            cx.close(CloseCode::NORMAL, "Unresponsive to ping")?;
            return Ok(());
        }
        let now = cx.now().wall;
        cx.send(wire::ping(now));
        if !cx.has_timer(PONG) {
            cx.set_timer(PONG, Duration::from_millis(self.options.ping_timeout));
        }
        self.arm_ping(cx);
        Ok(())
    }

    fn publish(&mut self, cx: &mut Context<'_>, _: &str, value: &FeedValue) -> HandlerResult {
        let topics = match self.options.stream {
            Stream::Killmails => routing::topics(&value.value),
            Stream::Comments => vec![topic::ALL.to_owned()],
            Stream::Site => topic::of_site_event(&value.value),
        };
        if topics.iter().any(|topic| cx.is_heard(topic)) {
            let message = wire::data(self.options.generation, self.options.stream, &value.value);
            cx.broadcast_to(topics, true, message);
        }
        Ok(())
    }

    /// Another generation or stream is another protocol: its clients have to connect again.
    fn succeed(&mut self, cx: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        let Some(predecessor) = predecessor.get::<Self>() else {
            return false;
        };
        let speaks = |topics: &Self| (topics.options.generation, topics.options.stream);
        if speaks(predecessor) != speaks(self) {
            return false;
        }
        let intervals = (predecessor.ping_interval(), self.ping_interval());
        if intervals.0 != intervals.1 {
            for id in cx.everyone() {
                cx.with(id).change_timer(PING, intervals);
            }
        }
        true
    }

    fn error(&mut self, cx: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        cx.log(Level::Debug, format!("a client of the topics dialect: {error}"));
        cx.send(wire::error(&error.to_string()));
        Ok(())
    }

    fn endpoints(&self) -> Vec<HttpEndpoint> {
        [&self.options.health_path, &self.options.stats_path]
            .into_iter()
            .flatten()
            .map(HttpEndpoint::get)
            .collect()
    }

    fn request(
        &mut self,
        cx: &mut Context<'_>,
        request: &http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HandlerError> {
        let body = match self.options.stats_path.as_deref() == Some(request.uri().path()) {
            true => self.stats(cx),
            false => json!({
                "status": "ok",
                "connections": cx.connections_on_all_nodes(),
                "timestamp": cx.now().wall.to_string(),
            }),
        };
        Ok(json_response(StatusCode::OK, &body))
    }
}

fn topics_of(cx: &Context<'_>) -> Vec<String> {
    cx.connection().into_iter().flat_map(Connection::rooms).map(|room| room.to_string()).collect()
}

fn leave_all(cx: &mut Context<'_>) {
    for topic in topics_of(cx) {
        cx.leave(&topic);
    }
}
