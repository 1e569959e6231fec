//! A node of a cluster under a broker that says anything, so that whoever may write to the broker costs no client of a node its
//! connection, and no node its life.
//!
//! Input: a list of steps, as `arbitrary` reads it (`src/cluster.rs`).
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_fuzz::cluster::{Nodes, Step};

const MAX_STEPS: usize = 150;

fuzz_target!(|steps: Vec<Step>| {
    let mut nodes = Nodes::default();
    for step in steps.into_iter().take(MAX_STEPS) {
        nodes.step(step);
    }
    nodes.finish();
});
