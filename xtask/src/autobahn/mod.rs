//! `cargo xtask autobahn`: both hosts against Autobahn|Testsuite, whose client plays 517 cases of RFC 6455 and RFC 7692.

mod hosts;
mod report;
mod testsuite;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};

use crate::project::Project;
use crate::steps::{Outcome, Steps};
use hosts::Hosts;
use report::Report;
use testsuite::Testsuite;

/// What to test, and how much of it.
#[derive(Args)]
pub(crate) struct Options {
    /// Which server; without it, each of them
    host: Option<Host>,
    /// Leave out the cases with many or large messages: 326 of 517 remain; the native server is that of the development profile,
    /// and result files stay as they are
    #[arg(long)]
    quick: bool,
}

/// One server under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Host {
    /// The native server with its built-in configuration: /echo
    Native,
    /// The plugin in a Vite development server: a route of the dialect echo
    Plugin,
    /// The same with a JavaScript callback that sends back what comes
    PluginCallback,
}

impl Host {
    /// As on the command line.
    fn name(self) -> &'static str {
        match self {
            Host::Native => "native",
            Host::Plugin => "plugin",
            Host::PluginCallback => "plugin-callback",
        }
    }

    /// The committed result of a full run.
    fn result_file(self) -> &'static str {
        match self {
            Host::Native => "native/conformance/autobahn.json",
            Host::Plugin => "npm/conformance/autobahn-echo.json",
            Host::PluginCallback => "npm/conformance/autobahn-callback.json",
        }
    }
}

/// Tests each chosen host and, after a full run, writes its result file. Anything but OK is an error, and so is a case
/// without a result.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    let mut testsuite = None;
    steps.run_or_skip("Autobahn|Testsuite", || {
        testsuite = Testsuite::install(project)?;
        Ok(match testsuite {
            Some(_) => Outcome::Passed,
            None => Outcome::Skipped(testsuite::HOW_TO_GET_PYTHON.into()),
        })
    })?;
    if let Some(testsuite) = testsuite {
        let chosen = options.host.map_or(Host::value_variants().to_vec(), |host| vec![host]);
        let mut hosts = Hosts::new(project, !options.quick);
        if options.quick {
            steps.run("quick cases", || play_quick_cases(project, &testsuite, &mut hosts, &chosen))?;
        } else {
            for host in chosen {
                steps.run(host.name(), || play_all_cases(project, &testsuite, &mut hosts, host))?;
            }
        }
    }
    steps.finish();
    Ok(())
}

/// Plays against all hosts at once, as the testsuite takes one core and most of the time.
fn play_quick_cases(
    project: &Project,
    testsuite: &Testsuite,
    hosts: &mut Hosts<'_>,
    chosen: &[Host],
) -> Result<()> {
    let urls = chosen.iter().map(|host| hosts.url(*host)).collect::<Result<Vec<_>>>()?;
    let folders: Vec<_> = chosen.iter().map(|host| folder(project, *host)).collect();
    let cases = testsuite::quick_cases();
    let played: Vec<_> = std::thread::scope(|scope| {
        let games = urls.iter().zip(&folders).map(|(url, folder)| {
            let cases = &cases;
            scope.spawn(move || testsuite.run(url, folder, cases))
        });
        games.collect::<Vec<_>>().into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    for (host, index) in chosen.iter().zip(played) {
        let index = index.map_err(|_| anyhow!("playing against {} panicked", host.name()))?;
        read(&index?, *host)?.check(testsuite::QUICK_CASES).context(host.name())?;
    }
    Ok(())
}

fn play_all_cases(project: &Project, testsuite: &Testsuite, hosts: &mut Hosts<'_>, host: Host) -> Result<()> {
    let index = testsuite.run(&hosts.url(host)?, &folder(project, host), &["*".to_owned()])?;
    let report = read(&index, host)?;
    report.check(testsuite::ALL_CASES)?;
    report.write(&project.path(host.result_file()), host)?;
    println!("wrote {}", host.result_file());
    Ok(())
}

/// Where the testsuite leaves its reports.
fn folder(project: &Project, host: Host) -> PathBuf {
    project.target().join("autobahn").join(host.name())
}

fn read(index: &Path, host: Host) -> Result<Report> {
    let report = Report::read(index)?;
    println!("{}: {}; details in {}", host.name(), report.summary(), index.with_extension("html").display());
    Ok(report)
}
