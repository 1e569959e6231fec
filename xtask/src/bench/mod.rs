//! `cargo xtask bench`: Switchboard beside its peers, one work after another, all contenders in turns.
//!
//! [`work`] has what is measured, [`contender`] with which servers; `xtask/bench/load` is the generator, `xtask/bench/peers`
//! holds the peers' programs. Every measurement has a server of its own that is started for it and ended after it.

mod chart;
mod contender;
mod machine;
mod measurement;
mod report;
mod results;
mod statistics;
mod watcher;
mod work;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::project::Project;
use contender::Contender;
use machine::Machine;
use measurement::Bench;
use results::{Entry, Results, WorkResult};
use work::Work;

/// What is measured, and how thoroughly.
#[derive(Args)]
pub(crate) struct Options {
    /// What to measure, or the part of its name before a `-` for a family; none: everything
    names: Vec<String>,
    /// List what can be measured, and the contenders
    #[arg(long)]
    list: bool,
    /// The contenders; none: all that are possible
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    peers: Vec<Contender>,
    /// How often each is measured, in turns
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// One round, and short
    #[arg(long)]
    quick: bool,
    /// With 1 the server is pinned to one core and the generator to another, with more neither is
    #[arg(long, value_name = "N", default_value_t = 1)]
    cores: usize,
    /// Measure what has been built and installed before
    #[arg(long)]
    built: bool,
    /// Where results.json and the charts go; without it, target/bench
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Measure nothing: tables and charts of the results that are there
    #[arg(long)]
    show: bool,
}

/// The time before and within each measurement.
const THOROUGH: [Duration; 2] = [Duration::from_millis(1000), Duration::from_millis(1500)];
const QUICK: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(400)];

/// Measures, prints tables, and leaves the results as JSON.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let works = chosen(&options.names)?;
    if options.list {
        list(&works);
        return Ok(());
    }
    let folder = options.output.clone().unwrap_or_else(|| project.target().join("bench"));
    if options.show {
        return show(&Results::read(&folder.join("results.json"))?, &works, &folder);
    }
    let peers = match &options.peers[..] {
        [] => Contender::value_variants(),
        some => some,
    };
    let takes_part = |peer: &Contender| works.iter().any(|work| peer.can(work));
    let peers: Vec<Contender> = peers.iter().copied().filter(takes_part).collect();
    if !options.built {
        measurement::build_generator(project)?;
        for peer in &peers {
            peer.prepare(project).with_context(|| format!("cannot prepare {}", peer.name()))?;
        }
    }
    let [warm_up, measure] = if options.quick { QUICK } else { THOROUGH };
    let rounds = if options.quick { 1 } else { options.rounds.max(1) };
    let machine = Machine::set_up(options.cores)?;
    let bench = Bench { project, machine, warm_up, measure };
    let mut results = Results::new(project, bench.machine.describe(), rounds, measure, &peers)?;
    if let Some(load) = bench.machine.business() {
        println!(
            "the machine is busy (load {load:.1}): times are longer than they need be, and ratios rough"
        );
    }
    for work in &works {
        let result = measure_work(&bench, work, &peers, rounds);
        results.works.push(result);
        // If a long run is ended early, what has been measured is kept.
        results.write(&folder.join("results.json"))?;
    }
    show(&results, &works, &folder)
}

fn show(results: &Results, works: &[Work], folder: &Path) -> Result<()> {
    println!(
        "{}; commit {}, {} rounds of {} ms",
        results.machine, results.commit, results.rounds, results.measure_ms
    );
    for (name, version) in &results.versions {
        println!("  {name} {version}");
    }
    for work in works {
        if let Some(result) = results.work(work.name) {
            println!("\n{}", report::work(result, work.metric));
        }
    }
    println!("{}\n{}", report::targets(results, works), report::growth(results, works));
    println!("{}", report::functions(results, works));
    let charts = chart::write(results, folder)?;
    println!("results: {}, and {} charts beside it", folder.join("results.json").display(), charts.len());
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<Work>> {
    let mut works = work::all();
    if let Some(unknown) = names.iter().find(|name| !works.iter().any(|work| work.is_meant(name))) {
        bail!("nothing is called {unknown}: see cargo xtask bench --list");
    }
    works.retain(|work| names.is_empty() || names.iter().any(|name| work.is_meant(name)));
    Ok(works)
}

fn list(works: &[Work]) {
    for work in works {
        let who = Contender::value_variants().iter().filter(|contender| contender.can(work));
        let who: Vec<&str> = who.map(|contender| contender.name()).collect();
        println!("{:22} {}: {}\n{:22} {}", work.name, work.title, work.metric.title(), "", who.join(", "));
    }
}

/// All rounds of one measurement. A contender that fails is not tried again; the others go on.
fn measure_work(bench: &Bench<'_>, work: &Work, peers: &[Contender], rounds: usize) -> WorkResult {
    let mut entries: Vec<(Contender, Entry)> =
        peers.iter().filter(|peer| peer.can(work)).map(|peer| (*peer, Entry::new(peer.name()))).collect();
    for round in 1..=rounds {
        for (peer, entry) in entries.iter_mut().filter(|(_, entry)| entry.error.is_none()) {
            let outcome = bench.measure(work, *peer);
            let shown = match &outcome {
                Ok(report) => work.metric.show(work.metric.value(report)),
                Err(error) => format!("failed: {error:#}"),
            };
            println!("{} {round}/{rounds} {:16} {shown}", work.name, peer.name());
            match outcome {
                Ok(report) => entry.reports.push(report),
                Err(error) => entry.error = Some(format!("{error:#}")),
            }
        }
    }
    let mut entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
    entries.iter_mut().for_each(|entry| entry.summarize(work.metric));
    WorkResult {
        name: work.name.to_owned(),
        title: work.title.to_owned(),
        metric: work.metric.title().to_owned(),
        contenders: entries,
    }
}
