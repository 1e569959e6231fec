//! A channel whose behaviour is the user's code in the host.
//!
//! | hook | payload | answer |
//! |---|---|---|
//! | `join` | `{channel, topic, payload, ref}` | `null`: in; `{status, response}`: as it says |
//! | `handleIn` | `{channel, topic, event, payload, ref}` | `null`: no reply; `{status, response}`: a reply; `{stop: true}`: the end, after a reply if there is one |
//! | `leave` | `{channel, topic, reason}` | none |
//!
//! `channel` is the pattern that the channel was declared with, `reason` one of `left`, `replaced`, `stopped`,
//! `crashed` and `closed`. A hook that throws crashes the channel. Meanwhile and at any other time user code
//! may send the commands of [`command`](super::command).

use serde_json::{Value, json};

use super::channel::{Channel, ChannelContext, Reply, Termination};
use super::message::{Payload, Status};
use crate::handler::HandlerError;
use crate::interface::hook::Hook;

/// Asks the host for everything.
#[derive(Debug)]
pub struct CallbackChannel {
    channel: String,
}

impl CallbackChannel {
    /// The channel that the host's code knows by this name: its topic pattern.
    pub fn new(channel: impl Into<String>) -> Self {
        Self { channel: channel.into() }
    }

    fn call(&self, cx: &mut ChannelContext<'_, '_>, name: &str, mut payload: Value) -> Reply {
        payload["channel"] = self.channel.clone().into();
        payload["topic"] = cx.topic().into();
        cx.context().call(Hook::Custom { name: name.into(), payload }).map_or(Reply::None, Reply::Later)
    }
}

impl Channel for CallbackChannel {
    fn join(&mut self, cx: &mut ChannelContext<'_, '_>, payload: &Payload) -> Result<Reply, HandlerError> {
        let payload = json!({ "payload": payload.clone().into_user(), "ref": cx.reference() });
        Ok(self.call(cx, "join", payload))
    }

    fn handle_in(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        event: &str,
        payload: Payload,
    ) -> Result<Reply, HandlerError> {
        let payload = json!({ "event": event, "payload": payload.into_user(), "ref": cx.reference() });
        Ok(self.call(cx, "handleIn", payload))
    }

    fn answer(&mut self, cx: &mut ChannelContext<'_, '_>, mut answer: Value) -> Result<Reply, HandlerError> {
        let response =
            answer.get_mut("response").map(Value::take).map_or_else(Payload::empty, Payload::from_user);
        let status = match answer.get("status").and_then(Value::as_str) {
            Some("ok") => Some(Status::Ok),
            Some("error") => Some(Status::Error),
            Some(other) => return Err(format!("a reply's status is ok or error, not {other:?}").into()),
            None => None,
        };
        if answer.get("stop").is_some_and(|stop| *stop != Value::Bool(false) && !stop.is_null()) {
            if let Some(status) = status {
                cx.reply(status, response);
            }
            return Ok(Reply::Stop);
        }
        Ok(match status {
            Some(Status::Ok) => Reply::Ok(response),
            Some(Status::Error) => Reply::Error(response),
            None => Reply::None,
        })
    }

    fn terminate(&mut self, cx: &mut ChannelContext<'_, '_>, why: Termination) {
        self.call(cx, "leave", json!({ "reason": why.as_str() }));
    }
}
