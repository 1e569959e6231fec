//! A running engine for any axum application.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
#[cfg(feature = "javascript")]
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use http::{Method, Request, Response, StatusCode, header};
use serde_json::Value;
use switchboard_core::config::EndpointInfo;
use switchboard_core::control::{ControlSettings, RecordingFile};
use switchboard_core::protocol;
use switchboard_core::{
    CloseCode, CloseFrame, Config, Engine, FaultScope, Found, HandlerResult, Hosts, HttpEndpoint, Input,
    Limits, Reconfiguration, ReconfigureError, RouteKey, Router, Stats,
};

use crate::accept::upgrade::{Asked, refusal, upgrade};
use crate::callbacks::RouteCallbacks;
use crate::cluster::Membership;
use crate::documents;
use crate::error::ServerError;
use crate::faults::Faults;
use crate::files::Files;
use crate::flush::Flush;
use crate::host::Host;
use crate::host::after_turn::logs_debug;
use crate::page;
use crate::plan::{self, Assembled, Given, GivenCallbacks, Planned};
use crate::recording_file;
use crate::recordings::Recordings;
use crate::route::{Route, UnknownRoute};

/// Switchboard without a listener: [`Builder::build`](crate::Builder::build) makes it, [`router`](Self::router)
/// connects it to an axum application that runs on plain TCP. Cloning gives another handle on the same one.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, routing::get};
/// use switchboard::{Callbacks, Incoming, Peer, Server};
///
/// let echo = Callbacks::new().on_message(|peer: Peer, message: Incoming| async move {
///     peer.send(message.as_text().unwrap_or_default());
/// });
/// let switchboard = Server::builder().route("/ws/echo", echo).build()?;
/// let app = Router::new()
///     .route("/hello", get(|| async { "Hello!" }))
///     .fallback_service(switchboard.router());
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// axum::serve(listener, app).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Switchboard {
    shared: Arc<Shared>,
}

struct Shared {
    host: Arc<Host>,
    callbacks: Arc<RouteCallbacks>,
    cluster: Option<Membership>,
    has_page: bool,
    given_callbacks: GivenCallbacks,
    files: Mutex<Files>,
    hosts: Hosts,
    given_limits: Option<Limits>,
    serving: RwLock<Arc<Serving>>,
    /// Held while another configuration is taken.
    reconfiguring: Mutex<()>,
}

/// What is served now.
struct Serving {
    /// For requests without an upgrade.
    router: Router,
    endpoints: Arc<[EndpointInfo]>,
    /// The plain HTTP paths that handlers answer.
    http: Arc<[HttpEndpoint]>,
    limits: Limits,
    /// The routes whose handlers were given in Rust.
    given: Vec<Given>,
}

/// What a server starts with, beside its configuration.
pub(crate) struct Start {
    pub(crate) routes: Vec<(RouteKey, Planned)>,
    /// How many of the first routes are not the configuration's.
    pub(crate) own: usize,
    pub(crate) callbacks: GivenCallbacks,
    pub(crate) files: Files,
    pub(crate) hosts: Hosts,
    pub(crate) limits: Option<Limits>,
    pub(crate) has_page: bool,
    pub(crate) control: Option<ControlSettings>,
}

impl Switchboard {
    /// Starts the engine. Has to run inside a tokio runtime.
    pub(crate) fn start(start: Start, config: &Config) -> Result<Self, ServerError> {
        let given = plan::given(&start.routes, start.own);
        let Assembled { mut assembly, infos, callbacks } = Assembled::of(start.routes)?;
        assembly.feeds(config);
        assembly.recordings(config);
        assembly.hosts(config.hosts());
        assembly.hosts(start.hosts.clone());
        // Nothing else answers on this port, or in this fallback: a path that does not match is a mistake to report.
        let router = assembly.router()?.claim_all();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| ServerError::Random(error.to_string()))?;
        let limits = start.limits.clone().unwrap_or_else(|| config.engine_limits());
        let mut engine = assembly.engine(router.clone(), limits.clone(), seed);
        engine.set_trace(logs_debug());
        if let Some(settings) = start.control {
            engine.set_control(settings);
        }
        let http = engine.endpoints().cloned().collect();
        let flush = if config.listen.io_uring { Flush::Together } else { Flush::Each };
        let callbacks = callbacks.into_iter().map(Option::flatten).collect();
        let callbacks = Arc::new(RouteCallbacks::new(callbacks));
        let host = Host::start(engine, callbacks.clone(), flush);
        let cluster = config.cluster.as_ref().map(|cluster| Membership::start(cluster, &host)).transpose()?;
        let serving = Serving { router, endpoints: infos.into(), http, limits, given };
        Ok(Self {
            shared: Arc::new(Shared {
                host,
                callbacks,
                cluster,
                has_page: start.has_page,
                given_callbacks: start.callbacks,
                files: Mutex::new(start.files),
                hosts: start.hosts,
                given_limits: start.limits,
                serving: RwLock::new(Arc::new(serving)),
                reconfiguring: Mutex::default(),
            }),
        })
    }

    /// Takes another configuration while connections are open, and says what became of them. On an error everything is as it
    /// was.
    ///
    /// Where a route's prefixes, pattern and dialect stay the same, its connections notice nothing and keep all that they
    /// have; otherwise they are closed with 1012 and a reason. What applies when is told by
    /// [`Engine::reconfigure`](switchboard_core::Engine::reconfigure) and, for the options of each dialect, by
    /// [`dialect`](switchboard_core::dialect). Routes, callbacks, hosts and limits that were given to the
    /// [`Builder`](crate::Builder) stay; handler files are read again, and what is wrong with one of them is an error too. A route of the dialect `handlers` whose handler was given there goes on as it is, with
    /// the settings that it has; it can be removed, but then has no handler to come back with.
    ///
    /// What is bound at the start is not taken over: `listen`, `cluster`, `shutdownGrace`, and of the limits those that a
    /// [`Server`](crate::Server) checks before the engine does: a `handshakeTimeout`, a longer `handshakeBytes`, and more
    /// `maxConnections` than at the start.
    pub fn reconfigure(&self, mut config: Config) -> Result<Reconfiguration, ServerError> {
        let _one_at_a_time = self.shared.reconfiguring.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = self.shared.given_limits.clone().unwrap_or_else(|| config.engine_limits());
        let files = self.files().reload(&config, &limits)?;
        let mut callbacks = self.shared.given_callbacks.clone();
        files.apply(&mut config, &mut callbacks);
        documents::load(&mut config)?;
        let before = self.serving();
        let (configured, own): (Vec<_>, Vec<_>) = before.given.iter().partition(|given| given.is_configured);
        let mut routes: Vec<(RouteKey, Planned)> = own.iter().map(|given| given.kept()).collect();
        routes.extend(plan::configured(&mut config, &callbacks, |key, _| {
            configured.iter().find(|given| given.is(key)).map(|given| given.kept().1)
        })?);
        let given = plan::given(&routes, own.len());
        let Assembled { mut assembly, infos, callbacks } = Assembled::of(routes)?;
        assembly.feeds(&config);
        assembly.recordings(&config);
        assembly.hosts(config.hosts());
        assembly.hosts(self.shared.hosts.clone());
        let router = assembly.router()?.claim_all();
        let configuration = assembly.configuration(limits.clone());
        let done = self.shared.host.turn(|turn| {
            let done = turn.reconfigure(configuration)?;
            for (index, callbacks) in done.indices.iter().zip(callbacks) {
                if let Some(callbacks) = callbacks {
                    self.shared.callbacks.set(*index, callbacks);
                }
            }
            Ok::<_, ReconfigureError>(done)
        })?;
        let http = self.shared.host.look(|engine| engine.endpoints().cloned().collect());
        let serving = Serving { router, endpoints: infos.into(), http, limits, given };
        *self.shared.serving.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(serving);
        *self.shared.files.lock().unwrap_or_else(PoisonError::into_inner) = files;
        Ok(done)
    }

    fn files(&self) -> Files {
        self.shared.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The handler files that were read, and the folders in which others may appear: what to watch, to
    /// [`reconfigure`](Self::reconfigure) when something changes there.
    #[cfg(feature = "javascript")]
    pub fn handler_files(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        self.files().watched()
    }

    fn serving(&self) -> Arc<Serving> {
        self.shared.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For an axum application: answers every request that reaches it.
    pub fn router(&self) -> axum::Router {
        axum::Router::new().fallback(answer).with_state(self.clone())
    }

    /// The plain HTTP paths that handlers and feeds answer.
    pub fn http_endpoints(&self) -> Arc<[HttpEndpoint]> {
        self.serving().http.clone()
    }

    /// Whether there is an inspector at `/__switchboard/`.
    pub fn has_page(&self) -> bool {
        self.shared.has_page
    }

    /// The endpoints, in the order in which they are tried. A pattern is listed once for each of its prefixes.
    pub fn endpoints(&self) -> Arc<[EndpointInfo]> {
        self.serving().endpoints.clone()
    }

    /// How many connections there are, from their opening handshake to their last callback.
    pub fn connections(&self) -> usize {
        self.shared.host.look(Engine::connections)
    }

    /// Statistics, as `/health` shows them.
    pub fn stats(&self) -> Stats {
        self.shared.host.stats()
    }

    /// Publishes a value on one of the configuration's feeds. If there is no such feed, a line is logged.
    pub fn publish(&self, feed: &str, value: Value) {
        let feed = feed.to_owned();
        self.shared.host.turn(|turn| turn.input(Input::Publish { feed, value }));
    }

    /// Gives a command to a route's dialect, such as `broadcast` on a topic of Phoenix, with
    /// `{"topic":…,"event":…,"payload":…}`. `pattern` is the route's, with its prefix. Fails if the dialect does not know
    /// it.
    pub fn command(&self, pattern: &str, name: &str, payload: Value) -> HandlerResult {
        self.route(pattern)?.command(name, payload)
    }

    /// A handle on a route, to use it from outside of its callbacks: by its pattern, as it was written or with one of
    /// its prefixes. If several have the same pattern, it is the first one.
    ///
    /// ```no_run
    /// # use switchboard::{Callbacks, Server, UnknownRoute};
    /// # fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let switchboard = Server::builder().route("/chat", Callbacks::new()).build()?;
    /// let chat = switchboard.route("/chat")?;
    /// chat.send("The server restarts in a minute.");
    /// chat.room("lobby").send("Welcome to the lobby.");
    /// println!("{} clients in {} rooms", chat.count(), chat.rooms().len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn route(&self, pattern: &str) -> Result<Route, UnknownRoute> {
        match self.shared.host.look(|engine| engine.route_of(pattern)) {
            Some(_) => Ok(Route::new(self.shared.host.clone(), self.shared.callbacks.clone(), pattern)),
            None => Err(UnknownRoute::new(pattern, self.serving().router.patterns())),
        }
    }

    /// Lets things go wrong on purpose, to test how clients take it.
    pub fn faults(&self) -> Faults {
        Faults::new(self.shared.host.clone(), FaultScope::Everything)
    }

    /// Records what passes between the server and its clients.
    pub fn recordings(&self) -> Recordings {
        Recordings::new(self.shared.host.clone())
    }

    /// Waits for the first attempt to reach the broker of a cluster, if the configuration has one with `required = true`;
    /// otherwise there is nothing to wait for. Where a route has a history, also waits until what other nodes have said is
    /// read, for two seconds at most. [`Server::serve`](crate::Server::serve) begins with this.
    ///
    /// # Errors
    ///
    /// The broker cannot be reached.
    pub async fn joined(&self) -> Result<(), ServerError> {
        match &self.shared.cluster {
            Some(cluster) => cluster.joined(&self.shared.host).await,
            None => Ok(()),
        }
    }

    /// Takes no new connections and closes all with 1001. Returns when the last one is gone, or after `grace`, when those
    /// that have not answered are dropped, when recordings are written, and when the other nodes of a cluster are told.
    pub async fn drain(&self, grace: Duration) {
        let frame = CloseFrame::new(CloseCode::GOING_AWAY, "Server shutting down");
        self.shared.host.drain(frame, grace).await;
        if let Some(cluster) = &self.shared.cluster {
            cluster.leave(&self.shared.host).await;
        }
        self.shared.host.files_written(None).await;
    }

    /// The limits of the server.
    pub(crate) fn limits(&self) -> Limits {
        self.serving().limits.clone()
    }

    /// Takes an opening handshake with a `Host`, and the bytes that came after it on the stream.
    pub(crate) fn ask(&self, request: Request<()>, address: SocketAddr, rest: Vec<u8>) -> Asked {
        Asked::new(&self.shared.host, request, address, rest)
    }

    /// Whether an address may have one more connection beside so many that are not WebSockets.
    pub(crate) fn admits_address(&self, address: IpAddr, others: usize) -> bool {
        self.shared.host.turn(|turn| turn.admits_address(address, others))
    }

    /// Answers any request.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        if !protocol::has_valid_host(&request) {
            return refusal(StatusCode::BAD_REQUEST, "Host is missing or malformed");
        }
        if request.headers().contains_key(header::UPGRADE) {
            return upgrade(&self.shared.host, request).await;
        }
        self.plain(request).await
    }

    /// Answers a request without an upgrade.
    async fn plain(&self, request: Request<Body>) -> Response<Body> {
        let serving = self.serving();
        let path = request.uri().path();
        let is_get = request.method() == Method::GET || request.method() == Method::HEAD;
        if let Some(endpoint) = serving.http.iter().find(|known| known.matches(request.method(), path)) {
            return self.request(request, endpoint.max_body).await;
        }
        let is_health = is_get && path == "/health";
        // Programs that watch the server may know it under any name.
        let is_exempt = is_health && !request.headers().contains_key(header::ORIGIN);
        if !is_exempt && let Some(refusal) = self.shared.host.turn(|turn| turn.refuse_host(&request)) {
            return refusal.map(Body::from);
        }
        if is_health {
            let cluster = self.shared.cluster.as_ref();
            return page::health(
                &self.stats(),
                cluster.and_then(|cluster| cluster.health(&self.shared.host)),
            );
        }
        if is_get
            && self.shared.has_page
            && let Some(response) = page::inspector(&request, &serving.endpoints, &serving.http)
        {
            return response;
        }
        if matches!(serving.router.find(path), Found::Route { .. })
            && let Err(refusal) = protocol::check(&request)
        {
            return refusal.response().map(Body::from);
        }
        refusal(StatusCode::NOT_FOUND, "there is nothing here")
    }

    /// Lets a handler answer.
    async fn request(&self, request: Request<Body>, max_body: usize) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let address = parts.extensions.get().map(|ConnectInfo::<SocketAddr>(peer)| peer.ip());
        let time = self.serving().limits.handshake_timeout;
        let body = match tokio::time::timeout(time, axum::body::to_bytes(body, max_body)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, "the body takes too long"),
        };
        let request = Request::from_parts(parts, body);
        match self.shared.host.turn(|turn| turn.request(&request, address)) {
            Some(response) => match response.extensions().get::<RecordingFile>().cloned() {
                Some(file) => recording_file::send(&self.shared.host, response.map(drop), file).await,
                None => response.map(Body::from),
            },
            None => refusal(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

impl fmt::Debug for Switchboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switchboard").field("endpoints", &self.endpoints()).finish_non_exhaustive()
    }
}

async fn answer(State(switchboard): State<Switchboard>, request: Request<Body>) -> Response<Body> {
    switchboard.answer(request).await
}
