//! Named streams of JSON values that routes serve.

use serde::Deserialize;

use super::{Config, ConfigError, Toggle};
use crate::feed::{
    FeedSettings, FeedSource, IntervalSettings, PostSettings, ReplaySettings, UpstreamSettings,
};
use crate::schema::suggest::nearest;
use crate::template::Source;

/// A stream of JSON values, and how many of them are kept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FeedConfig {
    /// The name by which routes and publishers refer to it.
    pub name: String,
    /// The fields that may hold a value's key, such as `["solar_system_id", "system.id"]`, where a dot goes into an
    /// object; the first one that a value has counts. Values without a key are kept together. Default none.
    #[serde(default)]
    pub key: Vec<String>,
    /// How many values are kept for each key; the oldest are dropped first. Default 100.
    #[serde(default = "default_history")]
    pub history: usize,
    /// How many keys are kept; the one that has had no value for longest is dropped first. Default 10000.
    #[serde(default = "default_keys")]
    pub keys: usize,
    /// How much all kept values and their keys may hold together, in bytes of memory, about; those of the key that has had
    /// no value for longest are dropped first. Default 16 MiB (16777216).
    #[serde(default = "default_max_bytes")]
    pub max_bytes: usize,
    /// Takes values by HTTP `POST`: one, an array of them, or one per line. True: at `/feeds/<name>`. Default false.
    #[serde(default)]
    pub post: Option<Toggle<PostSettings>>,
    /// Publishes values at an interval, in turn. Default none.
    #[serde(default)]
    pub interval: Option<IntervalSettings>,
    /// Replays a recording. Default none.
    #[serde(default)]
    pub replay: Option<ReplaySettings>,
    /// Publishes the messages of another WebSocket server. Default none.
    #[serde(default)]
    pub upstream: Option<UpstreamSettings>,
}

impl FeedConfig {
    /// The same for the engine.
    pub fn settings(&self) -> FeedSettings {
        let FeedConfig { name, key, history, keys, max_bytes, .. } = self.clone();
        FeedSettings { name, key, history, keys, max_bytes }
    }

    /// Where its values come from, apart from user code.
    pub fn sources(&self) -> Vec<FeedSource> {
        let post = self.post.as_ref().and_then(Toggle::options).map(FeedSource::Post);
        let interval = self.interval.clone().map(FeedSource::Interval);
        let replay = self.replay.clone().map(FeedSource::Replay);
        let upstream = self.upstream.clone().map(FeedSource::Upstream);
        [post, interval, replay, upstream].into_iter().flatten().collect()
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.name.is_empty() {
            return Err(ConfigError::at("name", "a feed needs a name, as \"killmails\""));
        }
        if let Some(Toggle::Options(PostSettings { path: Some(path), .. })) = &self.post
            && !path.starts_with('/')
        {
            return Err(ConfigError::at("post.path", "a path begins with \"/\", as \"/feeds/killmails\""));
        }
        if let Some(interval) = &self.interval {
            check_interval(interval).map_err(|error| error.under("interval"))?;
        }
        if let Some(Err((key, message))) = self.replay.as_ref().map(ReplaySettings::check) {
            return Err(ConfigError::at(format!("replay.{key}"), message));
        }
        match &self.upstream {
            Some(upstream) => check_upstream(upstream).map_err(|error| error.under("upstream")),
            None => Ok(()),
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

fn check_interval(interval: &IntervalSettings) -> Result<(), ConfigError> {
    if interval.every == 0 {
        return Err(ConfigError::at("every", "write at least 1 ms"));
    }
    if interval.values.is_empty() {
        return Err(ConfigError::at("values", "there is nothing to publish; write at least one value"));
    }
    for (index, value) in interval.values.iter().enumerate() {
        value.check(&mut |source| match source {
            Source::Now | Source::NowIso | Source::RandomId | Source::RandomUuid | Source::Generated(_) => Ok(()),
            _ => {
                let message = "a feed has no connection and no message; use {now}, {random…}, {counter…}, {walk…} \
                               or {fake…}";
                Err(ConfigError::at(format!("values[{index}]"), message))
            }
        })?;
    }
    Ok(())
}

fn check_upstream(upstream: &UpstreamSettings) -> Result<(), ConfigError> {
    let is_websocket = ["ws://", "wss://"].iter().any(|scheme| upstream.url.starts_with(scheme));
    if !is_websocket || upstream.url.parse::<http::Uri>().is_err() {
        return Err(ConfigError::at(
            "url",
            format!("expected a ws:// or wss:// URL, got {:?}", upstream.url),
        ));
    }
    for (name, value) in &upstream.headers {
        if name.parse::<http::HeaderName>().is_err() || value.parse::<http::HeaderValue>().is_err() {
            return Err(ConfigError::at(
                format!("headers.{name}"),
                "has a character that no header can have",
            ));
        }
    }
    match upstream.subprotocols.iter().position(|name| !crate::protocol::is_token(name)) {
        Some(index) => {
            Err(ConfigError::at(format!("subprotocols[{index}]"), "expected a name without spaces"))
        }
        None => Ok(()),
    }
}

fn default_history() -> usize {
    FeedSettings::new("").history
}

fn default_max_bytes() -> usize {
    FeedSettings::MAX_BYTES
}

fn default_keys() -> usize {
    FeedSettings::new("").keys
}
