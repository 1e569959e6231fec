//! Requests of clients.

use serde_json::Value;

/// A client's text message.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    /// `a,b`.
    Plain {
        topics: Vec<String>,
    },
    Subscribe {
        topics: Vec<String>,
    },
    Unsubscribe {
        topics: Vec<String>,
    },
    Ping {
        timestamp: Option<Value>,
    },
    Pong,
    /// For an error frame.
    Unknown {
        message: String,
    },
}

impl Request {
    /// As `g3` has it: an object or a list is JSON, everything else a list of topics.
    pub(super) fn decode(text: &str) -> Self {
        if !text.trim_start().starts_with(['{', '[']) {
            return Request::Plain { topics: split(text) };
        }
        let mut value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => return unknown(format!("Invalid message format: {error}")),
        };
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "subscribe" | "unsubscribe" => match serde_json::from_value(value["topics"].take()) {
                Ok(topics) if kind == "subscribe" => Request::Subscribe { topics },
                Ok(topics) => Request::Unsubscribe { topics },
                Err(_) => unknown("Invalid message format: topics must be an array of strings".to_owned()),
            },
            "ping" => {
                let timestamp = value.get_mut("timestamp").map(Value::take);
                Request::Ping { timestamp: timestamp.filter(|timestamp| !timestamp.is_null()) }
            }
            "pong" => Request::Pong,
            _ => unknown(match value.get("type") {
                Some(Value::String(kind)) => format!("Unknown message type: {kind}"),
                Some(kind) => format!("Unknown message type: {kind}"),
                None => "Unknown message type: undefined".to_owned(),
            }),
        }
    }
}

/// The topics of a list as `a, b`.
pub(super) fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).map(str::to_owned).collect()
}

fn unknown(message: String) -> Request {
    Request::Unknown { message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_has_a_type_and_text_is_a_list() {
        let topics = |topics: &[&str]| topics.iter().map(|topic| (*topic).to_owned()).collect();
        let error = |message: &str| unknown(message.to_owned());
        for (text, expected) in [
            ("all, capitals", Request::Plain { topics: topics(&["all", "capitals"]) }),
            ("", Request::Plain { topics: topics(&[""]) }),
            (r#"{"type":"subscribe","topics":["all"]}"#, Request::Subscribe { topics: topics(&["all"]) }),
            (
                r#" {"topics":["all"],"type":"unsubscribe"}"#,
                Request::Unsubscribe { topics: topics(&["all"]) },
            ),
            (r#"{"type":"ping"}"#, Request::Ping { timestamp: None }),
            (r#"{"type":"ping","timestamp":null}"#, Request::Ping { timestamp: None }),
            (r#"{"type":"ping","timestamp":5}"#, Request::Ping { timestamp: Some(json!(5)) }),
            (r#"{"type":"pong","timestamp":5}"#, Request::Pong),
            (r#"{"type":"dance"}"#, error("Unknown message type: dance")),
            (r#"{"type":5}"#, error("Unknown message type: 5")),
            ("{}", error("Unknown message type: undefined")),
            ("[]", error("Unknown message type: undefined")),
            (
                r#"{"type":"subscribe","topics":"all"}"#,
                error("Invalid message format: topics must be an array of strings"),
            ),
            (r#"{"type":"subscribe"}"#, error("Invalid message format: topics must be an array of strings")),
            ("{\"type\"", error("Invalid message format: EOF while parsing an object at line 1 column 7")),
        ] {
            assert_eq!(Request::decode(text), expected, "{text}");
        }
    }
}
