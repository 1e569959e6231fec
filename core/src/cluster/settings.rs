//! How a node takes part in a cluster.

/// The settings of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// The node's name, which no other one has; at most 255 bytes, a longer one is cut.
    pub name: String,
    /// With what the names of its channels at the broker begin. Clusters that share a broker need different ones. Default
    /// `switchboard`.
    pub prefix: String,
    /// How long in ms the others keep its entries without a sign of life, of which it gives three in this time. Default 6,000;
    /// less than 300 is 300.
    pub lease: u64,
}

impl ClusterSettings {
    /// The usual lease in ms.
    pub const LEASE: u64 = 6_000;

    /// The shortest lease in ms.
    pub(crate) const SHORTEST_LEASE: u64 = 300;

    /// The settings of a node with this name.
    pub fn new(name: &str) -> Self {
        let name = name[..name.floor_char_boundary(usize::from(u8::MAX))].to_owned();
        Self { name, prefix: "switchboard".to_owned(), lease: Self::LEASE }
    }

    /// With another prefix of the channels.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    /// With another lease in ms.
    #[must_use]
    pub fn lease(self, lease: u64) -> Self {
        Self { lease: lease.max(Self::SHORTEST_LEASE), ..self }
    }
}
