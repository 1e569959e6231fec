//! One connection's codec: its options and its two halves.

use super::deflate::Agreement;
use super::outbox::OutboxOptions;
use super::reader::Reader;
use super::writer::Writer;

/// Everything one connection's codec needs to know; decided once, at the opening handshake.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    /// The largest message taken, in bytes, also after inflating. Larger ones fail with 1009. Default 16 MiB.
    pub max_message: usize,
    /// How many fragments a message may have; more fail with 1008. Default one per 64 bytes of `max_message`, at least
    /// 1024: [`default_max_fragments`](Self::default_max_fragments).
    pub max_fragments: u32,
    /// What was negotiated for permessage-deflate; `None` when it was not.
    pub deflate: Option<Agreement>,
    /// How much may wait for the socket.
    pub outbox: OutboxOptions,
}

impl SocketOptions {
    /// 16 MiB.
    pub const DEFAULT_MAX_MESSAGE: usize = 16 * 1024 * 1024;

    /// The default options with another limit of message size, in bytes, and the fragments that go with it.
    pub fn with_max_message(max_message: usize) -> Self {
        Self {
            max_message,
            max_fragments: Self::default_max_fragments(max_message),
            deflate: None,
            outbox: OutboxOptions::default(),
        }
    }

    /// Counts every fragment as 64 bytes, so that no message costs more to put together than a large one does.
    pub fn default_max_fragments(max_message: usize) -> u32 {
        u32::try_from(max_message / 64).unwrap_or(u32::MAX).max(1024)
    }
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self::with_max_message(Self::DEFAULT_MAX_MESSAGE)
    }
}

/// The codec of one connection. The two halves are independent, so that a host can separate them.
pub struct WebSocket {
    /// Bytes from the socket to events.
    pub reader: Reader,
    /// Messages to bytes for the socket.
    pub writer: Writer,
}

impl WebSocket {
    /// The codec of a connection whose opening handshake is done.
    pub fn new(options: &SocketOptions) -> Self {
        Self { reader: Reader::new(options), writer: Writer::new(options) }
    }
}
