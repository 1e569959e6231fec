//! `cargo xtask autobahn`: both hosts against Autobahn|Testsuite, whose client plays 517 cases of RFC 6455 and RFC 7692.

mod hosts;
mod report;
mod testsuite;

use anyhow::Result;
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
        for host in chosen {
            steps.run(host.name(), || test(project, &testsuite, &mut hosts, host, options.quick))?;
        }
    }
    steps.finish();
    Ok(())
}

fn test(
    project: &Project,
    testsuite: &Testsuite,
    hosts: &mut Hosts<'_>,
    host: Host,
    quick: bool,
) -> Result<()> {
    let url = hosts.url(host)?;
    let folder = project.target().join("autobahn").join(host.name());
    let cases = if quick { testsuite::quick_cases() } else { vec!["*".to_owned()] };
    let index = testsuite.run(&url, &folder, &cases)?;
    let report = Report::read(&index)?;
    println!("{}; details in {}", report.summary(), folder.join("index.html").display());
    report.check(if quick { testsuite::QUICK_CASES } else { testsuite::ALL_CASES })?;
    if !quick {
        report.write(&project.path(host.result_file()), host)?;
        println!("wrote {}", host.result_file());
    }
    Ok(())
}
