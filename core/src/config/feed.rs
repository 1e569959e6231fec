//! Named streams of JSON values that routes serve.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Config, ConfigError};
use crate::feed::FeedSettings;
use crate::suggest::nearest;

/// A stream of JSON values, and what is remembered of it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FeedConfig {
    /// What routes and publishers call it.
    pub name: String,
    /// The fields that may hold a value's key, as `["solar_system_id", "system.id"]`: the first one that a value has
    /// counts, dots go into objects. Values without a key are remembered together. Default none.
    #[serde(default)]
    pub key: Vec<String>,
    /// Values remembered per key, the oldest forgotten first. Default 100.
    #[serde(default = "default_history")]
    pub history: usize,
    /// Keys remembered, the one without news for longest forgotten first. Default 10000.
    #[serde(default = "default_keys")]
    pub keys: usize,
}

impl FeedConfig {
    /// What the engine has to know of it.
    pub fn settings(&self) -> FeedSettings {
        let FeedConfig { name, key, history, keys, .. } = self.clone();
        FeedSettings { name, key, history, keys }
    }

    fn check(&self) -> Result<(), ConfigError> {
        match self.name.is_empty() {
            true => Err(ConfigError::at("name", "a feed needs a name, as \"killmails\"")),
            false => Ok(()),
        }
    }
}

impl Config {
    pub(super) fn check_feeds(&self) -> Result<(), ConfigError> {
        for (index, feed) in self.feeds.iter().enumerate() {
            let checked = match self.feeds[..index].iter().any(|other| other.name == feed.name) {
                true => Err(ConfigError::at("name", format!("{:?} stands here twice", feed.name))),
                false => feed.check(),
            };
            checked.map_err(|error| error.under(&format!("feeds[{index}]")))?;
        }
        for (index, route) in self.routes.iter().enumerate() {
            for (key, name) in route.feed_names() {
                if !self.feeds.iter().any(|feed| feed.name == name) {
                    let suggestion = nearest(&name, self.feeds.iter().map(|feed| feed.name.as_str()));
                    return Err(ConfigError {
                        path: format!("routes[{index}].{key}"),
                        message: format!(
                            "there is no feed {name:?}; write it as [[feeds]] with name = {name:?}"
                        ),
                        suggestion: suggestion.map(str::to_owned),
                    });
                }
            }
        }
        Ok(())
    }
}

fn default_history() -> usize {
    FeedSettings::new("").history
}

fn default_keys() -> usize {
    FeedSettings::new("").keys
}
