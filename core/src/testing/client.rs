//! A client of the kit.

use crate::Accept;

/// What became of one client that asked for a WebSocket.
#[derive(Debug, Default)]
pub struct Client {
    /// It was let in: what the host was told to answer.
    pub accepted: Option<Accept>,
    /// It was refused with this HTTP status.
    pub rejected: Option<u16>,
    /// It was left to somebody else.
    pub ignored: bool,
    /// What came and was not looked at, as [`World::received`](super::World::received) gives it.
    pub received: Vec<String>,
    /// The host was told not to read it.
    pub paused: bool,
    /// The transport is gone, from either side.
    pub gone: bool,
}
