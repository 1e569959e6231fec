//! A time in ms that can be switched off.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::error::describe;
use crate::time::ms;

/// A time in ms, or off: `false` or 0. The default is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Interval(Option<u64>);

impl Interval {
    /// Switched off.
    pub const OFF: Self = Self(None);

    /// So many ms; 0 is off.
    pub const fn from_ms(ms: u64) -> Self {
        if ms == 0 { Self::OFF } else { Self(Some(ms)) }
    }

    /// This time; zero is off.
    pub fn from_duration(time: Duration) -> Self {
        Self::from_ms(ms(time))
    }

    /// The time in ms, if it is not off.
    pub const fn as_ms(self) -> Option<u64> {
        self.0
    }

    /// The time, if it is not off.
    pub fn duration(self) -> Option<Duration> {
        self.0.map(Duration::from_millis)
    }
}

impl TryFrom<Value> for Interval {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match (&value, value.as_u64()) {
            (_, Some(ms)) => Ok(Self::from_ms(ms)),
            (Value::Bool(false), _) => Ok(Self::OFF),
            _ => Err(format!("expected a whole number of ms, or false, got {}", describe(&value))),
        }
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for Interval {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Interval".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A time in ms; false or 0 is off.",
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "const": false }]
        })
    }
}
