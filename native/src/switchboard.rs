//! A running engine for any axum application.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::Value;
use switchboard_core::config::Assembly;
use switchboard_core::protocol;
use switchboard_core::{
    CloseCode, CloseFrame, Config, Engine, Found, HandlerResult, Hosts, HttpEndpoint, Input, Limits,
    RouteKey, Router, Stats,
};

use crate::accept::upgrade::{Asked, refusal, upgrade};
use crate::callbacks::RouteCallbacks;
use crate::endpoint::{Endpoint, EndpointInfo};
use crate::error::ServerError;
use crate::flush::Flush;
use crate::host::Host;
use crate::host::after_turn::logs_debug;
use crate::page;
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
    /// For requests without an upgrade.
    router: Router,
    endpoints: Vec<EndpointInfo>,
    /// The plain HTTP paths that handlers answer.
    http: Vec<HttpEndpoint>,
    has_page: bool,
    limits: Limits,
}

impl Switchboard {
    /// Starts the engine. Has to run inside a tokio runtime.
    pub(crate) fn start(
        endpoints: Vec<(RouteKey, Endpoint)>,
        config: &Config,
        hosts: Hosts,
        limits: Limits,
        has_page: bool,
    ) -> Result<Self, ServerError> {
        // Nothing else answers on this port, or in this fallback: a path that does not match is a mistake to report.
        let mut assembly = Assembly::default();
        let mut infos = Vec::new();
        let mut callbacks = Vec::new();
        for (key, endpoint) in endpoints {
            for pattern in key.patterns() {
                // A pattern is listed for the first route that serves it.
                if !infos.iter().any(|info: &EndpointInfo| info.pattern == pattern) {
                    infos.push(endpoint.info(pattern));
                }
            }
            let (route, route_callbacks) = endpoint.into_route();
            assembly.route(key, route);
            callbacks.push(route_callbacks);
        }
        assembly.feeds(config);
        assembly.hosts(config.hosts());
        assembly.hosts(hosts);
        let router = assembly.router()?.claim_all();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| ServerError::Random(error.to_string()))?;
        let mut engine = assembly.engine(router.clone(), limits.clone(), seed);
        engine.set_trace(logs_debug());
        let http = engine.endpoints().cloned().collect();
        let flush = if config.listen.io_uring { Flush::Together } else { Flush::Each };
        let callbacks = Arc::new(RouteCallbacks::new(callbacks));
        let host = Host::start(engine, callbacks.clone(), flush);
        Ok(Self {
            shared: Arc::new(Shared { host, callbacks, router, endpoints: infos, http, has_page, limits }),
        })
    }

    /// For an axum application: answers every request that reaches it.
    pub fn router(&self) -> axum::Router {
        axum::Router::new().fallback(answer).with_state(self.clone())
    }

    /// The plain HTTP paths that handlers and feeds answer.
    pub fn http_endpoints(&self) -> &[HttpEndpoint] {
        &self.shared.http
    }

    /// Whether there is a console at `/`.
    pub fn has_page(&self) -> bool {
        self.shared.has_page
    }

    /// The endpoints, in the order in which they are tried. A pattern is listed once for each of its prefixes.
    pub fn endpoints(&self) -> &[EndpointInfo] {
        &self.shared.endpoints
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
            Some(index) => {
                Ok(Route::new(self.shared.host.clone(), self.shared.callbacks.clone(), index, pattern))
            }
            None => Err(UnknownRoute::new(pattern, self.shared.router.patterns())),
        }
    }

    /// Takes no new connections and closes all with 1001. Returns when the last one is gone, or after `grace`, when those
    /// that have not answered are dropped.
    pub async fn drain(&self, grace: Duration) {
        let frame = CloseFrame::new(CloseCode::GOING_AWAY, "Server shutting down");
        self.shared.host.drain(frame, grace).await;
    }

    /// The limits of the server.
    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
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
        let path = request.uri().path();
        let is_get = request.method() == Method::GET || request.method() == Method::HEAD;
        if let Some(endpoint) = self.shared.http.iter().find(|known| known.matches(request.method(), path)) {
            return self.request(request, endpoint.max_body).await;
        }
        let is_health = is_get && path == "/health";
        // Programs that watch the server may know it under any name.
        let is_exempt = is_health && !request.headers().contains_key(header::ORIGIN);
        if !is_exempt && let Some(refusal) = self.shared.host.turn(|turn| turn.refuse_host(&request)) {
            return refusal.map(Body::from);
        }
        if is_health {
            return page::health(&self.stats());
        }
        let Shared { endpoints, http, has_page, .. } = &*self.shared;
        if is_get
            && *has_page
            && let Some(response) = page::console(path, endpoints, http)
        {
            return response;
        }
        if matches!(self.shared.router.find(path), Found::Route { .. })
            && let Err(refusal) = protocol::check(&request)
        {
            return refusal.response().map(Body::from);
        }
        refusal(StatusCode::NOT_FOUND, "there is nothing here")
    }

    /// Lets a handler answer.
    async fn request(&self, request: Request<Body>, max_body: usize) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let time = self.shared.limits.handshake_timeout;
        let body = match tokio::time::timeout(time, axum::body::to_bytes(body, max_body)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, "the body takes too long"),
        };
        let request = Request::from_parts(parts, body);
        match self.shared.host.turn(|turn| turn.request(&request)) {
            Some(response) => response.map(Body::from),
            None => refusal(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

impl fmt::Debug for Switchboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switchboard").field("endpoints", &self.shared.endpoints).finish_non_exhaustive()
    }
}

async fn answer(State(switchboard): State<Switchboard>, request: Request<Body>) -> Response<Body> {
    switchboard.answer(request).await
}
