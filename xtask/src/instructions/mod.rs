//! `cargo xtask instructions`: what the engine's ways cost, counted in instructions, against a budget.
//!
//! A count says the same however busy the machine is, so it finds a regression where a clock could not. It is not time:
//! a cache miss costs one instruction. What is counted stands in `core/benches/instructions`.

mod budget;
mod callgrind;

use anyhow::{Result, bail};
use clap::Args;

use crate::project::Project;
use crate::steps::{Outcome, Steps};
use budget::{Budgets, Verdict};
use callgrind::Callgrind;

/// Where the budgets stand, below the repository's root.
const FILE: &str = "core/benches/budgets.toml";

/// How large the counts are, and how large they may be.
#[derive(Args)]
pub(crate) struct Options {
    /// Only scenarios with one of these texts in their name, such as `codec` or `engine.relay_to_100`
    names: Vec<String>,
    /// Write the counts into core/benches/budgets.toml instead of comparing
    #[arg(long)]
    update: bool,
}

/// Counts the chosen scenarios. Skipped where they cannot be counted, or would not be what the budgets were made for.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    steps.run_or_skip("instructions", || match Callgrind::find() {
        Ok(callgrind) => count(project, &callgrind, options).map(|()| Outcome::Passed),
        Err(reason) => Ok(Outcome::Skipped(reason.into())),
    })?;
    steps.finish();
    Ok(())
}

fn count(project: &Project, callgrind: &Callgrind, options: &Options) -> Result<()> {
    let program = callgrind::build(project)?;
    let known = callgrind::names(&program)?;
    let is_chosen = |name: &String| {
        options.names.is_empty() || options.names.iter().any(|chosen| name.contains(chosen.as_str()))
    };
    let chosen: Vec<String> = known.iter().filter(|name| is_chosen(name)).cloned().collect();
    if chosen.is_empty() {
        bail!("no scenario has one of these names; there are:\n  {}", known.join("\n  "));
    }
    let file = project.path(FILE);
    let mut budgets = Budgets::read(&file)?;
    let folder = project.target().join("instructions");
    let counts = callgrind.count_all(&program, &folder, &chosen)?;
    print_table(&budgets, &counts);
    if options.update {
        budgets.update(&known, &counts);
        budgets.write(&file)?;
        println!("\nwrote {FILE}");
        return Ok(());
    }
    let faults = budgets.faults(&known, &counts);
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "not as budgeted:\n  {}\n\
         What a scenario spends its instructions on: callgrind_annotate {}/NAME.out\n\
         Where it is worth the cost, change the budget and let the commit say why: cargo xtask instructions --update NAME…",
        faults.join("\n  "),
        folder.display()
    )
}

fn print_table(budgets: &Budgets, counts: &[(String, u64)]) {
    println!("\n{:<44}{:>12}{:>12}", "instructions per operation", "counted", "budget");
    for (name, count) in counts {
        let note = match budgets.verdict(name, *count) {
            Verdict::Within { change } if change.abs() < 0.05 => String::new(),
            Verdict::Within { change } => format!("  {change:+.1} %"),
            Verdict::Over { change } => format!("  {change:+.1} %: OVER BUDGET"),
            Verdict::Under { change } => format!("  {change:+.1} %: better, --update keeps it so"),
            Verdict::Unknown => "  no budget".to_owned(),
        };
        let budget = budgets.of(name).map_or_else(|| "–".to_owned(), |budget| budget.to_string());
        println!("{name:<44}{count:>12}{budget:>12}{note}");
    }
}
