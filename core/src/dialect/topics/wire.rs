//! The messages of the server.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Generation, Stream, topic};
use crate::message::Message;
use crate::time::WallTime;

pub(super) fn welcome(generation: Generation, stream: Stream) -> Option<Message> {
    let valid = topic::valid(stream, generation);
    let partial = topic::partial(stream);
    Some(Message::from(&match (generation, stream) {
        (Generation::G1, Stream::Comments) => return None,
        (Generation::G1, _) => json!({
            "type": "info",
            "message":
                "Welcome! Please reply with a comma-separated list of topics you want to subscribe to.",
            "validTopics": valid,
        }),
        (Generation::G3, Stream::Comments) => {
            json!({ "type": "info", "message": "Welcome to Comments events!" })
        }
        (Generation::G3, stream) => {
            let name = if stream == Stream::Killmails { "Killmails" } else { "Site events" };
            json!({
                "type": "info",
                "message": format!("Welcome to {name}! Please subscribe to topics you want to receive."),
                "data": { "validTopics": valid, "partialTopics": partial },
            })
        }
    }))
}

pub(super) fn subscribed(generation: Generation, topics: &[String]) -> Message {
    Message::from(&match generation {
        Generation::G1 => json!({ "type": "subscribed", "topics": topics }),
        Generation::G3 => json!({ "type": "subscribed", "data": { "topics": topics } }),
    })
}

pub(super) fn unsubscribed(topics: &[String]) -> Message {
    Message::from(&json!({ "type": "unsubscribed", "data": { "topics": topics } }))
}

pub(super) fn error(message: &str) -> Message {
    Message::from(&json!({ "type": "error", "message": message }))
}

pub(super) fn ping(now: WallTime) -> Message {
    Message::from(&json!({ "type": "ping", "timestamp": now.to_string() }))
}

pub(super) fn pong(timestamp: &Value) -> Message {
    Message::from(&json!({ "type": "pong", "timestamp": timestamp }))
}

/// A value of the feed.
pub(super) fn data(generation: Generation, stream: Stream, value: &Value) -> Message {
    #[derive(Serialize)]
    struct Data<'a> {
        r#type: &'static str,
        data: &'a Value,
    }
    let r#type = match (stream, generation) {
        (Stream::Comments, Generation::G1) => return Message::from(value),
        (Stream::Comments, Generation::G3) => "comment",
        (Stream::Killmails, _) => "killmail",
        (Stream::Site, _) => "site-event",
    };
    // Text and values always serialize.
    serde_json::to_string(&Data { r#type, data: value }).unwrap_or_default().into()
}
