//! From configurations and a host's own handlers to an engine: the one way to assemble a server.

use super::{Config, FeedConfig, RouteConfig};
use crate::dialect::proxy::ProxyHooks;
use crate::engine::configuration::{Configuration, ConfiguredRoute};
use crate::engine::{Engine, Route};
use crate::handler::deferred::Hooks;
use crate::routing::hosts::Hosts;
use crate::routing::pattern::PatternError;
use crate::routing::route_key::RouteKey;
use crate::routing::router::Router;
use crate::state::limits::Limits;

/// The callbacks that a host has for one configured route. Default none.
#[derive(Clone, Debug, Default)]
pub struct RouteCallbacks {
    /// The callbacks that any route can have.
    pub hooks: Hooks,
    /// The callbacks for messages that pass a proxy. Other dialects ignore them.
    pub proxied: ProxyHooks,
    /// Another number when the callbacks are other functions than before, so that a route whose code alone has changed counts
    /// as [changed](crate::Reconfiguration::changed).
    pub revision: u64,
}

/// The routes and feeds of one server, collected in the order in which routes are tried.
///
/// ```
/// use switchboard_core::config::{Assembly, Config};
/// use switchboard_core::Limits;
///
/// let config = Config::from_toml("routes = [{ pattern = '/echo', dialect = 'echo' }]")?;
/// let mut assembly = Assembly::default();
/// assembly.configured(&config, |_, _| Default::default());
/// let router = assembly.router()?.claim_all();
/// let engine = assembly.engine(router, Limits::default(), [0; 32]);
/// assert_eq!(engine.connections(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Assembly {
    routes: Vec<ConfiguredRoute>,
    feeds: Vec<FeedConfig>,
    hosts: Hosts,
    recordings: String,
}

impl Assembly {
    /// Adds a route after the others.
    pub fn route(&mut self, key: RouteKey, route: Route) {
        self.routes.push(ConfiguredRoute { key, route: Some(route), fingerprint: None });
    }

    /// The same with what distinguishes it from its earlier configurations: [`Config::fingerprint`].
    pub fn fingerprinted(&mut self, key: RouteKey, route: Route, fingerprint: Option<u64>) {
        self.routes.push(ConfiguredRoute { key, route: Some(route), fingerprint });
    }

    /// Adds a route that a running engine has already, to go on as it is: see
    /// [`ConfiguredRoute::route`]. Only for a [`configuration`](Self::configuration).
    pub fn kept(&mut self, key: RouteKey) {
        self.routes.push(ConfiguredRoute { key, route: None, fingerprint: None });
    }

    /// Adds all routes of a configuration, in their order, its feeds and its hosts. `callbacks` returns the callbacks that the host
    /// has for a route, by its index in the configuration.
    pub fn configured(
        &mut self,
        config: &Config,
        mut callbacks: impl FnMut(usize, &RouteConfig) -> RouteCallbacks,
    ) {
        for ((index, route), key) in config.routes.iter().enumerate().zip(config.route_keys()) {
            let callbacks = callbacks(index, route);
            let fingerprint = Some(config.fingerprint(route, &callbacks));
            let route = Some(config.route(route, callbacks));
            self.routes.push(ConfiguredRoute { key, route, fingerprint });
        }
        self.feeds(config);
        self.hosts(config.hosts());
        if self.recordings.is_empty() {
            self.recordings(config);
        }
    }

    /// Takes the folder for recordings of a configuration.
    pub fn recordings(&mut self, config: &Config) {
        self.recordings.clone_from(&config.recordings);
    }

    /// Adds hosts under which pages may reach the server.
    pub fn hosts(&mut self, hosts: Hosts) {
        self.hosts.extend(hosts);
    }

    /// Adds the feeds of a configuration.
    pub fn feeds(&mut self, config: &Config) {
        self.feeds.extend_from_slice(&config.feeds);
    }

    /// A router of all routes so far. Hosts that have a port to themselves let it
    /// [claim all paths](Router::claim_all).
    ///
    /// # Errors
    ///
    /// The patterns are too large together.
    pub fn router(&self) -> Result<Router, PatternError> {
        Router::new(self.routes.iter().map(|route| route.key.clone()))
    }

    /// The engine. `router` is [`router`](Self::router); all randomness comes from `seed`.
    pub fn engine(self, router: Router, limits: Limits, seed: [u8; 32]) -> Engine {
        let fingerprints: Vec<_> = self.routes.iter().map(|route| route.fingerprint).collect();
        let routes = self.routes.into_iter().filter_map(|route| route.route).collect();
        let mut engine = Engine::new(router, routes, limits, seed);
        engine.set_fingerprints(fingerprints);
        engine.set_hosts(self.hosts);
        engine.set_recordings(self.recordings);
        for feed in &self.feeds {
            engine.add_feed(feed.settings());
            for source in feed.sources() {
                engine.add_source(&feed.name, source);
            }
        }
        engine
    }

    /// The same for an engine that runs already.
    pub fn configuration(self, limits: Limits) -> Configuration {
        let feeds = self.feeds.iter().map(|feed| (feed.settings(), feed.sources())).collect();
        Configuration { routes: self.routes, limits, hosts: self.hosts, feeds, recordings: self.recordings }
    }
}

impl Config {
    /// The hosts under which pages may reach a server of this configuration: `allowedHosts` and `listen.host`.
    pub fn hosts(&self) -> Hosts {
        let mut hosts = self.allowed_hosts.hosts();
        hosts.extend(Hosts::listed([&self.listen.host]));
        hosts
    }

    /// This configuration alone, whose routes have no callbacks, for an engine that runs already.
    pub fn configuration(&self) -> Configuration {
        let mut assembly = Assembly::default();
        assembly.configured(self, |_, _| RouteCallbacks::default());
        assembly.configuration(self.engine_limits())
    }

    /// A server of this configuration alone, whose routes have no callbacks, and which claims all paths.
    ///
    /// # Errors
    ///
    /// The patterns are too large together.
    pub fn engine(&self, seed: [u8; 32]) -> Result<Engine, PatternError> {
        let mut assembly = Assembly::default();
        assembly.configured(self, |_, _| RouteCallbacks::default());
        let router = assembly.router()?.claim_all();
        Ok(assembly.engine(router, self.engine_limits(), seed))
    }
}
