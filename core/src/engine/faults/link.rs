//! A connection that faults may happen to.

use crate::fault::course::Course;
use crate::fault::line::Line;
use crate::interface::effect::Effect;
use crate::interface::input::Input;
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
    /// A fault is about to end it: what is sent behind that goes nowhere.
    pub(super) is_ending: bool,
    /// More than the bound was to wait, and the policy is to close.
    pub(super) is_overflowed: bool,
    pub(super) reading: Reading,
    pub(super) fill: Fill,
}

/// Who wants the host not to read, and what it was told.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) engine_pauses: bool,
    pub(super) line_pauses: bool,
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
    /// Whether it is as if it were not there.
    pub(super) fn is_idle(&self) -> bool {
        self.courses.is_empty()
            && self.sent.is_empty()
            && self.received.is_empty()
            && self.silenced_by.is_none()
            && !self.is_gone
            && !self.is_ending
            && self.given_up_at.is_none()
            && !self.reading.line_pauses
            && !self.reading.engine_pauses
            && !self.fill.outbox
            && !self.fill.line
    }

    /// When something has to be done next.
    pub(super) fn next(&self) -> Option<Instant> {
        let begins = self.courses.iter().filter_map(|(_, course)| course.begins);
        begins.chain(self.sent.next()).chain(self.received.next()).chain(self.given_up_at).min()
    }
}
