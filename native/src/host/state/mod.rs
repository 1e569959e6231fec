//! The state behind the host's lock: the engine, and the sockets and tasks that its effects are for.

mod effects;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use switchboard_core::cluster::ClusterSettings;
use switchboard_core::control::SocketCounts;
use switchboard_core::protocol::Refusal;
use switchboard_core::recording::RecordSettings;
use switchboard_core::time::{Instant, Now};
use switchboard_core::{
    Accept, Asker, CallId, Command, CommandError, ConfigError, Configuration, ConnectionId, ConnectionIds,
    Effect, Engine, FaultId, FaultList, FaultScope, HandlerResult, Input, Reconfiguration, ReconfigureError,
    RecordingId, RouteCommand, Stats, UpstreamId,
};
use tokio::sync::oneshot;

use crate::cluster::BackplaneOrders;
use crate::flush::sending_half::SendingHalf;
use crate::host::appender::Appender;
use crate::host::user_code::UserCode;
use crate::upstream::Orders;

/// What the engine decided about an opening handshake.
pub(crate) enum UpgradeAnswer {
    /// Answer 101.
    Accept(Box<Accept>),
    /// Answer with this refusal.
    Refuse(Refusal),
    /// The path is not this server's.
    Ignore,
    /// Close the transport without an answer.
    Terminate,
}

/// The engine with the sockets that its effects are for.
pub(crate) struct HostState {
    engine: Engine,
    ids: ConnectionIds,
    /// By slot, so that a broadcast walks one vector.
    sockets: Vec<Option<Arc<SendingHalf>>>,
    openings: HashMap<ConnectionId, oneshot::Sender<UpgradeAnswer>>,
    /// The connections that the server opened itself.
    upstreams: HashMap<UpstreamId, Orders>,
    appender: Appender,
    /// To the task that has the link to the broker of a cluster.
    backplane: Option<BackplaneOrders>,
    user_code: Arc<dyn UserCode>,
    /// Routes without callbacks whose handler called one, which was logged.
    is_told: HashSet<usize>,
    /// The callbacks that are running; dropping an entry stops its callback.
    running: HashMap<CallId, oneshot::Sender<()>>,
    effects: Vec<Effect>,
    /// Inputs that carrying out effects has caused.
    inputs: Vec<Input>,
    /// The time until which the deadline task sleeps.
    alarm: Option<Instant>,
}

impl HostState {
    pub(crate) fn new(engine: Engine, user_code: Arc<dyn UserCode>) -> Self {
        Self {
            engine,
            ids: ConnectionIds::default(),
            sockets: Vec::new(),
            openings: HashMap::new(),
            appender: Appender::default(),
            backplane: None,
            upstreams: HashMap::new(),
            user_code,
            is_told: HashSet::new(),
            running: HashMap::new(),
            effects: Vec::new(),
            inputs: Vec::new(),
            alarm: None,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Statistics, including what the sockets' codecs hold.
    pub(crate) fn stats(&self, now: Now) -> Stats {
        let mut stats = self.engine.stats();
        stats.handler_time = self.engine.handler_time(now);
        if let (Some(cluster), Some(orders)) = (&mut stats.cluster, &self.backplane) {
            cluster.unsent += orders.unsent();
        }
        for socket in self.sockets.iter().flatten() {
            stats.client_bytes.undecoded += socket.undecoded_bytes() as u64;
            stats.client_bytes.queued += socket.queued_bytes() as u64;
        }
        stats
    }

    /// A new id, and the decision about it to wait for.
    pub(crate) fn expect_decision(&mut self, sender: oneshot::Sender<UpgradeAnswer>) -> ConnectionId {
        let id = self.ids.allocate();
        self.openings.insert(id, sender);
        id
    }

    pub(crate) fn handle_input(&mut self, now: Now, input: Input) {
        match &input {
            Input::Upstream { upstream, event } if event.is_last() => drop(self.upstreams.remove(upstream)),
            Input::Answer { call, .. } => drop(self.running.remove(call)),
            _ => {}
        }
        self.engine.handle_input(now, input, &mut self.effects);
    }

    pub(crate) fn request(
        &mut self,
        now: Now,
        request: &http::Request<Bytes>,
        address: Option<IpAddr>,
    ) -> Option<http::Response<Bytes>> {
        let sockets = |id: ConnectionId| {
            let socket =
                self.sockets.get(id.slot()).and_then(Option::as_ref).filter(|socket| socket.id() == id);
            socket.map_or_else(SocketCounts::default, |socket| socket.counts())
        };
        let asker = Asker { address, sockets: &sockets, ..Asker::default() };
        self.engine.request_from(now, request, asker, &mut self.effects)
    }

    pub(crate) fn admits_address(&mut self, now: Now, address: IpAddr, others: usize) -> bool {
        self.engine.admits_address(now, address, others, &mut self.effects)
    }

    pub(crate) fn refuse_host<T>(
        &mut self,
        now: Now,
        request: &http::Request<T>,
    ) -> Option<http::Response<Bytes>> {
        self.engine.refuse_host(now, request, &mut self.effects)
    }

    pub(crate) fn reconfigure(
        &mut self,
        now: Now,
        configuration: Configuration,
    ) -> Result<Reconfiguration, ReconfigureError> {
        self.engine.reconfigure(now, configuration, &mut self.effects)
    }

    pub(crate) fn add_faults(
        &mut self,
        now: Now,
        scope: FaultScope,
        faults: FaultList,
    ) -> Result<FaultId, ConfigError> {
        self.engine.add_faults(now, scope, faults, &mut self.effects)
    }

    pub(crate) fn remove_faults(&mut self, now: Now, id: FaultId) -> bool {
        self.engine.remove_faults(now, id, &mut self.effects)
    }

    pub(crate) fn clear_faults(&mut self, now: Now) {
        self.engine.clear_faults(now, &mut self.effects);
    }

    pub(crate) fn start_recording(
        &mut self,
        now: Now,
        settings: &RecordSettings,
        pattern: Option<&str>,
    ) -> Result<RecordingId, ConfigError> {
        self.engine.start_recording(now, settings, pattern, &mut self.effects)
    }

    pub(crate) fn stop_recording(&mut self, now: Now, id: RecordingId) -> Option<Arc<str>> {
        self.engine.stop_recording(now, id, &mut self.effects)
    }

    pub(crate) fn join_cluster(
        &mut self,
        now: Now,
        settings: ClusterSettings,
        incarnation: u64,
        orders: BackplaneOrders,
    ) {
        self.backplane = Some(orders);
        self.engine.join_cluster(now, settings, incarnation);
    }

    pub(crate) fn leave_cluster(&mut self, now: Now) {
        self.engine.leave_cluster(now, &mut self.effects);
    }

    pub(crate) fn appender(&self) -> &Appender {
        &self.appender
    }

    pub(crate) fn handle_timeout(&mut self, now: Now) {
        self.engine.handle_timeout(now, &mut self.effects);
    }

    pub(crate) fn command(
        &mut self,
        now: Now,
        id: ConnectionId,
        command: Command,
    ) -> Result<(), CommandError> {
        self.engine.command(now, id, command, &mut self.effects)
    }

    pub(crate) fn route_command(
        &mut self,
        now: Now,
        route: usize,
        command: RouteCommand,
    ) -> Result<usize, CommandError> {
        self.engine.route_command(now, route, command, &mut self.effects)
    }

    pub(crate) fn dialect_command(
        &mut self,
        now: Now,
        route: usize,
        id: Option<ConnectionId>,
        name: &str,
        payload: Value,
    ) -> HandlerResult {
        self.engine.dialect_command(now, route, id, name, payload, &mut self.effects)
    }

    /// Adds a socket, unless the engine has removed its connection meanwhile, so that the slot may be another one's.
    pub(crate) fn add(&mut self, socket: Arc<SendingHalf>) -> bool {
        let slot = socket.id().slot();
        if self.engine.connection(socket.id()).is_none() {
            return false;
        }
        if self.sockets.len() <= slot {
            self.sockets.resize(slot + 1, None);
        }
        self.sockets[slot] = Some(socket);
        true
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) {
        self.openings.remove(&id);
        if self.socket(id).is_some() {
            self.sockets[id.slot()] = None;
        }
    }

    /// The transport of a connection is gone.
    pub(crate) fn disconnected(&mut self, now: Now, id: ConnectionId) {
        if self.engine.has_control()
            && let Some(counts) = self.socket(id).map(|socket| Box::new(socket.counts()))
        {
            self.handle_input(now, Input::Counted { id, counts });
        }
        self.remove(id);
        self.user_code.gone(id);
        self.handle_input(now, Input::Disconnected { id });
    }

    /// The time until which the deadline task has to sleep.
    pub(crate) fn set_alarm(&mut self) -> Option<Instant> {
        self.alarm = self.engine.poll_timeout();
        self.alarm
    }

    fn socket(&self, id: ConnectionId) -> Option<&Arc<SendingHalf>> {
        self.sockets.get(id.slot())?.as_ref().filter(|socket| socket.id() == id)
    }
}
