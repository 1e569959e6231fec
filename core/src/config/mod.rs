//! The declarative configuration, one schema for every host: JavaScript options, TOML or JSON.
//!
//! ```
//! use switchboard_core::config::Config;
//!
//! let config = Config::from_toml(
//!     r#"
//!     prefix = "/api"
//!
//!     [[routes]]
//!     pattern = "/ws/{room}"
//!     heartbeat = 30000
//!     rules = [{ match = { type = "ping" }, do = [{ reply = { type = "pong", at = "{now}" } }] }]
//!     "#,
//! )?;
//! assert_eq!(config.prefix.as_slice(), ["/api"]);
//!
//! let error = Config::from_toml("[[routes]]\npattern = '/ws'\nheartbaet = 30000").unwrap_err();
//! assert_eq!(error.to_string(), "routes[0].heartbaet: unknown key; did you mean \"heartbeat\"?");
//! # Ok::<(), switchboard_core::config::ConfigError>(())
//! ```
//!
//! Every mistake stops the start with a [`ConfigError`] that names the key and says what to write instead. Callbacks
//! are not part of this schema: a host adds them to the routes of the configuration.

mod allowed_hosts;
mod assembly;
mod asyncapi;
mod authenticate;
mod callbacks;
mod cluster;
mod compression;
mod dotenv;
mod endpoint_info;
mod environment;
mod example;
mod feed;
mod files;
mod fingerprint;
mod handlers;
mod history;
mod limits;
mod listen;
mod listing;
mod origins;
mod outbound;
mod placeholders;
mod prefixes;
mod programs;
mod record;
mod response;
mod room_switch;
mod route;
mod settings;

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::dialect::proxy::TargetOptions;
use crate::dialect::replay::ScenarioOptions;
use crate::routing::route_key::RouteKey;
use crate::schema::read;

pub use crate::dialect::rules::Parse;
pub use crate::schema::{ConfigError, Interval, Toggle};
pub use allowed_hosts::AllowedHosts;
pub use assembly::{Assembly, RouteCallbacks};
pub use asyncapi::{AsyncApiOptions, Perspective};
pub use authenticate::{AuthenticateConfig, RefusalConfig, TokenConfig, TokenPlaceConfig};
pub use callbacks::NeededCallback;
pub use cluster::{Broker, ClusterConfig};
pub use compression::{CompressionConfig, PerMessageDeflateConfig};
pub use dotenv::parse_dotenv;
pub use endpoint_info::{EndpointInfo, inventory};
pub use environment::environment_files;
pub use example::Example;
pub use feed::FeedConfig;
pub use history::HistoryConfig;
pub use limits::{LimitsConfig, MessageRateConfig};
pub use listen::{ListenConfig, TlsConfig};
pub use listing::Listing;
pub use origins::OriginsConfig;
pub use outbound::{OutboundConfig, OverflowConfig};
pub use prefixes::Prefixes;
pub use record::RecordConfig;
pub use response::{ResponseBroadcast, ResponseConfig};
pub use room_switch::RoomSwitch;
pub use route::{Dialect, RouteConfig};

/// The configuration of a server.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Where the native server listens. The Vite plugin serves at Vite's own address.
    pub listen: ListenConfig,
    /// The prefixes of all routes' patterns, such as `/api`: one or a list. Default none: patterns match whole paths.
    pub prefix: Prefixes,
    /// Wait this many ms before each message is handled, on routes without a `delay` of their own. Default 0.
    pub delay: u64,
    /// The origins whose pages may connect: a list, in which `*` stands for anything, or `"*"` for all. Default: pages of
    /// the same host and of this machine. Clients that send no `Origin`, as programs do, may always connect.
    pub origins: OriginsConfig,
    /// The names under which pages may reach the server, besides IP addresses, `localhost`, `*.localhost` and
    /// `listen.host`: a list, in which a leading dot includes all subdomains, or `true` for all. Other names are answered
    /// 403, as a page could have pointed its own name here (DNS rebinding). Clients that send no `Origin`, as programs do,
    /// may open WebSockets and ask for status pages under any name. In Vite, Vite's `server.allowedHosts` counts too.
    /// Default none.
    pub allowed_hosts: AllowedHosts,
    /// The routes. The first one whose pattern matches a path serves it.
    pub routes: Vec<RouteConfig>,
    /// An AsyncAPI 3 document: a JSON or YAML file, or an object with more. Its channels become routes with contracts that
    /// answer with its examples; routes that are here for such a path get their contract from it. Default none.
    pub asyncapi: Option<AsyncApiOptions>,
    /// Named streams of JSON values that routes serve.
    pub feeds: Vec<FeedConfig>,
    /// Limits on what clients can cost.
    pub limits: LimitsConfig,
    /// The folder of the recordings that are started through the control API. A relative path begins in the folder of the
    /// configuration. Default `recordings`.
    pub recordings: String,
    /// Makes this server one node of several: rooms, presence and feeds reach the clients of all of them, through a broker
    /// that they share. For the native server; the Vite plugin serves alone and says so once. Default none.
    pub cluster: Option<ClusterConfig>,
    /// How long in ms a stopping server waits for its clients to close. Default 5000.
    pub shutdown_grace: u64,
    /// The JSON Schema, for editors; it has no effect.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: ListenConfig::default(),
            prefix: Prefixes::default(),
            delay: 0,
            origins: OriginsConfig::default(),
            allowed_hosts: AllowedHosts::default(),
            routes: Vec::new(),
            asyncapi: None,
            feeds: Vec::new(),
            limits: LimitsConfig::default(),
            recordings: "recordings".to_owned(),
            cluster: None,
            shutdown_grace: 5_000,
            schema: None,
        }
    }
}

impl Config {
    /// From a JSON value, such as JavaScript options without their callbacks.
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        let config: Self = read(value)?;
        config.check()?;
        Ok(config)
    }

    /// A configuration as [`from_value`](Self::from_value) has it, for routes that are written beside this one: they may name
    /// its feeds and channels of its AsyncAPI document, which are all that the result has of it.
    pub fn beside(&self, value: Value) -> Result<Self, ConfigError> {
        let own: Self = read(value)?;
        let config = Self { feeds: self.feeds.clone(), asyncapi: self.asyncapi.clone(), ..own };
        config.check()?;
        Ok(config)
    }

    /// From JSON text.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let value =
            serde_json::from_str(text).map_err(|error| ConfigError::at("", format!("not JSON: {error}")))?;
        Self::from_value(value)
    }

    /// From TOML text.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let table: toml::Table =
            toml::from_str(text).map_err(|error| ConfigError::from_toml(text, &error))?;
        Self::from_value(json_of_toml(toml::Value::Table(table)))
    }

    /// Makes the relative paths in the configuration start in `folder`, the configuration's own, so that a server can be
    /// started from any folder.
    pub fn anchor(&mut self, folder: &Path) {
        let tls = self.listen.tls.iter_mut().flat_map(|tls| [&mut tls.cert, &mut tls.key]);
        let replays = self.feeds.iter_mut().filter_map(|feed| feed.replay.as_mut());
        let asyncapi = self.asyncapi.iter_mut().map(|asyncapi| &mut asyncapi.file);
        let of_routes = self.routes.iter_mut().flat_map(|route| {
            let record = route.record.as_mut().map(|record| &mut record.file);
            let recording = route.replay.as_mut().map(|replay| &mut replay.file);
            let scenario = route.scenario.as_mut().and_then(ScenarioOptions::file_mut);
            let contract = route.contract.as_mut().into_iter();
            let schemas = contract
                .flat_map(|contract| contract.sources_mut().filter_map(|(_, source)| source.file_mut()));
            record.into_iter().chain(recording).chain(scenario).chain(schemas)
        });
        let recordings = [&mut self.recordings];
        let replayed = replays.map(|replay| &mut replay.file);
        let of_cluster = self
            .cluster
            .iter_mut()
            .flat_map(|cluster| cluster.ca.iter_mut().chain(cluster.credentials.iter_mut()));
        for file in tls.chain(replayed).chain(of_routes).chain(asyncapi).chain(recordings).chain(of_cluster) {
            if !is_absolute(file) {
                *file = folder.join(&*file).to_string_lossy().into_owned();
            }
        }
    }

    /// Replaces each `${NAME}` in the URLs, headers and credentials of proxies, and in the URL and the name of `cluster`, by
    /// the environment variable of that name. Hosts do this once before they start; a name for which `variable` has no value
    /// is an error.
    pub fn resolve(&mut self, mut variable: impl FnMut(&str) -> Option<String>) -> Result<(), ConfigError> {
        if let Some(cluster) = &mut self.cluster {
            cluster.resolve(&mut variable).map_err(|error| error.under("cluster"))?;
        }
        self.resolve_routes(variable)
    }

    fn resolve_routes(
        &mut self,
        mut variable: impl FnMut(&str) -> Option<String>,
    ) -> Result<(), ConfigError> {
        for (index, route) in self.routes.iter_mut().enumerate() {
            if let Some(proxy) = &mut route.proxy {
                let resolved = proxy.resolve(&mut variable);
                resolved.map_err(|error| error.under(&format!("routes[{index}].proxy")))?;
            }
        }
        self.check()
    }

    /// As [`resolve`](Self::resolve) for a host that does not know yet where it will listen: `${PORT}` stays as it is until
    /// [`Engine::set_port`](crate::Engine::set_port) is called. Returns whether it is used anywhere. Such a host takes part in
    /// no cluster: the variables of `cluster` may be missing.
    pub fn resolve_but_port(
        &mut self,
        mut variable: impl FnMut(&str) -> Option<String>,
    ) -> Result<bool, ConfigError> {
        let mut is_open = false;
        self.resolve_routes(|name| match name {
            "PORT" => {
                is_open = true;
                Some(TargetOptions::OWN_PORT.to_owned())
            }
            name => variable(name),
        })?;
        Ok(is_open)
    }

    /// The JSON Schema of the configuration, for editors.
    #[cfg(feature = "json-schema")]
    pub fn json_schema() -> Value {
        schemars::schema_for!(Config).to_value()
    }

    /// The prefixes of a route's pattern; without any it matches whole paths.
    pub fn prefixes<'c>(&'c self, route: &'c RouteConfig) -> &'c [String] {
        route.prefix.as_ref().unwrap_or(&self.prefix).as_slice()
    }

    /// The routes for a router, in their order.
    pub fn route_keys(&self) -> impl Iterator<Item = RouteKey> {
        self.routes.iter().map(|route| self.route_key(route))
    }

    fn route_key(&self, route: &RouteConfig) -> RouteKey {
        RouteKey {
            prefixes: self.prefixes(route).to_vec(),
            pattern: route.pattern.clone(),
            disabled: route.disabled,
            trailing_slash: route.dialect().ignores_trailing_slash(),
        }
    }

    /// Checks what depends on more than one key. The constructors do this; call it after changing a configuration.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.limits.check().map_err(|error| error.under("limits"))?;
        if self.recordings.is_empty() {
            return Err(ConfigError::at("recordings", "expected a folder, such as \"recordings\""));
        }
        if let Some(cluster) = &self.cluster {
            cluster.check().map_err(|error| error.under("cluster"))?;
        }
        for (index, route) in self.routes.iter().enumerate() {
            route.check().map_err(|error| error.under(&format!("routes[{index}]")))?;
            self.check_contract(route).map_err(|error| error.under(&format!("routes[{index}].contract")))?;
        }
        self.check_feeds()
    }
}

/// Whether a path is absolute on any system: the engine does not know on which one it runs.
fn is_absolute(path: &str) -> bool {
    let has_drive =
        path.as_bytes().get(1) == Some(&b':') && path.starts_with(|first: char| first.is_ascii_alphabetic());
    path.starts_with(['/', '\\']) || has_drive
}

/// TOML's values as JSON; a date becomes its text.
pub(crate) fn json_of_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(list) => list.into_iter().map(json_of_toml).collect(),
        toml::Value::Table(table) => {
            table.into_iter().map(|(key, value)| (key, json_of_toml(value))).collect()
        }
    }
}

#[cfg(test)]
mod error_tests;
#[cfg(test)]
mod tests;
