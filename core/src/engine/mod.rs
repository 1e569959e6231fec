//! All state of one server, and its two entry points: what happened, and what time it is.

mod admission;
mod closing;
mod cluster;
pub(crate) mod configuration;
pub(crate) mod control;
mod delivery;
mod external;
pub(crate) mod faults;
mod feeds;
mod files;
mod hosts;
mod opening;
mod outside;
mod reconfigure;
pub(crate) mod recording;
mod request;
mod sources;
mod ticking;
mod tracing;
mod unclaimed;
mod upgrade;
mod upstreams;

use std::collections::BTreeMap;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::SeedableRng;

use self::faults::{Faults, Numbers};
use crate::control::EVENTS_PATH;
use crate::feed::source::Source;
use crate::feed::{Feed, FeedSettings};
use crate::handler::command::{Command, CommandError};
use crate::handler::context::Context;
use crate::handler::{Handler, HandlerError};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::http_endpoint::HttpEndpoint;
use crate::interface::input::Input;
use crate::interface::stats::{ByteCounts, HandlerTime, Stats};
use crate::routing::route::RouteSettings;
use crate::routing::router::{Found, Router};
use crate::state::connection::Connection;
use crate::state::limits::Limits;
use crate::state::timers::Timer;
use crate::state::{Owner, RouteState, Standing, State};
use crate::time::{Instant, Now};

/// One route: its settings and its behaviour. It has the same index in the [`Router`] as among the routes.
pub struct Route {
    /// The settings.
    pub settings: RouteSettings,
    /// The behaviour.
    pub handler: Box<dyn Handler>,
}

/// Routes, connections, rooms and timers of one server.
///
/// Everything that happens goes in through [`handle_input`](Self::handle_input); what the host has to do comes out as
/// [`Effect`]s, in order. The host sleeps until [`poll_timeout`](Self::poll_timeout), which it reads again after every
/// call, and then calls [`handle_timeout`](Self::handle_timeout).
pub struct Engine {
    router: Router,
    /// The index of each route of the router. It is its place there until the engine is reconfigured.
    indices: Vec<usize>,
    /// By index.
    handlers: Vec<Box<dyn Handler>>,
    endpoints: Vec<(HttpEndpoint, Owner<usize>)>,
    /// `None` where there is no longer one.
    sources: Vec<Option<Source>>,
    state: State,
    phase: ServerPhase,
    /// What goes wrong on purpose, if anything does.
    faults: Option<Box<Faults>>,
    /// Of the faults that are added next. Stays when the others go: an id that was taken back never names later ones.
    next_fault_id: u64,
    /// Of the next breakpoint and the next message that one holds, while there are none.
    breakpoint_numbers: Numbers,
    /// Of the recording that is started next.
    next_recording_id: u64,
    /// Where recordings of the control API are written.
    recordings: String,
    seed: [u8; 32],
}

/// Whether the server takes connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerPhase {
    Serving,
    Draining,
}

impl Engine {
    /// A server of these routes, in the same order as in the router. All randomness, including the public ids, comes from
    /// `seed`.
    pub fn new(router: Router, routes: Vec<Route>, limits: Limits, seed: [u8; 32]) -> Self {
        let mut handlers = Vec::with_capacity(routes.len());
        let mut states = Vec::with_capacity(routes.len());
        for (place, Route { settings, handler }) in routes.into_iter().enumerate() {
            let settings = handler.settings(settings);
            handlers.push(handler);
            states.push(match router.key(place) {
                Some(key) => RouteState::new(key, settings, None),
                // Only a host that has found it by itself reaches it.
                None => RouteState { settings, standing: Standing::Serving, ..RouteState::free() },
            });
        }
        let state = State::new(states, limits, ChaCha8Rng::from_seed(seed));
        let indices = (0..handlers.len()).collect();
        let (endpoints, sources, phase) = (Vec::new(), Vec::new(), ServerPhase::Serving);
        let faults = None;
        let mut engine = Self {
            router,
            indices,
            handlers,
            endpoints,
            sources,
            state,
            phase,
            faults,
            next_fault_id: 0,
            breakpoint_numbers: Numbers::default(),
            next_recording_id: 0,
            recordings: "recordings".to_owned(),
            seed,
        };
        engine.find_endpoints();
        engine.take_route_faults(Now::default(), &mut Vec::new());
        engine.take_route_recordings(Now::default(), &mut Vec::new());
        let mut routes = engine.handlers.iter().zip(&engine.state.routes);
        if routes
            .any(|(handler, route)| handler.wants_preparation() || handler.warning(&route.settings).is_some())
            || !engine.router.warnings().is_empty()
        {
            engine.state.timers.set(Timer::Start, Instant::default());
        }
        engine
    }

    /// Adds a feed. If several have the same name, the first one counts.
    pub fn add_feed(&mut self, settings: FeedSettings) {
        self.state.feeds.push(Feed::new(settings));
    }

    /// Whether a route serves this path, which is without the query: for hosts that have to choose between several engines.
    pub fn serves(&self, path: &str) -> bool {
        let is_control = self.state.control.is_some() && path == EVENTS_PATH;
        is_control || matches!(self.router.find(path), Found::Route { .. })
    }

    /// The path or pattern that is served and nearest to a path that is not, if one is near enough to be meant.
    pub fn nearest(&self, path: &str) -> Option<String> {
        self.router.nearest(path)
    }

    /// Sets the port at which the server is found, which is the value of `${PORT}` in a configuration that left it open
    /// ([`Config::resolve_but_port`](crate::Config::resolve_but_port)). It applies to connections that open from now on.
    pub fn set_port(&mut self, port: u16) {
        self.state.port = Some(port);
    }

    /// Handles one event, and appends what the host has to do.
    pub fn handle_input(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        if self.state.is_observed {
            return self.observed_input(now, input, effects);
        }
        match input {
            Input::Upgrade { id, request, address } => self.upgrade(now, id, *request, address, effects),
            Input::Mounted { id, request, address, mounted } => {
                self.mounted(now, id, *request, address, *mounted, effects);
            }
            Input::Opened { id } => self.opened(now, id, effects),
            Input::Message { id, message } => self.message(now, id, message, effects),
            Input::Ping { id, payload } => self.ping(now, id, payload, effects),
            Input::Pong { id, payload } => self.pong(now, id, payload, effects),
            Input::CloseReceived { id, frame } => self.close_received(now, id, frame, effects),
            Input::Violated { id, violation } => self.violated(now, id, violation, effects),
            Input::Buffered { id, bytes } => self.buffered(now, id, bytes, effects),
            Input::Overflowed { id } => self.overflowed(now, id, effects),
            Input::Full { id } => self.full(now, id, effects),
            Input::Drained { id } => self.drained(now, id, effects),
            Input::Dropped { id, messages } => self.dropped(now, id, messages, effects),
            Input::Unsent { id, bytes } => self.unsent(now, id, bytes, effects),
            Input::Counted { id, counts } => self.counted_traffic(id, *counts),
            Input::Disconnected { id } => self.disconnected(now, id, effects),
            Input::Answer { call, answer } => self.answer(now, call, answer, effects),
            Input::Upstream { upstream, event } => self.upstream(now, upstream, event, effects),
            Input::Publish { feed, value } => self.publish(now, &feed, value, effects),
            Input::File { feed, file, content } => self.file_read(now, &feed, &file, content, effects),
            Input::FilePart { read, content } => self.file_part(now, read, content, effects),
            Input::Appended { file, bytes, result } => self.appended(now, &file, bytes, result, effects),
            Input::Backplane(input) => self.backplane(now, input, effects),
            Input::Shutdown { frame, grace } => self.shutdown(now, frame, grace, effects),
        }
        self.go_on(now, effects);
    }

    /// Carries out a command of user code at once, also while a hook of the connection is running.
    /// Before the connection has opened and after its last hook it does nothing; broadcasts of a connection that is closing
    /// still go out, so that a close hook can tell the others. Sending to a connection that is not open is
    /// [`CommandError::Closed`].
    pub fn command(
        &mut self,
        now: Now,
        id: ConnectionId,
        command: Command,
        effects: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        let connection = self.state.connections.get(id).filter(|connection| connection.has_opened());
        let Some(route) = connection.map(Connection::route) else {
            return match command {
                Command::Send(_) => Err(CommandError::Closed),
                _ => Ok(()),
            };
        };
        let start = effects.len();
        let done = Context { state: &mut self.state, effects, now, route, id: Some(id) }.apply(command);
        self.observe_effects(now, None, start, effects);
        done
    }

    /// Does what is due. Calling it early or repeatedly does nothing.
    pub fn handle_timeout(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let start = effects.len();
        self.tick(now, effects);
        self.observe_effects(now, None, start, effects);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called, unless something happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.state.timers.next()
    }

    /// How many connections there are, from their opening handshake to their last hook.
    pub fn connections(&self) -> usize {
        self.state.connections.len() - self.subscribers()
    }

    /// Statistics, to monitor a server and to find leaks.
    pub fn stats(&self) -> Stats {
        let state = &self.state;
        let waiting = state.connections.iter().map(|connection| connection.inbox.bytes() as u64).sum();
        let (upstream_waiting, upstream_queued) = state.upstreams.bytes();
        Stats {
            connections: self.connections(),
            rooms: state.routes.iter().map(|route| route.rooms.names().count()).sum(),
            timers: state.timers.len() - self.timers_of_subscribers(),
            calls: state.calls.len(),
            upstreams: state.upstreams.len(),
            client_bytes: ByteCounts { waiting, ..state.client_bytes },
            upstream_bytes: ByteCounts {
                waiting: upstream_waiting,
                queued: upstream_queued,
                ..state.upstream_bytes
            },
            dropped_messages: self.counted(|route| route.dropped_messages),
            contract_violations: self.counted(|route| route.contract_violations),
            recording_bytes: state.recorder.as_ref().map_or(0, |recorder| recorder.waiting()),
            mismatches: self.counted(|route| route.mismatches),
            cluster: self.cluster_view(),
            handler_time: None,
        }
    }

    /// How long calls of user code took that ended in the last minute, if the control API is on.
    pub fn handler_time(&self, now: Now) -> Option<HandlerTime> {
        Some(self.state.control.as_ref()?.handler_times.summary(now.wall))
    }

    /// What was counted on routes, by their patterns.
    fn counted(&self, count: impl Fn(&RouteState) -> u64) -> BTreeMap<String, u64> {
        let mut by_pattern = BTreeMap::new();
        for (route, count) in self.state.routes.iter().map(|route| (route, count(route))) {
            if count > 0 {
                // Several routes may have the same pattern.
                *by_pattern.entry(route.label.clone()).or_default() += count;
            }
        }
        by_pattern
    }

    /// Whether nothing would be lost with it but what is counted since the start: there is no connection, no call, no
    /// upstream, no feed, no fault that was added, no breakpoint, and no recording that was started.
    pub fn is_empty(&self) -> bool {
        let state = &self.state;
        state.connections.len() == 0
            && state.calls.is_empty()
            && state.upstreams.len() == 0
            && state.feeds.is_empty()
            && self.added_faults() == 0
            && !self.has_breakpoints()
            && !self.has_started_recordings()
    }

    /// A connection, from its opening handshake to its last hook.
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.state.connections.get(id)
    }

    /// How many timers are armed for a connection.
    pub fn timers(&self, id: ConnectionId) -> usize {
        self.state.timers.count(id)
    }

    /// Runs one method of a connection's handler. A panic costs no more than an error would.
    fn run<T>(
        &mut self,
        now: Now,
        route: usize,
        id: Option<ConnectionId>,
        effects: &mut Vec<Effect>,
        method: impl FnOnce(&mut dyn Handler, &mut Context<'_>) -> Result<T, HandlerError>,
    ) -> Result<T, HandlerError> {
        let Some(handler) = self.handlers.get_mut(route) else {
            return Err("the route has no handler".into());
        };
        let mut context = Context { state: &mut self.state, effects, now, route, id };
        let run = std::panic::AssertUnwindSafe(|| method(handler.as_mut(), &mut context));
        std::panic::catch_unwind(run).unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(format!("the handler panicked: {message}").into())
        })
    }
}
