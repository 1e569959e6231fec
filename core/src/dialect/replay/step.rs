//! What a player does, one after another.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::scenario::Program;
use crate::message::{CloseFrame, Message};

/// One thing that was recorded.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The client sends something like this.
    Expect {
        /// What it sent.
        message: Message,
        /// The line of the recording.
        line: u64,
    },
    /// The server sends this.
    Send(Message),
    /// So much time passes since the last step.
    Wait(Duration),
    /// The server closes the connection; `None` without a code.
    Close(Option<CloseFrame>),
    /// The server drops the connection without a close frame.
    Terminate,
    /// Everything begins again.
    Restart,
}

/// Where a player's steps come from.
#[derive(Debug)]
pub(super) enum Script {
    /// A recording, of which the next part is here.
    Recording {
        /// Its file, for reports.
        file: Arc<str>,
        /// The steps that were read and not taken.
        steps: VecDeque<Step>,
        /// Whether these are the last ones.
        has_ended: bool,
    },
    /// A scenario.
    Scenario {
        /// All of its steps.
        program: Arc<Program>,
        /// The next one.
        at: usize,
        /// How often each loop has run.
        counters: Vec<u32>,
    },
}
