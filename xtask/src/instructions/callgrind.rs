//! Valgrind's callgrind, and the program that it counts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::project::{Project, find_program};

/// How often the program runs a counted operation; `core/benches/instructions/main.rs` has the same.
const OPERATIONS: u64 = 100;

/// The function that is counted, from entry to return, as a pattern of its name. Preparation and warm-up stay outside.
const COUNTED: &str = "*measured_operations*";

const NO_VALGRIND: &str =
    "there is no Valgrind, which counts instructions; install it (apt-get install valgrind)";
const OTHER_MACHINE: &str =
    "the budgets are for Linux on x86-64 with AVX2; another machine takes other instructions";

/// Valgrind on a machine for which the budgets were made.
pub(super) struct Callgrind {
    valgrind: PathBuf,
}

impl Callgrind {
    /// The error says why it cannot be used here.
    pub(super) fn find() -> Result<Self, &'static str> {
        if !is_budgeted_machine() {
            return Err(OTHER_MACHINE);
        }
        find_program(&["valgrind"]).map(|valgrind| Self { valgrind }).ok_or(NO_VALGRIND)
    }

    /// Counts these scenarios, as many at once as there are cores. Instructions per operation, in the names' order.
    /// What callgrind found is left in `folder`, one file each.
    pub(super) fn count_all(
        &self,
        program: &Path,
        folder: &Path,
        names: &[String],
    ) -> Result<Vec<(String, u64)>> {
        std::fs::create_dir_all(folder)?;
        let next = AtomicUsize::new(0);
        let counted = Mutex::new(Vec::new());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    while let Some((index, name)) = Some(next.fetch_add(1, Ordering::Relaxed))
                        .and_then(|index| Some((index, names.get(index)?)))
                    {
                        let count = self.count(program, folder, name);
                        counted.lock().unwrap_or_else(|broken| broken.into_inner()).push((index, count));
                    }
                });
            }
        });
        let mut counted = counted.into_inner().unwrap_or_else(|broken| broken.into_inner());
        counted.sort_by_key(|(index, _)| *index);
        counted.into_iter().map(|(index, count)| Ok((names[index].clone(), count?))).collect()
    }

    fn count(&self, program: &Path, folder: &Path, name: &str) -> Result<u64> {
        let file = folder.join(format!("{name}.out"));
        let output = Command::new(&self.valgrind)
            .args(["--tool=callgrind", "--collect-atstart=no"])
            .arg(format!("--toggle-collect={COUNTED}"))
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(program)
            .args(["--count", name])
            .stdin(Stdio::null())
            .output()
            .context("cannot start valgrind")?;
        if !output.status.success() {
            bail!("{name} fails under Valgrind:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("{name}: callgrind left no file"))?;
        match total(&text).context("callgrind's file has no total")? {
            0 => Err(anyhow!("{name}: nothing was counted; is {COUNTED} still the name of a function?")),
            instructions => Ok(instructions / OPERATIONS),
        }
    }
}

/// Builds the scenarios with the profile that ships, and returns the program's path.
pub(super) fn build(project: &Project) -> Result<PathBuf> {
    let build = ["bench", "--locked", "--package", "switchboard-core", "--bench", "instructions", "--no-run"];
    let messages = project.cargo().args(build).arg("--message-format=json-render-diagnostics").read()?;
    let program =
        messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
            let is_ours = message["target"]["name"] == "instructions";
            message["executable"].as_str().filter(|_| is_ours).map(PathBuf::from)
        });
    program.context("Cargo does not say where the program is")
}

/// The names of all scenarios.
pub(super) fn names(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program).arg("--list").output().context("cannot start the scenarios")?;
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

/// The `totals:` or `summary:` line of callgrind's file.
fn total(text: &str) -> Option<u64> {
    let line =
        text.lines().find_map(|line| line.strip_prefix("totals:").or_else(|| line.strip_prefix("summary:")));
    line?.trim().parse().ok()
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn is_budgeted_machine() -> bool {
    // Validating UTF-8, copying and comparing choose their instructions by it.
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn is_budgeted_machine() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_among_the_lines() {
        let text = "# callgrind format\nevents: Ir\nfn=(1) main\n3 40\ntotals: 12345\n";
        assert_eq!(total(text), Some(12_345));
        assert_eq!(total("summary: 7\n"), Some(7));
        assert_eq!(total("events: Ir\n"), None);
    }
}
