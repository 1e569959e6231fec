//! Scenarios: a conversation as a list of steps, for protocols that nobody has recorded.

mod compile;
mod options;
mod pattern;
mod step;

use bytes::Bytes;

use super::options::MismatchOption;
use crate::dialect::rules::ActionTemplate;
use crate::fault::FaultList;
use crate::template::{Template, ValueTemplate};

pub use options::{ScenarioOptions, ScenarioScript};
pub(super) use pattern::Pattern;
pub use step::{Choice, ScenarioStep};

/// A scenario whose loops and labels have become places.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its key or file, for reports.
    pub(super) name: String,
    pub(super) steps: Vec<Instruction>,
    /// What happens when a message comes that no step expects.
    pub(super) mismatch: MismatchOption,
    /// How many counters its loops need.
    pub(super) loops: usize,
}

/// One step of a [`Program`].
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    /// Wait for a message that fits one of these, and go on where that says.
    Expect {
        alternatives: Vec<Alternative>,
        /// After so many ms without one go on there.
        within: Option<(u64, usize)>,
        /// The step's place in the configuration, for reports.
        path: String,
    },
    Send(ValueTemplate),
    SendBinary(Bytes),
    /// Wait so many ms.
    Wait(u64),
    Set(String, ValueTemplate),
    Do(ActionTemplate),
    Fault(FaultList),
    Close {
        code: Option<u16>,
        reason: Template,
    },
    Terminate,
    Goto(usize),
    /// A loop begins.
    Enter {
        counter: usize,
    },
    /// A loop has run once more: again from `to`, unless it has run so often.
    Repeat {
        counter: usize,
        times: Option<u32>,
        to: usize,
    },
}

/// A message that a step waits for, and where to go on then.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    pub(super) pattern: Pattern,
    pub(super) to: usize,
}
