//! The sans-IO WebSocket engine of Switchboard.
#![forbid(unsafe_code)]

mod message;
pub use message::{CloseCode, CloseFrame, Message, Text};

pub mod time;

pub mod protocol;

mod pattern;
pub use pattern::{Params, Pattern, PatternError};

mod router;
pub use router::{Found, RouteKey, Router};
