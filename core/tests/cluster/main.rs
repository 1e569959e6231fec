//! Nodes of a cluster and a broker made of values: delay, loss, repetition, partitions, deaths, restarts, all from a seed.
//!
//! `CLUSTER_SEEDS=1000` tries more than usual, `CLUSTER_SEED=7` one alone.

mod broker;
mod engines;
mod simulation;
mod tally;
mod trouble;

use engines::Engines;
use simulation::Simulation;
use tally::Tally;
use trouble::Trouble;

/// How many seeds are tried with each kind of trouble.
const SEEDS: u64 = 120;

/// How many steps each of them takes.
const STEPS: usize = 700;

/// A test may read its environment, and say how much has happened.
#[expect(clippy::disallowed_methods, reason = "a test is a program of its own")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[expect(clippy::disallowed_macros, reason = "a test is a program of its own")]
fn print(line: &str) {
    println!("{line}");
}

/// How many seeds are tried with whole engines, and how many steps each of them takes.
const ENGINE_SEEDS: (u64, usize) = (6, 300);

/// The same troubles with whole engines, of which the clients are looked at.
fn try_engines(trouble: Trouble) {
    let (usual, steps) = ENGINE_SEEDS;
    let seeds = match number("CLUSTER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CLUSTER_SEEDS").unwrap_or(usual),
    };
    let (mut heard, mut missed) = (0, 0);
    for seed in seeds.clone() {
        let run = || {
            let mut engines = Engines::new(seed, trouble);
            engines.run(steps);
            (engines.heard, engines.missed)
        };
        match std::panic::catch_unwind(run) {
            Ok(tally) => (heard, missed) = (heard + tally.0, missed + tally.1),
            Err(_) => panic!("engines, {trouble:?}: CLUSTER_SEED={seed} has failed, see above"),
        }
    }
    print(&format!("engines, {trouble:?}: {heard} messages heard, {missed} missed"));
    if seeds.end - seeds.start >= usual {
        assert!(heard > 500, "{heard} messages prove nothing");
        let may_miss = trouble.loss > 0.0 || trouble.partitions;
        assert_eq!(missed > 0, may_miss, "{missed} missed");
    }
}

#[test]
fn clients_of_engines_without_trouble() {
    try_engines(Trouble::NONE);
}

#[test]
fn clients_of_engines_whose_broker_loses_and_repeats() {
    try_engines(Trouble { loss: 0.05, repetition: 0.05, ..Trouble::NONE });
}

#[test]
fn clients_of_engines_through_partitions_and_restarts_of_the_broker() {
    try_engines(Trouble { partitions: true, ..Trouble::NONE });
}

#[test]
fn clients_of_engines_of_which_some_die() {
    try_engines(Trouble { deaths: true, ..Trouble::NONE });
}

#[test]
fn clients_of_engines_through_all_of_it() {
    try_engines(Trouble { loss: 0.02, repetition: 0.02, partitions: true, leaving: true, deaths: true });
}

fn try_seeds(trouble: Trouble) {
    let seeds = match number("CLUSTER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CLUSTER_SEEDS").unwrap_or(SEEDS),
    };
    let mut events = Tally::default();
    for seed in seeds.clone() {
        let run = || {
            let mut simulation = Simulation::new(seed, trouble);
            simulation.run(STEPS);
            simulation.tally()
        };
        match std::panic::catch_unwind(run) {
            Ok(tally) => events += tally,
            Err(_) => panic!("{trouble:?}: CLUSTER_SEED={seed} has failed, see above"),
        }
    }
    print(&format!("{trouble:?}: {events:?}"));
    if seeds.end - seeds.start >= SEEDS {
        events.assert_was_worth_it(trouble);
    }
}

#[test]
fn without_trouble_everything_arrives_once_and_in_order() {
    try_seeds(Trouble::NONE);
}

#[test]
fn what_the_broker_loses_or_repeats_is_counted() {
    try_seeds(Trouble { loss: 0.05, repetition: 0.05, ..Trouble::NONE });
}

#[test]
fn subscriptions_end_and_begin_again() {
    try_seeds(Trouble { leaving: true, ..Trouble::NONE });
}

#[test]
fn partitions_and_restarts_of_the_broker_end_in_agreement() {
    try_seeds(Trouble { partitions: true, ..Trouble::NONE });
}

#[test]
fn nodes_that_die_or_leave_take_their_entries_with_them() {
    try_seeds(Trouble { deaths: true, ..Trouble::NONE });
}

#[test]
fn all_of_it_at_once() {
    try_seeds(Trouble { loss: 0.02, repetition: 0.02, partitions: true, leaving: true, deaths: true });
}
