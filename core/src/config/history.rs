//! How much of a route's rooms is kept for clients that come back.

use serde::Deserialize;

use super::ConfigError;
use crate::history::HistorySettings;

/// The most messages that may be kept of a room.
const MOST: usize = 10_000;

/// What is kept of each room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// The most messages of a room, 1 to 10000. Default 100.
    pub size: usize,
    /// How long in ms a message is kept. Default 5 minutes (300000).
    pub ttl: u64,
    /// The most bytes of a room's messages. Default 512 KiB (524288).
    pub max_bytes: usize,
}

impl HistoryConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.size == 0 || self.size > MOST {
            let text = format!("expected a number from 1 to {MOST}, got {}", self.size);
            return Err(ConfigError::at("size", text));
        }
        let least_one = [("ttl", self.ttl == 0), ("maxBytes", self.max_bytes == 0)];
        match least_one.iter().find(|(_, is_zero)| *is_zero) {
            Some((key, _)) => Err(ConfigError::at(*key, "nothing could ever be kept; write at least 1")),
            None => Ok(()),
        }
    }
}

impl Default for HistoryConfig {
    fn default() -> Self {
        let HistorySettings { size, ttl, max_bytes } = HistorySettings::default();
        Self { size, ttl, max_bytes }
    }
}

impl From<HistoryConfig> for HistorySettings {
    fn from(config: HistoryConfig) -> Self {
        let HistoryConfig { size, ttl, max_bytes } = config;
        Self { size, ttl, max_bytes }
    }
}
