//! Handlers for known wire protocols: one file or folder for each, a [`Handler`](crate::Handler) with its options.

pub mod actions;
pub mod commands;
mod echo;
pub mod events;
mod json;
pub mod phoenix;
pub mod proxy;
mod relay;
pub mod rules;
mod timed_name;
pub mod topics;

pub use echo::Echo;
pub use relay::Relay;
pub use rules::RulesHandler;
