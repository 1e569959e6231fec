//! The limits of one server: everything that a peer controls has one.

use std::time::Duration;

use crate::state::rate::MessageRate;

/// Limits on what clients can cost. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; one more is answered 503. Default 10,000.
    pub connections: usize,
    /// Connections at once from one address; one more is answered 429. Default: no limit.
    pub connections_per_address: Option<usize>,
    /// How many messages one client may send; then close 1008. Default: no limit.
    pub message_rate: Option<MessageRate>,
    /// Rooms one connection can be in; one more is a [`CommandError`](crate::CommandError). Default 1,000.
    pub rooms_per_connection: usize,
    /// Length of a room's name; more is a [`CommandError`](crate::CommandError). Default 256.
    pub room_name_bytes: usize,
    /// Messages of one connection that wait for its handler; then reading pauses. Default 256.
    pub pending_messages: usize,
    /// Bytes of messages that are not complete, of all connections; with more, the connection that holds the most is closed
    /// with 1013, or with 1009 if it holds more by itself. What a connection holds below 16 KiB does not count. Default
    /// 256 MiB.
    pub inbound_bytes: usize,
    /// Length of an opening handshake's request: target, and header names and values. A longer one is answered
    /// 431. Default 16,384.
    pub handshake_bytes: usize,
    /// From [`Effect::Accept`](crate::Effect::Accept) to the host's [`Input::Opened`](crate::Input::Opened). Hosts give
    /// a client the same time for its request. Then the socket is dropped. Default 10 s.
    pub handshake_timeout: Duration,
    /// How long `authenticate` may take; then 503. Default 10 s.
    pub authenticate_timeout: Duration,
    /// How long any other hook may take; then it counts as failed, and the host is to stop it
    /// ([`Effect::CancelCall`](crate::Effect::CancelCall)). Default 30 s; `None`: no limit.
    pub handler_timeout: Option<Duration>,
    /// From a close frame, or from when the client last took some of what was sent before it, to the client's answer; then
    /// the connection is dropped, after six times as long in any case. Default 10 s.
    pub close_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: None,
            message_rate: None,
            rooms_per_connection: 1_000,
            room_name_bytes: 256,
            pending_messages: 256,
            inbound_bytes: 256 << 20,
            handshake_bytes: 16_384,
            handshake_timeout: Duration::from_secs(10),
            authenticate_timeout: Duration::from_secs(10),
            handler_timeout: Some(Duration::from_secs(30)),
            close_timeout: Duration::from_secs(10),
        }
    }
}
