//! What the frames of Phoenix carry, whatever the serializer.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

/// What a client's event or a server's push carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Any JSON, an object by convention.
    Json(Value),
    /// Bytes, which only the V2 serializer knows.
    Binary(Bytes),
    /// Bytes under an event name of their own, as Supabase's clients broadcast them.
    UserBroadcast {
        /// The name that receivers listen for.
        event: String,
        /// The bytes.
        data: Bytes,
    },
}

impl Payload {
    /// The JSON; `null` where there are bytes.
    pub fn json(&self) -> &Value {
        match self {
            Payload::Json(value) => value,
            Payload::Binary(_) | Payload::UserBroadcast { .. } => &Value::Null,
        }
    }

    /// `{}`.
    pub fn empty() -> Self {
        Payload::Json(json!({}))
    }

    /// The bytes, if it is bytes.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Payload::Json(_) => None,
            Payload::Binary(bytes) | Payload::UserBroadcast { data: bytes, .. } => Some(bytes),
        }
    }

    /// As it crosses to user code: JSON as it is, bytes as `{"$binary": "<base64>"}`.
    pub fn into_user(self) -> Value {
        let binary = |bytes| json!({ "$binary": BASE64_STANDARD.encode(bytes) });
        match self {
            Payload::Json(value) => value,
            Payload::Binary(bytes) => binary(bytes),
            Payload::UserBroadcast { event, data } => {
                json!({ "type": "broadcast", "event": event, "payload": binary(data) })
            }
        }
    }

    /// From what user code gives, written as [`into_user`](Self::into_user) does.
    pub fn from_user(value: Value) -> Self {
        let text = value.get("$binary").and_then(Value::as_str);
        match text.and_then(|text| BASE64_STANDARD.decode(text).ok()) {
            Some(bytes) => Payload::Binary(bytes.into()),
            None => Payload::Json(value),
        }
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Payload::Json(value)
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Payload::Binary(bytes)
    }
}

/// One message of a client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClientMessage {
    /// The `ref` of the join that the message belongs to; `null` with V1.
    pub(crate) join_ref: Value,
    /// The number of the message, for its reply, in the client's own JSON type.
    pub(crate) reference: Value,
    pub(crate) topic: String,
    pub(crate) event: String,
    pub(crate) payload: Payload,
}

/// A frame that is no message. Phoenix closes with 1011 on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Undecodable;

/// One message of the server.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing<'a> {
    /// An event for one client of a channel.
    Push { join_ref: &'a Value, topic: &'a str, event: &'a str, body: &'a Body },
    /// The answer to the client's message number `reference`.
    Reply { join_ref: &'a Value, reference: &'a Value, topic: &'a str, status: Status, body: &'a Body },
    /// An event for everyone on a topic.
    Broadcast { topic: &'a str, event: &'a str, body: &'a Body },
    /// The end of a channel: `phx_close`, or `phx_error` when it crashed.
    End { join_ref: &'a Value, topic: &'a str, event: &'a str },
}

/// How a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As asked.
    Ok,
    /// It was refused; the response says why.
    Error,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Error => "error",
        }
    }
}

/// A payload as it goes on the wire, made once however many frames carry it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Json(String),
    Binary(Bytes),
    UserBroadcast { event: String, data: Bytes },
}

impl Body {
    pub(crate) fn new(payload: &Payload) -> Self {
        match payload {
            Payload::Json(value) => Body::Json(value.to_string()),
            Payload::Binary(bytes) => Body::Binary(bytes.clone()),
            Payload::UserBroadcast { event, data } => {
                Body::UserBroadcast { event: event.clone(), data: data.clone() }
            }
        }
    }
}
