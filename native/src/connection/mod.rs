//! The receiving half of an open WebSocket: its task and what it reads.

pub(crate) mod receiver;
pub(crate) mod task;
