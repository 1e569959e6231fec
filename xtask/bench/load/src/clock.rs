//! The time a job has, and what was used of it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::accounting::CpuTime;
use crate::job::Job;
use crate::report::Report;

/// When a job must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn of(job: &Job) -> Self {
        Self(Instant::now() + job.limit)
    }

    /// The time that is left, or an error that names what was waited for.
    pub(crate) fn left(self, what: impl FnOnce() -> String) -> Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!("time is up: {}", what());
        }
        Ok(left)
    }
}

/// A running measurement of both processes.
pub(crate) struct Stopwatch {
    process: u32,
    started: Instant,
    server: CpuTime,
    generator: CpuTime,
}

impl Stopwatch {
    pub(crate) fn start(job: &Job) -> Result<Self> {
        let server = CpuTime::of(job.process)?;
        let generator = CpuTime::of(std::process::id())?;
        Ok(Self { process: job.process, started: Instant::now(), server, generator })
    }

    /// The report of so many things counted since the start.
    pub(crate) fn stop(&self, count: u64) -> Result<Report> {
        let wall = self.started.elapsed();
        // The kernel brings a thread's account up to date when it leaves its core.
        std::thread::sleep(Duration::from_millis(2));
        let server = CpuTime::of(self.process)?.since(&self.server);
        let generator = CpuTime::of(std::process::id())?.since(&self.generator);
        Ok(Report { count, wall, server, generator, ..Report::default() })
    }
}
