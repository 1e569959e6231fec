//! The engine and its connections' codecs: carries out effects as far as no socket is needed.

mod flush;
mod reading;

use std::mem;

use bytes::Bytes;
use serde_json::Value;
use switchboard_core::protocol::{Burst, Event};
use switchboard_core::time::Now;
use switchboard_core::{
    Accept, Command, CommandError, ConnectionId, ConnectionIds, Effect, Engine, Input, Recipients,
    RouteCommand, Stats, UpstreamId,
};

use crate::batch::Batch;
use crate::peer::{Life, Peer};
use crate::schedule::Schedule;
use crate::setup::Server;
use crate::{call, contract, request, upstream};

/// Everything of one server but its sockets.
///
/// Inputs only collect what is to be done; [`turn`](Self::turn) packs it for JavaScript, with one write per touched
/// socket, however many messages it was sent since the turn before, and with a stretch of the sockets at a time.
pub(crate) struct Host {
    engine: Engine,
    patterns: Vec<String>,
    /// How many routes there are.
    routes: usize,
    /// How many of the first routes JavaScript does not know of.
    from_environment: usize,
    shutdown_grace: u64,
    counts_addresses: bool,
    needs_port: bool,
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
        let Server {
            engine,
            patterns,
            count,
            from_environment,
            shutdown_grace,
            counts_addresses,
            needs_port,
        } = server;
        Self {
            engine,
            patterns,
            routes: count,
            from_environment,
            shutdown_grace,
            counts_addresses,
            needs_port,
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
        &self.patterns
    }

    /// How long in ms clients may take to close when the server stops.
    pub(crate) fn shutdown_grace(&self) -> u64 {
        self.shutdown_grace
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
        self.counts_addresses
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.engine.handle_input(self.now, input, &mut self.effects);
        self.carry_out();
    }

    /// Answers a plain HTTP request, if it is answered here.
    pub(crate) fn request(&mut self, request: &http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let response = self.engine.request(self.now, request, &mut self.effects);
        self.carry_out();
        response
    }

    pub(crate) fn command(&mut self, id: ConnectionId, command: Command) -> Result<(), CommandError> {
        let result = self.engine.command(self.now, id, command, &mut self.effects);
        self.carry_out();
        result
    }

    /// Whether it matters at which port the server is found.
    pub(crate) fn needs_port(&self) -> bool {
        self.needs_port
    }

    pub(crate) fn set_port(&mut self, port: u16) {
        self.engine.set_port(port);
    }

    /// Which route has this pattern, as it was written or with one of its prefixes.
    pub(crate) fn route(&self, pattern: &str) -> Option<usize> {
        self.engine.route_of(pattern).map(|index| self.numbered(index))
    }

    /// The number of a route as JavaScript counts: its own from 0, those of the environment behind them all.
    pub(crate) fn numbered(&self, index: usize) -> usize {
        (index + self.routes - self.from_environment) % self.routes
    }

    /// The engine's number of a route that JavaScript counts so; none has `usize::MAX`.
    pub(crate) fn index(&self, numbered: usize) -> usize {
        match numbered < self.routes {
            true => (numbered + self.from_environment) % self.routes,
            false => usize::MAX,
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

    /// Passes a command to a route's dialect.
    pub(crate) fn dialect_command(
        &mut self,
        route: usize,
        id: Option<ConnectionId>,
        name: &str,
        payload: Value,
    ) -> Result<(), String> {
        if route >= self.routes {
            return Err(format!("there is no route {route}"));
        }
        let route = self.index(route);
        let result = self.engine.dialect_command(self.now, route, id, name, payload, &mut self.effects);
        self.carry_out();
        result.map_err(|error| error.to_string())
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

    /// Does what the engine asks for until it asks for nothing more: an accepted connection is open at once, an
    /// outbox that overflows ends its connection.
    fn carry_out(&mut self) {
        let mut inputs = Vec::new();
        while !self.effects.is_empty() {
            let mut effects = mem::take(&mut self.effects);
            for effect in effects.drain(..) {
                // What hooks do writes to no socket: they may go on with the burst.
                if !matches!(effect, Effect::Send { .. } | Effect::Call { .. }) {
                    self.send(&mut inputs);
                }
                self.carry_out_one(effect, &mut inputs);
            }
            self.effects = effects;
            for input in inputs.drain(..) {
                self.engine.handle_input(self.now, input, &mut self.effects);
            }
        }
    }

    fn carry_out_one(&mut self, effect: Effect, inputs: &mut Vec<Input>) {
        match effect {
            Effect::Ignore { id } => {
                self.ids.release(id);
                self.is_foreign = true;
            }
            Effect::Refuse { id, refusal } => {
                self.over.push(id);
                self.batch.before.record(contract::REJECT).id(id).bytes(refusal.encode().into());
            }
            Effect::Accept(accept) => {
                inputs.push(Input::Opened { id: accept.id });
                self.accept(*accept);
            }
            Effect::Send { to, message } => {
                let must_tell =
                    matches!(to, Recipients::One(id) if self.peer(id).is_some_and(|it| it.may_fill()));
                match &mut self.burst {
                    Some((recipients, burst)) if *recipients == to && burst.has_room() => burst.push(message),
                    _ => {
                        self.send(inputs);
                        let burst = Burst::new(message, to.len());
                        self.burst = Some((to, burst));
                    }
                }
                if must_tell {
                    self.send(inputs);
                }
            }
            Effect::Ping { id, payload } => self.write(id, |peer| peer.socket.writer.ping(&payload)),
            Effect::Pong { id, payload } => self.write(id, |peer| peer.socket.writer.pong(&payload)),
            Effect::Close { id, frame } => {
                self.write(id, |peer| {
                    peer.socket.writer.close(frame.as_ref());
                    // What the client has begun to say is let go.
                    peer.reader();
                });
            }
            Effect::Disconnect { id } => self.write(id, |peer| {
                if peer.life == Life::Open {
                    peer.life = Life::Ending;
                }
            }),
            Effect::Terminate { id } => {
                // What it would have been given in an earlier turn, had there been fewer sockets.
                if self.schedule.is_waiting() {
                    self.flush(id);
                }
                if let Some(peer) = self.peer(id) {
                    peer.life = Life::Ended;
                    self.expect_more(id);
                }
                self.batch.after.about(contract::TERMINATE, id);
            }
            Effect::Pause { id } => self.pause(id, true),
            Effect::Resume { id } => self.pause(id, false),
            Effect::Call { call, id, route, hook } => {
                let route = self.numbered(route);
                call::record(&mut self.batch.calls, call, id, route, hook);
            }
            Effect::CancelCall { call, .. } => {
                self.batch.before.record(contract::CANCEL_CALL).wide(call.to_bits());
            }
            Effect::ReadFile { feed, file } => {
                self.batch.before.record(contract::READ).bytes(feed.into()).bytes(file.into());
            }
            Effect::Removed { id } => {
                self.over.push(id);
                self.batch.after.about(contract::REMOVED, id);
            }
            Effect::Dial { upstream, dial } => {
                let record = self.batch.after.record(contract::DIAL);
                record.wide(upstream.to_bits()).bytes(upstream::description(&dial).into());
            }
            Effect::SendUpstream { upstream, message } => {
                let (kind, payload) = call::payload(message);
                let record = self.batch.after.record(contract::UPSTREAM);
                record.wide(upstream.to_bits()).word(kind).bytes(payload);
            }
            Effect::PauseUpstream { upstream } => self.about_upstream(contract::PAUSE_UPSTREAM, upstream),
            Effect::ResumeUpstream { upstream } => self.about_upstream(contract::RESUME_UPSTREAM, upstream),
            Effect::TerminateUpstream { upstream } => {
                self.about_upstream(contract::TERMINATE_UPSTREAM, upstream);
            }
            Effect::CloseUpstream { upstream, frame } => {
                let (code, reason) = upstream::farewell(frame);
                let record = self.batch.after.record(contract::HANG_UP);
                record.wide(upstream.to_bits()).word(code).bytes(reason);
            }
            Effect::Log { level, text } => {
                self.batch.before.record(contract::LOG).word(level as u32).bytes(text.into());
            }
        }
    }

    fn accept(&mut self, accept: Accept) {
        let id = accept.id;
        if self.peers.len() <= id.slot() {
            self.peers.resize_with(id.slot() + 1, || None);
        }
        self.peers[id.slot()] = Some(Box::new(Peer::new(id, &accept.socket)));
        let head = switchboard_core::protocol::encode_head(&accept.response);
        let data = self.engine.connection(id).map(|connection| connection.auth_data());
        let data = data.filter(|data| !data.is_null()).map(ToString::to_string);
        let params = call::params(&accept.params);
        let route = self.numbered(accept.route);
        self.batch
            .before
            .record(contract::ACCEPT)
            .id(id)
            .word(route as u32)
            .bytes(head.into())
            .text(Some(&accept.public_id))
            .text(accept.subprotocol.as_deref())
            .text(params.as_deref())
            .text(data.as_deref());
    }

    fn write(&mut self, id: ConnectionId, write: impl FnOnce(&mut Peer)) {
        if let Some(peer) = self.peer(id) {
            write(peer);
            self.touch(id);
        }
    }

    /// A record that only names an outgoing connection.
    fn about_upstream(&mut self, opcode: u32, upstream: UpstreamId) {
        self.batch.after.record(opcode).wide(upstream.to_bits());
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
            patterns: Vec::new(),
            count: 1,
            from_environment: 0,
            shutdown_grace: 0,
            counts_addresses: false,
            needs_port: false,
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
