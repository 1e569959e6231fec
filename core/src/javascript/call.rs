//! Hooks on their way to JavaScript.

use serde_json::{Value, json};

use crate::dialect::commands::{CommandsAudience, CommandsClient, ServerEvent};
use crate::dialect::phoenix::Payload;
use crate::interface::channel::{ChannelCall, ChannelStep};
use crate::{Hook, Message, Params};

/// A hook as the functions of `npm/src/callbacks/hooks.ts` take it. The fields are the same for all hooks; what a hook does
/// not have is `None` or 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which function it is: the number of its [`HookKind`](crate::HookKind).
    pub hook: u32,
    /// What it carries: text or bytes.
    pub payload: Option<Message>,
    /// Further data of a dialect, as JSON.
    pub about: Option<String>,
    /// The code of a close.
    pub code: u32,
    /// The cause of a close, or which event of a server it is.
    pub detail: u32,
}

impl From<Hook> for Call {
    fn from(hook: Hook) -> Self {
        let (mut code, mut detail, mut about) = (0, 0, None);
        let number = hook.kind() as u32;
        let payload = match hook {
            Hook::Authenticate { params } => Some(params_or_null(&params).into()),
            Hook::Connect => None,
            Hook::Transform { message } | Hook::Proxied { message, .. } => Some(message),
            Hook::Respond { message } | Hook::Message { message } => message,
            Hook::Ping(bytes) | Hook::Pong(bytes) => Some(Message::Binary(bytes)),
            Hook::Close { frame, cause: by } => {
                code = u32::from(frame.code.0);
                detail = by as u32;
                Some(Message::Text(frame.reason))
            }
            Hook::Error { error } => Some(error.to_string().into()),
            Hook::Channel(call) => {
                let (text, carried) = channel_call(*call);
                about = Some(text);
                carried
            }
            Hook::ServerEvent(event) => {
                detail = event.kind() as u32;
                let (value, message) = server_event(*event);
                about = Some(value.to_string());
                message
            }
            // Only a handler in Rust asks its own questions, and JavaScript has none.
            Hook::Custom { .. } => None,
        };
        Self { hook: number, payload, about, code, detail }
    }
}

/// A pattern's parameters as JSON; `null` when it has none.
pub fn params_or_null(params: &Params) -> String {
    match params.is_empty() {
        true => "null".to_owned(),
        false => serde_json::to_string(params).unwrap_or_else(|_| "null".to_owned()),
    }
}

/// The step of a channel, and what it carries: JSON as text, or bytes.
fn channel_call(call: ChannelCall) -> (String, Option<Message>) {
    let ChannelCall { channel, topic, step } = call;
    let (event, reference, reason, carried) = match step {
        ChannelStep::Join { payload, reference } => (None, reference, None, Some(payload)),
        ChannelStep::HandleIn { event, payload, reference } => (Some(event), reference, None, Some(payload)),
        ChannelStep::Leave { reason } => (None, Value::Null, Some(reason.as_str()), None),
    };
    let (broadcast, carried) = match carried {
        Some(Payload::Json(value)) => (None, Some(value.to_string().into())),
        Some(Payload::Binary(bytes)) => (None, Some(Message::Binary(bytes))),
        Some(Payload::UserBroadcast { event, data }) => (Some(event), Some(Message::Binary(data))),
        None => (None, None),
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CloseCause, CloseCode, CloseFrame, HookKind};

    #[test]
    fn a_close_has_its_code_its_reason_and_its_cause() {
        let frame = CloseFrame::new(CloseCode(4001), "why");
        let call = Call::from(Hook::Close { frame, cause: CloseCause::Lost });
        let expected = Call {
            hook: HookKind::Close as u32,
            payload: Some("why".into()),
            about: None,
            code: 4001,
            detail: CloseCause::Lost as u32,
        };
        assert_eq!(call, expected);
    }
}
