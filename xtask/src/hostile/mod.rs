//! `cargo xtask hostile`: clients that do everything wrong, against both hosts.
//!
//! One file per class of attacks; each is a table of [`case::Case`]s: what is sent, and the documented outcome within
//! a time. After each case a newcomer must be served as before ([`target::Target::check_health`]).

mod callbacks;
mod case;
mod config;
mod control;
mod crowds;
mod deflate;
mod drain;
mod feeds;
mod floods;
mod framing;
mod history;
mod host;
mod hosts;
mod inspector;
mod opening;
mod origins;
mod patience;
mod payloads;
mod permissions;
mod slow_reader;
mod target;
mod transport;
mod upstreams;
mod wire;

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};

use crate::npm;
use crate::project::Project;
use case::Case;
use host::Hosts;
use patience::Slow;
use target::{HostKind, Target};

/// The target of the attacks, and the options.
#[derive(Args)]
pub(crate) struct Options {
    /// Only this host; otherwise both
    host: Option<Host>,
    /// Only the cases whose class or name holds this text
    #[arg(long)]
    only: Option<String>,
    /// Attack the plugin as it is in npm/dist
    #[arg(long)]
    built: bool,
    /// Go on with the cases for so many minutes, on one server; its memory has to stay where the first round left it
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
}

/// Which cases, and for how long.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extent<'a> {
    only: Option<&'a str>,
    /// Without it each case runs once.
    time: Option<Duration>,
}

/// What the server may hold more after many rounds than after the first: an allocator gives back late, and in pieces.
const GROWTH: u64 = 24 << 20;

/// What runs the engine.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Host {
    /// The native server
    Native,
    /// The plugin in Vite's development server
    Plugin,
}

/// Builds what is attacked, and attacks it.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let time = options.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
    let extent = Extent { only: options.only.as_deref(), time };
    if options.host != Some(Host::Native) && !options.built {
        npm::run(project, &npm::Options { release: true })?;
    }
    if options.host != Some(Host::Plugin) {
        native(project, extent)?;
    }
    if options.host != Some(Host::Native) {
        plugin(project, extent)?;
    }
    Ok(())
}

/// Attacks the native server, which is built first.
pub(crate) fn native(project: &Project, extent: Extent<'_>) -> Result<()> {
    attack(&Hosts::native(project)?, extent)
}

/// Attacks the plugin as it is built, in Vite.
pub(crate) fn plugin(project: &Project, extent: Extent<'_>) -> Result<()> {
    attack(&Hosts::plugin(project)?, extent)
}

fn attack(hosts: &Hosts, Extent { only, time }: Extent<'_>) -> Result<()> {
    let mut report = Report::new(hosts.kind, only);
    let target = hosts.start(&config::limits())?;
    let slow = report.wants("patience").then(|| Slow::begin(&target));
    report.rounds(&target, time);
    if let Some(slow) = slow {
        report.add("patience", slow.end());
    }
    drop(target);
    if report.wants("crowds") {
        report.run("crowds", crowds::cases(), &crowds::start(hosts)?);
    }
    if report.wants("drain") {
        report.add("drain", drain::run(hosts));
    }
    report.finish()
}

/// What is tried on one server, one after another.
fn classes(kind: HostKind) -> Vec<(&'static str, Vec<Case>)> {
    let mut classes = vec![
        ("framing", framing::cases()),
        ("opening", opening::cases(kind)),
        ("origins", origins::cases(kind)),
        ("hosts", hosts::cases(kind)),
        ("control", control::cases(kind)),
        ("inspector", inspector::cases(kind)),
        ("feeds", feeds::cases()),
        ("deflate", deflate::cases()),
        ("transport", transport::cases(kind)),
        ("floods", floods::cases()),
        ("payloads", payloads::cases(kind)),
        ("permissions", permissions::cases()),
        ("history", history::cases()),
        ("slow reader", slow_reader::cases()),
        ("upstreams", upstreams::cases()),
    ];
    if kind == HostKind::Plugin {
        classes.push(("callbacks", callbacks::cases()));
    }
    classes
}

/// What has passed and what has not.
struct Report {
    /// Which host, in each line.
    host: &'static str,
    only: Option<String>,
    passed: usize,
    failed: Vec<String>,
}

impl Report {
    fn new(kind: HostKind, only: Option<&str>) -> Self {
        let host = match kind {
            HostKind::Native => "native",
            HostKind::Plugin => "plugin",
        };
        Self { host, only: only.map(str::to_owned), passed: 0, failed: Vec::new() }
    }

    /// Whether a class without names of its own is asked for.
    fn wants(&self, class: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only.starts_with(class))
    }

    /// Runs all cases for one server once, or again and again for so long. The first failure ends it with its round.
    fn rounds(&mut self, target: &Target, time: Option<Duration>) {
        let started = Instant::now();
        let mut first = None;
        for round in 1.. {
            for (class, cases) in classes(target.kind) {
                self.run(class, cases, target);
            }
            let Some(time) = time else { return };
            let memory = target.memory().unwrap_or(0);
            let first = *first.get_or_insert(memory);
            println!("{}: round {round}: the server holds {} MiB", self.host, memory >> 20);
            if memory > first + target.allowed_growth(GROWTH) {
                let error = anyhow!("it grew from {} to {} MiB", first >> 20, memory >> 20);
                self.note(format!("memory after {round} rounds"), Err(error));
            }
            if started.elapsed() > time || !self.failed.is_empty() {
                return;
            }
        }
    }

    fn run(&mut self, class: &str, cases: Vec<Case>, target: &Target) {
        let started = Instant::now();
        let before = (self.passed, self.failed.len());
        for case in cases {
            let name = format!("{class}: {}", case.name);
            if self.only.as_deref().is_none_or(|only| name.contains(only)) {
                self.note(name, case.run(target));
            }
        }
        let (passed, failed) = (self.passed - before.0, self.failed.len() - before.1);
        if passed + failed > 0 {
            let (host, seconds) = (self.host, started.elapsed().as_secs_f64());
            println!("{host}: {class}: {passed} passed, {failed} failed in {seconds:.1} s");
        }
    }

    fn add(&mut self, class: &str, outcomes: Vec<(String, Result<()>)>) {
        let count = outcomes.len();
        for (name, outcome) in outcomes {
            self.note(format!("{class}: {name}"), outcome);
        }
        println!("{}: {class}: {count} cases", self.host);
    }

    fn note(&mut self, name: String, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => {
                let line = format!("{}: {name}: {error:#}", self.host);
                println!("FAILED {line}");
                self.failed.push(line);
            }
        }
    }

    fn finish(self) -> Result<()> {
        println!("{}: {} passed, {} failed", self.host, self.passed, self.failed.len());
        match self.failed.len() {
            0 => Ok(()),
            failed => {
                let (host, all) = (self.host, failed + self.passed);
                bail!("{host}: {failed} of {all} cases failed:\n{}", self.failed.join("\n"))
            }
        }
    }
}
