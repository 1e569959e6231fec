//! `core/benches/budgets.toml`: how many instructions each scenario may take.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// How far a count may be from its budget, in percent: what another libc, allocator or order of hashes makes of the
/// same code.
const TOLERANCE: u64 = 10;

/// The same for the cheapest, of which ten percent are nothing.
const TOLERATED_INSTRUCTIONS: u64 = 30;

const HEAD: &str = "\
# Instructions per operation of the scenarios in core/benches/instructions, counted on x86-64 with AVX2.
# `cargo xtask instructions` fails when one takes over 10 % (and over 30 instructions) more.
# Written by `cargo xtask instructions --update [NAME…]`; a commit that raises a budget says why.
";

/// Instructions by scenario; the names are `<part>.<what>`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Budgets(BTreeMap<String, u64>);

/// What a count means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// As it should be.
    Within { change: f64 },
    /// It costs more than is tolerated, by this many percent.
    Over { change: f64 },
    /// It costs so much less that the budget should follow.
    Under { change: f64 },
    /// There is no budget for it.
    Unknown,
}

impl Budgets {
    /// None where there is no file yet.
    pub(super) fn read(file: &Path) -> Result<Self> {
        if !file.exists() {
            return Ok(Self::default());
        }
        Self::parse(&std::fs::read_to_string(file)?)
            .with_context(|| format!("{} is malformed", file.display()))
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        Ok(std::fs::write(file, self.format())?)
    }

    pub(super) fn of(&self, name: &str) -> Option<u64> {
        self.0.get(name).copied()
    }

    pub(super) fn verdict(&self, name: &str, count: u64) -> Verdict {
        let Some(budget) = self.of(name) else { return Verdict::Unknown };
        let change = (count as f64 / budget.max(1) as f64 - 1.0) * 100.0;
        let tolerated = TOLERATED_INSTRUCTIONS.max(budget * TOLERANCE / 100);
        if count.abs_diff(budget) <= tolerated {
            Verdict::Within { change }
        } else if count > budget {
            Verdict::Over { change }
        } else {
            Verdict::Under { change }
        }
    }

    /// What is wrong: counts over their budget, and budgets and scenarios without each other.
    pub(super) fn faults(&self, known: &[String], counts: &[(String, u64)]) -> Vec<String> {
        let of_counts = counts.iter().filter_map(|(name, count)| match self.verdict(name, *count) {
            Verdict::Over { change } => {
                let budget = self.of(name).unwrap_or_default();
                Some(format!(
                    "{name}: {count} instructions, {} more than its budget of {budget} ({change:+.1} %; {TOLERANCE} % are tolerated)",
                    count - budget
                ))
            }
            Verdict::Unknown => Some(format!("{name}: {count} instructions and no budget")),
            Verdict::Within { .. } | Verdict::Under { .. } => None,
        });
        let stale = self.0.keys().filter(|name| !known.contains(name));
        of_counts.chain(stale.map(|name| format!("{name}: a budget and no scenario"))).collect()
    }

    /// Takes the counts as budgets and forgets those of scenarios that are gone.
    pub(super) fn update(&mut self, known: &[String], counts: &[(String, u64)]) {
        self.0.retain(|name, _| known.contains(name));
        self.0.extend(counts.iter().cloned());
    }

    fn parse(text: &str) -> Result<Self> {
        let parts: BTreeMap<String, BTreeMap<String, u64>> = toml::from_str(text)?;
        let named = |(part, budgets): (String, BTreeMap<String, u64>)| {
            budgets.into_iter().map(move |(what, budget)| (format!("{part}.{what}"), budget))
        };
        Ok(Self(parts.into_iter().flat_map(named).collect()))
    }

    fn format(&self) -> String {
        let mut text = HEAD.to_owned();
        let mut current = "";
        for (name, budget) in &self.0 {
            let (part, what) = name.split_once('.').unwrap_or(("", name));
            if part != current {
                current = part;
                // Writing to a string cannot fail.
                let _ = writeln!(text, "\n[{part}]");
            }
            let _ = writeln!(text, "{what} = {budget}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets() -> Budgets {
        let pairs = [("codec.encode", 1000), ("codec.ping", 50), ("engine.echo", 2000)];
        Budgets(pairs.map(|(name, budget)| (name.to_owned(), budget)).into())
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = budgets().format();
        assert!(text.ends_with("\n[codec]\nencode = 1000\nping = 50\n\n[engine]\necho = 2000\n"), "{text}");
        assert_eq!(Budgets::parse(&text).unwrap(), budgets());
        assert!(Budgets::parse("[codec]\nencode = 'much'").is_err());
    }

    #[test]
    fn a_count_over_its_budget_is_named_with_how_much() {
        let budgets = budgets();
        let known = names(&["codec.encode", "codec.ping", "engine.echo"]);
        let fault = |name: &str, count| budgets.faults(&known, &[(name.to_owned(), count)]);
        for (name, count) in
            [("codec.encode", 1100), ("codec.encode", 5), ("codec.ping", 80), ("engine.echo", 2200)]
        {
            assert_eq!(fault(name, count), [""; 0], "{name} {count}");
        }
        let expected =
            "codec.encode: 1234 instructions, 234 more than its budget of 1000 (+23.4 %; 10 % are tolerated)";
        assert_eq!(fault("codec.encode", 1234), [expected]);
        assert!(matches!(budgets.verdict("codec.ping", 81), Verdict::Over { .. }));
        assert!(matches!(budgets.verdict("engine.echo", 1700), Verdict::Under { .. }));
    }

    #[test]
    fn budgets_and_scenarios_need_each_other() {
        let mut budgets = budgets();
        let known = names(&["codec.encode", "engine.echo", "engine.new"]);
        let counts = [("engine.new".to_owned(), 7)];
        let expected = ["engine.new: 7 instructions and no budget", "codec.ping: a budget and no scenario"];
        assert_eq!(budgets.faults(&known, &counts), expected);
        budgets.update(&known, &counts);
        assert_eq!(budgets.faults(&known, &counts), [""; 0]);
        assert_eq!((budgets.of("codec.ping"), budgets.of("codec.encode")), (None, Some(1000)));
    }
}
