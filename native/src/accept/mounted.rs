//! An opening handshake that an axum application has routed by itself.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Request, StatusCode};
use hyper::upgrade::OnUpgrade;
use serde_json::Value;
use switchboard_core::protocol::{self, has_valid_host};
use switchboard_core::{Mounted, Params};

use crate::accept::upgrade::{finish, refusal};
use crate::route::Route;

/// An extractor for axum: the opening handshake of a WebSocket, which [`on`](Self::on) completes on a route of a
/// [`Switchboard`](crate::Switchboard). So a route can stand anywhere in an application, behind its layers, extractors
/// and state, beside those that [`Switchboard::router`](crate::Switchboard::router) serves.
///
/// ```no_run
/// use axum::extract::{Path, State};
/// use axum::response::Response;
/// use axum::{Router, routing::get};
/// use switchboard::{HandlerResult, Route, Server, Socket, SocketTask, Upgrade};
///
/// async fn chat(mut socket: Socket) -> HandlerResult {
///     let room = socket.params().get("room").unwrap_or("lobby").to_owned();
///     socket.join(room)?;
///     while let Some(message) = socket.recv().await {
///         socket.broadcast_all_rooms(message, true);
///     }
///     Ok(())
/// }
///
/// async fn open(State(route): State<Route>, Path(room): Path<String>, upgrade: Upgrade) -> Response {
///     println!("somebody comes to {room}");
///     upgrade.on(&route).await
/// }
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let switchboard = Server::builder().mounted("/chat", SocketTask::new(chat)).build()?;
/// let app = Router::new().route("/ws/chat/{room}", get(open)).with_state(switchboard.route("/chat")?);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// axum::serve(listener, app).await?;
/// # Ok(())
/// # }
/// ```
///
/// What the application's path names (`{room}`) are the connection's [`params`](crate::Peer::params), percent-decoded. The
/// route's own rules hold as well: origins, authentication, subprotocols, limits. The client's address is known, for
/// limits per address, if the application is served with `into_make_service_with_connect_info::<SocketAddr>()`.
///
/// A request that is no opening handshake is answered 400, 405 or 426.
pub struct Upgrade {
    request: Request<()>,
    on_upgrade: Option<OnUpgrade>,
    address: Option<IpAddr>,
    mounted: Mounted,
}

impl Upgrade {
    /// What the application knows about the client: the connection's [`auth_data`](crate::Peer::auth_data). If the route
    /// authenticates too and comes to data of its own, that comes instead. Default null.
    pub fn auth_data(mut self, data: impl Into<Value>) -> Self {
        self.mounted.auth_data = data.into();
        self
    }

    /// A value for the connection's [`metadata`](crate::Peer::metadata), by its type; in a
    /// [`Handler`](crate::Handler) it is in [`Connection::metadata`](crate::Connection::metadata).
    pub fn metadata<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.mounted.extensions.insert(value);
        self
    }

    /// The opening handshake's request.
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Completes the opening handshake on a route, or refuses as the route decides. The response has to be what the
    /// application answers.
    pub async fn on(self, route: &Route) -> Response {
        let Self { request, on_upgrade, address, mut mounted } = self;
        mounted.route = route.index();
        let (presence, decision) = route.host().open_mounted(request, address, mounted);
        finish(presence, decision.await, on_upgrade)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    /// The answer to what is no opening handshake.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let mut request = Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.version_mut() = parts.version;
        *request.headers_mut() = parts.headers.clone();
        if !has_valid_host(&request) {
            return Err(refusal(StatusCode::BAD_REQUEST, "Host is missing or malformed"));
        }
        if let Err(refusal) = protocol::check(&request) {
            return Err(refusal.response().map(Body::from));
        }
        let params = params(parts, state).await?;
        Ok(Self {
            request,
            on_upgrade: parts.extensions.remove::<OnUpgrade>(),
            address: parts.extensions.get().map(|ConnectInfo::<SocketAddr>(peer)| peer.ip()),
            mounted: Mounted { params, ..Mounted::default() },
        })
    }
}

/// What the application's path names.
async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Params, Response> {
    use axum::extract::rejection::RawPathParamsRejection;
    match RawPathParams::from_request_parts(parts, state).await {
        Ok(params) => Ok(params.iter().collect()),
        // The application has no path of its own, such as below a fallback.
        Err(RawPathParamsRejection::MissingPathParams(_)) => Ok(Params::default()),
        Err(other) => Err(other.into_response()),
    }
}

impl fmt::Debug for Upgrade {
    /// The path without the query, which may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").field("path", &self.request.uri().path()).finish_non_exhaustive()
    }
}
