//! The kinds of events.

use serde::{Deserialize, Serialize};

/// The kinds of events that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlEventKind"))]
pub(crate) enum EventKind {
    Opened,
    Refused,
    Closed,
    Message,
    Joined,
    Left,
    Error,
    Violation,
    Log,
    Mismatch,
    Held,
    Released,
    Unclaimed,
    Control,
}

impl EventKind {
    pub(crate) const ALL: [EventKind; 14] = [
        EventKind::Opened,
        EventKind::Refused,
        EventKind::Closed,
        EventKind::Message,
        EventKind::Joined,
        EventKind::Left,
        EventKind::Error,
        EventKind::Violation,
        EventKind::Log,
        EventKind::Mismatch,
        EventKind::Held,
        EventKind::Released,
        EventKind::Unclaimed,
        EventKind::Control,
    ];

    /// Those that are told where nothing else is asked for.
    pub(crate) fn usual() -> Vec<EventKind> {
        Self::ALL.into_iter().filter(|kind| *kind != EventKind::Control).collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            EventKind::Opened => "opened",
            EventKind::Refused => "refused",
            EventKind::Closed => "closed",
            EventKind::Message => "message",
            EventKind::Joined => "joined",
            EventKind::Left => "left",
            EventKind::Error => "error",
            EventKind::Violation => "violation",
            EventKind::Log => "log",
            EventKind::Mismatch => "mismatch",
            EventKind::Held => "held",
            EventKind::Released => "released",
            EventKind::Unclaimed => "unclaimed",
            EventKind::Control => "control",
        }
    }
}
