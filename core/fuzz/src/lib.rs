//! What the fuzz targets share. Each target states in its first lines what it holds and how it reads its input.
//!
//! `cargo xtask fuzz` runs them; `seeds/` is where each starts from, written by `cargo run --example seeds`.

#[path = "../../tests/support/client_frame.rs"]
pub mod client_frame;
#[path = "../../tests/support/world.rs"]
#[allow(dead_code, missing_docs, clippy::unwrap_used)]
pub mod world;

pub mod stream;

pub mod script;
