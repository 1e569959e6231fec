//! Everything the engine knows except the handlers, so that a handler can be given the rest.
//!
//! One file for each thing that is kept: connections, rooms, timers, what waits. Nothing here calls a handler.

mod answers;
pub(crate) mod calls;
pub(crate) mod close_wait;
pub(crate) mod cluster_node;
pub(crate) mod connection;
pub(crate) mod connections;
mod contracts;
pub(crate) mod delivery;
pub(crate) mod heartbeat;
pub(crate) mod id_hash;
pub(crate) mod inbox;
pub(crate) mod incomplete;
pub(crate) mod limits;
pub(crate) mod log_throttle;
mod members;
pub(crate) mod rate;
mod reads;
mod retiming;
pub(crate) mod rooms;
pub(crate) mod stored_request;
pub(crate) mod timers;
pub(crate) mod trace;
pub(crate) mod upstreams;

use std::collections::HashMap;
use std::sync::Arc;

use chacha20::ChaCha8Rng;
use http::StatusCode;

use crate::control::Control;
use crate::fault::FaultList;
use crate::feed::Feed;
use crate::history::History;
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::hook::CallId;
use crate::interface::stats::ByteCounts;
use crate::message::{CloseCode, CloseFrame};
use crate::recording::recorder::Recorder;
use crate::routing::hosts::Hosts;
use crate::routing::route::RouteSettings;
use crate::routing::route_key::{RouteIdentity, RouteKey};
use crate::state::answers::Answers;
use crate::state::calls::Call;
use crate::state::close_wait::CloseWait;
use crate::state::cluster_node::Membership;
use crate::state::connection::{Closure, Connection, Phase};
use crate::state::connections::Connections;
use crate::state::delivery::Delivery;
use crate::state::inbox::Pause;
use crate::state::incomplete::IncompleteMessages;
use crate::state::limits::Limits;
use crate::state::log_throttle::LogThrottle;
use crate::state::reads::Reads;
use crate::state::rooms::Rooms;
use crate::state::timers::{Timer, Timers};
use crate::state::trace::Trace;
use crate::state::upstreams::Upstreams;
use crate::time::Now;

/// The engine without its handlers.
pub(crate) struct State {
    pub(crate) connections: Connections,
    pub(crate) routes: Vec<RouteState>,
    pub(crate) timers: Timers,
    pub(crate) limits: Limits,
    /// The names under which pages may reach the server.
    pub(crate) hosts: Hosts,
    pub(crate) random: ChaCha8Rng,
    pub(crate) calls: HashMap<CallId, Call>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) log_throttle: LogThrottle,
    /// What a debug log and those who are told live events learn next; `None` while there are none.
    pub(crate) trace: Option<Trace>,
    /// What is recorded, if anything is.
    pub(crate) recorder: Option<Box<Recorder>>,
    /// Whether anything goes wrong on purpose.
    pub(crate) has_faults: bool,
    /// Whether inputs and effects are looked at on their way.
    pub(crate) is_observed: bool,
    /// The cluster, if this server is a node of one.
    pub(crate) cluster: Option<Membership>,
    /// The control API, if it is on.
    pub(crate) control: Option<Box<Control>>,
    pub(crate) upstreams: Upstreams,
    /// What handlers are to deliver of the histories of their routes.
    pub(crate) deliveries: Vec<Delivery>,
    /// Connections whose inbox or whose outgoing connections may go on.
    pub(crate) due: Vec<ConnectionId>,
    /// Answers to opening handshakes that handlers have delayed.
    pub(crate) delayed: Vec<(ConnectionId, DelayedAnswer)>,
    /// Whether the handler that runs leaves the answer to an opening handshake for later.
    pub(crate) is_postponed: bool,
    /// Parts of files that handlers wait for.
    pub(crate) reads: Reads,
    /// Faults that handlers want for connections.
    pub(crate) wanted_faults: Vec<(ConnectionId, FaultList)>,
    /// What readers hold.
    pub(crate) incomplete: IncompleteMessages,
    /// What passed between the server and its clients.
    pub(crate) client_bytes: ByteCounts,
    /// What passed on outgoing connections.
    pub(crate) upstream_bytes: ByteCounts,
    /// The call whose answer is being handled.
    pub(crate) answered: Option<CallId>,
    /// The stack of what that call threw, until it is logged.
    pub(crate) stack: Option<String>,
    /// The port at which the server is found.
    pub(crate) port: Option<u16>,
    /// What the handling of a client's messages has sent to it.
    pub(crate) answers: Answers,
    /// Whether any route has a contract.
    pub(crate) has_contracts: bool,
    /// Whether a handler is being told of an error: what it tells the client of it is no message of a contract.
    pub(crate) tells_error: bool,
    next_call: u64,
}

/// The answer to an opening handshake: 101 with a subprotocol if there is one, or an HTTP status.
pub(crate) type DelayedAnswer = Result<Option<Arc<str>>, StatusCode>;

/// What a plain HTTP path or an outgoing connection belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner<T> {
    /// A handler: the one of a route, or on behalf of a connection.
    Handler(T),
    /// A feed's source, by its index.
    Source(usize),
}

/// One route without its handler.
pub(crate) struct RouteState {
    pub(crate) identity: RouteIdentity,
    /// Its pattern with its first prefix.
    pub(crate) label: String,
    pub(crate) settings: RouteSettings,
    /// What distinguishes it from its earlier configurations, if that is known.
    pub(crate) fingerprint: Option<u64>,
    pub(crate) standing: Standing,
    pub(crate) rooms: Rooms,
    /// What was said in its rooms lately, if that is kept.
    pub(crate) history: Option<Box<History>>,
    /// How many messages the outboxes of its connections dropped since the start.
    pub(crate) dropped_messages: u64,
    /// How many messages broke its contract since the start.
    pub(crate) contract_violations: u64,
    /// How many messages of clients were not what its recording or scenario expects, since the start.
    pub(crate) mismatches: u64,
}

/// Whether a route is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is served.
    Serving,
    /// It is no longer served, and its last connections are closing.
    Retired,
    /// Nothing refers to its index any more.
    Free,
}

impl RouteState {
    /// A route that is served and has no connections.
    pub(crate) fn new(key: &RouteKey, settings: RouteSettings, fingerprint: Option<u64>) -> Self {
        let history = settings.history.map(|settings| Box::new(History::new(settings)));
        Self {
            identity: key.identity(),
            label: key.label(),
            settings,
            history,
            fingerprint,
            standing: Standing::Serving,
            rooms: Rooms::default(),
            dropped_messages: 0,
            contract_violations: 0,
            mismatches: 0,
        }
    }

    /// The place of a route that is gone.
    pub(crate) fn free() -> Self {
        Self {
            identity: RouteIdentity::default(),
            label: String::new(),
            settings: RouteSettings::default(),
            fingerprint: None,
            standing: Standing::Free,
            rooms: Rooms::default(),
            history: None,
            dropped_messages: 0,
            contract_violations: 0,
            mismatches: 0,
        }
    }
}

impl State {
    pub(crate) fn new(routes: Vec<RouteState>, limits: Limits, random: ChaCha8Rng) -> Self {
        let has_contracts = routes.iter().any(|route| route.settings.contract.is_some());
        Self {
            connections: Connections::default(),
            routes,
            timers: Timers::default(),
            limits,
            hosts: Hosts::default(),
            random,
            calls: HashMap::new(),
            feeds: Vec::new(),
            log_throttle: LogThrottle::default(),
            trace: None,
            recorder: None,
            has_faults: false,
            is_observed: false,
            cluster: None,
            control: None,
            upstreams: Upstreams::default(),
            deliveries: Vec::new(),
            due: Vec::new(),
            delayed: Vec::new(),
            is_postponed: false,
            reads: Reads::default(),
            wanted_faults: Vec::new(),
            incomplete: IncompleteMessages::default(),
            client_bytes: ByteCounts::default(),
            upstream_bytes: ByteCounts::default(),
            answered: None,
            stack: None,
            port: None,
            answers: Answers::default(),
            has_contracts,
            tells_error: false,
            next_call: 0,
        }
    }

    /// Switches on or off what is noted.
    pub(crate) fn note(&mut self, switch: impl FnOnce(&mut Trace)) {
        let trace = self.trace.get_or_insert_default();
        switch(trace);
        if trace.is_idle() {
            self.trace = None;
        }
        self.update_observation();
    }

    /// What passes is looked at on its way where it is noted, and where there are faults.
    pub(crate) fn update_observation(&mut self) {
        self.is_observed = self.trace.is_some() || self.has_faults;
    }

    /// A client is about to be refused: why, and what to change, for those who are told of it.
    pub(crate) fn explain(&mut self, id: ConnectionId, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.explanations.push((id, text()));
        }
    }

    /// A connection, and where it is noted what happens to it; `None` when nobody wants to know.
    pub(crate) fn traced(&mut self, id: ConnectionId) -> Option<(&mut Trace, &Connection)> {
        let trace = self.trace.as_mut()?;
        let connection = self.connections.get(id)?;
        // Whoever is told what happens is not told about itself.
        let is_told = self.control.as_ref().is_some_and(|control| control.route == connection.route);
        (!is_told).then_some((trace, connection))
    }

    /// Sends a close frame, if the connection is open, and starts waiting for the client's.
    pub(crate) fn start_closing(
        &mut self,
        id: ConnectionId,
        frame: Option<CloseFrame>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.connections.get(id).filter(|connection| connection.is_open()) else {
            return;
        };
        let was_paused = connection.inbox.pause.is_on();
        let seen = frame.clone().unwrap_or_else(|| CloseFrame::new(CloseCode::NO_STATUS, ""));
        self.end(id, Closure::new(seen, CloseCause::Server));
        self.await_close(id, now);
        effects.push(Effect::Close { id, frame });
        // The client's own close frame has to be read.
        if was_paused && let Some(connection) = self.connections.get_mut(id) {
            connection.inbox.pause = Pause::default();
            effects.push(Effect::Resume { id });
        }
    }

    /// Ends an open connection without a close frame, when what is queued is written.
    pub(crate) fn disconnect(&mut self, id: ConnectionId, now: Now, effects: &mut Vec<Effect>) {
        if !self.connections.get(id).is_some_and(Connection::is_open) {
            return;
        }
        let frame = CloseFrame::new(CloseCode::ABNORMAL, "");
        self.end(id, Closure::new(frame, CloseCause::Server));
        self.await_close(id, now);
        effects.push(Effect::Disconnect { id });
    }

    /// Gives a connection that is being closed the whole close timeout.
    pub(crate) fn await_close(&mut self, id: ConnectionId, now: Now) {
        let timeout = self.limits.close_timeout;
        let check = match self.connections.get_mut(id).map(|connection| &mut connection.phase) {
            Some(Phase::Closing(closure)) => {
                let wait = closure.wait.get_or_insert_with(|| CloseWait::new(now.instant, timeout));
                wait.restart(now.instant);
                wait.next_check(now.instant)
            }
            _ => now.instant + timeout,
        };
        self.timers.set(Timer::Closing(id), check);
    }

    /// The same, as if it began to close only now.
    pub(crate) fn await_close_anew(&mut self, id: ConnectionId, now: Now) {
        if let Some(Phase::Closing(closure)) =
            self.connections.get_mut(id).map(|connection| &mut connection.phase)
        {
            closure.wait = None;
        }
        self.await_close(id, now);
    }

    /// Drops an accepted connection, whatever its state, without waiting for anything.
    pub(crate) fn terminate(&mut self, id: ConnectionId, cause: CloseCause, effects: &mut Vec<Effect>) {
        match self.connections.get(id).map(|connection| &connection.phase) {
            Some(Phase::Open) => {
                let frame = CloseFrame::new(CloseCode::ABNORMAL, "");
                self.end(id, Closure::new(frame, cause));
            }
            Some(Phase::Accepted | Phase::Closing(_) | Phase::Refusing(_)) => {}
            _ => return,
        }
        effects.push(Effect::Terminate { id });
    }

    /// The only way out of `Open`: from here on nothing is sent to the connection, and its timers are off.
    pub(crate) fn end(&mut self, id: ConnectionId, closure: Box<Closure>) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if closure.cause == CloseCause::Server {
            connection.inbox.clear();
        }
        if let Some(trace) = &mut self.trace
            && self.control.as_ref().is_none_or(|control| control.route != connection.route)
        {
            trace.closed(connection, &closure);
        }
        connection.phase = Phase::Closing(closure);
        // Nothing is sent to it any more: what it has said does not have to wait for its outbox.
        if std::mem::take(&mut connection.inbox.pause.outbox) {
            self.due.push(id);
        }
        let route = connection.route;
        self.let_answer(id);
        self.incomplete.set(id, 0);
        self.timers.cancel_all(id);
        if let Some(connection) = self.connections.get(id) {
            self.routes[route].rooms.exit(id, connection.rooms());
            if let Some(history) = &mut self.routes[route].history {
                history.forget(id);
            }
        }
        if self.cluster.is_some() {
            self.has_left_all(id, route);
        }
    }
}
