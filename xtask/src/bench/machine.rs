//! The machine's cores and limits, and how they are assigned.

use std::fs;

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The server on one core and the generator on another, or the server on all.
pub(super) struct Machine {
    /// Those this program may use.
    cores: Vec<usize>,
    is_pinned: bool,
}

impl Machine {
    /// Gives the server one core, or `server_cores` of 2 or more: any. Raises the number of open files to what is
    /// allowed, for the servers too.
    pub(super) fn set_up(server_cores: usize) -> Result<Self> {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
        let set = sched_getaffinity(None)?;
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect();
        if server_cores == 0 {
            bail!("a server needs a core: --cores 1 or more");
        }
        let is_pinned = server_cores == 1 && cores.len() > 1;
        Ok(Self { cores, is_pinned })
    }

    /// Does something, such as starting a server, on the server's core; what it starts stays there.
    pub(super) fn on_server_core<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        let (Some(first), true) = (self.cores.first(), self.is_pinned) else { return start() };
        sched_setaffinity(None, &set([*first])).context("cannot choose a core")?;
        let started = start();
        sched_setaffinity(None, &set(self.cores.iter().copied()))?;
        started
    }

    /// The core that the generator keeps to.
    pub(super) fn generator_core(&self) -> Option<usize> {
        self.cores.get(1).copied().filter(|_| self.is_pinned)
    }

    /// The load of the last minute, if it is high enough to disturb.
    pub(super) fn business(&self) -> Option<f64> {
        let text = fs::read_to_string("/proc/loadavg").ok()?;
        let load: f64 = text.split(' ').next()?.parse().ok()?;
        (load > self.cores.len() as f64 / 2.0).then_some(load)
    }

    /// One line for the results.
    pub(super) fn describe(&self) -> String {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let processor =
            field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let pinned = match self.is_pinned {
            true => "server pinned to one core, generator to another",
            false => "nothing pinned",
        };
        format!("{processor}, {} cores, Linux {}; {pinned}", self.cores.len(), kernel.trim())
    }
}

fn set(cores: impl IntoIterator<Item = usize>) -> CpuSet {
    let mut set = CpuSet::new();
    cores.into_iter().for_each(|core| set.set(core));
    set
}
