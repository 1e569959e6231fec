//! Which AsyncAPI document counts, and how.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::contract::ContractMode;

/// An AsyncAPI document, and what is made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsyncApiOptions {
    /// A JSON or YAML file, which the host reads before the server starts.
    pub file: String,
    /// What becomes of messages that the document does not allow, on routes whose `contract` does not say it. Default `warn`.
    pub mode: ContractMode,
    /// Whose operations the document describes. Default: the server's.
    pub perspective: Perspective,
    /// Whether routes that are made of channels send each client, when it connects, the example messages of operations that
    /// send without being asked. Default false.
    pub greet: bool,
    /// Whether the document was taken in.
    pub(crate) is_read: bool,
}

/// The same with all keys.
#[derive(serde::Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "AsyncApiOptions"))]
struct Written {
    /// A JSON or YAML file. Relative paths begin in the folder of the configuration file; those of options in JavaScript at
    /// Vite's root, or in the working directory.
    file: String,
    /// What becomes of messages that the document does not allow, on routes whose `contract` does not say it. Default `warn`.
    #[serde(default)]
    mode: ContractMode,
    /// Whose operations the document describes. Default `server`.
    #[serde(default)]
    perspective: Perspective,
    /// Whether routes that are made of channels send each client, when it connects, the example messages of operations that
    /// send without being asked. Default false.
    #[serde(default)]
    greet: bool,
}

/// Whose operations an AsyncAPI document describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Perspective {
    /// The server's: what it receives comes from clients.
    #[default]
    Server,
    /// A client's: what it receives comes from the server.
    Client,
}

impl AsyncApiOptions {
    /// This file, with all defaults.
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }
}

impl<'de> Deserialize<'de> for AsyncApiOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OptionsVisitor;

        impl<'de> Visitor<'de> for OptionsVisitor {
            type Value = AsyncApiOptions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file or an object")
            }

            fn visit_str<E>(self, file: &str) -> Result<AsyncApiOptions, E> {
                Ok(AsyncApiOptions::new(file))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AsyncApiOptions, A::Error> {
                let Written { file, mode, perspective, greet } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(AsyncApiOptions { file, mode, perspective, greet, is_read: false })
            }
        }

        deserializer.deserialize_any(OptionsVisitor)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for AsyncApiOptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AsyncApi".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let options = generator.subschema_for::<Written>();
        schemars::json_schema!({
            "description": "An AsyncAPI document: its file, or an object with more.",
            "anyOf": [{ "type": "string" }, options],
        })
    }
}
