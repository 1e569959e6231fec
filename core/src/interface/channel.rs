//! Calls of user code for a Phoenix channel, and their answers.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::interface::payload::Payload;

/// One call of a channel's code.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelCall {
    /// The pattern that the channel was declared with, such as `room:*`.
    pub channel: Arc<str>,
    /// The topic that the client is on, or wants to join.
    pub topic: String,
    /// What happened.
    pub step: ChannelStep,
}

/// What happened on a channel.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelStep {
    /// A client wants to join. No reply, or a reply `ok`, accepts it.
    Join {
        /// The payload of the join.
        payload: Payload,
        /// The `ref` of its message.
        reference: Value,
    },
    /// A client sent an event.
    HandleIn {
        /// The event's name.
        event: String,
        /// The payload.
        payload: Payload,
        /// The `ref` of its message.
        reference: Value,
    },
    /// A client is no longer on the topic. Nothing can be replied.
    Leave {
        /// Why.
        reason: Termination,
    },
}

/// Why a client is no longer on a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Termination {
    /// It left.
    Left,
    /// It joins again.
    Replaced,
    /// The channel stopped it.
    Stopped,
    /// A step of the channel failed.
    Crashed,
    /// The connection is gone.
    Closed,
}

impl Termination {
    /// The reason as user code reads it.
    pub fn as_str(self) -> &'static str {
        match self {
            Termination::Left => "left",
            Termination::Replaced => "replaced",
            Termination::Stopped => "stopped",
            Termination::Crashed => "crashed",
            Termination::Closed => "closed",
        }
    }
}

/// The status of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As asked.
    Ok,
    /// It was refused; the response says why.
    Error,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Error => "error",
        }
    }
}

/// The answer of a channel's code. To a join, [`none`](Self::none) and [`ok`](Self::ok) accept the client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelReply {
    /// The reply, if there is one.
    pub reply: Option<(Status, Payload)>,
    /// Whether the channel ends for this client, after the reply.
    pub stops: bool,
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

    /// Whether a join is refused by it.
    pub fn refuses(&self) -> bool {
        self.stops || matches!(self.reply, Some((Status::Error, _)))
    }
}
