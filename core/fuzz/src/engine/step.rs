//! What may happen to an engine.

use arbitrary::Arbitrary;

/// One input of the target `engine`.
#[derive(Arbitrary, Debug)]
pub struct Run {
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// Whether hooks that take too long are given up.
    pub has_handler_timeout: bool,
    /// Whether the server ends everything or every client goes by itself.
    pub ends_by_shutdown: bool,
}

/// One thing that happens. A number chooses whom it happens to.
#[derive(Arbitrary, Debug)]
pub enum Step {
    Upgrade { route: Endpoint, address: bool },
    Opened(u8),
    Message(u8, u8),
    Ping(u8),
    Pong(u8),
    Order(u8, Order),
    Close(u8, Option<u16>),
    Violate(u8),
    Overflow(u8),
    Full(u8),
    Drained(u8),
    Dropped(u8, u8),
    Cut(u8),
    Target(u8, TargetStep),
    Answer { which: u8, outcome: u8 },
    Timeout,
    Advance(u16),
    Shutdown(u16),
}

/// The routes, in their order.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A handler that checks that connect and close come in pairs.
    Ledger,
    /// Everything is asked of the host.
    Hooks,
    /// A proxy whose clients wait for its target.
    Proxy,
}

/// What user code asks of the engine.
#[derive(Arbitrary, Debug)]
pub enum Order {
    Send,
    Join(u8),
    Leave(u8),
    /// To the rooms of this bit set or to all; with or without the sender.
    Broadcast(Option<u8>, bool),
    BroadcastAllRooms(bool),
    Close(u16),
    Terminate,
    Heartbeat(u16),
    Inactivity(u16),
    Ping(u8),
}

/// What a proxy's target does.
#[derive(Arbitrary, Debug)]
pub enum TargetStep {
    /// Answers 101, or 101 with a subprotocol that nobody offered.
    Opens {
        is_wrong: bool,
    },
    Says,
    Takes(u8),
    Closes(Option<u16>),
    Refuses(u16),
    Fails,
}
