//! The condition of a rule.

use std::borrow::Cow;
use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::schema::suggest::nearest;
use crate::template::{Scope, Source};

/// The largest compiled size in bytes of one regular expression.
const MAX_REGEX_BYTES: usize = 256 * 1024;

/// The conditions of several fields, which must all hold.
///
/// A key is a dotted path into the message's JSON, such as `type` or `user.name`. Keys that begin with
/// `connection.` or `close.` are looked up there, as in templates, and `message.` may be written out.
/// Any other JSON value than an object requires that the whole message is equal to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Value")]
pub struct Match(Vec<(Source, Condition)>);

/// The condition of one field.
#[derive(Clone, Debug)]
pub enum Condition {
    /// It is equal to this.
    Equals(Value),
    /// It passes all tests that are given.
    Tests {
        /// Whether the field exists; it does if it is null.
        exists: Option<bool>,
        /// It is equal to one of these.
        one_of: Option<Vec<Value>>,
        /// It is text that contains a match of this.
        regex: Option<Regex>,
    },
}

impl Match {
    /// Whether all conditions hold in this event.
    pub fn holds(&self, scope: &mut Scope<'_>) -> bool {
        self.0.iter().all(|(source, condition)| condition.holds(source.value(scope).as_deref()))
    }

    /// The conditions that do not hold: the field, what is expected there, and what is there.
    pub(crate) fn unmet(&self, scope: &mut Scope<'_>) -> Vec<(String, String, Option<Value>)> {
        let unmet = self.0.iter().filter_map(|(source, condition)| {
            let value = source.value(scope).map(Cow::into_owned);
            let is_unmet = !condition.holds(value.as_ref());
            is_unmet.then(|| (source.to_string(), condition.to_string(), value))
        });
        unmet.collect()
    }

    /// The sources of its fields.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.0.iter().map(|(source, _)| source)
    }
}

impl Condition {
    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Condition::Equals(expected) => value.is_some_and(|value| equal(value, expected)),
            Condition::Tests { exists, one_of, regex } => {
                exists.is_none_or(|exists| exists == value.is_some())
                    && one_of.as_ref().is_none_or(|list| {
                        value.is_some_and(|value| list.iter().any(|expected| equal(value, expected)))
                    })
                    && regex.as_ref().is_none_or(|regex| {
                        value.and_then(Value::as_str).is_some_and(|text| regex.is_match(text))
                    })
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Condition::Tests { exists, one_of, regex } = self else {
            let Condition::Equals(value) = self else { return Ok(()) };
            return write!(f, "{value}");
        };
        let tests = [
            exists.map(|exists| if exists { "something" } else { "nothing" }.to_owned()),
            one_of.as_ref().map(|list| format!("one of {}", json!(list))),
            regex.as_ref().map(|regex| format!("text that matches {regex}")),
        ];
        f.write_str(&tests.into_iter().flatten().collect::<Vec<_>>().join(" and "))
    }
}

/// Equality; numbers are compared as in JavaScript, where 1 and 1.0 are the same.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

/// The source of a key of `match`.
fn source(key: &str) -> Result<Source, String> {
    let rooted = ["message.", "connection.", "close."].iter().any(|root| key.starts_with(root));
    let path = if rooted { Cow::Borrowed(key) } else { Cow::Owned(format!("message.{key}")) };
    Source::parse(&path).map_err(|error| format!("cannot match on {key:?}: {error}"))
}

impl TryFrom<Value> for Match {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let Value::Object(fields) = value else {
            return Ok(Self(vec![(Source::Message(Vec::new()), Condition::Equals(value))]));
        };
        let fields = fields.into_iter().map(|(key, condition)| {
            let condition = Condition::try_from(condition).map_err(|error| format!("{key:?}: {error}"))?;
            Ok((source(&key)?, condition))
        });
        fields.collect::<Result<_, _>>().map(Self)
    }
}

/// The names of the tests of a condition.
const TESTS: [&str; 3] = ["exists", "oneOf", "regex"];

impl TryFrom<Value> for Condition {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let Value::Object(tests) = value else {
            return Ok(Condition::Equals(value));
        };
        if tests.is_empty() {
            return Err("an empty condition; write exists, oneOf or regex".to_owned());
        }
        let (mut exists, mut one_of, mut regex) = (None, None, None);
        for (name, value) in tests {
            match (name.as_str(), value) {
                ("exists", Value::Bool(value)) => exists = Some(value),
                ("exists", _) => return Err("exists is true or false".to_owned()),
                ("oneOf", Value::Array(list)) => one_of = Some(list),
                ("oneOf", _) => return Err("oneOf is a list of values".to_owned()),
                ("regex", Value::String(text)) => regex = Some(compile(&text)?),
                ("regex", _) => return Err("regex is text".to_owned()),
                (name, _) => {
                    let hint = match nearest(name, TESTS) {
                        Some(near) => format!("did you mean {near:?}?"),
                        None => {
                            "a condition that is an object has exists, oneOf and regex; write fields within \
                                 fields with dots, as \"user.name\""
                                .to_owned()
                        }
                    };
                    return Err(format!("unknown test {name:?}; {hint}"));
                }
            }
        }
        Ok(Condition::Tests { exists, one_of, regex })
    }
}

fn compile(regex: &str) -> Result<Regex, String> {
    RegexBuilder::new(regex).size_limit(MAX_REGEX_BYTES).build().map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("not a usable regular expression: {reason}")
    })
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for Match {
    fn schema_name() -> Cow<'static, str> {
        "Match".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let literal = json!({ "type": ["string", "number", "boolean", "array", "null"] });
        schemars::json_schema!({
            "description": "What must hold: fields of the message by dotted path (or connection.…, close.…). Anything but an object asks that the whole message be equal to it.",
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": {
                        "description": "A value to be equal to, or tests that all must pass.",
                        "anyOf": [
                            literal,
                            {
                                "type": "object",
                                "additionalProperties": false,
                                "minProperties": 1,
                                "properties": {
                                    "exists": { "type": "boolean" },
                                    "oneOf": { "type": "array" },
                                    "regex": { "type": "string", "format": "regex" }
                                }
                            }
                        ]
                    }
                },
                literal
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::scope::tests::Fixture;

    #[test]
    fn conditions_hold_as_documented() {
        let message = json!({"type": "join", "n": 1, "user": {"name": "Ada", "tags": ["a", "b"]}, "nil": null,
            "message": "hi", "connection": {"x": 1}});
        let table = [
            (json!({}), true),
            (json!({"type": "join"}), true),
            (json!({"type": "leave"}), false),
            (json!({"type": "join", "n": 2}), false),
            (json!({"n": 1.0}), true),
            (json!({"n": "1"}), false),
            (json!({"user.name": "Ada"}), true),
            (json!({"user.tags": ["a", "b"]}), true),
            (json!({"user.tags.1": "b"}), true),
            (json!({"message": "hi"}), true),
            (json!({"message.type": "join"}), true),
            (json!({"message.connection.x": 1}), true),
            (json!({"nil": null}), true),
            (json!({"nil": {"exists": true}}), true),
            (json!({"none": null}), false),
            (json!({"none": {"exists": false}}), true),
            (json!({"type": {"oneOf": ["leave", "join"]}}), true),
            (json!({"none": {"oneOf": ["leave", "join"]}}), false),
            (json!({"type": {"regex": "^jo"}}), true),
            (json!({"n": {"regex": "1"}}), false),
            (json!({"type": {"regex": "^jo", "oneOf": ["x"]}}), false),
            (json!({"connection.params.room": "lobby"}), true),
            (json!({"connection.query.q": {"regex": "^a b$"}}), true),
            (json!({"connection.authData.user": "bob"}), false),
            (json!({"close.code": {"exists": false}}), true),
            (json!("join"), false),
            (json!([1]), false),
        ];
        for (matching, expected) in table {
            let rule: Match = serde_json::from_value(matching.clone()).expect("a match");
            assert_eq!(rule.holds(&mut Fixture::new(message.clone()).scope()), expected, "{matching}");
        }
    }

    #[test]
    fn the_whole_message_can_be_asked_for() {
        let mut fixture = Fixture::without_message();
        fixture.message = Some("ping".into());
        let ping: Match = serde_json::from_value(json!("ping")).expect("a match");
        assert!(ping.holds(&mut fixture.scope()));
        fixture.message = Some("pong".into());
        assert!(!ping.holds(&mut fixture.scope()));
    }

    #[test]
    fn wrong_conditions_say_what_to_write() {
        for (matching, expected) in [
            (json!({"a": {}}), "\"a\": an empty condition; write exists, oneOf or regex"),
            (json!({"a": {"regex": "("}}), "\"a\": not a usable regular expression: unclosed group"),
            (json!({"a": {"regx": "a"}}), "\"a\": unknown test \"regx\"; did you mean \"regex\"?"),
            (json!({"a": {"exists": 1}}), "\"a\": exists is true or false"),
            (
                json!({"user": {"name": "Ada"}}),
                "\"user\": unknown test \"name\"; a condition that is an object has exists, oneOf and regex; \
                 write fields within fields with dots, as \"user.name\"",
            ),
            (
                json!({"connection.parms.x": 1}),
                "cannot match on \"connection.parms.x\": did you mean {connection.params.x}?",
            ),
            (json!({"a..b": 1}), "cannot match on \"a..b\": there is nothing between two dots"),
        ] {
            let error = serde_json::from_value::<Match>(matching).expect_err("no match");
            assert_eq!(error.to_string(), expected);
        }
    }
}
