//! The origins whose pages may connect.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::routing::origin::{OriginPatterns, Origins};

/// A list of origins, or `"*"` for all. By default pages of the same host and of this machine.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum OriginsConfig {
    /// The same host and this machine.
    #[default]
    Local,
    /// What was listed.
    Patterns(OriginPatterns),
    /// All.
    Any,
}

impl OriginsConfig {
    /// The same for the engine.
    pub(super) fn origins(&self) -> Origins {
        match self {
            OriginsConfig::Any => Origins::Any,
            OriginsConfig::Patterns(patterns) => Origins::Patterns(patterns.clone()),
            OriginsConfig::Local => Origins::Local,
        }
    }
}

impl<'de> Deserialize<'de> for OriginsConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OriginsVisitor)
    }
}

struct OriginsVisitor;

impl<'de> Visitor<'de> for OriginsVisitor {
    type Value = OriginsConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an origin such as \"https://example.com\", a list of them, or \"*\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OriginsConfig, E> {
        match text {
            "*" => Ok(OriginsConfig::Any),
            _ => patterns(&[text.to_owned()]),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OriginsConfig, A::Error> {
        let mut texts: Vec<String> = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        match texts.iter().any(|text| text == "*") {
            true => Ok(OriginsConfig::Any),
            false => patterns(&texts),
        }
    }
}

fn patterns<E: de::Error>(texts: &[String]) -> Result<OriginsConfig, E> {
    OriginPatterns::new(texts).map(OriginsConfig::Patterns).map_err(|(_, message)| E::custom(message))
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for OriginsConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Origins".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}
