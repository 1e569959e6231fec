//! Who ended a connection.

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCause {
    /// The client sent a close frame first.
    Client,
    /// This server closed it: a handler, a timer, a limit, a protocol violation, a shutdown.
    Server,
    /// The transport ended without a close frame.
    Lost,
}
