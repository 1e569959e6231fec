//! Calls of user code, and their answers.
//!
//! The engine never calls user code (it may await, throw, or call back into the engine): a hook leaves as
//! [`Effect::Call`](crate::Effect::Call) and its answer comes back as [`Input::Answer`](crate::Input::Answer).

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::interface::channel::{ChannelCall, ChannelReply, ChannelStep};
use crate::interface::close_cause::CloseCause;
use crate::interface::direction::Direction;
use crate::interface::handler_error::HandlerError;
use crate::interface::server_event::ServerEvent;
use crate::message::{CloseFrame, Message};
use crate::routing::authentication::Admission;
use crate::routing::pattern::Params;

/// Names one [`Hook`] that waits for its answer. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub(crate) u64);

impl CallId {
    /// The id as a number, for crossing into JavaScript.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The inverse of [`to_bits`](Self::to_bits).
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// A call of user code, with everything that it needs in addition to the connection's own data.
#[derive(Clone, Debug, PartialEq)]
pub enum Hook {
    /// Whether a client may connect. Answer: [`Answer::Admission`].
    Authenticate {
        /// What the pattern's `{name}` parts stood for.
        params: Params,
    },
    /// The connection is open.
    Connect,
    /// Turn a raw message into the value that the following hooks of the same message work with. The value
    /// stays with the host: the next hook of this connection carries no message.
    Transform {
        /// As it came.
        message: Message,
    },
    /// Does one of the route's `responses` match? Answer: [`Answer::Response`] or [`Answer::NoMatch`].
    Respond {
        /// As it came; `None`: the value of the previous [`Hook::Transform`].
        message: Option<Message>,
    },
    /// A message for the user's `onMessage`.
    Message {
        /// As it came; `None`: the value of the previous hook.
        message: Option<Message>,
    },
    /// The client sent a ping.
    Ping(Bytes),
    /// The client sent a pong.
    Pong(Bytes),
    /// The connection has ended.
    Close {
        /// Code and reason, 1005 and 1006 included.
        frame: CloseFrame,
        /// Who ended it.
        cause: CloseCause,
    },
    /// Another hook failed, or the client broke the protocol.
    Error {
        /// What went wrong.
        error: HandlerError,
    },
    /// A message passes a proxy. Answer: [`Answer::Passed`], or [`Answer::Done`] to pass it as it is.
    Proxied {
        /// The direction.
        from: Direction,
        /// As it came.
        message: Message,
    },
    /// A step of a Phoenix channel. Answer: [`Answer::ChannelReply`].
    Channel(Box<ChannelCall>),
    /// Something happened on a route of the dialect `commands`.
    ServerEvent(Box<ServerEvent>),
    /// A call of a custom [`Handler`](crate::Handler). Answer: [`Answer::Json`].
    Custom {
        /// The name of the callback.
        name: Arc<str>,
        /// The arguments.
        payload: Value,
    },
}

impl Hook {
    /// Which hook it is.
    pub fn kind(&self) -> HookKind {
        match self {
            Hook::Authenticate { .. } => HookKind::Authenticate,
            Hook::Connect => HookKind::Connect,
            Hook::Transform { .. } => HookKind::Transform,
            Hook::Respond { .. } => HookKind::Respond,
            Hook::Message { .. } => HookKind::Message,
            Hook::Ping(_) => HookKind::Ping,
            Hook::Pong(_) => HookKind::Pong,
            Hook::Close { .. } => HookKind::Close,
            Hook::Error { .. } => HookKind::Error,
            Hook::Proxied { from: Direction::Client, .. } => HookKind::ClientMessage,
            Hook::Proxied { from: Direction::Target, .. } => HookKind::TargetMessage,
            Hook::Channel(call) => match call.step {
                ChannelStep::Join { .. } => HookKind::ChannelJoin,
                ChannelStep::HandleIn { .. } => HookKind::ChannelHandleIn,
                ChannelStep::Leave { .. } => HookKind::ChannelLeave,
            },
            Hook::ServerEvent(_) => HookKind::ServerEvent,
            Hook::Custom { .. } => HookKind::Custom,
        }
    }

    /// Its name for users: the option's, or the event's.
    pub fn name(&self) -> &'static str {
        match self {
            Hook::ServerEvent(event) => event.kind().name(),
            _ => self.kind().name(),
        }
    }
}

/// The kinds of hooks; [`name`](Self::name) is the name for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "named as the callbacks of users")]
#[non_exhaustive]
pub enum HookKind {
    Authenticate,
    Connect,
    Transform,
    Respond,
    Message,
    Ping,
    Pong,
    Close,
    Error,
    ClientMessage,
    TargetMessage,
    ChannelJoin,
    ChannelHandleIn,
    ChannelLeave,
    ServerEvent,
    Custom,
}

impl HookKind {
    /// Whether a dialect called it, so that the answer is the dialect's.
    pub(crate) fn is_of_dialect(self) -> bool {
        use HookKind::*;
        matches!(
            self,
            ClientMessage
                | TargetMessage
                | ChannelJoin
                | ChannelHandleIn
                | ChannelLeave
                | ServerEvent
                | Custom
        )
    }

    /// The option's name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            HookKind::Authenticate => "authenticate",
            HookKind::Connect => "onConnect",
            HookKind::Transform => "transformRawData",
            HookKind::Respond => "responses",
            HookKind::Message => "onMessage",
            HookKind::Ping => "onPing",
            HookKind::Pong => "onPong",
            HookKind::Close => "onClose",
            HookKind::Error => "onError",
            HookKind::ClientMessage => "onClientMessage",
            HookKind::TargetMessage => "onTargetMessage",
            HookKind::ChannelJoin => "join",
            HookKind::ChannelHandleIn => "handleIn",
            HookKind::ChannelLeave => "leave",
            HookKind::ServerEvent => "commands.on",
            HookKind::Custom => "callback",
        }
    }
}

/// The result of a hook.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// It finished.
    Done,
    /// To [`Hook::Authenticate`].
    Admission(Admission),
    /// To [`Hook::Authenticate`]: the result is not an admission. The client is refused with HTTP 401, and the log says why.
    NotAnAdmission {
        /// The result and what to write instead, as a text that follows `authenticate for /path`.
        message: String,
    },
    /// To [`Hook::Respond`]: the entry at `index` matched; `message` is its response, if it has one.
    Response {
        /// Which of the route's `responses`.
        index: usize,
        /// What to send; `None` sends nothing.
        message: Option<Message>,
    },
    /// To [`Hook::Respond`]: no entry matched.
    NoMatch,
    /// To [`Hook::Proxied`]: the message to pass on instead; `None`: none.
    Passed(Option<Message>),
    /// To [`Hook::Channel`]. [`Answer::Done`] is [`ChannelReply::none`].
    ChannelReply(ChannelReply),
    /// To [`Hook::Custom`].
    Json(Value),
    /// It threw or rejected.
    Failed {
        /// The error, as it is passed to the handler.
        error: HandlerError,
    },
    /// As [`Failed`](Self::Failed), with the stack. It is a mistake in user code, and logged at level error.
    Threw {
        /// The error's message.
        message: String,
        /// The stack for the log, one call per line.
        stack: String,
    },
}
