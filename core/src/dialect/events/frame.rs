//! The dialect's frames as JSON.

use serde::Serialize;
use serde_json::Value;

use crate::message::Message;

/// A frame of the server. Its keys are sent in this order, after `type`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Frame<'a> {
    Connected { client_id: &'a str, timestamp: String, message: &'a str },
    Event { name: &'a str, data: Value, timestamp: String },
    Subscribed { event: &'a Value, timestamp: String },
    Unsubscribed { event: &'a Value, timestamp: String },
    Response { event: &'a Value, data: Value, timestamp: String },
    Pong { timestamp: String },
    Error { error: String, timestamp: String },
}

impl Frame<'_> {
    /// The frame as a text message.
    pub(super) fn encode(&self) -> Message {
        // A frame always serializes, as all its keys are text.
        Message::from(serde_json::to_string(self).unwrap_or_default())
    }
}

/// A client's request.
#[derive(Debug, PartialEq)]
pub(super) enum Ask {
    Subscribe(Value),
    Unsubscribe(Value),
    Request(Value),
    Ping,
    /// Another one, with its `type` as JavaScript writes it.
    Unknown(String),
    /// Not JSON, or JSON without properties.
    Invalid,
}

impl Ask {
    /// Reads text or, as Node's `data.toString()` does, bytes.
    pub(super) fn decode(message: &Message) -> Self {
        let text = String::from_utf8_lossy(message.payload());
        let Ok(mut value) = serde_json::from_str::<Value>(&text) else {
            return Ask::Invalid;
        };
        if value.is_null() {
            return Ask::Invalid;
        }
        let kind = value.get("type").cloned();
        let mut event = || value.get_mut("event").map(Value::take).unwrap_or_default();
        match kind.as_ref().and_then(Value::as_str) {
            Some("subscribe") => Ask::Subscribe(event()),
            Some("unsubscribe") => Ask::Unsubscribe(event()),
            Some("request") => Ask::Request(event()),
            Some("ping") => Ask::Ping,
            _ => Ask::Unknown(kind.as_ref().map_or_else(|| "undefined".to_owned(), in_javascript)),
        }
    }
}

/// A value within a text, as JavaScript's template literals write it.
pub(super) fn in_javascript(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => "[object Object]".to_owned(),
        Value::Array(list) => {
            let item = |item: &Value| if item.is_null() { String::new() } else { in_javascript(item) };
            list.iter().map(item).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

/// Whether a value counts as given in JavaScript.
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_read_as_javascript_reads_them() {
        let table = [
            (r#"{"type":"subscribe","event":"ticker"}"#, Ask::Subscribe(json!("ticker"))),
            (r#"{"event":5,"type":"unsubscribe"}"#, Ask::Unsubscribe(json!(5))),
            (r#"{"type":"request"}"#, Ask::Request(Value::Null)),
            (r#" {"type":"ping","x":1} "#, Ask::Ping),
            (r#"{"type":"dance"}"#, Ask::Unknown("dance".into())),
            (r#"{"type":null}"#, Ask::Unknown("null".into())),
            (r#"{"type":[1,null,["a"],{}]}"#, Ask::Unknown("1,,a,[object Object]".into())),
            ("{}", Ask::Unknown("undefined".into())),
            ("5", Ask::Unknown("undefined".into())),
            ("[]", Ask::Unknown("undefined".into())),
            ("\"ping\"", Ask::Unknown("undefined".into())),
            ("null", Ask::Invalid),
            ("", Ask::Invalid),
            ("{type:1}", Ask::Invalid),
        ];
        for (text, expected) in table {
            assert_eq!(Ask::decode(&text.into()), expected, "{text}");
            assert_eq!(Ask::decode(&bytes::Bytes::from(text).into()), expected, "{text} as bytes");
        }
        let invalid = bytes::Bytes::from_static(b"{\"type\":\"\xff\"}");
        assert_eq!(Ask::decode(&invalid.into()), Ask::Unknown("\u{fffd}".into()));
    }
}
