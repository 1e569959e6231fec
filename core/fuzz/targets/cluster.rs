//! A node of a cluster under a broker that says anything, so that whoever may write to the broker costs no client of a node its
//! connection, and no node its life.
//!
//! Input: steps one after the other, to its end, each as `arbitrary` reads it (`src/cluster.rs`). Two nodes with their clients
//! cost more than many steps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_fuzz::cluster::run;

fuzz_target!(|data: &[u8]| run(data));
