//! How much a server holds.

/// What there is at one moment. With nobody connected all of it is 0, apart from timers of routes and feeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections, from their opening handshake to their last hook.
    pub connections: usize,
    /// Rooms with somebody in them, of all routes.
    pub rooms: usize,
    /// Armed deadlines.
    pub timers: usize,
    /// Hooks whose answer is awaited.
    pub calls: usize,
    /// Outgoing connections, of proxies for example.
    pub upstreams: usize,
}
