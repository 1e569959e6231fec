//! From an opening handshake to an open WebSocket.

pub(crate) mod mounted;
pub(crate) mod opening;
pub(crate) mod prefixed;
pub(crate) mod upgrade;
pub(crate) mod write_deadline;

/// Whether accepted streams inherit the listener's options, which saves a system call for each.
pub(crate) const NODELAY_IS_INHERITED: bool = cfg!(target_os = "linux");
