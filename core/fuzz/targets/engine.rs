//! The engine under arbitrary events, against a model of who is in which room and of what passes a proxy: same audience,
//! hooks one at a time, one close for every connect, everything through a proxy once and in order, and at the end, however
//! it comes, nothing is left.
//!
//! Input: a list of steps, as `arbitrary` reads it (`src/engine/step.rs`).
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_fuzz::engine::{Harness, Run};

const MAX_STEPS: usize = 150;

fuzz_target!(|run: Run| {
    let mut harness = Harness::new(run.has_handler_timeout);
    for step in run.steps.into_iter().take(MAX_STEPS) {
        harness.step(step);
        harness.compare();
    }
    harness.finish(run.ends_by_shutdown);
});
