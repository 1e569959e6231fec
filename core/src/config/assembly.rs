//! From configurations and a host's own handlers to an engine: the one way to assemble a server.

use super::{Config, FeedConfig, RouteConfig};
use crate::dialect::proxy::ProxyHooks;
use crate::engine::{Engine, Route};
use crate::handler::deferred::Hooks;
use crate::routing::hosts::Hosts;
use crate::routing::pattern::PatternError;
use crate::routing::router::{RouteKey, Router};
use crate::state::limits::Limits;

/// The callbacks that a host has for one configured route. Default none.
#[derive(Clone, Debug, Default)]
pub struct RouteCallbacks {
    /// The callbacks that any route can have.
    pub hooks: Hooks,
    /// The callbacks for messages that pass a proxy. Other dialects ignore them.
    pub proxied: ProxyHooks,
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
    keys: Vec<RouteKey>,
    routes: Vec<Route>,
    feeds: Vec<FeedConfig>,
    hosts: Hosts,
}

impl Assembly {
    /// Adds a route after the others.
    pub fn route(&mut self, key: RouteKey, route: Route) {
        self.keys.push(key);
        self.routes.push(route);
    }

    /// Adds all routes of a configuration, in their order, its feeds and its hosts. `callbacks` returns the callbacks that the host
    /// has for a route, by its index in the configuration.
    pub fn configured(
        &mut self,
        config: &Config,
        mut callbacks: impl FnMut(usize, &RouteConfig) -> RouteCallbacks,
    ) {
        self.keys.extend(config.route_keys());
        let routes = config.routes.iter().enumerate();
        self.routes.extend(routes.map(|(index, route)| config.route(route, callbacks(index, route))));
        self.feeds(config);
        self.hosts(config.hosts());
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
        Router::new(self.keys.iter().cloned())
    }

    /// The engine. `router` is [`router`](Self::router); all randomness comes from `seed`.
    pub fn engine(self, router: Router, limits: Limits, seed: [u8; 32]) -> Engine {
        let mut engine = Engine::new(router, self.routes, limits, seed);
        engine.set_hosts(self.hosts);
        for feed in &self.feeds {
            engine.add_feed(feed.settings());
            for source in feed.sources() {
                engine.add_source(&feed.name, source);
            }
        }
        engine
    }
}

impl Config {
    /// The hosts under which pages may reach a server of this configuration: `allowedHosts` and `listen.host`.
    pub fn hosts(&self) -> Hosts {
        let mut hosts = self.allowed_hosts.hosts();
        hosts.extend(Hosts::listed([&self.listen.host]));
        hosts
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
