//! A server of one's own: a builder, a listener, and how it stops.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use switchboard_core::{Config, Limits, Pattern, PatternError, RouteKey, dialect};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;

use crate::acceptor::Acceptor;
use crate::endpoint::{Endpoint, EndpointInfo};
use crate::example::Example;
use crate::switchboard::Switchboard;

/// How long plain HTTP requests may take once all WebSockets are closed.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// Switchboard on a port of its own.
#[derive(Debug)]
pub struct Server {
    switchboard: Switchboard,
    listener: TcpListener,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    grace: Duration,
}

impl Server {
    /// A server without routes, to be given some.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens; with the real port where 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What is served where.
    pub fn endpoints(&self) -> &[EndpointInfo] {
        self.switchboard.endpoints()
    }

    /// The engine, to look at it or to serve it elsewhere too.
    pub fn switchboard(&self) -> &Switchboard {
        &self.switchboard
    }

    /// Stops the server from elsewhere.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle { stop: self.stop.clone() }
    }

    /// Serves until a [`ShutdownHandle`] stops it: takes no new connections, closes all with 1001, and comes back
    /// when they are gone or the grace time is over.
    pub async fn serve(self) -> io::Result<()> {
        let Self { switchboard, listener, stop, grace, .. } = self;
        crate::page::started();
        let (end, ended) = watch::channel(false);
        let acceptor = Acceptor::new(listener, switchboard.clone(), ended);
        let mut stopped = stop.subscribe();
        let requests = acceptor.accept_until(async move {
            // `stop` is kept here, so an error cannot come.
            let _ = stopped.wait_for(|stop| *stop).await;
        });
        let requests = requests.await;
        let deadline = tokio::time::Instant::now() + grace;
        switchboard.drain(grace).await;
        // One that is just being upgraded would have been lost without a close frame, so requests end last.
        end.send_replace(true);
        // They are short; one whose head never ends must not hold the server.
        let last = deadline.min(tokio::time::Instant::now() + LAST_REQUESTS);
        let _ = tokio::time::timeout_at(last, requests.finished()).await;
        Ok(())
    }
}

/// Stops a [`Server`]. Clone it as needed.
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    stop: watch::Sender<bool>,
}

impl ShutdownHandle {
    /// Begins the shutdown; [`Server::serve`] comes back when it is done.
    pub fn shutdown(&self) {
        self.stop.send_replace(true);
    }
}

/// Collects what a server is made of. Mistakes come out at [`build`](Self::build), [`bind`](Self::bind) or [`listen`](Self::listen).
#[derive(Debug, Default)]
pub struct Builder {
    routes: Vec<(Result<RouteKey, PatternError>, Endpoint)>,
    config: Config,
    prefixes: Vec<String>,
    limits: Option<Limits>,
    grace: Option<Duration>,
    has_page: bool,
}

impl Builder {
    /// Serves the routes of a configuration, behind those of [`route`](Self::route); its limits and its grace time
    /// count where none are set here. Its routes of the dialect `handlers` get theirs from `route`, by pattern.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Serves the paths that match an Ant-style pattern (`/ws/*`, `/rooms/{room}`). The first matching route, in
    /// the order of these calls, counts.
    ///
    /// If the configuration has a route of the dialect `handlers` with this very pattern, that route gets the
    /// handler, and its place, prefix and rules are those of the configuration.
    pub fn route(mut self, pattern: &str, endpoint: impl Into<Endpoint>) -> Self {
        let key = pattern.parse::<Pattern>().map(RouteKey::new);
        self.routes.push((key, endpoint.into()));
        self
    }

    /// The patterns given to [`route`](Self::route) count below this prefix, such as `/api`; called again, below each.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// The bounds of the server. Default: those of the configuration.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// How long clients may take to close when the server stops. Default: the configuration's, 5 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Whether a console is served at `/`, on which every endpoint can be tried; its parts are below
    /// `/switchboard/`. Default false.
    pub fn page(mut self, has_page: bool) -> Self {
        self.has_page = has_page;
        self
    }

    /// Starts the engine without a listener. Has to run inside a tokio runtime.
    pub fn build(self) -> Result<Switchboard, ServerError> {
        let limits = self.limits.clone().unwrap_or_else(|| self.config.engine_limits());
        let has_page = self.has_page;
        let config = self.config.clone();
        Switchboard::start(self.endpoints()?, &config, limits, has_page)
    }

    /// Starts the engine and listens. Port 0 takes a free one.
    pub async fn bind(self, address: impl ToSocketAddrs) -> Result<Server, ServerError> {
        self.listen(TcpListener::bind(address).await.map_err(ServerError::Bind)?)
    }

    /// Starts the engine on a listener that is there already. Has to run inside a tokio runtime.
    pub fn listen(self, listener: TcpListener) -> Result<Server, ServerError> {
        let address = listener.local_addr().map_err(ServerError::Bind)?;
        let grace = self.grace.unwrap_or(Duration::from_millis(self.config.shutdown_grace));
        let switchboard = self.build()?;
        Ok(Server { switchboard, listener, address, stop: watch::Sender::new(false), grace })
    }

    /// All routes in the order in which they are tried.
    fn endpoints(self) -> Result<Vec<(RouteKey, Endpoint)>, ServerError> {
        let mut own = Vec::new();
        for (key, endpoint) in self.routes {
            own.push((key?, endpoint));
        }
        let mut configured = Vec::new();
        for (key, route) in self.config.route_keys().zip(&self.config.routes) {
            let endpoint = match dialect::handler(&self.config, route) {
                Some(handler) => {
                    Endpoint::named(route.dialect().name(), handler).with_example(Example::of(route))
                }
                None => {
                    let given = own.iter().position(|(own, _)| own.pattern == key.pattern);
                    let given = given.map(|index| own.remove(index).1);
                    given.ok_or_else(|| ServerError::NoHandler(key.pattern.to_string()))?
                }
            };
            configured.push((key, endpoint.with_settings(self.config.route_settings(route))));
        }
        for (key, _) in &mut own {
            key.prefixes.clone_from(&self.prefixes);
        }
        own.extend(configured);
        Ok(own)
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A route's pattern is not one.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The configuration has a route of the dialect `handlers` that got none.
    #[error(
        "the route {0} has the dialect \"handlers\" and no handler: give it rules, another dialect, or a handler in Rust"
    )]
    NoHandler(String),
    /// The address cannot be listened on.
    #[error("cannot listen: {0}")]
    Bind(#[source] io::Error),
    /// The system gives no randomness.
    #[error("no randomness: {0}")]
    Random(String),
}
