//! What the tests share: the kit of the crate itself, and readers of golden transcripts.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

pub mod transcript;

pub use switchboard_core::testing::{self as world, World, route};
