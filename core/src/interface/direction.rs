//! The direction of a message that passes a proxy.

use serde::Serialize;

/// Which side sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the target.
    Client,
    /// From the target to the client.
    Target,
}
