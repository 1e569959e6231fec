//! Faults as they are added while a server runs: one, several, or a condition's.

use serde::Deserialize;
use serde_json::Value;

use super::condition::{Condition, unknown};
use super::options::Fault;
use crate::schema::error::describe;
use crate::schema::{ConfigError, read};

/// Faults: an object, a list of them, or the name of a [`Condition`].
///
/// ```
/// use switchboard_core::FaultList;
///
/// assert_eq!(FaultList::from_json(r#"{ "on": "send", "loss": 0.1 }"#)?.as_slice().len(), 1);
/// let error = FaultList::from_json(r#"[{ "on": "send", "los": 0.1 }]"#).unwrap_err();
/// assert_eq!(error.to_string(), "faults[0].los: unknown key; did you mean \"loss\"?");
/// # Ok::<(), switchboard_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultList(Vec<Fault>);

impl FaultList {
    /// From a JSON value. Errors name the key under `faults`.
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        let one = |value: Value| {
            let fault: Fault = read(value)?;
            fault.check().map(|()| fault)
        };
        let faults = match value {
            Value::String(name) => match Condition::named(&name) {
                Some(condition) => Ok(condition.faults()),
                None => Err(ConfigError::at("", unknown(&name))),
            },
            Value::Object(_) => one(value).map(|fault| vec![fault]),
            Value::Array(list) => {
                let place = |(index, value)| {
                    one(value).map_err(|error: ConfigError| error.under(&format!("[{index}]")))
                };
                list.into_iter().enumerate().map(place).collect()
            }
            value => {
                let text =
                    format!("expected a fault, a list, or a condition's name, got {}", describe(&value));
                Err(ConfigError::at("", text))
            }
        };
        faults.map(Self).map_err(|error| error.under("faults"))
    }

    /// From JSON text.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let value = serde_json::from_str(text)
            .map_err(|error| ConfigError::at("faults", format!("not JSON: {error}")))?;
        Self::from_value(value)
    }

    /// The faults.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// Checks each of them.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mut faults = self.0.iter().enumerate();
        faults.try_for_each(|(index, fault)| {
            fault.check().map_err(|error| error.under(&format!("faults[{index}]")))
        })
    }
}

impl From<Fault> for FaultList {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl From<Vec<Fault>> for FaultList {
    fn from(faults: Vec<Fault>) -> Self {
        Self(faults)
    }
}

impl From<Condition> for FaultList {
    fn from(condition: Condition) -> Self {
        Self(condition.faults())
    }
}

impl<'de> Deserialize<'de> for FaultList {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(value).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for FaultList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultList".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (fault, condition) = (generator.subschema_for::<Fault>(), generator.subschema_for::<Condition>());
        schemars::json_schema!({
            "description": "Faults: an object, a list of them, or the name of a condition.",
            "anyOf": [fault, { "type": "array", "items": fault }, condition],
        })
    }
}
