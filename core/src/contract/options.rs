//! A contract as users write it.

use std::fmt;
use std::sync::Arc;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Contract, Schema};
use crate::schema::ConfigError;

/// What the messages of a route have to be, as JSON Schema 2020-12, and what becomes of those that are not. A text that is not
/// JSON counts as a JSON string.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContractOptions {
    /// What becomes of messages that break it. Default: `mode` of the AsyncAPI document that the route is described in, or
    /// `warn`.
    pub mode: Option<ContractMode>,
    /// What messages from clients have to be. Default: anything.
    pub receives: Option<SchemaSource>,
    /// What messages to clients have to be. Default: anything.
    pub sends: Option<SchemaSource>,
    /// Whether binary messages pass in a direction that has a schema. Default false: they break it.
    pub binary: bool,
    /// Whether an AsyncAPI document describes the route.
    pub(crate) is_described: bool,
}

/// The same with all keys.
#[derive(serde::Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ContractOptions"))]
struct Written {
    /// What becomes of messages that break it. Default: the mode of the AsyncAPI document that the route is described in, or
    /// `warn`.
    mode: Option<ContractMode>,
    /// What messages from clients have to be. Default: anything.
    receives: Option<SchemaSource>,
    /// What messages to clients have to be. Default: anything.
    sends: Option<SchemaSource>,
    /// Whether binary messages pass in a direction that has a schema. Default false: they break it.
    binary: bool,
}

/// What becomes of messages that break a contract. Either way a live event tells of them, and they are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ContractMode {
    /// They are logged and passed on.
    #[default]
    Warn,
    /// Those from clients do not reach the handler: its error path is told, which tells the client. Those to clients are not sent,
    /// and logged as errors.
    Refuse,
}

/// A schema, or where it is.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaSource {
    /// A schema as it is.
    Inline(Arc<Value>),
    /// A JSON or YAML file, which the host reads before the server starts.
    File(String),
    /// The same when it was read.
    Read {
        /// The file.
        file: String,
        /// What is in it.
        schema: Arc<Value>,
    },
}

impl ContractOptions {
    /// The contract. Without a schema that is still to be read from its file.
    ///
    /// # Errors
    ///
    /// A schema is wrong.
    pub fn contract(&self) -> Result<Contract, ConfigError> {
        let compiled = |key, source: &Option<SchemaSource>| {
            let compiled = source.as_ref().map(SchemaSource::compile).transpose();
            compiled.map(Option::flatten).map_err(|error: ConfigError| error.under(key))
        };
        Ok(Contract {
            mode: self.mode.unwrap_or_default(),
            receives: compiled("receives", &self.receives)?,
            sends: compiled("sends", &self.sends)?,
            binary: self.binary,
        })
    }

    /// Whether there is no schema.
    pub(crate) fn is_empty(&self) -> bool {
        self.receives.is_none() && self.sends.is_none()
    }

    /// Its schemas, with their keys.
    pub(crate) fn sources_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut SchemaSource)> {
        let receives = self.receives.as_mut().map(|source| ("receives", source));
        receives.into_iter().chain(self.sends.as_mut().map(|source| ("sends", source)))
    }

    /// The files of its schemas.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        [&self.receives, &self.sends].into_iter().flatten().filter_map(SchemaSource::file)
    }
}

impl SchemaSource {
    /// The file, if it is in one.
    pub(crate) fn file(&self) -> Option<&str> {
        match self {
            SchemaSource::Inline(_) => None,
            SchemaSource::File(file) | SchemaSource::Read { file, .. } => Some(file),
        }
    }

    pub(crate) fn file_mut(&mut self) -> Option<&mut String> {
        match self {
            SchemaSource::Inline(_) => None,
            SchemaSource::File(file) | SchemaSource::Read { file, .. } => Some(file),
        }
    }

    /// The schema as it is written, unless it is still to be read.
    pub(crate) fn schema(&self) -> Option<&Value> {
        match self {
            SchemaSource::File(_) => None,
            SchemaSource::Inline(schema) | SchemaSource::Read { schema, .. } => Some(schema),
        }
    }

    fn compile(&self) -> Result<Option<Schema>, ConfigError> {
        let compiled = self.schema().map(Schema::new).transpose();
        compiled.map_err(|error| match self.file() {
            Some(file) => ConfigError::at("", format!("{file}: {error}")),
            None => ConfigError::at(error.path, error.message),
        })
    }
}

impl<'de> Deserialize<'de> for ContractOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OptionsVisitor;

        impl<'de> Visitor<'de> for OptionsVisitor {
            type Value = ContractOptions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"warn\", \"refuse\" or an object")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ContractOptions, E> {
                let mode = ContractMode::deserialize(StrDeserializer::new(text))?;
                Ok(ContractOptions { mode: Some(mode), ..ContractOptions::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ContractOptions, A::Error> {
                let Written { mode, receives, sends, binary } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ContractOptions { mode, receives, sends, binary, is_described: false })
            }
        }

        deserializer.deserialize_any(OptionsVisitor)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for ContractOptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Contract".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (mode, options) =
            (generator.subschema_for::<ContractMode>(), generator.subschema_for::<Written>());
        schemars::json_schema!({
            "description": "What the messages of a route have to be: schemas for both directions, or with an AsyncAPI document that \
                describes the route just what becomes of messages that break it.",
            "anyOf": [mode, options],
        })
    }
}

impl<'de> Deserialize<'de> for SchemaSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(file) => Ok(SchemaSource::File(file)),
            schema => Ok(SchemaSource::Inline(Arc::new(schema))),
        }
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for SchemaSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SchemaSource".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A JSON Schema (2020-12), or the path of a JSON or YAML file that holds one. Relative paths begin in the folder of \
                the configuration file; those of options in JavaScript at Vite's root, or in the working directory.",
            "anyOf": [{ "type": "string" }, { "type": "boolean" }, { "type": "object" }],
        })
    }
}
