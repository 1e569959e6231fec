//! What the engine and its host tell each other: plain values, without behaviour.

pub(crate) mod channel;
pub(crate) mod close_cause;
pub(crate) mod connection_id;
pub(crate) mod direction;
pub(crate) mod effect;
pub(crate) mod file_part;
pub(crate) mod handler_error;
pub(crate) mod hook;
pub(crate) mod http_endpoint;
pub(crate) mod input;
pub(crate) mod payload;
pub(crate) mod server_event;
pub(crate) mod stats;
pub(crate) mod upstream;
