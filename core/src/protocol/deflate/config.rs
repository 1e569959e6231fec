//! The server's settings of permessage-deflate, and what was agreed.

/// The server's settings. Immutable; [`negotiate`](super::negotiate) turns them into an [`Agreement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeflateConfig {
    /// The server compresses each message on its own. Default `true`: then a broadcast is compressed once for all.
    /// With `false` every connection that does not ask otherwise gets a compressor of its own, about 380 kB.
    pub server_no_context_takeover: bool,
    /// The client has to compress each message on its own. Default `true`.
    /// With `false` every connection remembers up to `2^client_max_window_bits` bytes of what it received.
    pub client_no_context_takeover: bool,
    /// The largest window the server compresses with, as a power of two: 9–15, default 15. Others count as the nearest.
    pub server_max_window_bits: u8,
    /// The largest window the client may compress with, as a power of two: 8–15, default 15. Others count as the
    /// nearest. Can be asked only of clients that offered it; the others are taken as they are.
    pub client_max_window_bits: u8,
    /// Messages shorter than this many bytes are sent as they are. Default 1024.
    pub threshold: usize,
    /// Compression level 0–9, default 6. A higher one counts as 9.
    pub level: u8,
    /// Answer 400 when compression was offered but no offer is acceptable, instead of going on without. Default `false`.
    pub strict: bool,
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
            threshold: 1024,
            level: 6,
            strict: false,
        }
    }
}

/// What was negotiated for one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The server may refer back to its earlier messages.
    pub server_takeover: bool,
    /// The client may refer back to its earlier messages.
    pub client_takeover: bool,
    /// The server's window as a power of two: 9–15.
    pub server_bits: u8,
    /// The client's window as a power of two: 8–15.
    pub client_bits: u8,
    /// Messages shorter than this many bytes are sent as they are.
    pub threshold: usize,
    /// Compression level: 0–9.
    pub level: u8,
}
