//! Hooks on their way to JavaScript, and their answers.

use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_core::config::RefusalConfig;
use switchboard_core::dialect::commands::{CommandsAudience, CommandsClient, ServerEvent};
use switchboard_core::dialect::phoenix::Payload;
use switchboard_core::{
    Admission, Answer, CallId, ChannelCall, ChannelReply, ChannelStep, ConnectionId, Hook, Message, Params,
};

use crate::batch::Records;
use crate::contract::{BINARY, CALL, NOTHING, REPLY_ERROR, REPLY_OK, TEXT};

/// Writes one call. The fields are the same for all hooks; what a hook does not have is 0.
pub(crate) fn record(calls: &mut Records, call: CallId, id: ConnectionId, route: usize, hook: Hook) {
    let (mut code, mut detail, mut about) = (0, 0, None);
    let number = hook.kind() as u32;
    let (kind, payload) = match hook {
        Hook::Authenticate { params } => (TEXT, params_or_null(&params).into()),
        Hook::Connect => (NOTHING, Bytes::new()),
        Hook::Transform { message } => payload(message),
        Hook::Respond { message } | Hook::Message { message } => {
            message.map_or((NOTHING, Bytes::new()), payload)
        }
        Hook::Ping(bytes) | Hook::Pong(bytes) => (BINARY, bytes),
        Hook::Close { frame, cause: by } => {
            code = u32::from(frame.code.0);
            detail = by as u32;
            (TEXT, frame.reason.as_bytes().clone())
        }
        Hook::Error { error } => (TEXT, error.to_string().into()),
        Hook::Proxied { message, .. } => payload(message),
        Hook::Channel(call) => {
            let (text, channel_payload) = channel_call(*call);
            about = Some(text);
            channel_payload
        }
        Hook::ServerEvent(event) => {
            detail = event.kind() as u32;
            let (value, message) = server_event(*event);
            about = Some(value.to_string());
            message.map_or((NOTHING, Bytes::new()), payload)
        }
        // Only a handler in Rust asks its own questions, and the plugin has none.
        Hook::Custom { .. } => (NOTHING, Bytes::new()),
    };
    calls.record(CALL).wide(call.to_bits()).id(id).word(route as u32).word(number);
    calls.word(kind).bytes(payload).text(about.as_deref()).word(code).word(detail);
}

/// A pattern's parameters as JSON; `None` when it has none.
pub(crate) fn params(params: &Params) -> Option<String> {
    (!params.is_empty()).then(|| params_or_null(params))
}

/// A message that JavaScript wrote; `None` when there is none, or when it is no text after all.
pub(crate) fn message(kind: u32, bytes: &[u8]) -> Option<Message> {
    let bytes = Bytes::copy_from_slice(bytes);
    match kind {
        TEXT => switchboard_core::Text::from_utf8(bytes).ok().map(Message::Text),
        BINARY => Some(Message::Binary(bytes)),
        _ => None,
    }
}

/// What `authenticate` said: admitted with data as JSON, or refused.
pub(crate) fn admitted(data: Option<&str>) -> Answer {
    let data = data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    Answer::Admission(Admission::Accept { data })
}

/// What `authenticate` said: refused, with a close code or an HTTP status. Whoever says it wrongly refuses too.
pub(crate) fn refused(refusal: &str) -> Answer {
    let value = serde_json::from_str(refusal).unwrap_or_default();
    match RefusalConfig::from_value(value).and_then(|refusal| refusal.token_refusal()) {
        Ok(denial) => Answer::Admission(denial.admission()),
        Err(error) => Answer::NotAnAdmission {
            message: format!("refuses in a way that cannot be: {error}. Answered 401"),
        },
    }
}

/// What a channel's function replied: JSON as text, or bytes.
pub(crate) fn channel_reply(status: u32, kind: u32, bytes: &[u8], stops: bool) -> Answer {
    let response = match kind {
        BINARY => Ok(Payload::Binary(Bytes::copy_from_slice(bytes))),
        TEXT => serde_json::from_slice(bytes).map(Payload::Json),
        _ => Ok(Payload::empty()),
    };
    let response = match response {
        Ok(response) => response,
        Err(error) => return Answer::Failed { error: error.into() },
    };
    let reply = match status {
        REPLY_OK => ChannelReply::ok(response),
        REPLY_ERROR => ChannelReply::error(response),
        _ => ChannelReply::none(),
    };
    Answer::ChannelReply(if stops { reply.and_stop() } else { reply })
}

/// A number of JavaScript's as a close code, if it can be one at all.
pub(crate) fn close_code(code: f64) -> Option<u16> {
    let number = code as u16;
    (f64::from(number) == code).then_some(number)
}

fn params_or_null(params: &Params) -> String {
    match params.is_empty() {
        true => "null".to_owned(),
        false => serde_json::to_string(params).unwrap_or_else(|_| "null".to_owned()),
    }
}

/// The step of a channel, and what it carries: JSON as text, or bytes.
fn channel_call(call: ChannelCall) -> (String, (u32, Bytes)) {
    let ChannelCall { channel, topic, step } = call;
    let (event, reference, reason, carried) = match step {
        ChannelStep::Join { payload, reference } => (None, reference, None, Some(payload)),
        ChannelStep::HandleIn { event, payload, reference } => (Some(event), reference, None, Some(payload)),
        ChannelStep::Leave { reason } => (None, Value::Null, Some(reason.as_str()), None),
    };
    let (broadcast, carried) = match carried {
        Some(Payload::Json(value)) => (None, (TEXT, value.to_string().into())),
        Some(Payload::Binary(bytes)) => (None, (BINARY, bytes)),
        Some(Payload::UserBroadcast { event, data }) => (Some(event), (BINARY, data)),
        None => (None, (NOTHING, Bytes::new())),
    };
    let about = json!({
        "channel": *channel,
        "topic": topic,
        "event": event,
        "ref": reference,
        "reason": reason,
        "broadcast": broadcast,
    });
    (about.to_string(), carried)
}

/// What happened, without the message that it is about, and that message.
fn server_event(event: ServerEvent) -> (Value, Option<Message>) {
    match event {
        ServerEvent::Connect(CommandsClient { id, name, email, .. }) => {
            (json!({ "id": id, "name": name, "email": email }), None)
        }
        ServerEvent::Disconnect { client_id } => (client_id.into(), None),
        ServerEvent::Receive { client_id, message } => (client_id.into(), Some(Message::Text(message))),
        ServerEvent::Send { message, audience: CommandsAudience { to, channel } } => {
            (json!({ "to": to, "channel": channel }), Some(Message::Text(message)))
        }
        ServerEvent::Crash { client_id, error } => (client_id.into(), Some(error.to_string().into())),
        other => (other.kind().name().into(), None),
    }
}

/// A message as it crosses: its kind and its bytes.
pub(crate) fn payload(message: Message) -> (u32, Bytes) {
    match message {
        Message::Text(text) => (TEXT, text.as_bytes().clone()),
        Message::Binary(bytes) => (BINARY, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_are_whole_numbers() {
        assert_eq!(close_code(1000.0), Some(1000));
        for code in [1000.5, -1.0, 70_000.0, f64::NAN, f64::INFINITY] {
            assert_eq!(close_code(code), None, "{code}");
        }
    }

    #[test]
    fn refusals_say_how_or_are_401() {
        let admission = |text| match refused(text) {
            Answer::Admission(Admission::Close(frame)) => {
                format!("{} {}", frame.code.0, frame.reason.as_str())
            }
            Answer::Admission(Admission::Refuse(refusal)) => {
                format!("{} {:?}", refusal.status, refusal.headers)
            }
            Answer::NotAnAdmission { message } => message,
            other => panic!("{other:?}"),
        };
        for (text, expected) in [
            ("{}", "401 Unauthorized {}"),
            (r#"{"code":4001,"reason":"No"}"#, "4001 No"),
            (r#"{"status":503}"#, "503 Service Unavailable {}"),
            (
                r#"{"status":429,"headers":{"retry-after":"5"}}"#,
                "429 Too Many Requests {\"retry-after\": \"5\"}",
            ),
            (
                r#"{"code":401}"#,
                "refuses in a way that cannot be: code: 401 is no close code; for an HTTP status write status = 401. \
                 Answered 401",
            ),
            (
                r#"{"status":200}"#,
                "refuses in a way that cannot be: status: expected 400 to 599, got 200. Answered 401",
            ),
        ] {
            assert_eq!(admission(text), expected, "{text}");
        }
        assert!(admission("nonsense").starts_with("refuses in a way that cannot be: "));
    }

    #[test]
    fn text_is_checked() {
        assert_eq!(message(TEXT, b"a"), Some(Message::from("a")));
        assert_eq!(message(TEXT, b"\xff"), None);
        assert_eq!(message(NOTHING, b"a"), None);
    }
}
