//! A connection that faults may happen to, or of which breakpoints may hold messages.

use crate::fault::course::Course;
use crate::fault::line::Line;
use crate::interface::effect::Effect;
use crate::interface::input::Input;
use crate::state::connection::Connection;
use crate::time::Instant;

/// What lies between the engine and the transport of one connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// The faults that may happen to it, by their number, in order.
    pub(super) courses: Vec<(u64, Course)>,
    pub(super) sent: Line<Effect>,
    pub(super) received: Line<Input>,
    /// The fault that has made it half open.
    pub(super) silenced_by: Option<u64>,
    /// When it is given up, once its client has sent a close frame that nobody hears.
    pub(super) given_up_at: Option<Instant>,
    /// The transport is gone, and what came before is still on its way.
    pub(super) is_gone: bool,
    /// The end of its transport is on the way, or was handed to the host: nothing comes behind it.
    pub(super) is_leaving: bool,
    /// A fault is about to end it: what is sent behind that goes nowhere.
    pub(super) is_ending: bool,
    /// More than the bound was to wait, and the policy is to close.
    pub(super) is_overflowed: bool,
    /// A breakpoint may be for it.
    pub(super) has_breakpoint: bool,
    pub(super) reading: Reading,
    pub(super) fill: Fill,
}

/// Who wants the host not to read, and what it was told.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) engine_pauses: bool,
    pub(super) line_pauses: bool,
    /// Until when the control API has it paused.
    pub(super) paused_until: Option<Instant>,
    pub(super) is_paused: bool,
}

/// Who has reached the bound of what waits for the client, and what the engine was told.
#[derive(Debug, Default)]
pub(super) struct Fill {
    pub(super) outbox: bool,
    pub(super) line: bool,
    pub(super) is_told: bool,
}

impl Link {
    /// What lies between the engine and a connection that had nothing in between until now.
    pub(super) fn to(connection: &Connection) -> Self {
        let is_paused = connection.inbox.pause.is_on();
        let is_full = connection.inbox.is_outbox_full;
        Self {
            reading: Reading { engine_pauses: is_paused, is_paused, ..Reading::default() },
            fill: Fill { outbox: is_full, is_told: is_full, ..Fill::default() },
            ..Self::default()
        }
    }

    /// Whether it is as if it were not there.
    pub(super) fn is_idle(&self) -> bool {
        self.courses.is_empty()
            && self.sent.is_empty()
            && self.received.is_empty()
            && self.silenced_by.is_none()
            && !self.is_gone
            && !self.is_leaving
            && !self.is_ending
            && self.given_up_at.is_none()
            && !self.has_breakpoint
            && !self.reading.line_pauses
            && self.reading.paused_until.is_none()
            && !self.reading.engine_pauses
            && !self.fill.outbox
            && !self.fill.line
    }

    /// When something has to be done next.
    pub(super) fn next(&self) -> Option<Instant> {
        let begins = self.courses.iter().filter_map(|(_, course)| course.begins);
        let ends = self.given_up_at.into_iter().chain(self.reading.paused_until);
        begins.chain(self.sent.next()).chain(self.received.next()).chain(ends).min()
    }

    /// How many messages breakpoints hold.
    pub(super) fn held(&self) -> usize {
        self.sent.held() + self.received.held()
    }
}
