//! What goes wrong in a simulation.

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    /// The share of messages that the broker loses, of each subscriber's.
    pub(crate) loss: f64,
    /// The share that comes twice.
    pub(crate) repetition: f64,
    /// Links are cut, noticed or not, and the broker restarts empty.
    pub(crate) partitions: bool,
    /// Subscriptions end, and begin again.
    pub(crate) leaving: bool,
    /// Nodes die, leave and come back.
    pub(crate) deaths: bool,
    /// All nodes end at once, and start again.
    pub(crate) stops: bool,
    /// What the broker keeps.
    pub(crate) keeping: Keeping,
}

/// What the broker keeps of what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Nothing, as a NATS without JetStream.
    Nothing,
    /// What it was asked to keep.
    Well,
    /// Few messages, some of which it leaves out, and from time to time it forgets all of them.
    Badly,
}

impl Trouble {
    pub(crate) const NONE: Trouble = Trouble {
        loss: 0.0,
        repetition: 0.0,
        partitions: false,
        leaving: false,
        deaths: false,
        stops: false,
        keeping: Keeping::Well,
    };
    pub(crate) const ALL: Trouble = Trouble {
        loss: 0.02,
        repetition: 0.02,
        partitions: true,
        leaving: true,
        deaths: true,
        stops: false,
        keeping: Keeping::Well,
    };
}
