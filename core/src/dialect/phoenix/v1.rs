//! The V1 serializer: objects.

use serde_json::Value;

use super::message::{Body, ClientMessage, Outgoing, Undecodable};
use crate::interface::payload::Payload;

/// Which keys have to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// `topic`, `event`, `payload` and `ref`, as Phoenix demands.
    All,
    /// What a hand-written message has at least.
    TopicAndEvent,
}

pub(super) fn decode(text: &[u8], keys: Keys) -> Result<ClientMessage, Undecodable> {
    let value = serde_json::from_slice(text).map_err(|_| Undecodable)?;
    let Value::Object(mut object) = value else {
        return Err(Undecodable);
    };
    let payload = object.remove("payload");
    let reference = object.remove("ref");
    if keys == Keys::All && (payload.is_none() || reference.is_none()) {
        return Err(Undecodable);
    }
    let (Some(Value::String(topic)), Some(Value::String(event))) =
        (object.remove("topic"), object.remove("event"))
    else {
        return Err(Undecodable);
    };
    Ok(ClientMessage {
        join_ref: object.remove("join_ref").unwrap_or_default(),
        reference: reference.unwrap_or_default(),
        topic,
        event,
        payload: payload.map_or_else(Payload::empty, Payload::Json),
    })
}

/// `None` for bytes, which V1 does not know. The keys stand in the order of Phoenix's encoder.
pub(super) fn encode(message: &Outgoing<'_>) -> Option<String> {
    let (event, payload, reference, topic) = match message {
        Outgoing::Push { topic, event, body: Body::Json(body), .. }
        | Outgoing::Broadcast { topic, event, body: Body::Json(body) } => {
            (*event, body.clone(), &Value::Null, *topic)
        }
        Outgoing::Reply { reference, topic, status, body: Body::Json(body), .. } => {
            let payload = format!(r#"{{"response":{body},"status":"{}"}}"#, status.as_str());
            ("phx_reply", payload, *reference, *topic)
        }
        Outgoing::End { join_ref, topic, event } => (*event, "{}".to_owned(), *join_ref, *topic),
        _ => return None,
    };
    let (event, topic) = (Value::from(event), Value::from(topic));
    Some(format!(r#"{{"event":{event},"payload":{payload},"ref":{reference},"topic":{topic}}}"#))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::interface::channel::Status;

    #[test]
    fn a_message_has_four_keys_and_perhaps_a_join_ref() {
        let text =
            br#"{"topic":"room:1","event":"phx_join","payload":{"a":1},"ref":"1","join_ref":"7","x":0}"#;
        let expected = ClientMessage {
            join_ref: json!("7"),
            reference: json!("1"),
            topic: "room:1".into(),
            event: "phx_join".into(),
            payload: Payload::Json(json!({ "a": 1 })),
        };
        assert_eq!(decode(text, Keys::All), Ok(expected));
        for text in [
            "",
            "{a}",
            "[]",
            "null",
            r#"{"topic":"t","event":"e","payload":{}}"#,
            r#"{"topic":"t","event":"e","ref":1}"#,
            r#"{"topic":5,"event":"e","payload":{},"ref":1}"#,
        ] {
            assert_eq!(decode(text.as_bytes(), Keys::All), Err(Undecodable), "{text}");
        }
    }

    #[test]
    fn what_goes_out_has_exactly_four_keys() {
        let (body, one) = (Body::Json("{}".into()), json!(1));
        let reply = |join_ref| Outgoing::Reply {
            join_ref,
            reference: &one,
            topic: "t",
            status: Status::Ok,
            body: &body,
        };
        assert_eq!(
            encode(&reply(&one)).unwrap(),
            r#"{"event":"phx_reply","payload":{"response":{},"status":"ok"},"ref":1,"topic":"t"}"#
        );
        let push = Outgoing::Push { join_ref: &one, topic: "a\"b", event: "e", body: &body };
        assert_eq!(encode(&push).unwrap(), r#"{"event":"e","payload":{},"ref":null,"topic":"a\"b"}"#);
        let end = Outgoing::End { join_ref: &Value::Null, topic: "t", event: "phx_close" };
        assert_eq!(encode(&end).unwrap(), r#"{"event":"phx_close","payload":{},"ref":null,"topic":"t"}"#);
        let bytes = Body::Binary("x".into());
        assert_eq!(encode(&Outgoing::Broadcast { topic: "t", event: "e", body: &bytes }), None);
    }
}
