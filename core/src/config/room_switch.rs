//! A room's name that can be switched off.

use serde::Deserialize;
use serde_json::Value;

use crate::schema::error::describe;

/// A room's name, or none: `false`. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct RoomSwitch(Option<String>);

impl RoomSwitch {
    /// This room.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Some(name.into()))
    }

    /// The name, if there is one.
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl TryFrom<Value> for RoomSwitch {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(name) if !name.is_empty() => Ok(Self(Some(name))),
            Value::Bool(false) => Ok(Self(None)),
            value => Err(format!("expected a room's name, or false, got {}", describe(&value))),
        }
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for RoomSwitch {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RoomSwitch".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A room's name, or false for none.",
            "anyOf": [{ "type": "string", "minLength": 1 }, { "const": false }]
        })
    }
}
