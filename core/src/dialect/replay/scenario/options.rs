//! A scenario as a configuration writes it: steps, an object with more, or a file.

use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::step::ScenarioStep;
use crate::dialect::replay::options::MismatchOption;
use crate::schema::{ConfigError, read};
use crate::template::ValueTemplate;

/// The settings of the dialect `scenario`: steps, an object with more, or the file of one, `.toml` or `.json`.
#[derive(Clone, Debug)]
pub enum ScenarioOptions {
    /// A file, which is read when the server starts.
    File(String),
    /// The scenario itself.
    Script(ScenarioScript),
}

/// A scenario: what the server does in each conversation.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScenarioScript {
    /// The steps, in order. A conversation whose steps are over stays open and sends nothing more.
    pub steps: Vec<ScenarioStep>,
    /// Variables with which each conversation starts, as `{let.name}` in its templates. Default none.
    #[serde(default)]
    pub variables: IndexMap<String, ValueTemplate>,
    /// What happens when a message comes that no step expects. Default `wait`.
    #[serde(default)]
    pub mismatch: MismatchOption,
}

impl ScenarioOptions {
    /// The file, if it is one, to make its path absolute.
    pub(crate) fn file_mut(&mut self) -> Option<&mut String> {
        match self {
            ScenarioOptions::File(file) => Some(file),
            ScenarioOptions::Script(_) => None,
        }
    }
}

impl ScenarioScript {
    /// From the text of a file, by the end of its name: `.toml`, or JSON.
    pub(crate) fn from_file(name: &str, text: &str) -> Result<Self, ConfigError> {
        let not = |what: &str, error: &dyn fmt::Display| ConfigError::at("", format!("not {what}: {error}"));
        let value = match name.ends_with(".toml") {
            true => {
                let table: toml::Table =
                    toml::from_str(text).map_err(|error| ConfigError::from_toml(text, &error))?;
                crate::config::json_of_toml(toml::Value::Table(table))
            }
            false => serde_json::from_str(text).map_err(|error| not("JSON", &error))?,
        };
        match read(value)? {
            ScenarioOptions::Script(script) => Ok(script),
            ScenarioOptions::File(_) => {
                Err(ConfigError::at("", "expected a list of steps, or an object with \"steps\""))
            }
        }
    }
}

impl<'de> Deserialize<'de> for ScenarioOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = ScenarioOptions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of steps, an object with \"steps\", or the name of a file")
    }

    fn visit_str<E: de::Error>(self, file: &str) -> Result<ScenarioOptions, E> {
        match file.ends_with(".toml") || file.ends_with(".json") {
            true => Ok(ScenarioOptions::File(file.to_owned())),
            false => Err(E::custom(format!("{file:?} is neither a .toml nor a .json file"))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ScenarioOptions, A::Error> {
        let steps = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
        Ok(ScenarioOptions::Script(ScenarioScript { steps, ..ScenarioScript::default() }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ScenarioOptions, A::Error> {
        ScenarioScript::deserialize(MapAccessDeserializer::new(map)).map(ScenarioOptions::Script)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for ScenarioOptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scenario".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (script, step) =
            (generator.subschema_for::<ScenarioScript>(), generator.subschema_for::<ScenarioStep>());
        schemars::json_schema!({
            "description": "What the server does in each conversation: steps, an object with more, or the file of one, .toml or .json.",
            "anyOf": [{ "type": "array", "items": step }, script, { "type": "string" }],
        })
    }
}
