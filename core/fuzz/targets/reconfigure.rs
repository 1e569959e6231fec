//! Whole conversations during which the server takes other configurations: nothing panics, and when everyone has left
//! nothing of them is left. Beside it a second server takes an equal configuration again and again, which nobody notices.
//!
//! Input: a golden transcript, `core/tests/transcripts`. Its configuration counts as well, and its lines say when which other
//! one comes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::Config;
use switchboard_fuzz::script::{Plan, Script};

/// How many other configurations come at most: reading patterns and templates takes longer than the conversation.
const MAX_CHANGES: usize = 4;

/// After how many lines the second server takes an equal configuration.
const EQUAL_EVERY: usize = 3;

fuzz_target!(|text: &str| {
    let Some((_, text)) = text.split_once("--- config\n") else { return };
    let Some((head, script)) = text.split_once("--- script\n") else { return };
    let config = head.split("\n--- ").next().unwrap_or_default();
    let Some(mut plan) = Config::from_toml(config).ok().and_then(Plan::new) else { return };
    let (mut plain, mut watched) = (Script::new(plan.serve()), Script::new(plan.serve()));
    let mut changes = 0;
    for (number, line) in script.lines().take(100).enumerate() {
        plain.line(line);
        watched.line(line);
        if number % EQUAL_EVERY == 0 {
            watched.reconfigure(&plan);
        }
        let how = line.len() + number;
        if how.is_multiple_of(7)
            && changes < MAX_CHANGES
            && let Some(next) = plan.changed(how / 7)
        {
            changes += 1;
            plan = next;
            plain.reconfigure(&plan);
            watched.reconfigure(&plan);
        }
    }
    assert_eq!(plain.heard(), watched.heard());
    plain.finish();
    watched.finish();
});
