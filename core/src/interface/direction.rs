//! Which way a message passes a proxy.

use serde::Serialize;

/// Whom a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the target.
    Client,
    /// From the target to the client.
    Target,
}
