//! One route of the configuration.

use serde::Deserialize;

use super::compression::Compression;
use super::placeholders;
use super::{
    AuthenticateConfig, CompressionConfig, ConfigError, HistoryConfig, Interval, OriginsConfig,
    OutboundConfig, PerMessageDeflateConfig, Prefixes, RecordConfig, ResponseConfig, RoomSwitch, Toggle,
};
use crate::contract::ContractOptions;
use crate::dialect::actions::ActionsOptions;
use crate::dialect::commands::CommandsOptions;
use crate::dialect::events::EventsOptions;
use crate::dialect::phoenix::PhoenixOptions;
use crate::dialect::proxy::ProxyOptions;
use crate::dialect::replay::{ReplayOptions, ScenarioOptions};
use crate::dialect::rules::{Parse, Rule, Rules};
use crate::dialect::topics::TopicsOptions;
use crate::fault::{ClientConditions, Condition, Fault};
use crate::protocol::DeflateConfig;
use crate::routing::pattern::Pattern;
use crate::template::Template;

/// A route: which paths it serves, and how.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteConfig {
    /// The paths, after the prefix if there is one: `?` one character, `*` within a segment, `**` any segments,
    /// `{name}` a parameter, `{name:regex}` one that a regular expression matches.
    pub pattern: Pattern,
    /// The prefixes of this pattern; with an empty list it matches whole paths. Default: the server's `prefix`.
    #[serde(default)]
    pub prefix: Option<Prefixes>,
    /// Whether the route is switched off, as if it were not there. Default false.
    #[serde(default)]
    pub disabled: bool,
    /// What the route does. Default `handlers`, but `rules` where there are rules or responses, `events` where there
    /// are events, and `proxy`, `replay` or `scenario` where there is one.
    #[serde(default)]
    pub dialect: Option<Dialect>,
    /// Wait this many ms before each message is handled. Default: the server's `delay`.
    #[serde(default)]
    pub delay: Option<u64>,
    /// What handlers get for a text message. Default `json`.
    #[serde(default)]
    pub parse: Parse,
    /// Subprotocols that the route speaks, `*` for any. A client's first offer among them is chosen. Default none.
    #[serde(default)]
    pub subprotocols: Vec<String>,
    /// Ms between pings; after three without a pong the connection is closed. Default off.
    #[serde(default)]
    pub heartbeat: Interval,
    /// Ms of silence after which the connection is closed. Default off.
    #[serde(default)]
    pub inactivity_timeout: Interval,
    /// The room that every connection joins first. Default none.
    #[serde(default)]
    pub default_room: RoomSwitch,
    /// Compression, the short form. Default off.
    #[serde(default)]
    pub compression: Option<Toggle<CompressionConfig>>,
    /// Compression, every parameter. Default off.
    #[serde(default)]
    pub per_message_deflate: Option<Toggle<PerMessageDeflateConfig>>,
    /// The largest message in bytes, after inflating; a larger one closes with 1009. Default 16 MiB (16777216).
    #[serde(default = "default_max_payload")]
    pub max_payload: usize,
    /// Who may come in. Default everyone.
    #[serde(default)]
    pub authenticate: AuthenticateConfig,
    /// The origins whose pages may connect. Default: the server's `origins`.
    #[serde(default)]
    pub origins: Option<OriginsConfig>,
    /// How much may wait for a client that reads too slowly. Default: the server's `limits.outbound`.
    #[serde(default)]
    pub outbound: Option<OutboundConfig>,
    /// With the dialect `relay`: the room, by default `{connection.path}`, so that each path is its own.
    #[serde(default)]
    pub room: Option<Template>,
    /// What goes wrong on purpose, to test how clients take it. Default nothing.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// A state of the network or the server, as a list of faults; those of `faults` come on top. Default none.
    #[serde(default)]
    pub condition: Option<Condition>,
    /// The conditions that a client may choose for its own connection, by the query's parameter `switchboard-fault` or by a
    /// header of that name: `true` for all, or a list. Default none.
    #[serde(default)]
    pub client_conditions: ClientConditions,
    /// What messages have to be, as JSON Schema, and what becomes of those that are not: an object, or with an AsyncAPI
    /// document that describes the route just `warn` or `refuse`. Default: anything.
    #[serde(default)]
    pub contract: Option<ContractOptions>,
    /// The file that the route is recorded in, as JSON Lines that can be read and replayed: what passes between the clients
    /// and the server, without credentials. Default none.
    #[serde(default)]
    pub record: Option<RecordConfig>,
    /// How much of what is said in rooms is kept, so that a client that connects again with `switchboard-history` in its
    /// query, or to a topic of Phoenix with it in the payload of its join, gets what it missed; `{}` for the defaults. With
    /// the dialects `handlers`, `relay`, `rules`, `actions`, `topics` and `phoenix`. Default nothing.
    #[serde(default)]
    pub history: Option<HistoryConfig>,
    /// The feeds whose values your own handler receives. Dialects have a setting of their own for theirs. Default none.
    #[serde(default)]
    pub feeds: Vec<String>,
    /// The settings of the dialect `actions`.
    #[serde(default)]
    pub actions: Option<ActionsOptions>,
    /// The settings of the dialect `commands`.
    #[serde(default)]
    pub commands: Option<CommandsOptions>,
    /// The settings of the dialect `events`, or just its events.
    #[serde(default)]
    pub events: Option<EventsOptions>,
    /// The settings of the dialect `topics`.
    #[serde(default)]
    pub topics: Option<TopicsOptions>,
    /// The settings of the dialect `phoenix`.
    #[serde(default)]
    pub phoenix: Option<PhoenixOptions>,
    /// The server to connect clients to: a URL, or an object with more.
    #[serde(default)]
    pub proxy: Option<ProxyOptions>,
    /// The recording to replay.
    #[serde(default)]
    pub replay: Option<ReplayOptions>,
    /// What the server does in each conversation: a list of steps, an object with more, or the file of one.
    #[serde(default)]
    pub scenario: Option<ScenarioOptions>,
    /// Answers to messages, tried before `rules`.
    #[serde(default)]
    pub responses: Vec<ResponseConfig>,
    /// What to do when an event happens.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// What a route does with its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Dialect {
    /// The host's callbacks or handler decide.
    #[default]
    Handlers,
    /// Every message goes back to its sender as it came.
    Echo,
    /// Every message goes as it came to the others in its room.
    Relay,
    /// The route's `responses` and `rules` decide.
    Rules,
    /// Subscriptions to channels by `{"action":"sub","channel":…}`, as zKillboard and EVE-KILL have them.
    Actions,
    /// Topics of killmails, comments and events of the site, as EVE-KILL's front ends speak.
    Topics,
    /// Broadcast, private messages, channels, commands and presence, as Rakit has them.
    Commands,
    /// Named events with made-up data, at intervals and on demand, as the Mock API Server sends them.
    Events,
    /// Phoenix Channels: topics, joins, pushes and presence, as npm's `phoenix` and Supabase's clients speak them.
    Phoenix,
    /// Each client is connected to another server.
    Proxy,
    /// Clients hear again what a server said in a recording.
    Replay,
    /// Each conversation follows a list of steps.
    Scenario,
}

impl Dialect {
    /// Whether a path with a slash at its end is served too, as Phoenix does.
    pub fn ignores_trailing_slash(self) -> bool {
        self == Dialect::Phoenix
    }

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Handlers => "handlers",
            Dialect::Echo => "echo",
            Dialect::Relay => "relay",
            Dialect::Rules => "rules",
            Dialect::Actions => "actions",
            Dialect::Topics => "topics",
            Dialect::Commands => "commands",
            Dialect::Events => "events",
            Dialect::Phoenix => "phoenix",
            Dialect::Proxy => "proxy",
            Dialect::Replay => "replay",
            Dialect::Scenario => "scenario",
        }
    }
}

impl RouteConfig {
    /// A route with all defaults.
    pub fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            prefix: None,
            disabled: false,
            dialect: None,
            delay: None,
            parse: Parse::Json,
            subprotocols: Vec::new(),
            heartbeat: Interval::OFF,
            inactivity_timeout: Interval::OFF,
            default_room: RoomSwitch::default(),
            compression: None,
            per_message_deflate: None,
            max_payload: default_max_payload(),
            authenticate: AuthenticateConfig::Open,
            origins: None,
            outbound: None,
            room: None,
            faults: Vec::new(),
            condition: None,
            client_conditions: ClientConditions::default(),
            contract: None,
            record: None,
            history: None,
            feeds: Vec::new(),
            actions: None,
            topics: None,
            commands: None,
            events: None,
            phoenix: None,
            proxy: None,
            replay: None,
            scenario: None,
            responses: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The dialect, also where it follows from other keys.
    pub fn dialect(&self) -> Dialect {
        self.dialect.unwrap_or_else(|| match self {
            _ if self.events.is_some() => Dialect::Events,
            _ if self.proxy.is_some() => Dialect::Proxy,
            _ if self.replay.is_some() => Dialect::Replay,
            _ if self.scenario.is_some() => Dialect::Scenario,
            _ if self.responses.is_empty() && self.rules.is_empty() => Dialect::Handlers,
            _ => Dialect::Rules,
        })
    }

    /// The feeds whose values the route's handler receives, each with the key that names it.
    pub fn feed_names(&self) -> Vec<(&'static str, String)> {
        let named = |key, names: Vec<String>| names.into_iter().map(|name| (key, name)).collect();
        match self.dialect() {
            Dialect::Actions => named("actions.channels", self.actions.clone().unwrap_or_default().feeds()),
            Dialect::Topics => {
                vec![("topics.feed", self.topics.clone().unwrap_or_default().feed().to_owned())]
            }
            Dialect::Phoenix => named("phoenix", self.phoenix.clone().unwrap_or_default().feeds()),
            _ => named("feeds", self.feeds.clone()),
        }
    }

    /// The faults of the condition, and the others.
    pub fn all_faults(&self) -> Vec<Fault> {
        let of_condition = self.condition.map(Condition::faults).unwrap_or_default();
        of_condition.into_iter().chain(self.faults.iter().cloned()).collect()
    }

    /// The settings for the negotiation of compression, if it is on.
    pub fn deflate(&self) -> Option<DeflateConfig> {
        self.compression_options().deflate()
    }

    /// Responses and rules as one list of rules.
    pub fn compiled_rules(&self) -> Rules {
        Rules::new(
            self.responses.iter().map(ResponseConfig::rule).chain(self.rules.iter().cloned()).collect(),
        )
    }

    /// Checks what depends on more than one key.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.max_payload == 0 {
            return Err(ConfigError::at("maxPayload", "no message could ever be received; write at least 1"));
        }
        self.check_subprotocols()?;
        self.compression_options().check()?;
        self.authenticate.check().map_err(|error| error.under("authenticate"))?;
        if let Some(outbound) = &self.outbound {
            outbound.check().map_err(|error| error.under("outbound"))?;
        }
        for (index, fault) in self.faults.iter().enumerate() {
            fault.check().map_err(|error| error.under(&format!("faults[{index}]")))?;
        }
        if let Some(contract) = &self.contract {
            contract.contract().map_err(|error| error.under("contract"))?;
        }
        if let Some(record) = &self.record {
            record.check().map_err(|error| error.under("record"))?;
        }
        if let Some(history) = &self.history {
            history.check().map_err(|error| error.under("history"))?;
        }
        self.check_dialect()?;
        if let Some(events) = &self.events {
            events.check().map_err(|error| error.under("events"))?;
        }
        if let Some(phoenix) = &self.phoenix {
            phoenix.check().map_err(|message| ConfigError::at("phoenix.killmails.topic", message))?;
        }
        match &self.proxy {
            Some(proxy) => {
                let takes_rest = self.pattern.segments_before_rest().is_some();
                proxy.check(takes_rest).map_err(|error| error.under("proxy"))?;
            }
            None if self.dialect() == Dialect::Proxy => {
                return Err(ConfigError::at(
                    "proxy",
                    "write the URL to connect to, such as \"wss://example.com/live\"",
                ));
            }
            None => {}
        }
        match &self.replay {
            Some(replay) => replay.check().map_err(|error| error.under("replay"))?,
            None if self.dialect() == Dialect::Replay => {
                let message = "write the recording, such as { file = \"session.jsonl\" }";
                return Err(ConfigError::at("replay", message));
            }
            None => {}
        }
        match &self.scenario {
            Some(ScenarioOptions::Script(script)) => {
                script.check().map_err(|error| error.under("scenario"))?
            }
            None if self.dialect() == Dialect::Scenario => {
                return Err(ConfigError::at("scenario", "write the steps, or the file of them"));
            }
            _ => {}
        }
        placeholders::check(self)
    }

    fn compression_options(&self) -> Compression<'_> {
        Compression { short: self.compression.as_ref(), long: self.per_message_deflate.as_ref() }
    }

    fn check_subprotocols(&self) -> Result<(), ConfigError> {
        for (index, name) in self.subprotocols.iter().enumerate() {
            let at = |message: String| Err(ConfigError::at(format!("subprotocols[{index}]"), message));
            if !crate::protocol::is_token(name) {
                return at(format!(
                    "{name:?} is no subprotocol; write letters, digits and no spaces, as \"chat.v1\""
                ));
            }
            if self.subprotocols[..index].contains(name) {
                return at(format!("{name:?} stands here twice"));
            }
        }
        Ok(())
    }

    /// Refuses keys of other dialects, which would be silently ignored.
    fn check_dialect(&self) -> Result<(), ConfigError> {
        let dialect = self.dialect();
        let keys = [
            ("room", self.room.is_some(), Dialect::Relay),
            ("rules", !self.rules.is_empty(), Dialect::Rules),
            ("responses", !self.responses.is_empty(), Dialect::Rules),
            ("feeds", !self.feeds.is_empty(), Dialect::Handlers),
            ("actions", self.actions.is_some(), Dialect::Actions),
            ("topics", self.topics.is_some(), Dialect::Topics),
            ("commands", self.commands.is_some(), Dialect::Commands),
            ("events", self.events.is_some(), Dialect::Events),
            ("phoenix", self.phoenix.is_some(), Dialect::Phoenix),
            ("proxy", self.proxy.is_some(), Dialect::Proxy),
            ("replay", self.replay.is_some(), Dialect::Replay),
            ("scenario", self.scenario.is_some(), Dialect::Scenario),
        ];
        match keys.iter().find(|(_, is_given, owner)| *is_given && *owner != dialect) {
            Some((key, _, owner)) => {
                let (owner, name) = (owner.name(), dialect.name());
                let message =
                    format!("belongs to the dialect {owner:?}, but this route's dialect is {name:?}");
                Err(ConfigError::at(*key, message))
            }
            None => self.check_history(),
        }
    }

    /// Refuses a history where a message to a room is not what each client is sent, or where there are no rooms.
    fn check_history(&self) -> Result<(), ConfigError> {
        const WITH_ROOMS: [Dialect; 6] = [
            Dialect::Handlers,
            Dialect::Relay,
            Dialect::Rules,
            Dialect::Actions,
            Dialect::Topics,
            Dialect::Phoenix,
        ];
        let dialect = self.dialect();
        if self.history.is_none() || WITH_ROOMS.contains(&dialect) {
            return Ok(());
        }
        let names = WITH_ROOMS.map(Dialect::name).join(", ");
        let message = format!("the dialect {:?} keeps none; those that can are {names}", dialect.name());
        Err(ConfigError::at("history", message))
    }
}

fn default_max_payload() -> usize {
    16 << 20
}
