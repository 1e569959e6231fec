//! One measurement: a server, the generator, both ended.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bench_load::{Job, Report, Work as Load};

use super::contender::Contender;
use super::machine::Machine;
use super::watcher::Watcher;
use super::work::Work;
use crate::process::Server;
use crate::project::Project;

/// How long a measurement may take in addition to its own time: ten thousand handshakes, and memory that settles twice.
const BESIDE: Duration = Duration::from_secs(90);

/// How much later the generator is ended by force.
const GRACE: Duration = Duration::from_secs(5);

/// What all measurements have in common.
pub(super) struct Bench<'p> {
    pub(super) project: &'p Project,
    pub(super) machine: Machine,
    pub(super) warm_up: Duration,
    pub(super) measure: Duration,
}

/// Builds the generator as it has to be: optimized.
pub(super) fn build_generator(project: &Project) -> Result<()> {
    Ok(project.cargo().args(["build", "--locked", "--release", "--package", "bench-load"]).run()?)
}

impl Bench<'_> {
    /// Lets one contender do one work once.
    pub(super) fn measure(&self, work: &Work, contender: Contender) -> Result<Report> {
        let start = || contender.start(self.project, work.routes);
        let mut running = self.machine.on_server_core(start).context("it does not start")?;
        let job = Job {
            port: running.port,
            process: running.server.id(),
            core: self.machine.generator_core(),
            warm_up: self.warm_up,
            measure: self.measure,
            limit: self.warm_up + self.measure + BESIDE,
            work: below(&work.load, running.prefix),
        };
        let watcher = contender.is_inspected().then(|| Watcher::start(running.port)).transpose()?;
        let report = self.generate(&job).map_err(|error| match running.server.exit_status() {
            Ok(Some(status)) => anyhow!("the server ended ({status}): {error:#}"),
            _ => error,
        });
        drop(running);
        watcher.map_or(Ok(()), Watcher::check).and(report)
    }

    fn generate(&self, job: &Job) -> Result<Report> {
        let mut command = Command::new(self.program());
        let mut generator = Server::start(command.arg(serde_json::to_string(job)?))?;
        let status = generator.wait(job.limit + GRACE).context("the generator hangs")?;
        let printed = generator.printed();
        let last = printed.lines().last().unwrap_or_default();
        if !status.success() {
            return Err(anyhow!("{last}"));
        }
        serde_json::from_str(last).with_context(|| format!("the generator said {last:?}"))
    }

    fn program(&self) -> PathBuf {
        self.project.target().join("release/bench-load")
    }
}

/// The same work for a server whose routes are below a prefix.
fn below(load: &Load, prefix: &str) -> Load {
    let mut load = load.clone();
    let paths = match &mut load {
        Load::FanOut(work) => vec![&mut work.path],
        Load::Echo(work) => vec![&mut work.path],
        Load::Accept(work) => vec![&mut work.path],
        Load::Idle(work) => vec![&mut work.path],
        Load::Fairness(work) => vec![&mut work.path, &mut work.echo_path],
    };
    paths.into_iter().for_each(|path| path.insert_str(0, prefix));
    load
}
