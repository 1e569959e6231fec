//! Nodes of a cluster and a broker made of values: delay, loss, repetition, partitions, deaths, restarts, all from a seed.
//!
//! `CLUSTER_SEEDS=1000` tries more than usual, `CLUSTER_SEED=7` one alone.

mod broker;
mod engines;
mod kept;
mod recovery;
mod seeds;
mod simulation;
mod tally;
mod trouble;

use engines::Engines;
use recovery::Recovery;
use simulation::Simulation;
use tally::Tally;
use trouble::{Keeping, Trouble};

/// How many seeds are tried with each kind of trouble, and how many steps each of them takes: a million in all.
const SEEDS: (u64, usize) = (240, 700);

/// The same with whole engines.
const ENGINE_SEEDS: (u64, usize) = (16, 300);

/// Tests may say how much has happened.
#[expect(clippy::disallowed_macros, reason = "a test is a program of its own")]
fn print(line: &str) {
    println!("{line}");
}

/// The same with clients that come back.
const RECOVERY_SEEDS: (u64, usize) = (24, 400);

/// The troubles with clients that lose their connections and come back to any node.
fn try_recovery(test: &str, trouble: Trouble) {
    let (usual, steps) = RECOVERY_SEEDS;
    let (played, is_usual) = seeds::play(test, usual, |seed| {
        let mut recovery = Recovery::new(seed, trouble);
        recovery.run(steps);
        recovery.recovered
    });
    let sum = |of: fn(&recovery::Recovered) -> u64| played.iter().map(of).sum::<u64>();
    let (heard, whole) = (sum(|it| it.heard), sum(|it| it.whole));
    let (elsewhere, told, revived) = (sum(|it| it.elsewhere), sum(|it| it.told), sum(|it| it.revived));
    print(&format!(
        "{test}: {heard} heard, {whole} recovered, {elsewhere} elsewhere, {revived} after all nodes had ended, \
         {told} told of losses"
    ));
    if is_usual {
        assert!(heard > 500 && whole > 100 && elsewhere > 20, "{heard}, {whole}, {elsewhere} prove nothing");
        let may_lose = trouble.loss > 0.0 || trouble.partitions || trouble.deaths;
        assert!(told > 0 || !may_lose, "nothing was ever lost");
        let is_kept = trouble.stops && trouble.keeping == Keeping::Well;
        assert!(revived > 20 || !is_kept, "{revived} were recovered after all nodes had ended");
    }
}

#[test]
fn clients_that_come_back_without_trouble() {
    try_recovery("clients_that_come_back_without_trouble", Trouble::NONE);
}

#[test]
fn clients_that_come_back_while_the_broker_loses_and_repeats() {
    let trouble = Trouble { loss: 0.05, repetition: 0.05, ..Trouble::NONE };
    try_recovery("clients_that_come_back_while_the_broker_loses_and_repeats", trouble);
}

#[test]
fn clients_that_come_back_through_partitions_and_restarts_of_the_broker() {
    let trouble = Trouble { partitions: true, ..Trouble::NONE };
    try_recovery("clients_that_come_back_through_partitions_and_restarts_of_the_broker", trouble);
}

#[test]
fn clients_that_come_back_after_their_node_has_died() {
    let trouble = Trouble { deaths: true, ..Trouble::NONE };
    try_recovery("clients_that_come_back_after_their_node_has_died", trouble);
}

#[test]
fn clients_that_come_back_through_all_of_it() {
    try_recovery("clients_that_come_back_through_all_of_it", Trouble::ALL);
}

#[test]
fn clients_that_come_back_while_the_broker_keeps_nothing() {
    let trouble = Trouble { stops: true, keeping: Keeping::Nothing, ..Trouble::ALL };
    try_recovery("clients_that_come_back_while_the_broker_keeps_nothing", trouble);
}

#[test]
fn clients_that_come_back_after_all_nodes_were_stopped() {
    let trouble = Trouble { stops: true, ..Trouble::NONE };
    try_recovery("clients_that_come_back_after_all_nodes_were_stopped", trouble);
}

#[test]
fn clients_that_come_back_through_all_of_it_and_stops() {
    let trouble = Trouble { stops: true, ..Trouble::ALL };
    try_recovery("clients_that_come_back_through_all_of_it_and_stops", trouble);
}

#[test]
fn clients_that_come_back_while_the_broker_keeps_badly() {
    let trouble = Trouble { stops: true, deaths: true, keeping: Keeping::Badly, ..Trouble::NONE };
    try_recovery("clients_that_come_back_while_the_broker_keeps_badly", trouble);
}

#[test]
fn clients_that_come_back_through_all_of_it_while_the_broker_keeps_badly() {
    let trouble = Trouble { stops: true, keeping: Keeping::Badly, ..Trouble::ALL };
    try_recovery("clients_that_come_back_through_all_of_it_while_the_broker_keeps_badly", trouble);
}

/// The troubles with whole engines, of which the clients are looked at.
fn try_engines(test: &str, trouble: Trouble) {
    let (usual, steps) = ENGINE_SEEDS;
    let (played, is_usual) = seeds::play(test, usual, |seed| {
        let mut engines = Engines::new(seed, trouble);
        engines.run(steps);
        (engines.heard, engines.missed)
    });
    let heard: u64 = played.iter().map(|(heard, _)| heard).sum();
    let missed: u64 = played.iter().map(|(_, missed)| missed).sum();
    print(&format!("{test}: {heard} messages heard, {missed} missed"));
    if is_usual {
        assert!(heard > 500, "{heard} messages prove nothing");
        let may_miss = trouble.loss > 0.0 || trouble.partitions;
        assert_eq!(missed > 0, may_miss, "{missed} missed");
    }
}

#[test]
fn clients_of_engines_without_trouble() {
    try_engines("clients_of_engines_without_trouble", Trouble::NONE);
}

#[test]
fn clients_of_engines_whose_broker_loses_and_repeats() {
    try_engines(
        "clients_of_engines_whose_broker_loses_and_repeats",
        Trouble { loss: 0.05, repetition: 0.05, ..Trouble::NONE },
    );
}

#[test]
fn clients_of_engines_through_partitions_and_restarts_of_the_broker() {
    try_engines(
        "clients_of_engines_through_partitions_and_restarts_of_the_broker",
        Trouble { partitions: true, ..Trouble::NONE },
    );
}

#[test]
fn clients_of_engines_of_which_some_die() {
    try_engines("clients_of_engines_of_which_some_die", Trouble { deaths: true, ..Trouble::NONE });
}

#[test]
fn clients_of_engines_through_all_of_it() {
    try_engines("clients_of_engines_through_all_of_it", Trouble::ALL);
}

fn try_seeds(test: &str, trouble: Trouble) {
    let (usual, steps) = SEEDS;
    let (played, is_usual) = seeds::play(test, usual, |seed| {
        let mut simulation = Simulation::new(seed, trouble);
        simulation.run(steps);
        simulation.tally()
    });
    let mut tally = Tally::default();
    played.into_iter().for_each(|one| tally += one);
    print(&format!("{test}: {tally:?}"));
    if is_usual {
        tally.assert_was_worth_it(trouble);
    }
}

#[test]
fn without_trouble_everything_arrives_once_and_in_order() {
    try_seeds("without_trouble_everything_arrives_once_and_in_order", Trouble::NONE);
}

#[test]
fn what_the_broker_loses_or_repeats_is_counted() {
    try_seeds(
        "what_the_broker_loses_or_repeats_is_counted",
        Trouble { loss: 0.05, repetition: 0.05, ..Trouble::NONE },
    );
}

#[test]
fn subscriptions_end_and_begin_again() {
    try_seeds("subscriptions_end_and_begin_again", Trouble { leaving: true, ..Trouble::NONE });
}

#[test]
fn partitions_and_restarts_of_the_broker_end_in_agreement() {
    try_seeds(
        "partitions_and_restarts_of_the_broker_end_in_agreement",
        Trouble { partitions: true, ..Trouble::NONE },
    );
}

#[test]
fn nodes_that_die_or_leave_take_their_entries_with_them() {
    try_seeds(
        "nodes_that_die_or_leave_take_their_entries_with_them",
        Trouble { deaths: true, ..Trouble::NONE },
    );
}

#[test]
fn all_of_it_at_once() {
    try_seeds("all_of_it_at_once", Trouble::ALL);
}
