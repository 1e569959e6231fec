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
    /// The answer to [`BackplaneEffect::Lease`]. If the broker cannot be asked, nothing is reported.
    Lease {
        /// The name of the lease.
        name: Arc<str>,
        /// Whether this node holds it.
        is_held: bool,
    },
}
