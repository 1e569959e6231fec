//! Questions to the user's code, and its answers.
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

/// One call of the user's code. Everything it needs beyond the connection's own data is here by value.
#[derive(Clone, Debug, PartialEq)]
pub enum Hook {
    /// May this client come in? Answer: [`Answer::Admission`].
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
        /// As it came; `None`: the value of the [`Hook::Transform`] before.
        message: Option<Message>,
    },
    /// A message for the user's `onMessage`.
    Message {
        /// As it came; `None`: the value of the hook before.
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
        /// Which way.
        from: Direction,
        /// As it came.
        message: Message,
    },
    /// A step of a Phoenix channel. Answer: [`Answer::ChannelReply`].
    Channel(Box<ChannelCall>),
    /// Something happened on a route of the dialect `commands`.
    ServerEvent(Box<ServerEvent>),
    /// A question of a [`Handler`](crate::Handler) of one's own. Answer: [`Answer::Json`].
    Custom {
        /// What the host's table of callbacks knows it by.
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

    /// What users call it: the option's name, or the event's.
    pub fn name(&self) -> &'static str {
        match self {
            Hook::ServerEvent(event) => event.kind().name(),
            _ => self.kind().name(),
        }
    }
}

/// The hooks by kind; [`name`](Self::name) is what users call them.
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

/// What came of a hook.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// It finished.
    Done,
    /// To [`Hook::Authenticate`].
    Admission(Admission),
    /// To [`Hook::Authenticate`]: what came is not an admission. The client is refused with HTTP 401, and the log says why.
    NotAnAdmission {
        /// What came and what to write instead, to stand behind `authenticate for /path`.
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
    /// To [`Hook::Proxied`]: what passes instead; `None`: nothing does.
    Passed(Option<Message>),
    /// To [`Hook::Channel`]. [`Answer::Done`] is [`ChannelReply::none`].
    ChannelReply(ChannelReply),
    /// To [`Hook::Custom`].
    Json(Value),
    /// It threw or rejected.
    Failed {
        /// What, as the handler is told it.
        error: HandlerError,
    },
    /// As [`Failed`](Self::Failed), by a host that knows where it was thrown. That is the user's mistake: the log says it at
    /// level error.
    Threw {
        /// The error's message.
        message: String,
        /// What the log shows below it: the calls that led there, each in a line of its own.
        stack: String,
    },
}
