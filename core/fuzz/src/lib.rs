//! What the fuzz targets share. Each target states in its first lines what it holds and how it reads its input.
//!
//! `cargo xtask fuzz` runs them; `seeds/` is where each starts from, written by `cargo run --example seeds`.

#[path = "../../tests/support/client_frame.rs"]
pub mod client_frame;
pub use switchboard_core::testing as world;

pub mod stream;

pub mod script;

pub mod engine;

pub mod cluster;
