//! The engine and its connections' codecs: everything of a server but its sockets.

mod effects;
mod flush;
mod reading;

use std::net::IpAddr;

use bytes::Bytes;
use serde_json::Value;
use switchboard_core::config::EndpointInfo;
use switchboard_core::control::{HostClock, SocketCounts};
use switchboard_core::protocol::{Burst, Event};
use switchboard_core::recording::RecordSettings;
use switchboard_core::time::Now;
use switchboard_core::{
    Asker, Command, CommandError, ConfigError, ConnectionId, ConnectionIds, Effect, Engine, FaultId,
    FaultList, FaultScope, Input, Recipients, Reconfiguration, RecordingId, RouteCommand, Stats,
};

use crate::batch::Batch;
use crate::peer::Peer;
use crate::request;
use crate::schedule::Schedule;
use crate::setup::{Facts, Plan, Server};

/// Everything of one server but its sockets.
///
/// Inputs only collect what is to be done; [`turn`](Self::turn) packs it for JavaScript, with one write per touched
/// socket, however many messages it was sent since the turn before, and with a stretch of the sockets at a time.
pub(crate) struct Host {
    engine: Engine,
    facts: Facts,
    /// How many routes there were at the start.
    routes: usize,
    /// How many of those, the first ones, JavaScript does not know of.
    from_environment: usize,
    ids: ConnectionIds,
    /// Connections that are over, which JavaScript learns with the next batch: until it has read that, it knows another
    /// one by none of their slots.
    over: Vec<ConnectionId>,
    /// Those of the batch that JavaScript reads now.
    read_over: Vec<ConnectionId>,
    /// The latest upgrade is for somebody else.
    is_foreign: bool,
    /// By slot.
    peers: Vec<Option<Box<Peer>>>,
    pub(crate) now: Now,
    pub(crate) batch: Batch,
    effects: Vec<Effect>,
    events: Vec<Event>,
    schedule: Schedule,
    /// Connections whose outboxes were full and no longer are.
    drained: Vec<ConnectionId>,
    /// Whose readers go on in the next round of JavaScript's loop.
    undecoded: Vec<ConnectionId>,
    /// What was sent last: more may come for the same receivers, also from another hook.
    burst: Option<(Recipients, Burst)>,
}

impl Host {
    pub(crate) fn new(server: Server) -> Self {
        let Server { engine, facts, count, from_environment } = server;
        Self {
            engine,
            facts,
            routes: count,
            from_environment,
            ids: ConnectionIds::default(),
            over: Vec::new(),
            read_over: Vec::new(),
            is_foreign: false,
            peers: Vec::new(),
            now: Now::default(),
            batch: Batch::default(),
            effects: Vec::new(),
            events: Vec::new(),
            schedule: Schedule::default(),
            drained: Vec::new(),
            undecoded: Vec::new(),
            burst: None,
        }
    }

    /// All patterns that are served, with their prefixes.
    pub(crate) fn patterns(&self) -> &[String] {
        &self.facts.patterns
    }

    /// The table of endpoints, if the setup asked for it.
    pub(crate) fn endpoints(&self) -> &[EndpointInfo] {
        &self.facts.endpoints
    }

    /// Refuses a plain request under a host that is not allowed.
    pub(crate) fn refuse_host(&mut self, request: &http::Request<()>) -> Option<http::Response<Bytes>> {
        let response = self.engine.refuse_host(self.now, request, &mut self.effects);
        self.carry_out();
        response
    }

    /// How long in ms clients may take to close when the server stops.
    pub(crate) fn shutdown_grace(&self) -> u64 {
        self.facts.shutdown_grace
    }

    /// How long in ms the body of a plain request may take.
    pub(crate) fn request_timeout(&self) -> u64 {
        self.facts.request_timeout
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How much there is, with what the connections' codecs hold.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.engine.stats();
        for peer in self.peers.iter().flatten() {
            stats.client_bytes.undecoded += peer.socket.reader.buffered() as u64;
            stats.client_bytes.queued += peer.socket.writer.outbox_ref().queued_bytes() as u64;
        }
        stats
    }

    /// A client asks for a WebSocket; `None`: not from us.
    pub(crate) fn upgrade(
        &mut self,
        request::Head { request, address }: request::Head,
    ) -> Option<ConnectionId> {
        let id = self.ids.allocate();
        self.is_foreign = false;
        self.input(Input::Upgrade { id, request: Box::new(request), address });
        (!self.is_foreign).then_some(id)
    }

    /// Whether it matters how many connections come from one address.
    pub(crate) fn counts_addresses(&self) -> bool {
        self.facts.counts_addresses
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.engine.handle_input(self.now, input, &mut self.effects);
        self.carry_out();
    }

    /// Answers a plain HTTP request, if it is answered here.
    pub(crate) fn request(
        &mut self,
        request: &http::Request<Bytes>,
        address: Option<IpAddr>,
        clock: HostClock,
    ) -> Option<http::Response<Bytes>> {
        let peers = &self.peers;
        let sockets = |id: ConnectionId| {
            let peer = peers.get(id.slot()).and_then(Option::as_deref).filter(|peer| peer.id == id);
            peer.map_or_else(SocketCounts::default, Peer::counts)
        };
        let asker = Asker { address, clock, sockets: &sockets };
        let response = self.engine.request_from(self.now, request, asker, &mut self.effects);
        self.carry_out();
        response
    }

    pub(crate) fn command(&mut self, id: ConnectionId, command: Command) -> Result<(), CommandError> {
        let result = self.engine.command(self.now, id, command, &mut self.effects);
        self.carry_out();
        result
    }

    /// Whether the configuration asks for a cluster, in which this host takes no part.
    pub(crate) fn ignores_cluster(&self) -> bool {
        self.facts.ignores_cluster
    }

    /// Whether it matters at which port the server is found.
    pub(crate) fn needs_port(&self) -> bool {
        self.facts.needs_port
    }

    pub(crate) fn set_port(&mut self, port: u16) {
        self.engine.set_port(port);
    }

    /// Which route has this pattern, as it was written or with one of its prefixes.
    pub(crate) fn route(&self, pattern: &str) -> Option<usize> {
        self.engine.route_of(pattern).map(|index| self.numbered(index))
    }

    /// Takes another configuration while connections are open; gives what became of the routes and connections, and the
    /// numbers of the routes that JavaScript knows, in its order.
    pub(crate) fn reconfigure(&mut self, plan: Plan) -> Result<(Reconfiguration, Vec<usize>), String> {
        let from_environment = plan.from_environment;
        let (configuration, facts) = plan.configuration();
        let done = self.engine.reconfigure(self.now, configuration, &mut self.effects);
        let done = done.map_err(|error| error.to_string())?;
        self.facts = facts;
        self.facts.apply(&mut self.engine);
        self.carry_out();
        let known = done.indices.get(from_environment..).unwrap_or_default();
        let numbers = known.iter().map(|index| self.numbered(*index)).collect();
        Ok((done, numbers))
    }

    /// The number of a route as JavaScript counts: at the start its own from 0, those of the environment behind them all, and
    /// behind these what is added later.
    pub(crate) fn numbered(&self, index: usize) -> usize {
        match index < self.routes {
            true => (index + self.routes - self.from_environment) % self.routes,
            false => index,
        }
    }

    /// The engine's number of a route that JavaScript counts so.
    pub(crate) fn index(&self, numbered: usize) -> usize {
        match numbered < self.routes {
            true => (numbered + self.from_environment) % self.routes,
            false => numbered,
        }
    }

    /// Does something with a whole route, in nobody's name: to how many.
    pub(crate) fn route_command(
        &mut self,
        route: usize,
        command: RouteCommand,
    ) -> Result<usize, CommandError> {
        let route = self.index(route);
        let result = self.engine.route_command(self.now, route, command, &mut self.effects);
        self.carry_out();
        result
    }

    /// Adds faults while the server runs.
    pub(crate) fn add_faults(
        &mut self,
        scope: FaultScope,
        faults: FaultList,
    ) -> Result<FaultId, ConfigError> {
        let added = self.engine.add_faults(self.now, scope, faults, &mut self.effects);
        self.carry_out();
        added
    }

    /// Takes faults back that were added; whether they were there.
    pub(crate) fn remove_faults(&mut self, id: FaultId) -> bool {
        let were_there = self.engine.remove_faults(self.now, id, &mut self.effects);
        self.carry_out();
        were_there
    }

    /// Records what passes from now on.
    pub(crate) fn start_recording(
        &mut self,
        settings: &RecordSettings,
        pattern: Option<&str>,
    ) -> Result<RecordingId, ConfigError> {
        let id = self.engine.start_recording(self.now, settings, pattern, &mut self.effects);
        self.carry_out();
        id
    }

    /// Stops a recording that was started; whether it was there.
    pub(crate) fn stop_recording(&mut self, id: RecordingId) -> bool {
        let file = self.engine.stop_recording(self.now, id, &mut self.effects);
        self.carry_out();
        file.is_some()
    }

    /// Takes back all faults that were added.
    pub(crate) fn clear_faults(&mut self) {
        self.engine.clear_faults(self.now, &mut self.effects);
        self.carry_out();
    }

    /// Passes a command to a route's dialect.
    pub(crate) fn dialect_command(
        &mut self,
        route: usize,
        id: Option<ConnectionId>,
        name: &str,
        payload: Value,
    ) -> Result<(), String> {
        let (number, route) = (route, self.index(route));
        if !self.engine.has_route(route) {
            return Err(format!("there is no route {number}"));
        }
        let result = self.engine.dialect_command(self.now, route, id, name, payload, &mut self.effects);
        self.carry_out();
        result.map_err(|error| error.to_string())
    }

    /// Nobody took an upgrade request for this path.
    pub(crate) fn unclaimed(&mut self, path: &str) {
        self.engine.unclaimed(self.now, path, &mut self.effects);
        self.carry_out();
    }

    pub(crate) fn timeout(&mut self) {
        self.engine.handle_timeout(self.now, &mut self.effects);
        self.carry_out();
    }

    /// Whether the socket takes more.
    pub(crate) fn set_blocked(&mut self, id: ConnectionId, blocked: bool) {
        if let Some(peer) = self.peer(id) {
            peer.blocked = blocked;
            peer.socket.writer.outbox().set_blocked(blocked);
            self.touch(id);
        }
    }

    /// So many bytes that the socket was given were not taken by its client yet; there may be more here.
    pub(crate) fn unsent(&mut self, id: ConnectionId, bytes: usize) {
        let queued = self.peer(id).map_or(0, |peer| peer.socket.writer.outbox_ref().queued_bytes());
        self.input(Input::Unsent { id, bytes: bytes + queued });
    }

    fn touch(&mut self, id: ConnectionId) {
        if let Some(peer) = find(&mut self.peers, id) {
            self.schedule.touch(id, &mut peer.touched, 1);
        }
    }

    fn peer(&mut self, id: ConnectionId) -> Option<&mut Peer> {
        find(&mut self.peers, id)
    }
}

fn find(peers: &mut [Option<Box<Peer>>], id: ConnectionId) -> Option<&mut Peer> {
    peers.get_mut(id.slot())?.as_deref_mut().filter(|peer| peer.id == id)
}

#[cfg(test)]
mod tests {
    use switchboard_core::dialect::Echo;
    use switchboard_core::{Limits, Pattern, Route, RouteKey, RouteSettings, Router};

    use super::*;

    fn refusing() -> Host {
        let pattern = Pattern::new("/").expect("a pattern");
        let router = Router::new([RouteKey::new(pattern)]).expect("a router");
        let routes = vec![Route { settings: RouteSettings::default(), handler: Box::new(Echo) }];
        let limits = Limits { connections: 0, ..Limits::default() };
        Host::new(Server {
            engine: Engine::new(router, routes, limits, [7; 32]),
            facts: Facts::default(),
            count: 1,
            from_environment: 0,
        })
    }

    fn upgrade(host: &mut Host) -> usize {
        let head = "GET\n1.1\n/\n\nhost\na\nupgrade\nwebsocket\nconnection\nUpgrade\nsec-websocket-version\n13\n\
                    sec-websocket-key\ndGhlIHNhbXBsZSBub25jZQ==";
        let head = request::parse(head.as_bytes()).expect("a request");
        host.upgrade(head).expect("ours").slot()
    }

    /// What JavaScript has not read yet would be about another socket.
    #[test]
    fn a_slot_is_free_when_its_end_was_read() {
        let mut host = refusing();
        let (first, second) = (upgrade(&mut host), upgrade(&mut host));
        assert_ne!(first, second);
        assert_ne!(host.turn(true, false), 0);
        assert!(![first, second].contains(&upgrade(&mut host)), "it is being read");
        host.turn(true, false);
        assert!([first, second].contains(&upgrade(&mut host)));
    }
}
