//! Feeds and their values.

use serde::Serialize;
use serde_json::Value;

/// The feeds.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFeeds"))]
pub(crate) struct FeedsView {
    /// In the order of the configuration.
    pub(crate) feeds: Vec<FeedView>,
}

/// One feed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFeed"))]
pub(crate) struct FeedView {
    /// Its name.
    pub(crate) name: String,
    /// How many values were published on it since the start.
    pub(crate) published: u64,
    /// How many values it keeps.
    pub(crate) kept: usize,
}

/// One feed with values.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFeedValues"))]
pub(crate) struct FeedValuesView {
    /// Its name.
    pub(crate) name: String,
    /// How many values were published on it since the start.
    pub(crate) published: u64,
    /// How many values it keeps.
    pub(crate) kept: usize,
    /// The latest of them, the latest first.
    pub(crate) values: Vec<FeedValueView>,
}

/// A value that was published.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFeedValue"))]
pub(crate) struct FeedValueView {
    /// When, in ms since 1970.
    pub(crate) at: u64,
    /// The value.
    pub(crate) value: Value,
}
