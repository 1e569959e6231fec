//! What happened, over all clients.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use anyhow::{Error, Result, bail};

use super::behavior::Behavior;

/// Counters that all clients of a run share.
#[derive(Clone, Default)]
pub(super) struct Tally(Rc<RefCell<Counts>>);

#[derive(Default)]
struct Counts {
    lives: BTreeMap<&'static str, u64>,
    events: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
}

impl Tally {
    /// A client has finished: without or with a fault.
    pub(super) fn lived(&self, behavior: &'static str, client: u64, life: Result<()>) {
        let mut counts = self.0.borrow_mut();
        *counts.lives.entry(behavior).or_default() += 1;
        if let Err(error) = life {
            counts.faults.push(describe(behavior, client, &error));
        }
    }

    /// Something happened that is worth counting.
    pub(super) fn count(&self, event: &'static str, times: u64) {
        *self.0.borrow_mut().events.entry(event).or_default() += times;
    }

    /// Whether nothing was wrong. Faults that differ in numbers only are told together.
    pub(super) fn check_faults(&self) -> Result<()> {
        let counts = self.0.borrow();
        if counts.faults.is_empty() {
            return Ok(());
        }
        let mut kinds: BTreeMap<String, (usize, &str)> = BTreeMap::new();
        for fault in &counts.faults {
            let kind = fault.replace(|letter: char| letter.is_ascii_digit(), "");
            kinds.entry(kind).or_insert((0, fault)).0 += 1;
        }
        let kinds: Vec<String> = kinds.values().map(|(times, first)| format!("{times} × {first}")).collect();
        bail!("{} faults, such as\n{}", counts.faults.len(), kinds.join("\n"))
    }

    /// Whether every kind of client has run: without some of them a run would prove less than it says.
    pub(super) fn check_variety(&self) -> Result<()> {
        let counts = self.0.borrow();
        let missing: Vec<_> =
            Behavior::ALL.iter().map(|b| b.name()).filter(|name| !counts.lives.contains_key(name)).collect();
        if !missing.is_empty() {
            bail!("too short: nobody was {}", missing.join(", "));
        }
        Ok(())
    }
}

fn describe(behavior: &str, client: u64, error: &Error) -> String {
    format!("{behavior} {client}: {error:#}")
}

/// For example "12 clients: echo 7, reset 5; 120 echoes".
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.borrow();
        let list = |counts: &BTreeMap<&str, u64>, separator: &str| {
            let list: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            list.join(separator)
        };
        writeln!(f, "{} clients: {}", counts.lives.values().sum::<u64>(), list(&counts.lives, ", "))?;
        write!(f, "{}; faults {}", list(&counts.events, ", "), counts.faults.len())
    }
}
