//! From the opening handshake to its answer.

use std::net::IpAddr;
use std::sync::Arc;

use http::StatusCode;
use rand_chacha::rand_core::RngCore;

use super::hosts::{self, admits_host};
use super::tracing::refused;
use super::{Engine, ServerPhase};
use crate::control::EVENTS_PATH;
use crate::control::event::What;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Accept, Effect, Level};
use crate::interface::hook::Hook;
use crate::interface::input::Mounted;
use crate::protocol::{self, Handshake, OutboxOptions, Refusal, SocketOptions};
use crate::routing::authentication::{Admission, Authentication};
use crate::routing::hosts::is_program;
use crate::routing::origin::Origins;
use crate::routing::router::Found;
use crate::state::connection::{Connection, Phase};
use crate::state::heartbeat::{Heartbeat, Inactivity};
use crate::state::inbox::Inbox;
use crate::state::rate::Bucket;
use crate::state::stored_request::StoredRequest;
use crate::state::timers::Timer;
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
            return reject(id, StatusCode::NOT_FOUND, "there is no such route", effects);
        }
        if request_bytes(&request) > self.state.limits.handshake_bytes {
            let text =
                || "an opening handshake is longer than limits.handshakeBytes: answered 431".to_owned();
            self.state.log_throttle.note(now.instant, (route, "handshake"), Level::Warn, text, effects);
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
            return reject(id, StatusCode::FORBIDDEN, hosts::REASON, effects);
        }
        if !self.state.routes[route].settings.origins.allows(request.headers()) {
            let text = || Origins::refusal(request.uri().path(), request.headers());
            self.state.log_throttle.note(now.instant, (route, "origin"), Level::Warn, text, effects);
            return reject(id, StatusCode::FORBIDDEN, "this origin may not connect", effects);
        }
        if self.phase == ServerPhase::Draining {
            return reject(id, StatusCode::SERVICE_UNAVAILABLE, "the server is going down", effects);
        }
        if self.state.connections.len() >= self.state.limits.connections {
            let text = || "limits.maxConnections is reached: newcomers are answered 503".to_owned();
            self.state.log_throttle.note(now.instant, (route, "connections"), Level::Warn, text, effects);
            return reject(id, StatusCode::SERVICE_UNAVAILABLE, "too many connections", effects);
        }
        if let Some(address) = address
            && !self.admits_address(now, address, 0, effects)
        {
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

    /// Goes on with an opening handshake that a fault has delayed.
    pub(super) fn authenticate(
        &mut self,
        now: Now,
        id: ConnectionId,
        route: usize,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        connection.phase = Phase::Accepted;
        let request = connection.request();
        match self.state.routes[route].settings.authentication.decide(&request) {
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

    /// Lets the route's handler decide, at once or by a hook.
    fn ask(&mut self, now: Now, id: ConnectionId, route: usize, effects: &mut Vec<Effect>) {
        let asked = self.state.next_call();
        if self.state.routes[route].settings.authentication == Authentication::Hook {
            let params = self.state.connections.get(id).map(|c| c.params().clone()).unwrap_or_default();
            if let Some(connection) = self.state.connections.get_mut(id) {
                connection.phase = Phase::Authenticating(asked);
            }
            self.state.call(id, Hook::Authenticate { params }, now, effects);
            return;
        }
        match self.run(now, route, Some(id), effects, |handler, cx| Ok(handler.authenticate(cx))) {
            Ok(Some(admission)) => self.decided(now, id, admission, effects),
            Ok(None) => match self.state.call_of(id, asked) {
                Some(call) => {
                    if let Some(connection) = self.state.connections.get_mut(id) {
                        connection.phase = Phase::Authenticating(call);
                    }
                }
                None => self.authentication_failed(
                    now,
                    id,
                    "the handler returned None and called no hook; return a Admission, or call \
                     Hook::Authenticate with Context::call, whose answer decides",
                    effects,
                ),
            },
            Err(error) => self.authentication_failed(now, id, &error.to_string(), effects),
        }
    }

    /// Authentication is done.
    pub(super) fn decided(
        &mut self,
        now: Now,
        id: ConnectionId,
        admission: Admission,
        effects: &mut Vec<Effect>,
    ) {
        match admission {
            Admission::Accept { data } => self.admit(now, id, data, effects),
            Admission::Close(frame) => {
                if let Some(connection) = self.state.connections.get(id) {
                    let (route, path) = (connection.route, connection.path().to_owned());
                    let how =
                        || format!("refused with close code {}: {}", frame.code.0, frame.reason.as_str());
                    if let Some(trace) = &mut self.state.trace {
                        trace.line(|| format!("an opening handshake for {path} is {}", how()));
                        trace.happened(Some(route), Vec::new, || What::Refused {
                            path: path.clone(),
                            status: None,
                            code: Some(frame.code.0),
                            reason: frame.reason.as_str().to_owned(),
                        });
                    }
                    self.note_refusal(now, route, &path, how, effects);
                }
                self.accept(now, id, Phase::Refusing(Box::new(frame)), None, effects);
            }
            Admission::Refuse(refusal) => {
                let status = refusal.status;
                if (300..600).contains(&status.as_u16()) {
                    self.note_refused(now, id, &refusal, effects);
                    return self.refuse_with(now, id, refusal, effects);
                }
                if let Some(connection) = self.state.connections.get(id) {
                    let path = connection.path();
                    let text = || {
                        format!(
                            "authenticate for {path} refuses with HTTP {status}: answered 500; use 400 to 599"
                        )
                    };
                    let key = (connection.route, "refusal");
                    self.state.log_throttle.note(now.instant, key, Level::Error, text, effects);
                }
                self.refuse(now, id, StatusCode::INTERNAL_SERVER_ERROR, effects);
            }
        }
    }

    /// The client is admitted: answers its opening handshake, or leaves that to its handler.
    fn admit(&mut self, now: Now, id: ConnectionId, data: serde_json::Value, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        let route = connection.route;
        if !data.is_null() {
            connection.auth_data = Some(Box::new(data));
        }
        connection.phase = Phase::Delayed;
        match self.run(now, route, Some(id), effects, |handler, cx| handler.delays_handshake(cx)) {
            Ok(false) => self.accept(now, id, Phase::Accepted, None, effects),
            Ok(true) => self.answer_delayed(now, id, effects),
            Err(error) => self.authentication_failed(now, id, &error.to_string(), effects),
        }
    }

    /// Answers an opening handshake that was delayed, if its handler has decided how, or can no longer decide.
    pub(super) fn answer_delayed(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let answer = self.state.delayed.pop().filter(|(other, _)| *other == id);
        self.state.delayed.clear();
        if self.state.connections.get(id).is_none_or(|connection| connection.phase != Phase::Delayed) {
            return;
        }
        match answer {
            Some((_, Ok(subprotocol))) => self.accept(now, id, Phase::Accepted, Some(subprotocol), effects),
            Some((_, Err(status))) => self.refuse(now, id, status, effects),
            None if self.state.upstreams.of(id).is_empty() => {
                self.refuse(now, id, StatusCode::BAD_GATEWAY, effects);
            }
            None => {}
        }
    }

    fn refuse(&mut self, now: Now, id: ConnectionId, status: StatusCode, effects: &mut Vec<Effect>) {
        self.refuse_with(now, id, Box::new(Refusal::of_status(status)), effects);
    }

    pub(super) fn refuse_with(
        &mut self,
        now: Now,
        id: ConnectionId,
        refusal: Box<Refusal>,
        effects: &mut Vec<Effect>,
    ) {
        self.forget(now, id, effects);
        effects.push(Effect::Refuse { id, refusal });
    }

    /// The user's `authenticate` returned something that is not an admission: the client is refused.
    pub(super) fn undecided(&mut self, now: Now, id: ConnectionId, message: &str, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        let text = || format!("authenticate for {} {message}", connection.path());
        let key = (connection.route, "admission");
        self.state.log_throttle.note(now.instant, key, Level::Warn, text, effects);
        self.refuse(now, id, StatusCode::UNAUTHORIZED, effects);
    }

    /// The user's `authenticate` threw.
    pub(super) fn authentication_failed(
        &mut self,
        now: Now,
        id: ConnectionId,
        message: &str,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.forget(now, id, effects) else {
            return;
        };
        let text = || format!("authenticate for {} failed: {message}", connection.path());
        let key = (connection.route, "authenticate");
        self.state.log_throttle.note(now.instant, key, Level::Error, text, effects);
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        reject(id, status, status.canonical_reason().unwrap_or_default(), effects);
    }

    /// Completes the opening handshake, with this subprotocol or with the first of the route's that is offered.
    pub(super) fn accept(
        &mut self,
        now: Now,
        id: ConnectionId,
        phase: Phase,
        subprotocol: Option<Option<Arc<str>>>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        let route = connection.route;
        let settings = &self.state.routes[route].settings;
        let Some(handshake) = connection.handshake.take() else {
            return;
        };
        let negotiated = match &settings.deflate {
            Some(config) => protocol::negotiate(config, &handshake.extensions),
            None => Ok(None),
        };
        let deflate = match negotiated {
            Ok(deflate) => deflate,
            Err(refusal) => {
                self.note_refused(now, id, &refusal, effects);
                self.forget(now, id, effects);
                return refuse(id, refusal, effects);
            }
        };
        let (deflate, extension) = deflate.unzip();
        let subprotocol = subprotocol.unwrap_or_else(|| {
            protocol::select_subprotocol(&handshake.protocols, &settings.subprotocols).map(Arc::from)
        });
        let response = protocol::response(&handshake, subprotocol.as_deref(), extension);
        connection.subprotocol = subprotocol;
        connection.phase = phase;
        effects.push(Effect::Accept(Box::new(Accept {
            id,
            public_id: connection.public_id.clone(),
            route,
            response,
            socket: SocketOptions {
                deflate,
                outbox: OutboxOptions { max_bytes: settings.max_outbound, overflow: settings.overflow },
                ..SocketOptions::with_max_message(settings.max_payload)
            },
            params: connection.params().clone(),
            subprotocol: connection.subprotocol.clone(),
        })));
        self.state.timers.set(Timer::Opening(id), now.instant + self.state.limits.handshake_timeout);
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

fn reject(id: ConnectionId, status: StatusCode, reason: &'static str, effects: &mut Vec<Effect>) {
    refuse(id, Refusal::new(status, reason), effects);
}

pub(super) fn refuse(id: ConnectionId, refusal: Refusal, effects: &mut Vec<Effect>) {
    effects.push(Effect::Refuse { id, refusal: Box::new(refusal) });
}
