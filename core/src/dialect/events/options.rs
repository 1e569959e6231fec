//! The dialect's settings.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::schema::{ConfigError, Interval, Secret};
use crate::template::ValueTemplate;

/// The events, and the other settings of the dialect.
#[derive(Clone, Debug)]
pub struct EventsOptions {
    /// The events. Default none.
    pub mock: Vec<MockEvent>,
    /// Whether events with an interval are sent without a subscription. Default true.
    pub auto_start: bool,
    /// The `message` of the first frame. Default `Connected to Mock API WebSocket server`.
    pub greeting: String,
    /// Makes the random parts of event data the same for every client and on every start. Default: random.
    pub seed: Option<u64>,
    /// The path that answers `GET` with statistics. Default none; the Mock API Server has
    /// `/admin/websocket/stats`.
    pub stats: Option<String>,
    /// The tokens of which requests for statistics have to send one, as `Authorization: Bearer`. Default: none; then they
    /// have to pass the route's own `origins` and `authenticate`, as its WebSockets do.
    pub admin_tokens: Vec<Secret>,
    /// The path that answers `GET` with `{"status":"ok",…}`. Default none.
    pub health: Option<String>,
}

/// One event.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MockEvent {
    /// The name to which clients subscribe.
    pub name: String,
    /// Ms between two of them; 0 or left out: on demand only.
    #[serde(default)]
    pub interval: Interval,
    /// Its data; texts may have placeholders.
    pub data: ValueTemplate,
    /// Has no effect; accepted for configurations of the Mock API Server.
    #[serde(default)]
    pub condition: Option<String>,
}

impl Default for EventsOptions {
    fn default() -> Self {
        Table::default().into()
    }
}

impl EventsOptions {
    /// Checks what depends on more than one key.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for (index, event) in self.mock.iter().enumerate() {
            let at = |message: String| Err(ConfigError::at(format!("mock[{index}].name"), message));
            if event.name.is_empty() {
                return at("an event without a name cannot be asked for".to_owned());
            }
            if self.mock[..index].iter().any(|other| other.name == event.name) {
                return at(format!("{:?} stands here twice", event.name));
            }
        }
        for (key, path) in [("stats", &self.stats), ("health", &self.health)] {
            if path.as_ref().is_some_and(|path| !path.starts_with('/')) {
                return Err(ConfigError::at(key, "a path starts with /"));
            }
        }
        if self.admin_tokens.iter().any(|token| token.0.is_empty()) {
            return Err(ConfigError::at("adminToken", "an empty token is none"));
        }
        match (self.admin_tokens.is_empty(), &self.stats) {
            (false, None) => {
                Err(ConfigError::at("adminToken", "there is nothing to ask for; write stats, too"))
            }
            _ => Ok(()),
        }
    }
}

/// The long form.
#[derive(Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "json-schema", schemars(rename = "EventsTable"))]
struct Table {
    /// The events. Default none.
    mock: Vec<MockEvent>,
    /// Whether events with an interval are sent without a subscription. Default true.
    auto_start: bool,
    /// The `message` of the first frame. Default `Connected to Mock API WebSocket server`.
    greeting: String,
    /// Makes the random parts of event data the same for every client and on every start. Default: random.
    seed: Option<u64>,
    /// The path that answers `GET` with statistics. Default none.
    stats: Option<String>,
    /// The token that requests for statistics have to send, as `Authorization: Bearer`. Default: none; then they have to
    /// pass the route's own `origins` and `authenticate`, as its WebSockets do.
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<String>"))]
    admin_token: Option<Secret>,
    /// The path that answers `GET` with `{"status":"ok",…}`. Default none.
    health: Option<String>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            mock: Vec::new(),
            auto_start: true,
            greeting: "Connected to Mock API WebSocket server".to_owned(),
            seed: None,
            stats: None,
            admin_token: None,
            health: None,
        }
    }
}

impl From<Table> for EventsOptions {
    fn from(table: Table) -> Self {
        let Table { mock, auto_start, greeting, seed, stats, admin_token, health } = table;
        let admin_tokens = admin_token.into_iter().collect();
        Self { mock, auto_start, greeting, seed, stats, admin_tokens, health }
    }
}

/// A list of events, or an object with more. Hand-written because serde's untagged enums cannot say which key is
/// wrong.
impl<'de> Deserialize<'de> for EventsOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OptionsVisitor;

        impl<'de> Visitor<'de> for OptionsVisitor {
            type Value = EventsOptions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of events or an object")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<EventsOptions, A::Error> {
                let mock = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Table { mock, ..Table::default() }.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EventsOptions, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
            }
        }

        deserializer.deserialize_any(OptionsVisitor)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for EventsOptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventsOptions".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (table, event) = (generator.subschema_for::<Table>(), generator.subschema_for::<MockEvent>());
        schemars::json_schema!({ "anyOf": [{ "type": "array", "items": event }, table] })
    }
}
