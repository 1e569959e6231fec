//! From a TCP connection to an open WebSocket: the listener, the opening handshake, and plain HTTP.

pub(crate) mod acceptor;
pub(crate) mod mounted;
pub(crate) mod opening;
pub(crate) mod prefixed;
pub(crate) mod upgrade;
