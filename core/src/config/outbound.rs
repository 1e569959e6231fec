//! What may wait for a client that does not read.

use schemars::JsonSchema;
use serde::Deserialize;

use super::ConfigError;
use crate::protocol::Overflow;

/// The bound of what waits for one client, and what happens beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OutboundConfig {
    /// So many bytes of messages may wait. Default 1 MiB (1048576).
    pub max_bytes: usize,
    /// What happens when more waits. Default `close`, but `pause` on a proxy.
    pub overflow: Option<OverflowConfig>,
}

/// What happens to a client that reads too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OverflowConfig {
    /// The connection is closed with 1013.
    Close,
    /// The oldest waiting messages are dropped.
    DropOldest,
    /// Nothing is read from this client until it has read, or on a proxy from its target; up to twice the bound may
    /// wait meanwhile.
    Pause,
}

impl OutboundConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.max_bytes {
            0 => Err(ConfigError::at("maxBytes", "nothing could ever be sent; write at least 1")),
            _ => Ok(()),
        }
    }
}

impl Default for OutboundConfig {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, overflow: None }
    }
}

impl From<OverflowConfig> for Overflow {
    fn from(overflow: OverflowConfig) -> Self {
        match overflow {
            OverflowConfig::Close => Overflow::Close,
            OverflowConfig::DropOldest => Overflow::DropOldest,
            OverflowConfig::Pause => Overflow::Pause,
        }
    }
}
