//! User code that looks at what passes a proxy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::link::Direction;
use crate::interface::hook::{Answer, Hook};
use crate::message::Message;
use crate::state::connection::Connection;

/// Looks at each message before it passes. See [`Proxy::with_inspector`](super::Proxy::with_inspector).
pub trait Inspect: Send {
    /// What goes on instead of `message`: the message itself, another one, or nothing. `client` is the connection
    /// of the client, whichever side the message is from.
    fn inspect(&mut self, client: &Connection, from: Direction, message: Message) -> Option<Message>;
}

impl<F> Inspect for F
where
    F: FnMut(&Connection, Direction, Message) -> Option<Message> + Send,
{
    fn inspect(&mut self, client: &Connection, from: Direction, message: Message) -> Option<Message> {
        self(client, from, message)
    }
}

/// Which of the host's callbacks look at messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProxyHooks {
    /// `onClientMessage`: at those from the client.
    pub client: bool,
    /// `onTargetMessage`: at those from the target.
    pub target: bool,
}

impl ProxyHooks {
    pub(super) fn wants(self, from: Direction) -> bool {
        match from {
            Direction::Client => self.client,
            Direction::Target => self.target,
        }
    }
}

/// The question to the host: `{"text":…}`, or `{"base64":…}` for bytes.
pub(super) fn question(from: Direction, message: &Message) -> Hook {
    let name = match from {
        Direction::Client => "onClientMessage",
        Direction::Target => "onTargetMessage",
    };
    let payload = match message {
        Message::Text(text) => json!({ "text": text.as_str() }),
        Message::Binary(bytes) => json!({ "base64": STANDARD.encode(bytes) }),
    };
    Hook::Custom { name: name.into(), payload }
}

/// What the host's answer makes of the message: `false` drops it, an object as in the question replaces it,
/// everything else leaves it as it is.
pub(super) fn outcome(answer: &Answer, message: Message) -> Result<Option<Message>, String> {
    let Answer::Json(answer) = answer else {
        return Ok(Some(message));
    };
    match (answer, answer.get("text"), answer.get("base64")) {
        (Value::Bool(false), _, _) => Ok(None),
        (_, Some(Value::String(text)), _) => Ok(Some(text.as_str().into())),
        (_, _, Some(Value::String(text))) => {
            let bytes = STANDARD.decode(text).map_err(|error| format!("base64 of a callback: {error}"))?;
            Ok(Some(Bytes::from(bytes).into()))
        }
        _ => Ok(Some(message)),
    }
}
