//! One client's way to its target and back.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use crate::handler::command::Command;
use crate::interface::upstream::UpstreamId;
use crate::message::{CloseCode, CloseFrame, Message};

/// What is known of a client that has a target. Kept with its connection.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) upstream: UpstreamId,
    /// The target's name, where there are several.
    pub(super) target: Arc<str>,
    pub(super) client_id: Arc<str>,
    pub(super) phase: Phase,
    /// What waits for the target to answer, or for the callback before it, in order.
    pub(super) waiting: VecDeque<Passing>,
    waiting_bytes: usize,
    /// The message that a callback looks at.
    pub(super) asked: Option<(Direction, Message)>,
}

/// ```text
/// Dialling ─▶ Open ─▶ Over
///     └────────────────▲
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The target has not answered: what the client says has to wait.
    Dialling,
    /// Messages pass.
    Open,
    /// The client is being closed; nothing passes any more.
    Over,
}

/// Whom a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the target.
    Client,
    /// From the target to the client.
    Target,
}

/// Something on its way.
#[derive(Clone, Debug)]
pub(super) enum Passing {
    Message(Direction, Message),
    End(Ending),
}

/// Why a client is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The path names no target.
    Unnamed,
    /// The path names an unknown target.
    Unknown(String),
    /// No good URL came of the client's path.
    Malformed,
    /// The target could not be reached, or broke.
    Failed(String),
    /// More waits than may.
    Overfull,
    /// The target closed, with these words; without any, or by vanishing.
    Closed(Option<CloseFrame>),
}

impl Link {
    pub(super) fn new(upstream: UpstreamId, target: Arc<str>, client_id: Arc<str>) -> Self {
        Self {
            upstream,
            target,
            client_id,
            phase: Phase::Dialling,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            asked: None,
        }
    }

    /// Lets something wait. A message that would be one too many turns into the end of it all.
    pub(super) fn push(&mut self, passing: Passing, max_waiting: usize) -> Result<(), Ending> {
        if let Passing::Message(_, message) = &passing {
            // Empty messages cost memory as well.
            self.waiting_bytes += message.len() + OVERHEAD;
        }
        self.waiting.push_back(passing);
        if self.waiting_bytes > max_waiting { Err(Ending::Overfull) } else { Ok(()) }
    }

    /// What may go on now.
    pub(super) fn pop(&mut self) -> Option<Passing> {
        let is_free = self.asked.is_none();
        let passing = self.waiting.pop_front_if(|_| is_free && self.phase == Phase::Open)?;
        if let Passing::Message(_, message) = &passing {
            self.waiting_bytes -= message.len() + OVERHEAD;
        }
        Some(passing)
    }

    /// Nothing passes any more.
    pub(super) fn end(&mut self) {
        self.phase = Phase::Over;
        self.waiting = VecDeque::new();
        self.waiting_bytes = 0;
    }
}

/// What a waiting message counts beside its bytes.
const OVERHEAD: usize = 64;

impl Ending {
    /// What a client that is told about the proxy reads before the close frame.
    pub(super) fn error(&self) -> Option<String> {
        match self {
            Ending::Unnamed => Some("Proxy route name is required".to_owned()),
            Ending::Unknown(name) => Some(format!("Proxy route '{name}' not found")),
            Ending::Malformed => Some("Failed to establish proxy connection".to_owned()),
            Ending::Failed(message) => Some(format!("Proxy connection error: {message}")),
            Ending::Overfull => Some("Proxy connection error: too many messages wait".to_owned()),
            Ending::Closed(_) => None,
        }
    }

    /// How the client is closed.
    pub(super) fn close(&self) -> Command {
        let close =
            |code: CloseCode, reason: &str| Command::Close { code: Some(code.0), reason: reason.to_owned() };
        match self {
            Ending::Unnamed => close(CloseCode::POLICY_VIOLATION, "Route name missing"),
            Ending::Unknown(_) => close(CloseCode::POLICY_VIOLATION, "Route not found"),
            Ending::Malformed => close(CloseCode::INTERNAL_ERROR, "Proxy connection failed"),
            Ending::Failed(_) => close(CloseCode::INTERNAL_ERROR, "Proxy error"),
            Ending::Overfull => close(CloseCode::TRY_AGAIN_LATER, "Too many messages wait"),
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

/// What the target is told when the client ends: its own words, where they can be passed on.
pub(super) fn farewell(frame: &CloseFrame) -> Option<CloseFrame> {
    match frame.code {
        CloseCode::NO_STATUS => None,
        code if code.is_sendable() => Some(frame.clone()),
        // The client vanished; a browser that leaves a page says the same.
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
            assert_eq!(farewell(&frame(code)).map(|frame| frame.code.0), to_target, "{code}");
        }
        assert_eq!(from_target(Some(frame(3000))).1, "why");
        assert_eq!(from_target(None), (None, String::new()));
    }
}
