//! A server without a network: the engine, a clock that only moves when told, and clients made of lists.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

pub mod transcript;
pub mod world;

pub use world::{World, route};
