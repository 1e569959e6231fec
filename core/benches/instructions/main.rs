//! What the engine's operations cost, in instructions: `cargo xtask instructions` counts them under Valgrind and compares
//! them with `core/benches/budgets.toml`. Counts do not depend on what else the machine does, so a regression shows
//! without timing anything.
//!
//! | Arguments | What it does |
//! |---|---|
//! | none, or a part of a name | measures wall time, for those who profile: `cargo bench -p switchboard-core -- relay` |
//! | `--list` | prints the names |
//! | `--count NAME` | runs one scenario [`COUNTED`] times in [`measured_operations`], which is all that is counted |
//!
//! One file per part of the core; each has a list of scenarios, and a scenario is a name and a function that prepares
//! everything and gives back the operation. Operations leave the world as they found it, so that each costs the same.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a program that measures prints, looks at the clock, and may stop where it stands"
)]

mod callbacks;
#[path = "../../tests/support/client_frame.rs"]
mod client_frame;
mod codec;
mod dialects;
mod engine;
mod feeds;
mod handshake;
mod rooms;
mod routing;
mod server;

use std::time::{Duration, Instant};

/// How often a counted operation runs; `xtask/src/instructions` divides by it.
const COUNTED: usize = 100;

/// Enough for lazily made parts, such as the thread's compressor, and for buffers to have grown.
const WARM_UP: usize = 10;

/// How long one scenario is timed.
const TIMED: Duration = Duration::from_millis(300);

/// What is counted: one operation, repeated.
type Operation = Box<dyn FnMut()>;

/// A name, unique among all, and what prepares the operation.
type Scenario = (&'static str, fn() -> Operation);

fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    let parts = [
        codec::SCENARIOS,
        handshake::SCENARIOS,
        routing::SCENARIOS,
        rooms::SCENARIOS,
        dialects::SCENARIOS,
        engine::SCENARIOS,
        feeds::SCENARIOS,
        callbacks::SCENARIOS,
    ];
    parts.into_iter().flatten()
}

fn main() {
    // Cargo adds `--bench` of its own accord.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--list"] => scenarios().for_each(|(name, _)| println!("{name}")),
        ["--count", name] => {
            let (_, prepare) = scenarios().find(|(known, _)| *known == name).expect("a known name");
            measured_operations(&mut *warmed_up(*prepare), COUNTED);
        }
        [] => time(""),
        [part] => time(part),
        _ => panic!("give --list, --count NAME, or a part of a name"),
    }
}

/// Valgrind collects from this function's entry to its return and finds it by its name.
#[inline(never)]
fn measured_operations(operation: &mut dyn FnMut(), times: usize) {
    for _ in 0..times {
        operation();
    }
}

fn warmed_up(prepare: fn() -> Operation) -> Operation {
    let mut operation = prepare();
    for _ in 0..WARM_UP {
        operation();
    }
    operation
}

/// Prints the median and the fastest of many rounds.
fn time(part: &str) {
    println!("{:<40}{:>12}{:>12}", "ns per operation", "median", "fastest");
    for (name, prepare) in scenarios().filter(|(name, _)| name.contains(part)) {
        let mut operation = warmed_up(*prepare);
        let started = Instant::now();
        let mut rounds = Vec::new();
        while started.elapsed() < TIMED {
            let round = Instant::now();
            measured_operations(&mut *operation, COUNTED);
            rounds.push(round.elapsed().as_nanos() / COUNTED as u128);
        }
        rounds.sort_unstable();
        println!("{name:<40}{:>12}{:>12}", rounds[rounds.len() / 2], rounds[0]);
    }
}
