//! Faults that belong together, under the names by which people know them.

use serde::Deserialize;
use serde_json::Value;

use super::options::{Delay, Fault, FaultStage, FaultTrigger};
use crate::schema::error::describe;
use crate::schema::suggest::nearest;

/// A state of the network or the server, as a list of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Condition {
    /// Nobody comes through: opening handshakes end without an answer, and so do open connections.
    Offline,
    /// A weak wireless network: one opening handshake in ten is refused with 503, frames take 20 to 300 ms, one message in
    /// fifty is lost in each direction, and each connection ends without a close frame after 30 s.
    Flaky,
    /// A slow mobile network: 400 ms and 50000 bytes a second in each direction, and 2 s to open.
    #[serde(rename = "slow-3g")]
    Slow3g,
    /// A satellite: 300 to 350 ms in each direction, and 700 ms to open. Nothing is lost.
    HighLatency,
    /// Connections open, and nothing passes. The client is not told.
    HalfOpen,
    /// A server that restarts again and again: each connection is closed with 1012 after 10 s, and one opening handshake in
    /// two is refused with 503.
    Restarting,
}

impl Condition {
    /// All of them.
    pub const ALL: [Condition; 6] = [
        Condition::Offline,
        Condition::Flaky,
        Condition::Slow3g,
        Condition::HighLatency,
        Condition::HalfOpen,
        Condition::Restarting,
    ];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Condition::Offline => "offline",
            Condition::Flaky => "flaky",
            Condition::Slow3g => "slow-3g",
            Condition::HighLatency => "high-latency",
            Condition::HalfOpen => "half-open",
            Condition::Restarting => "restarting",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|condition| condition.name() == name)
    }

    /// Its faults.
    pub fn faults(self) -> Vec<Fault> {
        use FaultStage::{Open, Receive, Send};
        let on = |stage| Fault { on: Some(stage), ..Fault::default() };
        let slow = |stage, min, max| Fault { latency: Some(Delay { min, max }), ..on(stage) };
        let after = |ms| Some(FaultTrigger { ms: Some(ms), ..FaultTrigger::default() });
        let refused = |probability| Fault { refuse: Some(503), probability: Some(probability), ..on(Open) };
        match self {
            Condition::Offline => {
                vec![Fault { terminate: true, ..on(Open) }, Fault { terminate: true, ..Fault::default() }]
            }
            Condition::Flaky => {
                let lossy = |stage| Fault { loss: Some(0.02), ..slow(stage, 20, 300) };
                let end = Fault { terminate: true, after: after(30_000), ..Fault::default() };
                vec![refused(0.1), lossy(Send), lossy(Receive), end]
            }
            Condition::Slow3g => {
                let slow = |stage| Fault { throttle: Some(50_000), ..slow(stage, 400, 400) };
                vec![Fault { latency: Some(Delay::exactly(2_000)), ..on(Open) }, slow(Send), slow(Receive)]
            }
            Condition::HighLatency => {
                vec![slow(Open, 700, 700), slow(Send, 300, 350), slow(Receive, 300, 350)]
            }
            Condition::HalfOpen => vec![Fault { half_open: true, ..Fault::default() }],
            Condition::Restarting => {
                let reason = Some("Service restart".to_owned());
                let end = Fault { close: Some(1012), reason, after: after(10_000), ..Fault::default() };
                vec![refused(0.5), end]
            }
        }
    }
}

/// The conditions that a client may choose for its own connection, by the query's parameter `switchboard-fault` or by a
/// header of that name: `true` for all, or a list. Default none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct ClientConditions(Vec<Condition>);

impl ClientConditions {
    /// The query's parameter, and the header.
    pub const NAME: &'static str = "switchboard-fault";

    /// These.
    pub fn new(conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self(conditions.into_iter().collect())
    }

    /// Which ones.
    pub fn as_slice(&self) -> &[Condition] {
        &self.0
    }
}

impl TryFrom<Value> for ClientConditions {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let name = |value: Value| match value.as_str() {
            Some(name) => Condition::named(name).ok_or_else(|| unknown(name)),
            None => Err(format!("expected a condition's name, got {}", describe(&value))),
        };
        match value {
            Value::Bool(true) => Ok(Self(Condition::ALL.to_vec())),
            Value::Bool(false) => Ok(Self::default()),
            Value::Array(names) => names.into_iter().map(name).collect::<Result<_, _>>().map(Self),
            value => {
                Err(format!("expected true, or a list such as [\"half-open\"], got {}", describe(&value)))
            }
        }
    }
}

/// What to write instead of a name that no condition has.
pub(super) fn unknown(name: &str) -> String {
    let known = Condition::ALL.map(Condition::name);
    match nearest(name, known) {
        Some(near) => format!("there is no condition {name:?}; did you mean {near:?}?"),
        None => format!("there is no condition {name:?}; there are {}", known.join(", ")),
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for ClientConditions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ClientConditions".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let condition = generator.subschema_for::<Condition>();
        schemars::json_schema!({
            "description": "The conditions that a client may choose for its own connection: true for all, or a list.",
            "anyOf": [{ "type": "boolean" }, { "type": "array", "items": condition }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_is_made_of_faults_that_could_be_written() {
        for condition in Condition::ALL {
            assert_eq!(Condition::named(condition.name()), Some(condition));
            assert!(!condition.faults().is_empty());
            for fault in condition.faults() {
                assert_eq!(fault.check(), Ok(()), "{condition:?}: {fault:?}");
            }
        }
    }

    #[test]
    fn a_name_that_no_condition_has_is_met_with_one_that_is_near() {
        assert_eq!(unknown("half_open"), "there is no condition \"half_open\"; did you mean \"half-open\"?");
        assert!(
            unknown("x").ends_with("there are offline, flaky, slow-3g, high-latency, half-open, restarting")
        );
    }
}
