//! What crosses between the engine and functions written in JavaScript, the same on both hosts: which functions a route has,
//! what they are called with, and what becomes of their answers.
//!
//! The plugin's TypeScript separates a handler's functions from its data and runs them; the native server runs that same code
//! in an interpreter. This is the engine's side of it.

mod answers;
mod call;
mod hook_set;

pub use answers::{admission, channel_reply, close_code, refusal, sendable};
pub use call::{Call, params_or_null};
pub use hook_set::HookSet;
