//! The load generator of `cargo xtask bench`: one thread on epoll that costs far less than what it measures.
//!
//! What it sends is masked and encoded beforehand; of what it receives it parses the headers, compares the first bytes
//! of each payload and skips the rest, except on one connection, the witness, whose messages it inflates and compares
//! whole. A message that is lost, doubled, altered or out of order fails the run.
//!
//! One [`Job`] goes in as the program's argument, one [`Report`] comes out as its last line, both as JSON. It reads the
//! measured process's CPU time and memory itself, so that what it counts and what it measures begin and end together.

#![cfg(target_os = "linux")]

mod accept;
mod accounting;
mod clock;
mod connection;
mod crowd;
mod echo;
mod fairness;
mod fan_out;
mod frame;
mod handshake;
mod idle;
mod job;
mod latency;
mod messages;
mod report;
mod room;
mod witness;

pub use accounting::{CpuTime, Memory};
pub use job::{Accept, Bystanders, Echo, Fairness, FanOut, Idle, Job, Work};
pub use latency::Latency;
pub use report::{Report, Resident};

use anyhow::Result;
use rustix::thread::{CpuSet, sched_setaffinity};

/// Does one job. `Err` says what the measured server did wrong.
pub fn run(job: &Job) -> Result<Report> {
    keep_to(job.core)?;
    match &job.work {
        Work::FanOut(work) => fan_out::run(job, work),
        Work::Echo(work) => echo::run(job, work),
        Work::Accept(work) => accept::run(job, work),
        Work::Idle(work) => idle::run(job, work),
        Work::Fairness(work) => fairness::run(job, work),
    }
}

fn keep_to(core: Option<usize>) -> Result<()> {
    if let Some(core) = core {
        let mut cores = CpuSet::new();
        cores.set(core);
        sched_setaffinity(None, &cores)?;
    }
    Ok(())
}
