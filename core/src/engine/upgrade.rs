//! Opening handshakes: which route they are for, and whether they are in order.

use std::net::IpAddr;
use std::sync::Arc;

use chacha20::rand_core::Rng;
use http::StatusCode;

use super::hosts::{self, admits_host};
use super::tracing::refused;
use super::{Engine, ServerPhase};
use crate::control::EVENTS_PATH;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::interface::input::Mounted;
use crate::protocol::{self, Handshake, Refusal};
use crate::routing::hosts::{Hosts, is_program};
use crate::routing::origin::Origins;
use crate::routing::router::Found;
use crate::state::connection::{Connection, Phase};
use crate::state::heartbeat::{Heartbeat, Inactivity};
use crate::state::inbox::Inbox;
use crate::state::rate::Bucket;
use crate::state::stored_request::StoredRequest;
use crate::state::{Standing, State};
use crate::time::Now;

impl Engine {
    /// Whether an address may have one more connection, when it has so many `others` that the engine does not know;
    /// otherwise the log is told. For hosts that count connections from when they accept them.
    pub fn admits_address(
        &mut self,
        now: Now,
        address: IpAddr,
        others: usize,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(limit) = self.state.limits.connections_per_address else { return true };
        let is_admitted = self.state.connections.count_of(address).saturating_add(others) < limit;
        if !is_admitted {
            let text = || format!("limits.maxConnectionsPerAddress is reached for {address}: answered 429");
            self.state.log_throttle.note(now.instant, (usize::MAX, "address"), Level::Warn, text, effects);
        }
        is_admitted
    }

    pub(super) fn upgrade(
        &mut self,
        now: Now,
        id: ConnectionId,
        request: http::Request<()>,
        address: Option<IpAddr>,
        effects: &mut Vec<Effect>,
    ) {
        if self.state.control.is_some() && request.uri().path() == EVENTS_PATH {
            return self.subscribe(now, id, request, address, effects);
        }
        let (route, params) = match self.router.find(request.uri().path()) {
            Found::Route { index, params } => {
                (self.indices.get(index).copied().unwrap_or(usize::MAX), params)
            }
            Found::Foreign => return effects.push(Effect::Ignore { id }),
            Found::Unmatched { .. } if !admits_upgrade(&mut self.state, now, &request, effects) => {
                self.state.explain(id, || Hosts::refusal(&request));
                return reject(id, StatusCode::FORBIDDEN, hosts::REASON, effects);
            }
            Found::Unmatched { known } => {
                let path = request.uri().path();
                let text = || {
                    let known = known.join(", ");
                    match self.router.nearest(path) {
                        Some(near) => format!(
                            "no WebSocket handler matches {path}; did you mean {near}? Known patterns: {known}"
                        ),
                        None => format!("no WebSocket handler matches {path}; known patterns: {known}"),
                    }
                };
                self.state.log_throttle.note(
                    now.instant,
                    (usize::MAX, "unmatched"),
                    Level::Warn,
                    text,
                    effects,
                );
                let reason = "no WebSocket handler matches this path";
                return reject(id, StatusCode::NOT_FOUND, reason, effects);
            }
        };
        let mounted = Mounted { route, params, ..Mounted::default() };
        self.mounted(now, id, request, address, mounted, effects);
    }

    /// Checks an opening handshake for a route that was found.
    pub(super) fn mounted(
        &mut self,
        now: Now,
        id: ConnectionId,
        request: http::Request<()>,
        address: Option<IpAddr>,
        mounted: Mounted,
        effects: &mut Vec<Effect>,
    ) {
        let Mounted { route, params, auth_data, extensions } = mounted;
        if self.state.routes.get(route).is_none_or(|route| route.standing != Standing::Serving) {
            self.state
                .explain(id, || "the route is gone: the server has another configuration now".to_owned());
            return reject(id, StatusCode::NOT_FOUND, "there is no such route", effects);
        }
        if request_bytes(&request) > self.state.limits.handshake_bytes {
            let text =
                || "an opening handshake is longer than limits.handshakeBytes: answered 431".to_owned();
            self.state.log_throttle.note(now.instant, (route, "handshake"), Level::Warn, text, effects);
            let (bytes, limit) = (request_bytes(&request), self.state.limits.handshake_bytes);
            self.state.explain(id, || {
                format!(
                    "the opening handshake has {bytes} bytes, and limits.handshakeBytes is {limit}: send fewer or shorter \
                     headers (most often cookies), or raise it"
                )
            });
            let reason = "the request is too long";
            return reject(id, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, reason, effects);
        }
        let handshake = match protocol::check(&request) {
            Ok(handshake) => handshake,
            Err(refusal) => {
                let (path, how) = (request.uri().path(), || refused(&refusal));
                self.note_refusal(now, route, path, how, effects);
                return refuse(id, refusal, effects);
            }
        };
        if !admits_upgrade(&mut self.state, now, &request, effects) {
            self.state.explain(id, || Hosts::refusal(&request));
            return reject(id, StatusCode::FORBIDDEN, hosts::REASON, effects);
        }
        if !self.state.routes[route].settings.origins.allows(request.headers()) {
            let text = || Origins::refusal(request.uri().path(), request.headers());
            self.state.log_throttle.note(now.instant, (route, "origin"), Level::Warn, text, effects);
            self.state.explain(id, || Origins::refusal(request.uri().path(), request.headers()));
            return reject(id, StatusCode::FORBIDDEN, "this origin may not connect", effects);
        }
        if self.phase == ServerPhase::Draining {
            self.state.explain(id, || "the server stops; connect again when it has started anew".to_owned());
            return reject(id, StatusCode::SERVICE_UNAVAILABLE, "the server is going down", effects);
        }
        if self.state.connections.len() >= self.state.limits.connections {
            let text = || "limits.maxConnections is reached: newcomers are answered 503".to_owned();
            self.state.log_throttle.note(now.instant, (route, "connections"), Level::Warn, text, effects);
            let limit = self.state.limits.connections;
            self.state.explain(id, || {
                format!("there are {limit} connections, as many as limits.maxConnections allows: close some, or raise it")
            });
            return reject(id, StatusCode::SERVICE_UNAVAILABLE, "too many connections", effects);
        }
        if let Some(address) = address
            && !self.admits_address(now, address, 0, effects)
        {
            self.state.explain(id, || {
                format!(
                    "{address} has as many connections as limits.maxConnectionsPerAddress allows: close some, or raise it"
                )
            });
            return reject(
                id,
                StatusCode::TOO_MANY_REQUESTS,
                "too many connections from this address",
                effects,
            );
        }
        let admitted = self.run(now, route, None, effects, |handler, cx| {
            Ok(handler.admit(&cx.state.routes[route].settings, &request))
        });
        match admitted {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => {
                let (path, how) = (request.uri().path(), || refused(&refusal));
                self.note_refusal(now, route, path, how, effects);
                return refuse(id, refusal, effects);
            }
            Err(error) => {
                let text = || format!("admitting a client to {} failed: {error}", request.uri().path());
                self.state.explain(id, text);
                self.state.log_throttle.note(now.instant, (route, "admit"), Level::Error, text, effects);
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return reject(id, status, status.canonical_reason().unwrap_or_default(), effects);
            }
        }
        let admission = self.state.routes[route].settings.authentication.decide(&request);
        let name = self.uuid();
        self.enter(id, name, route, &request, handshake, address);
        if let Some(connection) = self.state.connections.get_mut(id) {
            connection.params = if params.is_empty() { None } else { Some(Box::new(params)) };
            connection.auth_data = if auth_data.is_null() { None } else { Some(Box::new(auth_data)) };
            connection.metadata = extensions;
        }
        if self.faults.is_some() && self.impair_opening(now, id, effects) {
            return;
        }
        match admission {
            Some(admission) => self.decided(now, id, admission, effects),
            None => self.ask(now, id, route, effects),
        }
    }

    /// Adds a connection whose opening handshake is in order.
    pub(super) fn enter(
        &mut self,
        id: ConnectionId,
        public_id: Arc<str>,
        route: usize,
        request: &http::Request<()>,
        handshake: Handshake,
        address: Option<IpAddr>,
    ) {
        self.state.connections.insert(Connection {
            id,
            public_id,
            route,
            request: StoredRequest::new(request),
            handshake: Some(Box::new(handshake)),
            address,
            params: None,
            subprotocol: None,
            auth_data: None,
            metadata: http::Extensions::new(),
            rooms: None,
            phase: Phase::Accepted,
            heartbeat: Heartbeat::default(),
            inactivity: Inactivity::default(),
            inbox: Inbox::default(),
            bucket: Bucket::default(),
        });
    }

    /// A version 4 UUID.
    fn uuid(&mut self) -> Arc<str> {
        let mut bytes = [0; 16];
        self.state.random.fill_bytes(&mut bytes);
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        Arc::from(&*uuid::Builder::from_random_bytes(bytes).as_uuid().hyphenated().encode_lower(&mut text))
    }
}

/// Whether an opening handshake may come under its host. Programs may know the server under any.
fn admits_upgrade(
    state: &mut State,
    now: Now,
    request: &http::Request<()>,
    effects: &mut Vec<Effect>,
) -> bool {
    is_program(request.headers()) || admits_host(state, now, request, effects)
}

/// The length of the request's parts, without HTTP's separators.
fn request_bytes(request: &http::Request<()>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    target + headers.sum::<usize>()
}

pub(super) fn reject(id: ConnectionId, status: StatusCode, reason: &'static str, effects: &mut Vec<Effect>) {
    refuse(id, Refusal::new(status, reason), effects);
}

pub(super) fn refuse(id: ConnectionId, refusal: Refusal, effects: &mut Vec<Effect>) {
    effects.push(Effect::Refuse { id, refusal: Box::new(refusal) });
}
