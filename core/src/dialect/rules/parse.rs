//! What becomes of a text message before rules or callbacks see it.

use serde::Deserialize;

/// What becomes of a text message before handlers get it. Binary messages stay bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Parse {
    /// The value if it is JSON, otherwise the text.
    #[default]
    Json,
    /// The text.
    Text,
    /// Its bytes.
    None,
}
