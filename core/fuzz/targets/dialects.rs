//! Every dialect, through whole conversations: whatever clients say, nothing panics, and when they have left nothing of
//! them is left.
//!
//! Input: a golden transcript, `core/tests/transcripts`. Its configuration counts as well.
#![no_main]

use std::cell::RefCell;
use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use switchboard_core::Config;
use switchboard_fuzz::script::{Plan, Script};

/// Most mutations leave the configuration as it was, and reading it takes longer than the conversation.
const MAX_PLANS: usize = 500;

thread_local! {
    static PLANS: RefCell<HashMap<String, Option<Plan>>> = RefCell::default();
}

fuzz_target!(|text: &str| {
    let Some((_, text)) = text.split_once("--- config\n") else { return };
    let Some((head, script)) = text.split_once("--- script\n") else { return };
    let config = head.split("\n--- ").next().unwrap_or_default();
    let plan = PLANS.with_borrow_mut(|plans| {
        if plans.len() == MAX_PLANS {
            plans.clear();
        }
        let read = || Config::from_toml(config).ok().and_then(Plan::new);
        plans.entry(config.to_owned()).or_insert_with(read).clone()
    });
    let Some(plan) = plan else { return };
    let mut run = Script::new(plan.serve());
    for line in script.lines().take(200) {
        run.line(line);
    }
    run.finish();
});
