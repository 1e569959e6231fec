//! A step as it is written: an object with one of these verbs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::pattern::Pattern;
use crate::CloseCode;
use crate::dialect::rules::{ActionTemplate, Match};
use crate::fault::FaultList;
use crate::template::{Template, ValueTemplate};

/// One step of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Keys")]
#[cfg_attr(feature = "json-schema", schemars(with = "Keys"))]
pub struct ScenarioStep(pub(super) Verb);

/// One of the messages that a step `choose` waits for, and what to do then.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(try_from = "ChoiceKeys")]
#[cfg_attr(feature = "json-schema", schemars(with = "ChoiceKeys"))]
pub struct Choice {
    pub(super) pattern: Pattern,
    pub(super) steps: Vec<ScenarioStep>,
}

#[derive(Clone, Debug)]
pub(super) enum Verb {
    Expect { pattern: Pattern, within: Option<Within> },
    Choose { choices: Vec<Choice>, within: Option<Within> },
    Send(ValueTemplate),
    SendBinary(Bytes),
    Wait(u64),
    Set(IndexMap<String, ValueTemplate>),
    Do(Vec<ActionTemplate>),
    Fault(FaultList),
    Close { code: Option<u16>, reason: Template },
    Terminate,
    Label(String),
    Goto(String),
    Loop { times: Option<u32>, steps: Vec<ScenarioStep> },
}

/// How long a step waits for a message, and the label to go to then.
#[derive(Clone, Debug)]
pub(super) struct Within {
    pub(super) ms: u64,
    pub(super) otherwise: String,
}

/// A step of a scenario: one of the keys `expect`, `expectBinary`, `choose`, `send`, `sendBinary`, `wait`, `set`, `do`, `fault`,
/// `close`, `terminate`, `label`, `goto`, `loop`, with those that go with it.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ScenarioStep"))]
struct Keys {
    /// Wait for a message for which this holds, as in a rule's `match`; with `{}` for any. Others are reported as a mismatch.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<Match>"))]
    expect: Option<Value>,
    /// Wait for a binary message: these bytes in base64, or `true` for any.
    expect_binary: Option<ExpectedBytes>,
    /// Wait for a message that is one of these, the first that fits, and take its steps; then go on behind this one.
    choose: Option<Vec<Choice>>,
    /// With `expect`, `expectBinary` and `choose`: go to the label `otherwise` after so many ms. Default: wait for ever.
    within: Option<u64>,
    /// With `within`: the label to go to.
    otherwise: Option<String>,
    /// Send this value: text as it is, anything else as JSON. Texts may have placeholders; `{message.…}` is the latest message
    /// that was expected, `{let.…}` a variable.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<ValueTemplate>"))]
    send: Option<ValueTemplate>,
    /// Send a binary message, written in base64.
    send_binary: Option<String>,
    /// Wait so many ms, counted from the previous step.
    wait: Option<u64>,
    /// Set variables, by name. One whose value is a placeholder without a value is removed.
    set: Option<IndexMap<String, ValueTemplate>>,
    /// Do what a rule does: `reply`, `broadcast`, `join`, `leave` and so on.
    #[serde(rename = "do")]
    actions: Option<Vec<ActionTemplate>>,
    /// Add faults to this connection, until it ends: a fault, a list, or the name of a condition.
    fault: Option<FaultList>,
    /// Close the connection.
    close: Option<CloseKeys>,
    /// Drop the connection without a close frame, when what was sent is written: write `true`.
    terminate: Option<bool>,
    /// A name for this place, for `goto` and `otherwise`.
    label: Option<String>,
    /// Go on at this label.
    goto: Option<String>,
    /// Take steps again and again.
    #[serde(rename = "loop")]
    repeated: Option<LoopKeys>,
}

/// How a scenario closes the connection.
#[derive(Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ScenarioClose"))]
struct CloseKeys {
    /// 1000–1003, 1007–1014 or 3000–4999; 1005 closes without a code. Default 1000.
    code: Option<u16>,
    /// Cut at 123 bytes. May have placeholders. Default empty.
    reason: Option<Template>,
}

/// Steps that are taken again and again.
#[derive(Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ScenarioLoop"))]
struct LoopKeys {
    /// How often, at least once. Default: without end.
    times: Option<u32>,
    /// The steps.
    steps: Vec<ScenarioStep>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ScenarioChoice"))]
struct ChoiceKeys {
    /// The message, as in a rule's `match`; `{}` for any.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<Match>"))]
    expect: Option<Value>,
    /// Or a binary message: these bytes in base64, or `true` for any.
    expect_binary: Option<ExpectedBytes>,
    /// What to do when it came. Default nothing.
    steps: Vec<ScenarioStep>,
}

/// Bytes in base64, or `true` for any.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
struct ExpectedBytes(Option<Bytes>);

/// Distinguishes null from a missing key.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl TryFrom<Value> for ExpectedBytes {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Bool(true) => Ok(Self(None)),
            Value::String(text) => bytes(&text).map(|bytes| Self(Some(bytes))),
            _ => Err("expected bytes in base64, or true for any binary message".to_owned()),
        }
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for ExpectedBytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExpectedBytes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Bytes in base64, or true for any.",
            "anyOf": [{ "type": "string", "contentEncoding": "base64" }, { "const": true }],
        })
    }
}

fn bytes(text: &str) -> Result<Bytes, String> {
    let decoded = STANDARD.decode(text).map_err(|error| format!("{text:?} is no base64: {error}"));
    decoded.map(Bytes::from)
}

fn pattern(expect: Option<Value>, binary: Option<ExpectedBytes>) -> Result<Option<Pattern>, String> {
    match (expect, binary) {
        (Some(_), Some(_)) => Err("write either \"expect\" or \"expectBinary\"".to_owned()),
        (Some(written), None) => {
            let matching = Match::try_from(written.clone()).map_err(|error| format!("expect: {error}"))?;
            Ok(Some(Pattern::Match(matching, written)))
        }
        (None, Some(ExpectedBytes(bytes))) => Ok(Some(Pattern::Binary(bytes))),
        (None, None) => Ok(None),
    }
}

impl TryFrom<ChoiceKeys> for Choice {
    type Error = String;

    fn try_from(keys: ChoiceKeys) -> Result<Self, String> {
        let pattern = pattern(keys.expect, keys.expect_binary)?;
        let pattern = pattern.ok_or("say which message: write \"expect\" or \"expectBinary\"")?;
        Ok(Self { pattern, steps: keys.steps })
    }
}

impl TryFrom<Keys> for ScenarioStep {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let within = match (keys.within, keys.otherwise) {
            (Some(ms), Some(otherwise)) => Some(Within { ms, otherwise }),
            (None, None) => None,
            (Some(_), None) => {
                return Err("\"within\" needs \"otherwise\", the label to go to".to_owned());
            }
            (None, Some(_)) => return Err("\"otherwise\" needs \"within\", a time in ms".to_owned()),
        };
        let has_within = within.is_some();
        let expect = pattern(keys.expect, keys.expect_binary)?;
        let verbs = [
            expect.map(|pattern| ("expect", Verb::Expect { pattern, within: within.clone() })),
            keys.choose.map(|choices| ("choose", Verb::Choose { choices, within: within.clone() })),
            keys.send.map(|value| ("send", Verb::Send(value))),
            keys.send_binary
                .map(|text| bytes(&text).map(|bytes| ("sendBinary", Verb::SendBinary(bytes))))
                .transpose()
                .map_err(|error| format!("sendBinary: {error}"))?,
            keys.wait.map(|ms| ("wait", Verb::Wait(ms))),
            keys.set.map(|variables| ("set", Verb::Set(variables))),
            keys.actions.map(|actions| ("do", Verb::Do(actions))),
            keys.fault.map(|faults| ("fault", Verb::Fault(faults))),
            keys.close.map(CloseKeys::verb).transpose()?.map(|verb| ("close", verb)),
            keys.terminate
                .map(|terminates| ("terminate", Verb::Terminate, terminates))
                .map(check_true)
                .transpose()?,
            keys.label.map(|label| ("label", Verb::Label(label))),
            keys.goto.map(|label| ("goto", Verb::Goto(label))),
            keys.repeated.map(|LoopKeys { times, steps }| ("loop", Verb::Loop { times, steps })),
        ];
        let mut verbs = verbs.into_iter().flatten();
        let Some((name, verb)) = verbs.next() else {
            return Err("a step is one of expect, expectBinary, choose, send, sendBinary, wait, set, do, fault, close, \
                        terminate, label, goto, loop"
                .to_owned());
        };
        if let Some((other, _)) = verbs.next() {
            return Err(format!("one step does one thing; write {name} and {other} as two steps"));
        }
        if has_within && !matches!(verb, Verb::Expect { .. } | Verb::Choose { .. }) {
            return Err(format!("\"within\" goes with expect, expectBinary and choose, not with {name}"));
        }
        match &verb {
            Verb::Choose { choices, .. } if choices.is_empty() => {
                Err("choose: an empty list would wait for ever; write the messages to wait for".to_owned())
            }
            Verb::Loop { times: Some(0), .. } => {
                Err("loop.times: a loop runs at least once; leave it out for a loop without end".to_owned())
            }
            _ => Ok(Self(verb)),
        }
    }
}

fn check_true((name, verb, is_true): (&'static str, Verb, bool)) -> Result<(&'static str, Verb), String> {
    match is_true {
        true => Ok((name, verb)),
        false => Err(format!("{name}: write true, or leave the step out")),
    }
}

impl CloseKeys {
    fn verb(self) -> Result<Verb, String> {
        let reason = match self.reason {
            Some(reason) => reason,
            None => Template::new("").map_err(|error| error.to_string())?,
        };
        match self.code.map_or(CloseCode::NORMAL, CloseCode) {
            CloseCode::NO_STATUS => Ok(Verb::Close { code: None, reason }),
            code if code.is_sendable() => Ok(Verb::Close { code: Some(code.0), reason }),
            code => Err(format!(
                "close.code: {code} cannot be sent; use 1000-1003, 1007-1014, 3000-4999, or 1005 for none"
            )),
        }
    }
}
