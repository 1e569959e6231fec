//! One fault as users write it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::message::CloseCode;
use crate::protocol::Damage;
use crate::schema::ConfigError;

/// One fault: when it happens, and what. At least one effect has to be given; several happen together.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Fault {
    /// What it happens to: `open`, the opening handshake; `send`, what goes to the client; `receive`, what comes from it.
    /// Default: the connection, for `close`, `terminate` and `halfOpen`; the other effects need one.
    pub on: Option<FaultStage>,
    /// How likely it happens each time it could, from 0 to 1; for the end of a connection, once a connection. Default 1.
    pub probability: Option<f64>,
    /// How often it happens at most, over all connections. Default without limit.
    pub times: Option<u64>,
    /// What its chances are drawn from. With the same seed, the first connection that meets it has the same luck each time,
    /// and so has the second. Default: drawn by the server when it starts.
    pub seed: Option<u64>,
    /// It begins, or for the end of a connection happens, when one of these is reached. Default at once.
    pub after: Option<FaultTrigger>,
    /// It is only for connections that are in this room. Default all.
    pub room: Option<String>,
    /// `open`: answer with this HTTP status, 400 to 599, instead of 101.
    pub refuse: Option<u16>,
    /// `open`: never answer.
    pub hang: bool,
    /// `open`: accept, and from then on send nothing and hear nothing. The client is not told.
    pub silent: bool,
    /// Wait so many ms, or from `min` to `max` of them. Frames keep their order. At most 600000.
    pub latency: Option<Delay>,
    /// How likely a message is lost, from 0 to 1.
    pub loss: Option<f64>,
    /// How likely a message comes twice, from 0 to 1.
    pub duplicate: Option<f64>,
    /// How likely a message is overtaken by the next one, from 0 to 1. If none comes within a second, it goes by itself.
    pub reorder: Option<f64>,
    /// So many bytes a second pass: frames with their headers, before compression.
    pub throttle: Option<u64>,
    /// Only so many bytes of a message are left. Text is cut before a character that does not fit.
    pub truncate: Option<usize>,
    /// `send`: the message's frame is broken in this way.
    pub damage: Option<Damage>,
    /// Start the closing handshake with this code.
    pub close: Option<u16>,
    /// The reason for `close`. Default none.
    pub reason: Option<String>,
    /// End the connection without a close frame; with `open`, without an answer.
    pub terminate: bool,
    /// From then on send nothing and hear nothing; the connection itself stays.
    pub half_open: bool,
}

/// What a fault happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum FaultStage {
    /// The opening handshake.
    Open,
    /// What the server sends.
    Send,
    /// What comes from the client.
    Receive,
}

/// When a fault begins on a connection; what is reached first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FaultTrigger {
    /// So many messages have passed, in the fault's direction or without one in both.
    pub messages: Option<u64>,
    /// Messages of so many bytes have passed, counted as `throttle` does.
    pub bytes: Option<u64>,
    /// So many ms have passed since the connection opened, or since the fault was added to it.
    pub ms: Option<u64>,
}

/// A time in ms: always the same, or any between two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

impl Fault {
    /// The longest `latency` in ms.
    pub const MAX_LATENCY: u64 = 600_000;

    /// Whether it ends the exchange on a connection.
    pub(crate) fn is_end(&self) -> bool {
        self.close.is_some() || self.half_open || (self.terminate && self.on != Some(FaultStage::Open))
    }

    /// Checks what depends on more than one key.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (key, value) in [
            ("probability", self.probability),
            ("loss", self.loss),
            ("duplicate", self.duplicate),
            ("reorder", self.reorder),
        ] {
            if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
                return Err(ConfigError::at(key, format!("expected a chance from 0 to 1, got {value}")));
            }
        }
        self.check_values()?;
        self.check_stage()?;
        if let Some(after) = self.after {
            if self.on == Some(FaultStage::Open) {
                return Err(ConfigError::at(
                    "after",
                    "nothing comes before the opening handshake; leave it out",
                ));
            }
            if after == FaultTrigger::default() {
                return Err(ConfigError::at(
                    "after",
                    "write messages, bytes or ms, such as { messages = 10 }",
                ));
            }
        }
        if self.room.is_some() && self.on == Some(FaultStage::Open) {
            return Err(ConfigError::at(
                "room",
                "no connection is in a room before it is open; leave it out",
            ));
        }
        Ok(())
    }

    fn check_values(&self) -> Result<(), ConfigError> {
        if let Some(status) = self.refuse.filter(|status| !(400..600).contains(status)) {
            return Err(ConfigError::at(
                "refuse",
                format!("expected an HTTP status from 400 to 599, got {status}"),
            ));
        }
        if let Some(delay) = self.latency {
            if delay.max > Self::MAX_LATENCY {
                let text = format!("at most {} ms, got {}", Self::MAX_LATENCY, delay.max);
                return Err(ConfigError::at("latency", text));
            }
            if delay.min > delay.max {
                return Err(ConfigError::at("latency", "min is more than max"));
            }
        }
        if self.throttle == Some(0) {
            let text = "nothing would ever pass; write at least 1, or halfOpen = true";
            return Err(ConfigError::at("throttle", text));
        }
        if let Some(code) = self.close.filter(|code| !CloseCode(*code).is_sendable()) {
            let text = format!("{code} must not be sent; write 1000, 1012 or one from 3000 to 4999");
            return Err(ConfigError::at("close", text));
        }
        if self.reason.is_some() && self.close.is_none() {
            return Err(ConfigError::at("reason", "a reason goes with a code; write close as well"));
        }
        Ok(())
    }

    /// Each effect is for some of the stages.
    fn check_stage(&self) -> Result<(), ConfigError> {
        use FaultStage::{Open, Receive, Send};
        let any: &[Option<FaultStage>] = &[None, Some(Open), Some(Send), Some(Receive)];
        let (open, both, send) = (&any[1..2], &any[2..], &any[2..3]);
        let later: &[Option<FaultStage>] = &[None, Some(Send), Some(Receive)];
        let effects = [
            ("refuse", self.refuse.is_some(), open),
            ("hang", self.hang, open),
            ("silent", self.silent, open),
            ("latency", self.latency.is_some(), &any[1..]),
            ("loss", self.loss.is_some(), both),
            ("duplicate", self.duplicate.is_some(), both),
            ("reorder", self.reorder.is_some(), both),
            ("throttle", self.throttle.is_some(), both),
            ("truncate", self.truncate.is_some(), both),
            ("damage", self.damage.is_some(), send),
            ("close", self.close.is_some(), later),
            ("terminate", self.terminate, any),
            ("halfOpen", self.half_open, later),
        ];
        let given: Vec<_> = effects.iter().filter(|(_, is_given, _)| *is_given).collect();
        if given.is_empty() {
            let known: Vec<_> = effects.iter().map(|(key, ..)| *key).collect();
            return Err(ConfigError::at(
                "",
                format!("nothing would happen; write one of {}", known.join(", ")),
            ));
        }
        if let Some((key, _, stages)) = given.iter().find(|(.., stages)| !stages.contains(&self.on)) {
            let stages: Vec<_> =
                stages.iter().flatten().map(|stage| format!("on = {:?}", stage.name())).collect();
            let message = match (self.on, &stages[..]) {
                (None, stages) => format!("write {} as well", stages.join(" or ")),
                (Some(on), stages) if stages.len() == 2 && given.len() == 1 && self.on == Some(Open) => {
                    format!("happens to messages, not to on = {:?}; write {}", on.name(), stages.join(" or "))
                }
                (Some(on), stages) => {
                    format!("does not go with on = {:?}; write {}", on.name(), stages.join(" or "))
                }
            };
            return Err(ConfigError::at(*key, message));
        }
        if self.is_end()
            && let Some((key, ..)) =
                given.iter().find(|(key, ..)| !["close", "terminate", "halfOpen"].contains(key))
        {
            return Err(ConfigError::at(*key, "write it as a fault of its own, beside the one that ends"));
        }
        let ends = [self.close.is_some(), self.terminate, self.half_open];
        if ends.iter().filter(|is_given| **is_given).count() > 1 {
            return Err(ConfigError::at(
                "",
                "a connection ends in one way: write close, terminate or halfOpen",
            ));
        }
        Ok(())
    }
}

impl FaultStage {
    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            FaultStage::Open => "open",
            FaultStage::Send => "send",
            FaultStage::Receive => "receive",
        }
    }
}

impl Delay {
    /// Always so many ms.
    pub const fn exactly(ms: u64) -> Self {
        Self { min: ms, max: ms }
    }
}

/// Hand-written because serde's untagged enums cannot say which key is wrong.
impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Range {
            #[serde(default)]
            min: u64,
            max: u64,
        }

        struct DelayVisitor;

        impl<'de> Visitor<'de> for DelayVisitor {
            type Value = Delay;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of ms, or an object such as { min = 50, max = 400 }")
            }

            fn visit_u64<E>(self, ms: u64) -> Result<Delay, E> {
                Ok(Delay::exactly(ms))
            }

            fn visit_i64<E: Error>(self, ms: i64) -> Result<Delay, E> {
                let invalid = serde::de::Unexpected::Signed(ms);
                u64::try_from(ms).map(Delay::exactly).map_err(|_| E::invalid_value(invalid, &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Delay, A::Error> {
                let Range { min, max } = Range::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Delay { min, max })
            }
        }

        deserializer.deserialize_any(DelayVisitor)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for Delay {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Delay".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A time in ms, or any between two.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                {
                    "type": "object",
                    "properties": {
                        "min": { "type": "integer", "minimum": 0, "description": "At least so many ms. Default 0." },
                        "max": { "type": "integer", "minimum": 0, "description": "At most so many ms." }
                    },
                    "required": ["max"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
