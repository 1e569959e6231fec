//! What a replay knows of Phoenix Channels: how a frame looks, and the heartbeat.

use serde_json::{Value, json};

use super::scalars::MAX_DEPTH;
use crate::dialect::json;
use crate::message::Message;

/// The fields of a frame, in the order of version 2, where they are a list; version 1 has an object with these keys.
pub(super) const FIELDS: [&str; 5] = ["join_ref", "ref", "topic", "event", "payload"];

/// Whether a frame is of version 2, a list; `None` if the value is no frame of Phoenix Channels.
pub(super) fn is_list(value: &Value) -> Option<bool> {
    let is_reference = |value: &Value| matches!(value, Value::Null | Value::String(_) | Value::Number(_));
    match value {
        Value::Array(list) => match &list[..] {
            [join, own, Value::String(_), Value::String(_), _] if is_reference(join) && is_reference(own) => {
                Some(true)
            }
            _ => None,
        },
        Value::Object(frame) => {
            let is_text = |key| frame.get(key).is_some_and(Value::is_string);
            let is_frame = is_text("topic")
                && is_text("event")
                && frame.contains_key("payload")
                && frame.get("ref").is_some_and(is_reference);
            is_frame.then_some(false)
        }
        _ => None,
    }
}

/// The answer to a heartbeat of a client.
pub(super) fn heartbeat_reply(message: &Message) -> Option<Message> {
    let frame = parse(message)?;
    let payload = json!({ "status": "ok", "response": {} });
    let reply = match is_list(&frame)? {
        _ if !is(&frame, "heartbeat") => return None,
        true => json!([null, frame[1], "phoenix", "phx_reply", payload]),
        false => {
            json!({ "topic": "phoenix", "event": "phx_reply", "payload": payload, "ref": frame["ref"] })
        }
    };
    Some(Message::from(&reply))
}

/// Whether a message is a heartbeat, or the answer to one.
pub(super) fn belongs_to_heartbeat(message: &Message) -> bool {
    parse(message).is_some_and(|frame| {
        is_list(&frame).is_some() && (is(&frame, "heartbeat") || is(&frame, "phx_reply"))
    })
}

fn parse(message: &Message) -> Option<Value> {
    // Most messages are told apart without parsing them.
    let text = message.as_text().filter(|text| text.contains("\"phoenix\""))?;
    json::parse(text, MAX_DEPTH)
}

/// Whether a frame is this event of the topic that belongs to the socket itself.
fn is(frame: &Value, event: &str) -> bool {
    match frame {
        Value::Array(list) => list[2] == "phoenix" && list[3] == event,
        frame => frame["topic"] == "phoenix" && frame["event"] == event,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_of_both_versions_are_answered() {
        let reply =
            |text: &str| heartbeat_reply(&text.into()).map(|reply| reply.as_text().map(str::to_owned));
        assert_eq!(
            reply(r#"[null,"5","phoenix","heartbeat",{}]"#),
            Some(Some(r#"[null,"5","phoenix","phx_reply",{"status":"ok","response":{}}]"#.to_owned()))
        );
        let v1 = reply(r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"7"}"#).flatten();
        let v1: Value = serde_json::from_str(&v1.expect("an answer")).expect("JSON");
        assert_eq!(
            v1,
            json!({"topic": "phoenix", "event": "phx_reply", "payload": {"status": "ok", "response": {}}, "ref": "7"})
        );
        for other in
            [r#"[null,"5","room","heartbeat",{}]"#, r#"{"topic":"phoenix"}"#, "phoenix", "\"phoenix\""]
        {
            assert_eq!(reply(other), None, "{other}");
        }
        assert!(belongs_to_heartbeat(&r#"[null,"5","phoenix","phx_reply",{}]"#.into()));
        assert!(!belongs_to_heartbeat(&r#"["1","5","room:a","phx_reply",{}]"#.into()));
    }
}
