//! What the user's code can be told of.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::handler::context::Context;
use crate::interface::hook::Hook;
use crate::message::Message;

/// An event of Rakit's server. The host starts the server, so `start` is its own to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ServerEvent {
    /// Somebody came: `{"client_id","name","email"}`.
    Connect,
    /// Somebody went: `{"client_id"}`.
    Disconnect,
    /// A message came: `{"client_id","message"}`; of binary ones nothing is told.
    Receive,
    /// A message goes out: `{"message","to","channel"}`; without `to` and `channel` it goes to everyone.
    Send,
    /// Something failed: `{"client_id","message"}`.
    Crash,
}

impl ServerEvent {
    /// What the host's table of callbacks knows it by.
    pub fn name(self) -> &'static str {
        match self {
            ServerEvent::Connect => "connect",
            ServerEvent::Disconnect => "disconnect",
            ServerEvent::Receive => "receive",
            ServerEvent::Send => "send",
            ServerEvent::Crash => "crash",
        }
    }

    /// Tells the user's code; the connection's next event waits until it was told.
    pub(super) fn tell(self, cx: &mut Context<'_>, payload: Value) {
        cx.call(Hook::Custom { name: Arc::from(self.name()), payload });
    }
}

/// Whom a message is for.
#[derive(Clone, Copy)]
pub(super) enum Audience<'a> {
    Everyone,
    Channel(&'a str),
    /// By the id that others know.
    Client(&'a str),
}

/// The payload of [`ServerEvent::Send`].
pub(super) fn sent(to: Audience<'_>, message: &Message) -> Value {
    let mut payload = json!({ "message": message.as_text() });
    match to {
        Audience::Everyone => {}
        Audience::Channel(channel) => payload["channel"] = channel.into(),
        Audience::Client(id) => payload["to"] = id.into(),
    }
    payload
}
