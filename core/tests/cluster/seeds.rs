//! Which seeds a simulation plays: those that have failed before, then as many as usual.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A line for each seed that has failed: the name of the test, and the seed.
const FAILED: &str = include_str!("failed-seeds.txt");

/// Plays a test with all of its seeds. Gives what came of each, and whether these are as many as usual.
///
/// A seed that fails is written down, to be played first from then on.
pub(crate) fn play<T>(test: &str, usual: u64, play: impl Fn(u64) -> T) -> (Vec<T>, bool) {
    let seeds: Vec<u64> = match number("CLUSTER_SEED") {
        Some(seed) => vec![seed],
        None => failed(test).chain(0..number("CLUSTER_SEEDS").unwrap_or(usual)).collect(),
    };
    let is_usual = seeds.len() as u64 >= usual;
    let each = seeds.into_iter().map(|seed| {
        catch_unwind(AssertUnwindSafe(|| play(seed))).unwrap_or_else(|_| {
            keep(test, seed);
            panic!("{test}: CLUSTER_SEED={seed} has failed, see above; failed-seeds.txt names it")
        })
    });
    (each.collect(), is_usual)
}

fn failed(test: &str) -> impl Iterator<Item = u64> {
    let seeds = FAILED.lines().filter_map(move |line| line.strip_prefix(test)?.strip_prefix(' '));
    seeds.map(|seed| seed.trim().parse().expect("a number behind the name of a test"))
}

#[expect(clippy::disallowed_types, reason = "a test is a program of its own")]
fn keep(test: &str, seed: u64) {
    if failed(test).any(|known| known == seed) {
        return;
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/failed-seeds.txt");
    let file = std::fs::File::options().append(true).open(file);
    // Where the sources cannot be written to, the message of the panic is what there is.
    let _ = file.and_then(|mut file| writeln!(file, "{test} {seed}"));
}

#[expect(clippy::disallowed_methods, reason = "a test may read its environment")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
