//! What the control API does to a running server: reading, acting, and telling live events.

mod acting;
mod breakpoints;
mod clock;
mod faults;
mod history;
mod live;
mod reading;
mod recordings;

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, Request, Response, StatusCode};
use serde::Serialize;

use super::hosts::{self, admits_host};
use super::tracing::refused;
use super::upgrade::refuse;
use super::{Engine, ServerPhase};
use crate::control::access::ControlSettings;
use crate::control::clock::HostClock;
use crate::control::event::{Happening, What};
use crate::control::handler_times::HandlerTimes;
use crate::control::history::{History, Kept, MAX_PAYLOAD};
use crate::control::operation::{self, Operation};
use crate::control::query::Query;
use crate::control::subscriber::{MAX_OUTBOUND, MOST, Subscribers};
use crate::control::view::{ErrorView, SocketCounts};
use crate::control::{self, Control, EVENTS_PATH, MAX_BODY, PATH};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Recipients};
use crate::interface::http_endpoint::{HttpEndpoint, json_response};
use crate::protocol::{self, Handshake, Overflow, Refusal};
use crate::routing::route::RouteSettings;
use crate::state::connection::Phase;
use crate::state::{RouteState, Standing};
use crate::time::Now;
use acting::done;
use clock::move_clock;
use live::Live;

/// Who asks the control API by a plain request, and what only the host knows.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// The client's address; `None`: the host does not know it.
    pub address: Option<IpAddr>,
    /// What the host can do with its clock.
    pub clock: HostClock,
    /// What the socket of a connection holds, and what has passed on it.
    pub sockets: &'a dyn Fn(ConnectionId) -> SocketCounts,
}

impl Default for Asker<'_> {
    fn default() -> Self {
        Self { address: None, clock: HostClock::Real, sockets: &|_| SocketCounts::default() }
    }
}

/// Why nothing was done.
type Failure = (StatusCode, String);

impl Engine {
    /// Switches the [control API](crate::control) on, or gives it other settings. Default: it is off, and its paths are like
    /// any others.
    ///
    /// Those who are told its events count neither in [`connections`](Self::connections) nor in [`stats`](Self::stats), but
    /// while the server stops.
    pub fn set_control(&mut self, settings: ControlSettings) {
        if let Some(control) = &mut self.state.control {
            control.settings = settings;
            return;
        }
        let route = self.handlers.len();
        self.handlers.push(Box::new(Live));
        let settings_of_route = RouteSettings {
            heartbeat: Some(Live::HEARTBEAT),
            max_payload: Live::MAX_PAYLOAD,
            max_outbound: MAX_OUTBOUND,
            // Whoever does not read misses events, which are counted.
            overflow: Overflow::Pause,
            kind: Live::KIND,
            ..RouteSettings::default()
        };
        self.state.routes.push(RouteState {
            label: EVENTS_PATH.to_owned(),
            settings: settings_of_route,
            standing: Standing::Serving,
            ..RouteState::free()
        });
        self.state.control = Some(Box::new(Control {
            settings,
            route,
            subscribers: Subscribers::default(),
            history: History::default(),
            handler_times: HandlerTimes::default(),
            faults: Vec::new(),
            breakpoints: Vec::new(),
        }));
        self.state.note(|trace| trace.is_kept = true);
        self.find_endpoints();
    }

    /// The path of the control API, if it is on.
    pub(super) fn control_endpoint(&self) -> Option<(HttpEndpoint, usize)> {
        let control = self.state.control.as_ref()?;
        let endpoint = HttpEndpoint::post(PATH, MAX_BODY).tree().every_method();
        Some((endpoint, control.route))
    }

    /// How many connections are those of subscribers of live events.
    pub(super) fn subscribers(&self) -> usize {
        match (&self.state.control, self.phase) {
            (Some(control), ServerPhase::Serving) => self.state.connections.count_on(control.route),
            _ => 0,
        }
    }

    /// How many timers are theirs.
    pub(super) fn timers_of_subscribers(&self) -> usize {
        if self.subscribers() == 0 {
            return 0;
        }
        let theirs = self.state.connections.iter().filter(|connection| !self.is_client(connection));
        theirs.map(|connection| self.state.timers.count(connection.id())).sum()
    }

    /// Answers a request for a path of the control API; `None`: it is off, or the path is another one.
    pub(super) fn control_request(
        &mut self,
        now: Now,
        request: &Request<Bytes>,
        asker: Asker<'_>,
        effects: &mut Vec<Effect>,
    ) -> Option<Response<Bytes>> {
        if self.state.control.is_none() || !control::is_path(request.uri().path()) {
            return None;
        }
        let mut response = match self.admit_asker(now, request, asker.address, false, effects) {
            Ok(()) => self.operate(now, request, asker, effects),
            Err(refusal) => {
                let mut response = error(refusal.status, refusal.reason);
                response.headers_mut().extend(refusal.headers);
                response
            }
        };
        self.go_on(now, effects);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Some(response)
    }

    /// Takes the opening handshake of a subscriber.
    pub(super) fn subscribe(
        &mut self,
        now: Now,
        id: ConnectionId,
        request: Request<()>,
        address: Option<IpAddr>,
        effects: &mut Vec<Effect>,
    ) {
        match self.admit_subscriber(now, &request, address, effects) {
            Ok((route, handshake)) => {
                // The engine's random numbers are for what its clients see.
                self.enter(id, EVENTS_PATH.into(), route, &request, handshake, address);
                self.accept(now, id, Phase::Accepted, None, effects);
            }
            Err(refusal) => {
                let route = self.state.control.as_ref().map_or(usize::MAX, |control| control.route);
                self.note_refusal(now, route, EVENTS_PATH, || refused(&refusal), effects);
                refuse(id, refusal, effects);
            }
        }
    }

    fn admit_subscriber(
        &mut self,
        now: Now,
        request: &Request<()>,
        address: Option<IpAddr>,
        effects: &mut Vec<Effect>,
    ) -> Result<(usize, Handshake), Refusal> {
        let handshake = protocol::check(request)?;
        self.admit_asker(now, request, address, true, effects)?;
        let route = self.state.control.as_ref().map_or(usize::MAX, |control| control.route);
        let refuse = |reason| Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason));
        match self.phase {
            ServerPhase::Draining => refuse("the server is going down"),
            _ if self.state.connections.count_on(route) >= MOST => {
                refuse("16 are told live events already; close one of those connections")
            }
            ServerPhase::Serving => Ok((route, handshake)),
        }
    }

    fn admit_asker<T>(
        &mut self,
        now: Now,
        request: &Request<T>,
        address: Option<IpAddr>,
        query: bool,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !admits_host(&mut self.state, now, request, effects) {
            return Err(Refusal::new(StatusCode::FORBIDDEN, hosts::REASON));
        }
        match &self.state.control {
            Some(control) => control.settings.admit(request, address, query),
            None => Err(Refusal::of_status(StatusCode::NOT_FOUND)),
        }
    }

    fn operate(
        &mut self,
        now: Now,
        request: &Request<Bytes>,
        asker: Asker<'_>,
        effects: &mut Vec<Effect>,
    ) -> Response<Bytes> {
        if request.body().len() > MAX_BODY {
            let text = format!("the body has {} bytes, at most {MAX_BODY}", request.body().len());
            return error(StatusCode::PAYLOAD_TOO_LARGE, &text);
        }
        let asked = match operation::find(request.method(), request.uri().path()) {
            Ok(asked) => asked,
            Err((status, text, methods)) => {
                let mut response = error(status, &text);
                let allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
                if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", "))
                    && status == StatusCode::METHOD_NOT_ALLOWED
                {
                    response.headers_mut().insert(ALLOW, allowed);
                }
                return response;
            }
        };
        let query = match Query::read(asked.operation, request.uri().query()) {
            Ok(query) => query,
            Err(text) => return error(StatusCode::BAD_REQUEST, &text),
        };
        let done = match asked.operation {
            Operation::Server => self.view_server(now),
            Operation::Routes => self.view_routes(),
            Operation::Connections => self.view_connections(&query, asker),
            Operation::Connection => self.view_connection(&asked.name, asker),
            Operation::Messages => self.view_messages(&asked.name, &query),
            Operation::Rooms => self.view_rooms(&query),
            Operation::Presence => self.view_presence(now, &query, effects),
            Operation::Stats => self.view_stats(now, asker),
            Operation::Feeds => self.view_feeds(),
            Operation::Feed => self.view_feed(&asked.name, &query),
            Operation::Publish => self.publish_value(now, &asked.name, request.body(), effects),
            Operation::Send => self.send(now, request.body(), effects),
            Operation::Broadcast => self.broadcast(now, request.body(), effects),
            Operation::Close => self.close(now, request.body(), effects),
            Operation::Terminate => self.terminate(request.body(), effects),
            Operation::Faults => self.view_faults(),
            Operation::AddFaults => self.add_written_faults(now, request.body()),
            Operation::RemoveFaults => self.remove_named_faults(now, &asked.name, effects),
            Operation::ClearFaults => self.clear_all_faults(now, effects),
            Operation::Breakpoints => self.view_breakpoints(now),
            Operation::AddBreakpoint => self.add_written_breakpoint(now, request.body()),
            Operation::RemoveBreakpoint => self.remove_named_breakpoint(now, &asked.name, effects),
            Operation::ClearBreakpoints => done(self.remove_breakpoints(now, None, effects)),
            Operation::Held => self.view_held(now, &asked.name),
            Operation::DecideHeld => self.decide_named(now, &asked.name, request.body(), effects),
            Operation::DecideAllHeld => self.decide_all(now, request.body(), effects),
            Operation::Pause => self.pause(now, request.body()),
            Operation::Resume => self.resume(now, request.body()),
            Operation::Recordings => self.view_recordings(),
            Operation::Recording => self.send_recording(&asked.name),
            Operation::StartRecording => self.start_named_recording(now, request.body(), effects),
            Operation::StopRecording => self.stop_named_recording(now, &asked.name, effects),
            Operation::Clock => self.view_clock(now, asker.clock),
            Operation::MoveClock => move_clock(asker.clock, request.body()),
            Operation::Reset => self.reset(now, request.body(), effects),
            Operation::Events => Err((
                StatusCode::UPGRADE_REQUIRED,
                "this is a WebSocket; open it with ws:// or wss://".to_owned(),
            )),
        };
        done.unwrap_or_else(|(status, text)| error(status, &text))
    }

    /// Tells subscribers what happened, as far as they want to know and can take it, and keeps it for later ones.
    pub(super) fn tell_happenings(
        &mut self,
        now: Now,
        happenings: Vec<Happening>,
        effects: &mut Vec<Effect>,
    ) {
        let state = &mut self.state;
        let Some(control) = state.control.as_deref_mut() else { return };
        let at = now.wall.as_ms();
        let Control { subscribers, history, .. } = control;
        let reader = |id| state.connections.get(id).filter(|connection| connection.is_open());
        for subscriber in subscribers.iter_mut() {
            let has_room = reader(subscriber.id).map(|connection| !connection.inbox.is_outbox_full);
            if let Some(message) = subscriber.catch_up(now.instant, has_room.unwrap_or_default()) {
                effects.push(Effect::Send { to: Recipients::One(subscriber.id), message });
            }
        }
        for mut happening in happenings {
            let route = happening.route.and_then(|route| state.routes.get(route));
            let (label, pattern) = route.map_or(("", ""), |route| (&*route.label, route.identity.pattern()));
            let is_receiver = |name: &str| {
                let mut receivers = happening.receivers.iter().filter_map(|id| state.connections.get(*id));
                receivers.any(|connection| **connection.public_id() == *name)
            };
            let sequence = history.count();
            for subscriber in subscribers.iter_mut() {
                let Some(connection) = reader(subscriber.id) else { continue };
                let (id, has_room) = (subscriber.id, !connection.inbox.is_outbox_full);
                let wants = subscriber.subscription.wants(&happening, label, pattern, is_receiver);
                if wants && subscriber.takes(now.instant, has_room) {
                    let shown = subscriber.subscription.payload_bytes;
                    let message = happening.told(sequence, at, label, shown);
                    subscriber.note(now.instant, message.len());
                    effects.push(Effect::Send { to: Recipients::One(id), message });
                }
            }
            if matches!(happening.what, What::Control { .. }) {
                continue;
            }
            let names = history.names(happening.route, label, pattern);
            happening.shorten(MAX_PAYLOAD);
            let is_there =
                happening.peer.as_ref().is_some_and(|peer| state.connections.get(peer.id).is_some());
            history.keep(Kept::new(sequence, at, names, happening), is_there);
        }
    }
}

/// A result as JSON.
fn view(view: &impl Serialize) -> Result<Response<Bytes>, Failure> {
    let value = serde_json::to_value(view);
    let value = value.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(json_response(StatusCode::OK, &value))
}

fn error(status: StatusCode, text: &str) -> Response<Bytes> {
    let value = serde_json::to_value(ErrorView { error: text.to_owned() }).unwrap_or_default();
    json_response(status, &value)
}

fn bad_request(text: String) -> Failure {
    (StatusCode::BAD_REQUEST, text)
}

fn not_found(text: String) -> Failure {
    (StatusCode::NOT_FOUND, text)
}
