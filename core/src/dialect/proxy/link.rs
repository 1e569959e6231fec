//! The link between a client and its target.

use std::sync::Arc;

use http::StatusCode;

use crate::handler::command::Command;
use crate::interface::direction::Direction;
use crate::interface::upstream::{UpstreamEvent, UpstreamId, refused};
use crate::message::{CloseCode, CloseFrame, Message};

/// The target of a client. Kept with its connection.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) upstream: UpstreamId,
    /// The target's name, where there are several.
    pub(super) target: Arc<str>,
    pub(super) client_id: Arc<str>,
    pub(super) phase: Phase,
    /// Whether the target answers the client's opening handshake, and its end is passed on as it is: as it was when it was
    /// dialled.
    pub(super) is_transparent: bool,
    /// The message of the callback that is running.
    pub(super) asked: Option<(Direction, Message)>,
}

/// ```text
/// Dialling ─▶ Open ─▶ Over
///     └────────────────▲
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The target has not answered; the client's messages wait in the engine.
    Dialling,
    /// Messages pass.
    Open,
    /// The client is being closed; nothing passes any more.
    Over,
}

/// Why a client is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The path names no target.
    Unnamed,
    /// The path names an unknown target.
    Unknown(String),
    /// The client's path does not give a valid URL.
    Malformed,
    /// The target could not be reached, or failed.
    Failed {
        /// What the client may know.
        message: String,
        /// What the log says instead, as it may name addresses of the network behind this server.
        detail: Option<String>,
        /// The HTTP status of a gateway for that.
        status: StatusCode,
    },
    /// The target closed: with this close frame, or with none.
    Closed(Option<CloseFrame>),
}

impl Link {
    pub(super) fn new(
        upstream: UpstreamId,
        target: Arc<str>,
        client_id: Arc<str>,
        is_transparent: bool,
    ) -> Self {
        Self { upstream, target, client_id, phase: Phase::Dialling, is_transparent, asked: None }
    }
}

impl Ending {
    /// A failure of which the client is told as much as the log.
    pub(super) fn failed(message: impl Into<String>, status: StatusCode) -> Self {
        Ending::Failed { message: message.into(), detail: None, status }
    }

    /// The error message for a client that is told about the proxy, sent before the close frame.
    pub(super) fn error(&self) -> Option<String> {
        match self {
            Ending::Unnamed => Some("Proxy route name is required".to_owned()),
            Ending::Unknown(name) => Some(format!("Proxy route '{name}' not found")),
            Ending::Malformed => Some("Failed to establish proxy connection".to_owned()),
            Ending::Failed { message, .. } => Some(format!("Proxy connection error: {message}")),
            Ending::Closed(_) => None,
        }
    }

    /// The answer to the opening handshake of a client that waits for its target.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Ending::Unnamed | Ending::Unknown(_) => StatusCode::NOT_FOUND,
            Ending::Malformed => StatusCode::BAD_REQUEST,
            Ending::Failed { status, .. } => *status,
            Ending::Closed(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// The ending for an event of the target; `None` if the event is not an end.
    pub(super) fn of(event: UpstreamEvent) -> Option<Self> {
        Some(match event {
            UpstreamEvent::Closed(frame) => Ending::Closed(frame),
            UpstreamEvent::Refused { status } => {
                let passed_on = StatusCode::from_u16(status).ok();
                let passed_on =
                    passed_on.filter(|status| status.is_client_error() || status.is_server_error());
                Ending::failed(refused(status), passed_on.unwrap_or(StatusCode::BAD_GATEWAY))
            }
            UpstreamEvent::Failed { message } => Ending::Failed {
                message: "the connection to the target failed".to_owned(),
                detail: Some(message),
                status: StatusCode::BAD_GATEWAY,
            },
            UpstreamEvent::TimedOut { message } => Ending::failed(message, StatusCode::GATEWAY_TIMEOUT),
            UpstreamEvent::Opened { .. } | UpstreamEvent::Message(_) | UpstreamEvent::Sent { .. } => {
                return None;
            }
        })
    }

    /// Whether the target's connection has ended without a close frame.
    pub(super) fn is_abrupt(&self) -> bool {
        matches!(self, Ending::Closed(Some(frame)) if frame.code == CloseCode::ABNORMAL)
    }

    /// How the client is closed.
    pub(super) fn close(&self) -> Command {
        let close =
            |code: CloseCode, reason: &str| Command::Close { code: Some(code.0), reason: reason.to_owned() };
        match self {
            Ending::Unnamed => close(CloseCode::POLICY_VIOLATION, "Route name missing"),
            Ending::Unknown(_) => close(CloseCode::POLICY_VIOLATION, "Route not found"),
            Ending::Malformed => close(CloseCode::INTERNAL_ERROR, "Proxy connection failed"),
            Ending::Failed { .. } => close(CloseCode::INTERNAL_ERROR, "Proxy error"),
            Ending::Closed(None) => Command::Close { code: None, reason: String::new() },
            Ending::Closed(Some(frame)) if frame.code == CloseCode::NO_STATUS => {
                Command::Close { code: None, reason: String::new() }
            }
            Ending::Closed(Some(frame)) if frame.code.is_sendable() => {
                close(frame.code, frame.reason.as_str())
            }
            Ending::Closed(Some(_)) => close(CloseCode::INTERNAL_ERROR, "Proxy target lost"),
        }
    }
}

/// The close frame for the target when the client's connection ends: the client's own, if it can be passed on. If there
/// was none, the target gets none either if the end `is_passed_on`; otherwise it gets the code of a browser that leaves
/// a page.
pub(super) fn farewell(frame: &CloseFrame, is_passed_on: bool) -> Option<CloseFrame> {
    match frame.code {
        CloseCode::NO_STATUS => None,
        code if code.is_sendable() => Some(frame.clone()),
        CloseCode::ABNORMAL if is_passed_on => Some(frame.clone()),
        _ => Some(CloseFrame::new(CloseCode::GOING_AWAY, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_are_passed_on_where_they_can_be() {
        let from_target = |frame: Option<CloseFrame>| match Ending::Closed(frame).close() {
            Command::Close { code, reason } => (code, reason),
            other => panic!("{other:?}"),
        };
        let frame = |code| CloseFrame::new(CloseCode(code), "why");
        for (code, to_client, to_target) in [
            (1000, Some(1000), Some(1000)),
            (4001, Some(4001), Some(4001)),
            (1005, None, None),
            (1006, Some(1011), Some(1001)),
            (1015, Some(1011), Some(1001)),
            (2000, Some(1011), Some(1001)),
        ] {
            assert_eq!(from_target(Some(frame(code))).0, to_client, "{code}");
            assert_eq!(farewell(&frame(code), false).map(|frame| frame.code.0), to_target, "{code}");
        }
        assert_eq!(farewell(&frame(1006), true).map(|frame| frame.code.0), Some(1006));
        assert_eq!(from_target(Some(frame(3000))).1, "why");
        assert_eq!(from_target(None), (None, String::new()));
    }
}
