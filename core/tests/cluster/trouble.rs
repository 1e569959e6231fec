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
}

impl Trouble {
    pub(crate) const NONE: Trouble =
        Trouble { loss: 0.0, repetition: 0.0, partitions: false, leaving: false, deaths: false };
}
