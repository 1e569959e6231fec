//! `cargo xtask hostile`: clients that do everything wrong, against both hosts.
//!
//! One file per class of attacks; each is a table of [`case::Case`]s: what is sent, and the documented outcome within
//! a time. After each case a newcomer must be served as before ([`target::Target::check_health`]).

mod callbacks;
mod case;
mod config;
mod crowds;
mod deflate;
mod drain;
mod floods;
mod framing;
mod host;
mod opening;
mod origins;
mod patience;
mod payloads;
mod slow_reader;
mod target;
mod transport;
mod upstreams;
mod wire;

use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::npm;
use crate::project::Project;
use case::Case;
use host::Hosts;
use patience::Slow;
use target::{HostKind, Target};

/// Whom to attack, and how.
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
}

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
    if options.host != Some(Host::Plugin) {
        native(project, options.only.as_deref())?;
    }
    if options.host != Some(Host::Native) {
        if !options.built {
            npm::run(project, &npm::Options { release: true })?;
        }
        plugin(project, options.only.as_deref())?;
    }
    Ok(())
}

/// Attacks the native server, which is built first.
pub(crate) fn native(project: &Project, only: Option<&str>) -> Result<()> {
    attack(&Hosts::native(project)?, only)
}

/// Attacks the plugin as it is built, in Vite.
pub(crate) fn plugin(project: &Project, only: Option<&str>) -> Result<()> {
    attack(&Hosts::plugin(project)?, only)
}

fn attack(hosts: &Hosts, only: Option<&str>) -> Result<()> {
    let mut report = Report { only: only.map(str::to_owned), ..Report::default() };
    let target = hosts.start(&config::limits())?;
    let slow = report.wants("patience").then(|| Slow::begin(&target));
    for (class, cases) in classes(hosts.kind) {
        report.run(class, cases, &target);
    }
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
        ("deflate", deflate::cases()),
        ("transport", transport::cases(kind)),
        ("floods", floods::cases()),
        ("payloads", payloads::cases(kind)),
        ("slow reader", slow_reader::cases()),
        ("upstreams", upstreams::cases()),
    ];
    if kind == HostKind::Plugin {
        classes.push(("callbacks", callbacks::cases()));
    }
    classes
}

/// What has passed and what has not.
#[derive(Default)]
struct Report {
    only: Option<String>,
    passed: usize,
    failed: Vec<String>,
}

impl Report {
    /// Whether a class without names of its own is asked for.
    fn wants(&self, class: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only.starts_with(class))
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
            println!("{class}: {passed} passed, {failed} failed in {:.1} s", started.elapsed().as_secs_f64());
        }
    }

    fn add(&mut self, class: &str, outcomes: Vec<(String, Result<()>)>) {
        let count = outcomes.len();
        for (name, outcome) in outcomes {
            self.note(format!("{class}: {name}"), outcome);
        }
        println!("{class}: {count} cases");
    }

    fn note(&mut self, name: String, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => {
                let line = format!("{name}: {error:#}");
                println!("FAILED {line}");
                self.failed.push(line);
            }
        }
    }

    fn finish(self) -> Result<()> {
        println!("hostile: {} passed, {} failed", self.passed, self.failed.len());
        match self.failed.len() {
            0 => Ok(()),
            failed => bail!("{failed} of {} cases failed:\n{}", failed + self.passed, self.failed.join("\n")),
        }
    }
}
