//! The settings of the dialect `topics`.

use serde::Deserialize;

use crate::schema::Interval;

/// The dialect's settings. Times are in ms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TopicsOptions {
    /// The version of EVE-KILL's protocol: `g3`, the current one, or `g1`, the first. Default `g3`.
    pub generation: Generation,
    /// The content of the stream: `killmails`, `comments` or `site`. Default `killmails`.
    pub stream: Stream,
    /// The feed whose values it carries. Default: the one with the stream's name.
    pub feed: Option<String>,
    /// Time between the server's `{"type":"ping"}`; false: none. Only in `g3`. Default 30000.
    pub ping_interval: Interval,
    /// How long a `{"type":"pong"}` may take before the connection is closed. Default 10000.
    pub ping_timeout: u64,
    /// Topics that one connection can have; one more is an error. Default 128.
    pub max_topics: usize,
    /// The path that answers GET with the server's health, as `/health`. Default none.
    pub health_path: Option<String>,
    /// The path that answers GET with connections and topics, as `/stats`. Default none.
    pub stats_path: Option<String>,
}

/// A version of EVE-KILL's protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Generation {
    /// The first: a list of topics as text.
    G1,
    /// The current one: JSON with types.
    #[default]
    G3,
}

/// The content of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stream {
    /// Killmails, by topics that are computed.
    #[default]
    Killmails,
    /// Comments; everyone receives all of them.
    Comments,
    /// Events of the site, by the topics that they contain.
    Site,
}

impl Default for TopicsOptions {
    fn default() -> Self {
        Self {
            generation: Generation::G3,
            stream: Stream::Killmails,
            feed: None,
            ping_interval: Interval::from_ms(30_000),
            ping_timeout: 10_000,
            max_topics: 128,
            health_path: None,
            stats_path: None,
        }
    }
}

impl TopicsOptions {
    /// The feed of the route.
    pub fn feed(&self) -> &str {
        self.feed.as_deref().unwrap_or(match self.stream {
            Stream::Killmails => "killmails",
            Stream::Comments => "comments",
            Stream::Site => "site",
        })
    }
}
