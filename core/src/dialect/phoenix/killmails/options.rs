//! What can be set about the killmail channel.

use serde::Deserialize;

/// The killmail channel. Its feed should be keyed by `system_id` and `solar_system_id`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KillmailsOptions {
    /// The topic. Default `killmails:lobby`.
    pub topic: String,
    /// The feed that the kills come from. Default `killmails`.
    pub feed: String,
    /// Systems per request at most. Default 50.
    pub max_subscribed_systems: usize,
    /// The largest id of a system. Default 32000000.
    pub max_system_id: u64,
    /// Characters per request at most. Default 1000.
    pub max_subscribed_characters: usize,
    /// The largest id of a character. Default none.
    pub max_character_id: Option<u64>,
    /// Whether wrong requests crash the channel (`phx_error`) instead of being refused. Default false.
    pub strict: bool,
    /// Whether `kill_count_update` follows each kill. Default true.
    pub kill_counts: bool,
    /// How many subscription updates a connection may ask for; more get an error reply. Default any number.
    pub rate_limit: Option<RateLimitOptions>,
    /// Whether `GET /websocket` and `/websocket/status` are answered. Default true.
    pub pages: bool,
    /// Whether `GET /health`, `/status` and `/ping` are answered too, as the original does. Default false: an
    /// application may have its own.
    pub health: bool,
}

/// A token bucket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimitOptions {
    /// So many updates at once, and so many in each `per`.
    pub updates: u32,
    /// The time in ms in which an empty bucket fills up. Default 60000.
    #[serde(default = "default_per")]
    pub per: u64,
}

impl Default for KillmailsOptions {
    fn default() -> Self {
        Self {
            topic: "killmails:lobby".into(),
            feed: "killmails".into(),
            max_subscribed_systems: 50,
            max_system_id: 32_000_000,
            max_subscribed_characters: 1_000,
            max_character_id: None,
            strict: false,
            kill_counts: true,
            rate_limit: None,
            pages: true,
            health: false,
        }
    }
}

fn default_per() -> u64 {
    60_000
}
