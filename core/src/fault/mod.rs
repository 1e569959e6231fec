//! Faults on purpose, to test how clients take them: what they are, and what each does to what passes. Breakpoints too, as
//! what they hold waits where late messages wait.
//!
//! [`Fault`] is what users write. `Course` is how one fault fares on one connection: it counts, draws and decides.
//! `Line` is one direction of a connection, in which frames wait, keep their order, and are counted. The engine's
//! `faults` knows which fault is for which connection, and carries out what is decided. Every draw comes from a seed, so the
//! same seed and the same inputs give the same faults.

pub(crate) mod breakpoint;
mod condition;
pub(crate) mod course;
pub(crate) mod line;
mod list;
mod options;

pub use condition::{ClientConditions, Condition};
pub use list::FaultList;
pub use options::{Delay, Fault, FaultStage, FaultTrigger};
