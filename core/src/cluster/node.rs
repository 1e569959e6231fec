//! Who a node is.

use std::fmt;
use std::sync::Arc;

/// A node in one of its lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Its name, which no other node of the cluster has; at most 255 bytes.
    pub name: Arc<str>,
    /// Higher each time it starts.
    pub incarnation: u64,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
