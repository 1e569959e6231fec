//! Which file a route is recorded in.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::ConfigError;
use crate::recording::Mask;

/// The file that a route is recorded in, or an object with more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordConfig {
    /// The file, which is appended to as things happen: `session.jsonl`. Folders are made. A relative path begins in the
    /// folder of the configuration. Several routes may name the same file.
    pub file: String,
    /// Regular expressions for secrets in messages, URLs and reasons, besides the usual ones: what they match is written as
    /// `***`. Default none.
    pub mask: Vec<String>,
}

/// The long form.
#[derive(Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "RecordTable"))]
struct RecordTable {
    /// The file, which is appended to as things happen: `session.jsonl`. Folders are made. A relative path begins in the
    /// folder of the configuration. Several routes may name the same file.
    file: String,
    /// Regular expressions for secrets in messages, URLs and reasons, besides the usual ones: what they match is written as
    /// `***`. They are those of Rust's crate `regex`, without look-around. Default none.
    #[serde(default)]
    mask: Vec<String>,
}

impl RecordConfig {
    /// This file, and nothing masked but the usual.
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), mask: Vec::new() }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.file.is_empty() {
            return Err(ConfigError::at("file", "expected a file's name, such as \"session.jsonl\""));
        }
        Mask::new(&self.mask).map(drop).map_err(|error| error.under("mask"))
    }
}

impl<'de> Deserialize<'de> for RecordConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FileOrTable)
    }
}

/// Not one of serde's untagged enums, which cannot say which key is wrong.
struct FileOrTable;

impl<'de> Visitor<'de> for FileOrTable {
    type Value = RecordConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file's name or an object")
    }

    fn visit_str<E: de::Error>(self, file: &str) -> Result<RecordConfig, E> {
        Ok(RecordConfig::new(file))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RecordConfig, A::Error> {
        let RecordTable { file, mask } = RecordTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RecordConfig { file, mask })
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for RecordConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecordConfig".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<RecordTable>();
        schemars::json_schema!({
            "description": "The file that a route is recorded in, or an object with more.",
            "anyOf": [{ "type": "string" }, table]
        })
    }
}
