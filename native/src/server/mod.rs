//! A server with its own port: a builder, a listener, and the shutdown.

mod acceptor;
mod http_share;
mod listening;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::config::EndpointInfo;
use switchboard_core::control::ControlSettings;
use switchboard_core::{Config, Hosts, Limits, Pattern, PatternError, RouteKey};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::callbacks::Callbacks;
use crate::documents;
use crate::endpoint::Endpoint;
use crate::error::ServerError;
use crate::files::Files;
use crate::plan::{self, GivenCallbacks, Planned};
#[cfg(feature = "javascript")]
use crate::script::HandlerFiles;
use crate::server::acceptor::Acceptor;
use crate::switchboard::{Start, Switchboard};
use crate::tls::Tls;

/// How long plain HTTP requests may take once all WebSockets are closed.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// Switchboard on its own port.
#[derive(Debug)]
pub struct Server {
    switchboard: Switchboard,
    listener: TcpListener,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    grace: Duration,
    tls: Option<Tls>,
}

impl Server {
    /// A builder without routes.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The address it listens on; with the actual port if 0 was configured.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Whether it is served over TLS: `wss://` and `https://`.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// The endpoints.
    pub fn endpoints(&self) -> Arc<[EndpointInfo]> {
        self.switchboard.endpoints()
    }

    /// The engine, for statistics, routes, or to serve it elsewhere too.
    pub fn switchboard(&self) -> &Switchboard {
        &self.switchboard
    }

    /// A handle that stops the server.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle { stop: self.stop.clone() }
    }

    /// Serves until a [`ShutdownHandle`] stops it. Then it takes no new connections, closes all with 1001, and returns when
    /// they are gone or the grace time is over. Fails if a cluster is [required](Switchboard::joined) whose broker cannot be
    /// reached.
    pub async fn serve(self) -> io::Result<()> {
        let Self { switchboard, listener, stop, grace, tls, .. } = self;
        switchboard.joined().await.map_err(io::Error::other)?;
        crate::page::started();
        let (end, ended) = watch::channel(false);
        let acceptor = Acceptor::new(listener, switchboard.clone(), tls, ended);
        let mut stopped = stop.subscribe();
        // On one of the runtime's own threads: the caller may be on another one, and then each connection would cost two
        // changes of thread.
        let mut accepting = JoinSet::new();
        accepting.spawn(acceptor.accept_until(async move {
            // `stop` is kept here, so this cannot fail.
            let _ = stopped.wait_for(|stop| *stop).await;
        }));
        let Some(requests) = accepting.join_next().await else { return Ok(()) };
        let requests = requests.map_err(io::Error::other)?;
        let deadline = tokio::time::Instant::now() + grace;
        switchboard.drain(grace).await;
        // Requests end last, as a connection that is just being upgraded would otherwise get no close frame.
        end.send_replace(true);
        // They are short; one that never completes must not hold up the server.
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
    /// Starts the shutdown; [`Server::serve`] returns when it is done.
    pub fn shutdown(&self) {
        self.stop.send_replace(true);
    }
}

/// Configures a server. Mistakes are reported by [`build`](Self::build), [`bind`](Self::bind) and
/// [`listen`](Self::listen).
#[derive(Debug, Default)]
pub struct Builder {
    routes: Vec<(Result<RouteKey, PatternError>, Endpoint)>,
    config: Config,
    /// Callbacks for routes of the configuration, by pattern.
    callbacks: GivenCallbacks,
    prefixes: Vec<String>,
    hosts: Hosts,
    limits: Option<Limits>,
    grace: Option<Duration>,
    has_page: bool,
    control: Option<ControlSettings>,
    io_uring: Option<bool>,
    tls: Option<Tls>,
    #[cfg(feature = "javascript")]
    files: Option<HandlerFiles>,
}

impl Builder {
    /// Serves the routes of a configuration, after those of [`route`](Self::route). Its limits and its grace time apply
    /// unless they are set here. Its routes of the dialect `handlers` get theirs from `route`, by pattern.
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

    /// Adds a route without a path: an axum application mounts it among its own, with the extractor
    /// [`Upgrade`](crate::Upgrade). `pattern` is its name for [`Switchboard::route`]; prefixes do not apply to it.
    pub fn mounted(mut self, pattern: &str, endpoint: impl Into<Endpoint>) -> Self {
        let key =
            pattern.parse::<Pattern>().map(|pattern| RouteKey { disabled: true, ..RouteKey::new(pattern) });
        self.routes.push((key, endpoint.into()));
        self
    }

    /// Adds callbacks to the route of the configuration with exactly this pattern, in addition to its dialect: they are
    /// called after the dialect has handled an event, and answer calls that only this dialect makes
    /// ([`Callbacks::channel`], [`Callbacks::commands`], [`Callbacks::on_client_message`]). On a route of the dialect
    /// `handlers` they are the whole behaviour.
    ///
    /// ```
    /// use switchboard::{Callbacks, CommandsEvents, Config, Server};
    ///
    /// let config = Config::from_toml("[[routes]]\npattern = '/chat'\ndialect = 'commands'\ncommands.profile = 'compat'")?;
    /// let events = CommandsEvents::new().receive(|id, text| async move { println!("{id}: {text}") });
    /// let builder = Server::builder().config(config).callbacks("/chat", Callbacks::new().commands(events));
    /// # Ok::<(), switchboard::ConfigError>(())
    /// ```
    pub fn callbacks(mut self, pattern: &str, callbacks: Callbacks) -> Self {
        self.callbacks.push((pattern.to_owned(), Arc::new(callbacks)));
        self
    }

    /// Adds a prefix, such as `/api`, to the patterns given to [`route`](Self::route). It can be called several times;
    /// the patterns are then served with each prefix.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// The hosts under which pages may reach the server, besides IP addresses, `localhost` and the configuration's
    /// `listen.host`, in addition to the configuration's `allowedHosts`. Pages of other hosts are answered 403, as they
    /// could have pointed their name at this server (DNS rebinding).
    ///
    /// ```
    /// # use switchboard::{Hosts, Server};
    /// let builder = Server::builder().allowed_hosts(Hosts::listed([".example.com"]));
    /// ```
    pub fn allowed_hosts(mut self, hosts: Hosts) -> Self {
        self.hosts.extend(hosts);
        self
    }

    /// The limits of the server. Default: those of the configuration.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// How long clients may take to close when the server stops. Default: the configuration's, 5 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Whether the inspector is served at `/__switchboard/`, to which `/` leads: a page to try every endpoint, and, with
    /// [`control`](Self::control) and its token, to see and steer every connection. Default false.
    pub fn page(mut self, has_page: bool) -> Self {
        self.has_page = has_page;
        self
    }

    /// Switches the [control API](crate::control) on, by which a program that knows the token looks at the server and acts on
    /// it. Default: it is off.
    ///
    /// ```
    /// # use switchboard::{ControlSettings, Server};
    /// let builder = Server::builder().control(ControlSettings::new("a long random text"));
    /// ```
    pub fn control(mut self, settings: ControlSettings) -> Self {
        self.control = Some(settings);
        self
    }

    /// Whether broadcasts to many clients go through Linux's io_uring where the kernel has it and allows it. It only
    /// affects their cost. Default: the configuration's `listen.ioUring`, true.
    pub fn io_uring(mut self, io_uring: bool) -> Self {
        self.io_uring = Some(io_uring);
        self
    }

    /// Serves `wss://` and `https://` instead of `ws://` and `http://`. Default: with the certificate of the
    /// configuration's `listen.tls`, if there is one.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use switchboard::{Callbacks, Server, Tls};
    ///
    /// let tls = Tls::from_files("fullchain.pem", "privkey.pem")?;
    /// let server = Server::builder().route("/chat", Callbacks::new()).tls(tls).bind("0.0.0.0:443").await?;
    /// server.serve().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Serves handler files in JavaScript and TypeScript, before the routes of the configuration.
    #[cfg(feature = "javascript")]
    pub fn handler_files(mut self, files: HandlerFiles) -> Self {
        self.files = Some(files);
        self
    }

    /// Starts the engine without a listener, and so without TLS, which is up to the application that listens. Has to run
    /// inside a tokio runtime.
    pub fn build(mut self) -> Result<Switchboard, ServerError> {
        let files = Files::start(&mut self)?;
        let given = self.callbacks.clone();
        files.apply(&mut self.config, &mut self.callbacks);
        documents::load(&mut self.config)?;
        let mut config = self.config.clone();
        config.listen.io_uring = self.io_uring.unwrap_or(config.listen.io_uring);
        let (callbacks, hosts, limits) = (given, self.hosts.clone(), self.limits.clone());
        let (has_page, control) = (self.has_page, self.control.clone());
        let (routes, own) = self.plan()?;
        Switchboard::start(Start { routes, own, callbacks, files, hosts, limits, has_page, control }, &config)
    }

    /// Starts the engine and listens. Port 0 takes a free one.
    pub async fn bind(self, address: impl ToSocketAddrs) -> Result<Server, ServerError> {
        self.listen(TcpListener::bind(address).await.map_err(ServerError::Bind)?)
    }

    /// Starts the engine on an existing listener. Has to run inside a tokio runtime.
    pub fn listen(self, listener: TcpListener) -> Result<Server, ServerError> {
        let address = listener.local_addr().map_err(ServerError::Bind)?;
        let grace = self.grace.unwrap_or(Duration::from_millis(self.config.shutdown_grace));
        let tls = match (self.tls.clone(), &self.config.listen.tls) {
            (None, Some(files)) => Some(Tls::from_files(&files.cert, &files.key)?),
            (tls, _) => tls,
        };
        let switchboard = self.build()?;
        Ok(Server { switchboard, listener, address, stop: watch::Sender::new(false), grace, tls })
    }

    /// The limits of the server that this becomes.
    #[cfg(feature = "javascript")]
    pub(crate) fn engine_limits(&self) -> Limits {
        self.limits.clone().unwrap_or_else(|| self.config.engine_limits())
    }

    #[cfg(feature = "javascript")]
    pub(crate) fn configuration(&self) -> &Config {
        &self.config
    }

    #[cfg(feature = "javascript")]
    pub(crate) fn take_files(&mut self) -> Option<HandlerFiles> {
        self.files.take()
    }

    /// All routes in the order in which they are tried, and how many of them are not the configuration's.
    fn plan(self) -> Result<(Vec<(RouteKey, Planned)>, usize), ServerError> {
        let Self { mut config, callbacks, .. } = self;
        let mut own = Vec::new();
        for (key, endpoint) in self.routes {
            let mut key = key?;
            let endpoint = endpoint.at(&mut key);
            own.push((key.clone(), endpoint.map_err(ServerError::callbacks(&key))?));
        }
        let configured = plan::configured(&mut config, &callbacks, |key, settings| {
            let given = own.iter().position(|(own, _)| own.pattern == key.pattern)?;
            Some(Planned::New(Box::new(own.remove(given).1.with_settings(settings))))
        })?;
        for (key, _) in own.iter_mut().filter(|(key, _)| !key.disabled) {
            key.prefixes.clone_from(&self.prefixes);
        }
        let count = own.len();
        let own = own.into_iter().map(|(key, endpoint)| (key, Planned::New(Box::new(endpoint))));
        Ok((own.chain(configured).collect(), count))
    }
}
