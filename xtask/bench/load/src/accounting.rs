//! A process's CPU time and memory, as the kernel accounts for them.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What each thread of a process has run up to now, in ns: `/proc/PID/task/*/schedstat`.
///
/// `/proc/PID/stat` counts in ticks of 10 ms, which is too coarse for a second's measurement.
#[derive(Clone, Debug)]
pub struct CpuTime(HashMap<String, u64>);

impl CpuTime {
    /// Reads it.
    pub fn of(process: u32) -> Result<Self> {
        let folder = format!("/proc/{process}/task");
        let tasks = fs::read_dir(&folder).with_context(|| format!("process {process} is gone"))?;
        let mut threads = HashMap::new();
        for task in tasks.flatten() {
            // A thread may end between the listing and the reading.
            if let Ok(text) = fs::read_to_string(task.path().join("schedstat")) {
                threads.insert(task.file_name().to_string_lossy().into_owned(), ran(&text));
            }
        }
        Ok(Self(threads))
    }

    /// CPU time since an earlier reading of the same process. What a thread did that has ended since is not in it.
    pub fn since(&self, earlier: &Self) -> Duration {
        let ran = |(thread, ns): (&String, &u64)| ns - earlier.0.get(thread).copied().unwrap_or(0).min(*ns);
        Duration::from_nanos(self.0.iter().map(ran).sum())
    }
}

fn ran(schedstat: &str) -> u64 {
    schedstat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// A process's memory.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    process: u32,
}

impl Memory {
    /// How far apart two looks are.
    const LOOK: Duration = Duration::from_millis(100);
    /// So many looks in a row must show about the same.
    const SAME: usize = 5;
    /// What counts as the same, in bytes.
    const TOLERANCE: u64 = 64 << 10;

    /// Of this process.
    pub fn of(process: u32) -> Self {
        Self { process }
    }

    /// Bytes in use, once they have stopped changing, or at the end of `patience`.
    pub fn settled(self, patience: Duration) -> Result<u64> {
        let end = Instant::now() + patience;
        let mut last = self.resident()?;
        let mut same = 0;
        while same < Self::SAME && Instant::now() < end {
            std::thread::sleep(Self::LOOK);
            let now = self.resident()?;
            same = if now.abs_diff(last) <= Self::TOLERANCE { same + 1 } else { 0 };
            last = now;
        }
        Ok(last)
    }

    fn resident(self) -> Result<u64> {
        let file = format!("/proc/{}/smaps_rollup", self.process);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        kibibytes(&text, "Rss:").map(|kib| kib << 10).with_context(|| format!("{file} has no Rss"))
    }
}

fn kibibytes(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use rustix::time::{ClockId, clock_gettime};

    use super::*;

    #[test]
    fn a_busy_thread_is_seen() {
        let before = CpuTime::of(std::process::id()).unwrap();
        // By its own clock, so that it does not matter who else wants the processor.
        let own = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let begun = own();
        while own() - begun < Duration::from_millis(50) {
            std::hint::spin_loop();
        }
        std::thread::yield_now();
        let used = CpuTime::of(std::process::id()).unwrap().since(&before);
        // The kernel brings a running thread's account up to date at its ticks.
        assert!(used > Duration::from_millis(25), "{used:?}");
    }

    #[test]
    fn new_threads_count_and_ended_ones_do_not() {
        let reading = |threads: &[(&str, u64)]| {
            CpuTime(threads.iter().map(|(thread, ns)| ((*thread).to_owned(), *ns)).collect())
        };
        let (earlier, later) = (reading(&[("1", 100), ("2", 50)]), reading(&[("1", 130), ("3", 7)]));
        assert_eq!(later.since(&earlier), Duration::from_nanos(37));
    }

    #[test]
    fn fields_of_proc() {
        assert_eq!(ran("60431 12 1\n"), 60431);
        assert_eq!(kibibytes("Rss:                1234 kB\nPss:  5 kB\n", "Rss:"), Some(1234));
        assert_eq!(kibibytes("Pss:  5 kB\n", "Rss:"), None);
    }
}
