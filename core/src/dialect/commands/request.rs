//! Requests of clients.

use serde::Deserialize;
use serde_json::Value;

/// A client's text message.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    /// Nothing to do: a ping, or an unknown event.
    Nothing,
    Command(ClientCommand),
    Subscribe {
        channel: String,
    },
    ToChannel {
        channel: String,
        data: Value,
    },
    Private {
        to: String,
        message: String,
    },
    /// For everyone, as it came.
    Broadcast,
}

/// A command with everything it needs.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(super) enum ClientCommand {
    Broadcast { message: String },
    BroadcastToChannel { channel: String, message: String },
    PrivateMessage { to: String, message: String },
    Presence,
    Disconnect { client_id: String },
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Subscribe { channel: String },
    Message { channel: String, data: Value },
}

#[derive(Deserialize)]
struct Private {
    to: String,
    message: String,
}

impl Request {
    /// The first of these keys that is there and not null decides: `ping`, `command`, `event`, `to`. A command that
    /// does not exist or lacks something, and a private message without text, are for everyone.
    pub(super) fn decode(text: &str) -> Self {
        let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(text) else {
            return Request::Broadcast;
        };
        let has = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
        if has("ping") {
            return Request::Nothing;
        }
        if has("command") {
            return ClientCommand::deserialize(&value).map_or(Request::Broadcast, Request::Command);
        }
        if has("event") {
            return match Event::deserialize(&value) {
                Ok(Event::Subscribe { channel }) => Request::Subscribe { channel },
                Ok(Event::Message { channel, data }) if !data.is_null() => {
                    Request::ToChannel { channel, data }
                }
                _ => Request::Nothing,
            };
        }
        match Private::deserialize(&value) {
            Ok(Private { to, message }) => Request::Private { to, message },
            Err(_) => Request::Broadcast,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_key_that_is_there_decides() {
        use ClientCommand::*;
        let text = |text: &str| text.to_owned();
        for (frame, expected) in [
            (r#"{"message":"Hi"}"#, Request::Broadcast),
            ("Hi", Request::Broadcast),
            ("null", Request::Broadcast),
            ("{}", Request::Broadcast),
            ("[1]", Request::Broadcast),
            (r#"{"ping":1,"command":"presence"}"#, Request::Nothing),
            (r#"{"ping":null,"command":"presence"}"#, Request::Command(Presence)),
            (
                r#"{"command":"broadcast","message":" m "}"#,
                Request::Command(Broadcast { message: text(" m ") }),
            ),
            (r#"{"command":"broadcast"}"#, Request::Broadcast),
            (r#"{"command":"broadcast","message":5}"#, Request::Broadcast),
            (r#"{"command":"dance"}"#, Request::Broadcast),
            (r#"{"command":5}"#, Request::Broadcast),
            (
                r#"{"command":"broadcast_to_channel","channel":"c","message":"m"}"#,
                Request::Command(BroadcastToChannel { channel: text("c"), message: text("m") }),
            ),
            (
                r#"{"command":"private_message","to":"a","message":"m"}"#,
                Request::Command(PrivateMessage { to: text("a"), message: text("m") }),
            ),
            (
                r#"{"command":"disconnect","client_id":"a"}"#,
                Request::Command(Disconnect { client_id: text("a") }),
            ),
            (r#"{"event":"subscribe","channel":"c"}"#, Request::Subscribe { channel: text("c") }),
            (r#"{"event":"subscribe"}"#, Request::Nothing),
            (r#"{"event":"unsubscribe","channel":"c"}"#, Request::Nothing),
            (
                r#"{"event":"message","channel":"c","data":{"a":1}}"#,
                Request::ToChannel { channel: text("c"), data: json!({ "a": 1 }) },
            ),
            (r#"{"event":"message","channel":"c","data":null}"#, Request::Nothing),
            (r#"{"event":"message","channel":"c"}"#, Request::Nothing),
            (r#"{"to":"a","message":" m "}"#, Request::Private { to: text("a"), message: text(" m ") }),
            (r#"{"to":"a","message":{"x":1}}"#, Request::Broadcast),
            (r#"{"to":"a"}"#, Request::Broadcast),
        ] {
            assert_eq!(Request::decode(frame), expected, "{frame}");
        }
    }
}
