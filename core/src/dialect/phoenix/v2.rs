//! The V2 serializer's text frames: arrays.

use serde_json::Value;

use super::message::{Body, ClientMessage, Outgoing, Undecodable};
use crate::interface::payload::Payload;

pub(super) fn decode(text: &[u8]) -> Result<ClientMessage, Undecodable> {
    let list: Vec<Value> = serde_json::from_slice(text).map_err(|_| Undecodable)?;
    let mut list = list.into_iter();
    let mut next = || list.next().ok_or(Undecodable);
    let (join_ref, reference, topic, event, payload) = (next()?, next()?, next()?, next()?, next()?);
    let (Value::String(topic), Value::String(event)) = (topic, event) else {
        return Err(Undecodable);
    };
    Ok(ClientMessage { join_ref, reference, topic, event, payload: Payload::Json(payload) })
}

/// `None` for bytes, which go in binary frames.
pub(super) fn encode(message: &Outgoing<'_>) -> Option<String> {
    let (join_ref, reference, topic, event, payload) = match message {
        Outgoing::Push { join_ref, topic, event, body: Body::Json(body) } => {
            (*join_ref, &Value::Null, *topic, *event, body.clone())
        }
        Outgoing::Broadcast { topic, event, body: Body::Json(body) } => {
            (&Value::Null, &Value::Null, *topic, *event, body.clone())
        }
        Outgoing::Reply { join_ref, reference, topic, status, body: Body::Json(body) } => {
            let payload = format!(r#"{{"response":{body},"status":"{}"}}"#, status.as_str());
            (*join_ref, *reference, *topic, "phx_reply", payload)
        }
        Outgoing::End { join_ref, topic, event } => (*join_ref, *join_ref, *topic, *event, "{}".to_owned()),
        _ => return None,
    };
    Some(format!("[{join_ref},{reference},{},{},{payload}]", Value::from(topic), Value::from(event)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::interface::channel::Status;

    #[test]
    fn five_elements_and_perhaps_more() {
        for text in [r#"["1",2,"t","e",null]"#, r#"["1",2,"t","e",null,"more"]"#] {
            let message = decode(text.as_bytes()).unwrap();
            assert_eq!((message.join_ref, message.reference), (json!("1"), json!(2)));
            assert_eq!((&*message.topic, &*message.event), ("t", "e"));
            assert_eq!(message.payload, Payload::Json(Value::Null));
        }
        for text in ["[]", r#"["1","2","t","e"]"#, r#"["1","2",null,"e",{}]"#, "5", "{}", "[", "\"\""] {
            assert_eq!(decode(text.as_bytes()), Err(Undecodable), "{text}");
        }
    }

    #[test]
    fn refs_keep_their_json_type() {
        let (join_ref, reference, body) = (json!(3), json!("4"), Body::Json(r#"{"a":1}"#.into()));
        let text = |message| encode(&message).unwrap();
        let (topic, event) = ("room:é", "new");
        assert_eq!(
            text(Outgoing::Reply {
                join_ref: &join_ref,
                reference: &reference,
                topic,
                status: Status::Error,
                body: &body
            }),
            r#"[3,"4","room:é","phx_reply",{"response":{"a":1},"status":"error"}]"#
        );
        assert_eq!(
            text(Outgoing::Push { join_ref: &join_ref, topic, event, body: &body }),
            r#"[3,null,"room:é","new",{"a":1}]"#
        );
        assert_eq!(
            text(Outgoing::Broadcast { topic, event, body: &body }),
            r#"[null,null,"room:é","new",{"a":1}]"#
        );
        assert_eq!(
            text(Outgoing::End { join_ref: &reference, topic, event: "phx_error" }),
            r#"["4","4","room:é","phx_error",{}]"#
        );
    }
}
