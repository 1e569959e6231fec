//! What the tests share: the kit of the crate itself, and readers of golden transcripts.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

pub mod phoenix;
pub mod proxy;
pub mod transcript;

pub use switchboard_core::testing::{self as world, World, route};
use switchboard_core::{Deferred, Hooks, RouteSettings};

/// The hooks of a route whose callbacks do everything but authenticate.
pub fn all_hooks() -> Hooks {
    Hooks { connect: true, message: true, close: true, error: true, ..Hooks::default() }
}

/// A server of one route, `/ws/chat`, that asks user code for everything.
pub fn chat(settings: RouteSettings, hooks: Hooks) -> World {
    World::new(vec![route("/ws/chat", settings, Deferred::new(hooks))])
}
