//! The settings of the dialect `replay`.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::matching::Matching;
use crate::schema::ConfigError;
use crate::schema::error::describe;

/// The settings of the dialect `replay`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayOptions {
    /// The recording: JSON Lines, as `record` writes them, or a HAR file with its messages in it, whose name ends in `.har`.
    pub file: String,
    /// How fast: 1 is the pace of the recording, 10 ten times as fast, `instant` without waiting. Default 1.
    #[serde(default)]
    pub speed: Speed,
    /// How alike a client's messages and the recorded ones have to be. Default `shape`.
    #[serde(default, rename = "match")]
    pub matching: Matching,
    /// Whether a recorded conversation begins again at its end, instead of closing. Default false.
    #[serde(default, rename = "loop")]
    pub repeats: bool,
    /// Where each conversation starts: so many ms after it was opened, or `{ event: n }`, its n-th message. Default 0.
    #[serde(default)]
    pub start_at: StartAt,
    /// Which recorded connection a client gets. Default `in-order`.
    #[serde(default)]
    pub connection: ConnectionChoice,
    /// Keys whose values are taken from what this client sends, besides `id`, `ref`, `seq`, `timestamp` and the like. Default
    /// none.
    #[serde(default)]
    pub capture: Vec<String>,
    /// What happens when a client sends what was not recorded. Default `wait`.
    #[serde(default)]
    pub mismatch: MismatchOption,
}

/// What happens when a message comes that is not expected. It is always logged, counted, and told as a live event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MismatchOption {
    /// The message is left out, and the expected one is waited for.
    #[default]
    Wait,
    /// The connection is closed with 1008 and a reason.
    Close,
}

/// How fast a recording is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times as fast as it was recorded.
    Times(f64),
    /// Without waiting.
    Instant,
}

impl Default for Speed {
    fn default() -> Self {
        Speed::Times(1.0)
    }
}

/// Where a conversation starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StartAt {
    /// So many ms after it was opened.
    Ms(f64),
    /// With its n-th message, counted from 1.
    Event(u64),
}

impl Default for StartAt {
    fn default() -> Self {
        StartAt::Ms(0.0)
    }
}

/// Which recorded connection a client gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionChoice {
    /// The n-th client of a path and query gets the n-th recorded connection of that path and query; after the last one it is
    /// the first again. Without a query, or with one that was not recorded, it gets those of its path in turn; a path that was not
    /// recorded gets all of them.
    #[default]
    InOrder,
    /// Always the n-th recorded connection of the file, counted from 1.
    Number(u64),
}

impl ReplayOptions {
    /// Replays a file, with all defaults.
    pub fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            speed: Speed::default(),
            matching: Matching::default(),
            repeats: false,
            start_at: StartAt::default(),
            connection: ConnectionChoice::default(),
            capture: Vec::new(),
            mismatch: MismatchOption::default(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.file.is_empty() {
            return Err(ConfigError::at("file", "write the recording's file, such as \"session.jsonl\""));
        }
        match self.speed {
            // A thousandth: nobody waits a day for a minute.
            Speed::Times(times) if !(0.001..=1e6).contains(&times) => Err(ConfigError::at(
                "speed",
                format!("expected a number from 0.001 to 1000000, or \"instant\", got {times}"),
            )),
            _ => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) if text == "instant" => Ok(Speed::Instant),
            value => value.as_f64().map(Speed::Times).ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "expected a number such as 10, or \"instant\", got {}",
                    describe(&value)
                ))
            }),
        }
    }
}

impl<'de> Deserialize<'de> for StartAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let event = value.get("event").filter(|_| value.as_object().is_some_and(|object| object.len() == 1));
        let number = match event {
            Some(event) => event.as_u64().filter(|event| *event > 0).map(StartAt::Event),
            None => value.as_f64().filter(|ms| (0.0..1e15).contains(ms)).map(StartAt::Ms),
        };
        number.ok_or_else(|| {
            serde::de::Error::custom(format!(
                "expected a number of ms, or {{ event: n }} with n from 1, got {}",
                describe(&value)
            ))
        })
    }
}

impl<'de> Deserialize<'de> for ConnectionChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value == "in-order" {
            return Ok(ConnectionChoice::InOrder);
        }
        value.as_u64().filter(|number| *number > 0).map(ConnectionChoice::Number).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "expected \"in-order\" or a whole number from 1, got {}",
                describe(&value)
            ))
        })
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for Speed {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReplaySpeed".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "So many times as fast as it was recorded, or `instant`.",
            "anyOf": [{ "type": "number", "minimum": 0.001, "maximum": 1_000_000 }, { "const": "instant" }],
        })
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for StartAt {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReplayStart".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "So many ms after the opening, or the n-th message.",
            "anyOf": [
                { "type": "number", "minimum": 0 },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["event"],
                    "properties": { "event": { "type": "integer", "minimum": 1 } },
                },
            ],
        })
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for ConnectionChoice {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReplayConnection".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "`in-order`: the n-th client of a path gets the n-th recorded connection of it; or always the n-th of the file.",
            "anyOf": [{ "const": "in-order" }, { "type": "integer", "minimum": 1 }],
        })
    }
}
