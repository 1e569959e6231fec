//! What a client's message on a Phoenix channel comes to.

use serde_json::{Value, json};
use switchboard_core::HandlerError;
use switchboard_core::dialect::phoenix::{Payload, Status};

/// What a channel's function answers. To a join, [`none`](Self::none) and [`ok`](Self::ok) let the client in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelReply {
    reply: Option<(Status, Payload)>,
    stops: bool,
}

impl ChannelReply {
    /// No reply; to a join, `ok` with `{}`.
    pub fn none() -> Self {
        Self::default()
    }

    /// A reply `ok` with this response: JSON, or bytes.
    pub fn ok(response: impl Into<Payload>) -> Self {
        Self { reply: Some((Status::Ok, response.into())), stops: false }
    }

    /// A reply `error` with this response; it refuses a join.
    pub fn error(response: impl Into<Payload>) -> Self {
        Self { reply: Some((Status::Error, response.into())), stops: false }
    }

    /// A reply `error` with `{"reason":…}`, as Phoenix has them.
    pub fn reason(reason: impl Into<String>) -> Self {
        Self::error(json!({ "reason": reason.into() }))
    }

    /// The end of the channel for this client, without a reply.
    pub fn stop() -> Self {
        Self::none().and_stop()
    }

    /// The same reply, then the end of the channel for this client.
    pub fn and_stop(mut self) -> Self {
        self.stops = true;
        self
    }

    /// Whether a join comes to nothing with it.
    pub(super) fn refuses(&self) -> bool {
        self.stops || matches!(self.reply, Some((Status::Error, _)))
    }

    /// As the engine reads it.
    pub(super) fn into_value(self) -> Value {
        match self.reply {
            Some((status, response)) => {
                let status = if status == Status::Ok { "ok" } else { "error" };
                json!({ "status": status, "response": response.into_user(), "stop": self.stops })
            }
            None if self.stops => json!({ "stop": true }),
            None => Value::Null,
        }
    }
}

/// What a channel's function may return: nothing, a [`ChannelReply`], or a `Result` of either with any error.
pub trait IntoChannelReply {
    /// The one form.
    fn into_channel_reply(self) -> Result<ChannelReply, HandlerError>;
}

impl IntoChannelReply for () {
    fn into_channel_reply(self) -> Result<ChannelReply, HandlerError> {
        Ok(ChannelReply::none())
    }
}

impl IntoChannelReply for ChannelReply {
    fn into_channel_reply(self) -> Result<ChannelReply, HandlerError> {
        Ok(self)
    }
}

impl<R: IntoChannelReply, E: Into<HandlerError>> IntoChannelReply for Result<R, E> {
    fn into_channel_reply(self) -> Result<ChannelReply, HandlerError> {
        self.map_err(Into::into)?.into_channel_reply()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_reply_is_written_as_the_engine_reads_it() {
        for (reply, value) in [
            (ChannelReply::none(), json!(null)),
            (
                ChannelReply::ok(json!({ "a": 1 })),
                json!({ "status": "ok", "response": { "a": 1 }, "stop": false }),
            ),
            (
                ChannelReply::ok(Bytes::from_static(b"hi")),
                json!({ "status": "ok", "response": { "$binary": "aGk=" }, "stop": false }),
            ),
            (
                ChannelReply::reason("no").and_stop(),
                json!({ "status": "error", "response": { "reason": "no" }, "stop": true }),
            ),
            (ChannelReply::stop(), json!({ "stop": true })),
        ] {
            assert_eq!(reply.into_value(), value);
        }
    }
}
