//! The state behind the host's lock: the engine, and how its effects are carried out.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use switchboard_core::cluster::ClusterSettings;
use switchboard_core::control::SocketCounts;
use switchboard_core::protocol::{Burst, Refusal};
use switchboard_core::recording::RecordSettings;
use switchboard_core::time::{Instant, Now};
use switchboard_core::{
    Accept, Answer, Asker, CallId, Command, CommandError, ConfigError, Configuration, Connection,
    ConnectionId, ConnectionIds, Damage, Effect, Engine, FaultId, FaultList, FaultScope, HandlerResult, Hook,
    Input, Level, Message, Recipients, Reconfiguration, ReconfigureError, RecordingId, RouteCommand, Stats,
    UpstreamId,
};
use tokio::sync::oneshot;

use crate::cluster::BackplaneOrders;
use crate::flush::sending::{Ending, Fill, Sending};
use crate::flush::sending_half::SendingHalf;
use crate::host::after_turn::{AfterTurn, WantedPart};
use crate::host::appender::Appender;
use crate::host::user_code::{Called, UserCode};
use crate::upstream::{Dialled, Orders};

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

    /// Carries out all effects, and those of the inputs that they cause.
    pub(crate) fn carry_out(&mut self, now: Now, after: &mut AfterTurn) {
        let mut effects = std::mem::take(&mut self.effects);
        loop {
            let mut drained = effects.drain(..).peekable();
            while let Some(effect) = drained.next() {
                match effect {
                    Effect::Send { to, message } => {
                        let burst = Effect::gather(&to, message, &mut drained);
                        self.send(&to, burst, after);
                    }
                    other => self.perform(other, after),
                }
            }
            drop(drained);
            if self.inputs.is_empty() {
                break;
            }
            for input in self.inputs.drain(..) {
                self.engine.handle_input(now, input, &mut effects);
            }
        }
        self.effects = effects;
        let next = self.engine.poll_timeout();
        after.is_alarm_earlier = match (next, self.alarm) {
            (Some(next), Some(alarm)) => next < alarm,
            (next, None) => next.is_some(),
            (None, Some(_)) => false,
        };
        if after.is_alarm_earlier {
            self.alarm = next;
        }
    }

    fn perform(&mut self, effect: Effect, after: &mut AfterTurn) {
        match effect {
            Effect::Send { to, message } => self.send(&to, Burst::new(message, to.len()), after),
            Effect::SendDamaged { id, message, damage } => self.send_damaged(id, &message, damage, after),
            Effect::Ping { id, payload } => self.touch(id, after, |socket| socket.ping(&payload)),
            Effect::Pong { id, payload } => self.touch(id, after, |socket| socket.pong(&payload)),
            Effect::Close { id, frame } => self.touch(id, after, |socket| socket.close(frame.as_ref())),
            Effect::Disconnect { id } => self.touch(id, after, |socket| socket.end(Ending::Disconnect)),
            Effect::ReportUnsent { id } => {
                let bytes = self.socket(id).map_or(0, |socket| socket.unsent_bytes());
                self.inputs.push(Input::Unsent { id, bytes });
            }
            Effect::Terminate { id } => {
                self.decide(id, UpgradeAnswer::Terminate, after);
                self.touch(id, after, |socket| socket.end(Ending::Terminate));
            }
            Effect::Pause { id } => self.touch(id, after, |socket| socket.set_paused(true)),
            Effect::Resume { id } => self.touch(id, after, |socket| socket.set_paused(false)),
            Effect::Accept(accept) => self.decide(accept.id, UpgradeAnswer::Accept(accept), after),
            Effect::Refuse { id, refusal } => {
                self.decide(id, UpgradeAnswer::Refuse(*refusal), after);
                self.ids.release(id);
            }
            Effect::Ignore { id } => {
                self.decide(id, UpgradeAnswer::Ignore, after);
                self.ids.release(id);
            }
            Effect::Call { call, id, route, hook } => self.call(call, id, route, hook, after),
            Effect::CancelCall { call, .. } => drop(self.running.remove(&call)),
            Effect::Dial { upstream, dial } => {
                let (orders, dialled) = Dialled::new(upstream, dial);
                self.upstreams.insert(upstream, orders);
                after.dials.push(dialled);
            }
            Effect::SendUpstream { upstream, message } => {
                self.order(upstream, |orders| orders.send(message));
            }
            Effect::PauseUpstream { upstream } => self.order(upstream, |orders| orders.set_paused(true)),
            Effect::ResumeUpstream { upstream } => self.order(upstream, |orders| orders.set_paused(false)),
            Effect::CloseUpstream { upstream, frame } => {
                self.order(upstream, |orders| orders.close(frame));
            }
            Effect::TerminateUpstream { upstream } => {
                self.upstreams.remove(&upstream);
            }
            Effect::ReadFile { feed, file } => after.files.push((feed, file)),
            Effect::ReadFilePart { read, file, offset, length } => {
                after.parts.push(WantedPart { read, file, offset, length });
            }
            Effect::AppendFile { file, bytes } => {
                // Under the lock, so that what two threads have to append stays in order.
                after.appendings.extend(self.appender.append(file, bytes));
            }
            Effect::Removed { id } => {
                self.remove(id);
                self.user_code.forget(id);
                self.ids.release(id);
                after.is_empty |= self.engine.connections() == 0;
            }
            // No engine of this host takes part in a cluster yet.
            Effect::Backplane(effect) => {
                // Under the lock, so that what two threads publish stays in order.
                if let Some(orders) = &self.backplane {
                    orders.give(effect);
                }
            }
            Effect::Log { level, text } => after.log.push((level, text)),
        }
    }

    fn send(&mut self, to: &Recipients, mut burst: Burst, after: &mut AfterTurn) {
        for &id in to.iter() {
            if let Some(socket) = self.socket(id) {
                let (fill, dropped) = socket.send(&mut burst, &mut after.touched);
                self.filled(id, fill, dropped);
            }
        }
    }

    fn send_damaged(&mut self, id: ConnectionId, message: &Message, damage: Damage, after: &mut AfterTurn) {
        if let Some(socket) = self.socket(id) {
            let mut sent = (Fill::HasRoom, 0);
            socket.change(&mut after.touched, |socket| sent = socket.send_damaged(message, damage));
            self.filled(id, sent.0, sent.1);
        }
    }

    /// Tells the engine what a message has made of an outbox.
    fn filled(&mut self, id: ConnectionId, fill: Fill, dropped: usize) {
        match fill {
            Fill::HasRoom => {}
            Fill::Full => self.inputs.push(Input::Full { id }),
            Fill::Overflowed => self.inputs.push(Input::Overflowed { id }),
        }
        if dropped > 0 {
            self.inputs.push(Input::Dropped { id, messages: dropped });
        }
    }

    /// Runs a callback. If there is none, the answer is an input like any other, so that many calls in a row do not recurse.
    fn call(&mut self, call: CallId, id: ConnectionId, route: usize, hook: Hook, after: &mut AfterTurn) {
        let connection = self.engine.connection(id);
        let (kind, name) = (hook.kind(), hook.name());
        if let Some(prepared) =
            connection.and_then(|connection| self.user_code.prepare(route, connection, hook))
        {
            let (running, stopped) = oneshot::channel();
            self.running.insert(call, running);
            return after.calls.push(Called { call, id, name, prepared, stopped });
        }
        if self.is_told.insert(route) {
            let path = connection.map(Connection::path).unwrap_or_default();
            let text = format!(
                "the handler of {path} calls for {}, but its route has no callbacks: give it some with \
                 Endpoint::with_callbacks or Builder::callbacks",
                kind.name()
            );
            after.log.push((Level::Error, text));
        }
        let answer = Answer::Failed { error: "the route has no callbacks".into() };
        self.inputs.push(Input::Answer { call, answer });
    }

    fn touch(&self, id: ConnectionId, after: &mut AfterTurn, act: impl FnOnce(&mut Sending)) {
        if let Some(socket) = self.socket(id) {
            socket.change(&mut after.touched, act);
        }
    }

    fn decide(&mut self, id: ConnectionId, decision: UpgradeAnswer, after: &mut AfterTurn) {
        if let Some(sender) = self.openings.remove(&id) {
            after.decisions.push((sender, decision));
        }
    }

    /// Tells an outgoing connection something.
    fn order(&self, upstream: UpstreamId, tell: impl FnOnce(&Orders)) {
        if let Some(orders) = self.upstreams.get(&upstream) {
            tell(orders);
        }
    }

    fn socket(&self, id: ConnectionId) -> Option<&Arc<SendingHalf>> {
        self.sockets.get(id.slot())?.as_ref().filter(|socket| socket.id() == id)
    }
}
