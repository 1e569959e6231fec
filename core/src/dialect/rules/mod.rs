//! Behaviour without code: what a route does on which event, as data.
//!
//! A rule has an event, a condition, and actions:
//!
//! ```json
//! {
//!   "on": "message",
//!   "match": { "type": "join", "room": { "exists": true } },
//!   "do": [
//!     { "join": "{message.room}" },
//!     { "broadcast": { "type": "user-joined", "username": "{message.username}" }, "rooms": "{message.room}" }
//!   ]
//! }
//! ```
//!
//! Only the first rule that matches runs, unless it has `"continue": true`. Everything in a rule is
//! evaluated before any of it takes effect: `{connection.rooms}` does not yet know a room joined by the same rule.

mod action;
mod handler;
mod matching;
mod parse;
mod room;
#[cfg(test)]
mod seed_tests;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::handler::command::Command;
use crate::template::{Scope, ValueTemplate};

pub use action::ActionTemplate;
pub use handler::RulesHandler;
pub use matching::{Condition, Match};
pub use parse::Parse;
pub use room::RoomTemplates;

/// The event that a rule is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum On {
    /// The connection is open.
    Connect,
    /// A message came.
    #[default]
    Message,
    /// The connection has ended.
    Close,
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// The event that the rule is for: `connect`, `message` (the default) or `close`.
    #[serde(default)]
    pub on: On,
    /// The condition for the rule to run. Default: none.
    #[serde(default, rename = "match")]
    pub matching: Match,
    /// Values that are computed before the actions and used as `{let.name}`, such as the same random id in two places.
    #[serde(default, rename = "let")]
    pub lets: IndexMap<String, ValueTemplate>,
    /// What to do, in order.
    #[serde(rename = "do")]
    pub actions: Vec<ActionTemplate>,
    /// Whether the rules after this one may run as well. Default false.
    #[serde(default, rename = "continue")]
    pub proceed: bool,
}

/// The rules of one route, tried in order.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// These rules, in this order.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The commands for this event.
    pub fn evaluate(&self, on: On, scope: &mut Scope<'_>) -> Vec<Command> {
        let mut commands = Vec::new();
        for rule in self.0.iter().filter(|rule| rule.on == on) {
            if !rule.matching.holds(scope) {
                continue;
            }
            scope.lets.clear();
            for (name, value) in &rule.lets {
                if let Some(value) = value.value(scope) {
                    scope.lets.push((name.clone(), value));
                }
            }
            commands.extend(rule.actions.iter().flat_map(|action| action.fill(scope)));
            if !rule.proceed {
                break;
            }
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::template::scope::tests::Fixture;

    fn evaluate(rules: Value, message: Value) -> Vec<Command> {
        let rules = Rules::new(serde_json::from_value(rules).expect("rules"));
        rules.evaluate(On::Message, &mut Fixture::new(message).scope())
    }

    #[test]
    fn the_first_match_is_the_only_one_unless_it_continues() {
        let rules = json!([
            { "match": { "a": 1 }, "do": [{ "reply": "one" }], "continue": true },
            { "on": "connect", "do": [{ "reply": "hello" }] },
            { "match": { "b": 2 }, "do": [{ "reply": "two" }] },
            { "do": [{ "reply": "other" }] },
        ]);
        for (message, expected) in [
            (json!({"a": 1, "b": 2}), vec!["one", "two"]),
            (json!({"a": 1}), vec!["one", "other"]),
            (json!({"b": 2}), vec!["two"]),
            (json!("text"), vec!["other"]),
        ] {
            let replies: Vec<_> = expected.into_iter().map(|text| Command::Send(text.into())).collect();
            assert_eq!(evaluate(rules.clone(), message), replies);
        }
    }

    #[test]
    fn values_set_aside_can_build_on_each_other() {
        let rules = json!([{
            "let": { "name": "{message.name}", "greeting": "hi {let.name}", "none": "{message.none}" },
            "do": [{ "reply": { "greeting": "{let.greeting}", "none": "{let.none}" } }],
        }]);
        let expected = Command::Send("{\"greeting\":\"hi Ada\"}".into());
        assert_eq!(evaluate(rules, json!({"name": "Ada"})), [expected]);
    }
}
