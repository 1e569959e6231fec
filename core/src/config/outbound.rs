//! How much may wait for a client that reads too slowly, and what happens then.

use serde::Deserialize;

use super::ConfigError;
use crate::protocol::Overflow;

/// The limit of what may wait for one client, and what happens when it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OutboundConfig {
    /// How many bytes of messages may wait. Default 1 MiB (1048576).
    pub max_bytes: usize,
    /// What happens when more would wait. Default `close`, but `pause` on a proxy.
    pub overflow: Option<OverflowConfig>,
}

/// What happens to a client that reads too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OverflowConfig {
    /// The connection is closed with 1013.
    Close,
    /// The oldest waiting messages are dropped.
    DropOldest,
    /// Nothing is read from this client, or on a proxy from its target, until it has read; up to twice the limit may
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
