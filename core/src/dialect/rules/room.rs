//! Rooms named by a rule.

use serde::Deserialize;
use serde_json::Value;

use crate::template::{Scope, Source, ValueTemplate};

/// Room names: one or a list, with placeholders.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ValueTemplate")]
pub struct RoomTemplates(ValueTemplate);

impl RoomTemplates {
    /// The names. A list counts as its items; what has no value, is null or is empty names no room, so that a
    /// message without its room field reaches nobody instead of everybody.
    pub(super) fn names(&self, scope: &mut Scope<'_>) -> Vec<String> {
        match self.0.value(scope).unwrap_or_default() {
            Value::Array(list) => list.into_iter().filter_map(name).collect(),
            value => name(value).into_iter().collect(),
        }
    }

    /// Shows `check` what each placeholder stands for, up to the first error.
    pub(super) fn check<E>(&self, check: &mut impl FnMut(&Source) -> Result<(), E>) -> Result<(), E> {
        self.0.check(check)
    }
}

/// A room's name as text; numbers count as they are written.
fn name(value: Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name).filter(|name| !name.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl TryFrom<ValueTemplate> for RoomTemplates {
    type Error = String;

    fn try_from(value: ValueTemplate) -> Result<Self, String> {
        let is_name = |value: &ValueTemplate| match value {
            ValueTemplate::Constant(value) => name(value.clone()).is_some(),
            ValueTemplate::Text(_) => true,
            _ => false,
        };
        let are_names = match &value {
            ValueTemplate::Constant(Value::Array(list)) => {
                list.iter().all(|item| name(item.clone()).is_some())
            }
            ValueTemplate::List(list) => list.iter().all(is_name),
            value => is_name(value),
        };
        if are_names {
            Ok(Self(value))
        } else {
            Err("a room is text that is not empty, or a list of such".to_owned())
        }
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for RoomTemplates {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RoomTemplates".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Room names: one or a list, with placeholders.",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "number" },
                {
                    "type": "array",
                    "items": { "anyOf": [{ "type": "string", "minLength": 1 }, { "type": "number" }] },
                },
            ],
        })
    }
}
