//! The messages of Phoenix, independent of the serializer.

use bytes::Bytes;
use serde_json::Value;

use crate::interface::channel::Status;
use crate::interface::payload::Payload;

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

/// A frame that is not a message. Phoenix closes the connection with 1011.
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

/// A payload as it is on the wire, made once for all frames that carry it.
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
