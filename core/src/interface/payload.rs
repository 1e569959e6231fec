//! Payloads of Phoenix channels.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

/// The payload of a client's event, a server's push or a reply.
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
    /// The JSON; `null` for bytes.
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

    /// The bytes, if there are any.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Payload::Json(_) => None,
            Payload::Binary(bytes) | Payload::UserBroadcast { data: bytes, .. } => Some(bytes),
        }
    }

    /// As a dialect's command has it: JSON as it is, bytes as `{"$binary": "<base64>"}`.
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

    /// The inverse of [`into_user`](Self::into_user).
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
