//! What a node asks of the client of its broker, and what that client reports.

use std::sync::Arc;

use bytes::Bytes;

/// What is to be done at the broker, in this order. Without a link nothing is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackplaneEffect {
    /// Publish this, once, at most once.
    Publish {
        /// The channel.
        channel: Arc<str>,
        /// What all of its subscribers are to get.
        payload: Bytes,
    },
    /// Publish this in the same way, and keep it for [`Read`](Self::Read), both at once where the broker can.
    PublishAndKeep {
        /// The channel.
        channel: Arc<str>,
        /// What all of its subscribers are to get.
        payload: Bytes,
        /// How much of the channel is kept.
        bounds: KeepBounds,
    },
    /// Keep this note of a channel in place of the one with the same key. What is published later must not be kept without it.
    Note {
        /// The channel.
        channel: Arc<str>,
        /// Whose note it is.
        key: Arc<str>,
        /// The note.
        note: Bytes,
        /// How much of the channel is kept. Notes are kept for longer than messages: a day, or twice as long.
        bounds: KeepBounds,
    },
    /// Report what is kept of a channel, a part of it at a time, as [`BackplaneInput::Kept`].
    Read {
        /// The channel.
        channel: Arc<str>,
        /// Where the last part has ended; `None`: from the beginning.
        after: Option<Bytes>,
        /// How much of the channel is kept.
        bounds: KeepBounds,
    },
    /// Subscribe to a channel.
    Subscribe {
        /// The channel.
        channel: Arc<str>,
    },
    /// End a subscription.
    Unsubscribe {
        /// The channel.
        channel: Arc<str>,
    },
    /// Take a lease if nobody else holds it, or keep it if this node does, and report
    /// [`BackplaneInput::Lease`]. It is asked for again three times in its duration.
    Lease {
        /// The name of the lease.
        name: Arc<str>,
        /// How long in ms it lasts from now on, unless it is asked for again.
        ttl: u64,
    },
    /// End a lease if this node holds it, so that another one may take it at once.
    Release {
        /// The name of the lease.
        name: Arc<str>,
    },
}

/// How much of a channel the broker keeps. Beyond it the oldest messages go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepBounds {
    /// For how long, in ms.
    pub ttl: u64,
    /// The most messages.
    pub messages: u64,
    /// The most bytes of their payloads.
    pub bytes: u64,
}

/// A message that the broker has kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// How long ago it was published, in ms, by the broker's clock.
    pub age: u64,
    /// What was published.
    pub payload: Bytes,
}

/// What the client of the broker reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackplaneInput {
    /// There is a link, with no subscription yet: at the start, and again after each `Down`.
    Up,
    /// The link is gone, and the subscriptions with it.
    Down,
    /// A message came on a channel; the node's own may be among them.
    Message {
        /// The channel.
        channel: Arc<str>,
        /// What was published.
        payload: Bytes,
    },
    /// The answer to [`BackplaneEffect::Read`]: a part of what is kept. A broker that keeps nothing is not asked, and nothing is
    /// reported.
    Kept {
        /// The channel.
        channel: Arc<str>,
        /// In the order in which they were published.
        messages: Vec<KeptMessage>,
        /// Where this part ends, if there may be more behind it; `None`: this is the last part.
        next: Option<Bytes>,
        /// With the last part all notes of the channel.
        notes: Vec<Bytes>,
    },
    /// The answer to [`BackplaneEffect::Lease`]. If the broker cannot be asked, nothing is reported.
    Lease {
        /// The name of the lease.
        name: Arc<str>,
        /// Whether this node holds it.
        is_held: bool,
    },
}
