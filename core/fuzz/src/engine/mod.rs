//! An engine with clients and targets that do anything at any time, beside a model of what has to come of it.

mod client;
#[path = "../../../tests/support/ledger.rs"]
mod ledger;
mod order;
mod step;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use switchboard_core::dialect::proxy::{Proxy, ProxyOptions};
use switchboard_core::protocol::Overflow;
use switchboard_core::{
    Admission, Answer, Authentication, CloseCode, CloseFrame, ConnectionId, Deferred, Hook, Hooks, Input,
    Limits, RouteSettings, Stats,
};

use crate::world::{World, route};
use client::Client;
use ledger::Ledger;
use step::{Endpoint, Step};
use target::Targets;

pub use step::Run;

const MAX_CLIENTS: usize = 30;
const ROOMS: u8 = 5;
const ROOMS_PER_CONNECTION: usize = 3;
const CONNECTIONS: usize = 10;
const DEFAULT_ROOM: &str = "1";
const DELAY: u64 = 20;

/// Few bytes, so that a proxy's client has to wait soon.
const MAX_WAITING: usize = 200;

/// The engine, and what should be true of it.
pub struct Harness {
    world: World,
    clients: Vec<Client>,
    targets: Targets,
    has_handler_timeout: bool,
    /// Counts messages, so that each is told from all others.
    number: usize,
    is_shut_down: bool,
}

impl Harness {
    /// A server with nobody in it.
    pub fn new(has_handler_timeout: bool) -> Self {
        let watched = RouteSettings {
            heartbeat: Some(Duration::from_millis(400)),
            inactivity_timeout: Some(Duration::from_millis(2_500)),
            ..RouteSettings::default()
        };
        let asking = RouteSettings {
            authentication: Authentication::Hook,
            default_room: Some(DEFAULT_ROOM.into()),
            delay: Duration::from_millis(DELAY),
            overflow: Overflow::Pause,
            ..RouteSettings::default()
        };
        let hooks =
            Hooks { connect: true, message: true, ping: true, close: true, error: true, ..Hooks::default() };
        let limits = Limits {
            connections: CONNECTIONS,
            connections_per_address: Some(4),
            rooms_per_connection: ROOMS_PER_CONNECTION,
            pending_messages: 4,
            handler_timeout: has_handler_timeout.then_some(Duration::from_millis(3_000)),
            ..Limits::default()
        };
        let relaying = RouteSettings {
            overflow: Overflow::Pause,
            max_outbound: MAX_WAITING,
            ..RouteSettings::default()
        };
        let mut options = ProxyOptions::to("ws://target");
        options.max_waiting = MAX_WAITING;
        let routes = vec![
            route("/ledger", watched, Ledger),
            route("/hooks", asking, Deferred::new(hooks)),
            route("/proxy", relaying, Proxy::new(options)),
        ];
        let mut world = World::with_limits(routes, limits);
        world.are_targets_stalled = true;
        Self {
            world,
            clients: Vec::new(),
            targets: Targets::default(),
            has_handler_timeout,
            number: 0,
            is_shut_down: false,
        }
    }

    /// Something happens.
    pub fn step(&mut self, step: Step) {
        match step {
            Step::Upgrade { .. } if self.clients.len() == MAX_CLIENTS => {}
            Step::Upgrade { route, address } => {
                self.world.address = address.then_some([127, 0, 0, 1].into());
                let id = self.world.upgrade(match route {
                    Endpoint::Ledger => "/ledger",
                    Endpoint::Hooks => "/hooks",
                    Endpoint::Proxy => "/proxy",
                });
                self.clients.push(Client::new(id, route));
            }
            Step::Opened(who) => {
                let Some(index) = self.pick(who) else { return };
                let client = self.world.client(self.clients[index].id);
                if client.accepted.is_some() && !client.gone && !self.clients[index].opened {
                    self.open(index);
                }
            }
            Step::Order(who, order) => {
                if let Some(index) = self.pick(who) {
                    self.order(index, order);
                }
            }
            Step::Message(who, text) => self.message(who, text),
            Step::Ping(who) => self.tell(who, |id| Input::Ping { id, payload: "p".into() }),
            Step::Pong(who) => self.tell(who, |id| Input::Pong { id, payload: "p".into() }),
            Step::Close(who, code) => self.tell(who, |id| Input::CloseReceived {
                id,
                frame: code.map(|code| CloseFrame::new(CloseCode(code), "r")),
            }),
            Step::Violate(who) => {
                if let Some(id) = self.opened(who) {
                    self.world.violate(id, CloseCode::PROTOCOL_ERROR, "no");
                }
            }
            Step::Overflow(who) => self.tell(who, |id| Input::Overflowed { id }),
            Step::Full(who) => self.tell_pausable(who, |id| Input::Full { id }),
            Step::Drained(who) => self.tell_pausable(who, |id| Input::Drained { id }),
            Step::Dropped(who, messages) => {
                self.tell(who, |id| Input::Dropped { id, messages: messages.into() });
            }
            Step::Target(which, step) => {
                self.targets.look(&mut self.world);
                self.targets.step(which, &step, &mut self.world);
            }
            Step::Cut(who) => {
                if let Some(index) = self.pick(who) {
                    self.cut(index);
                }
            }
            Step::Answer { which, outcome } => self.answer(usize::from(which), outcome),
            Step::Timeout => self.world.timeout(),
            Step::Advance(ms) => self.world.advance(u64::from(ms) % 4_000),
            Step::Shutdown(grace) => self.shutdown(u64::from(grace)),
        }
    }

    fn pick(&self, who: u8) -> Option<usize> {
        // The latest ones are the interesting ones.
        let back = usize::from(who) % self.clients.len().clamp(1, 16);
        self.clients.len().checked_sub(1 + back)
    }

    /// One that the host may report frames of: its socket was opened. It may be gone, as late inputs are.
    fn opened(&self, who: u8) -> Option<ConnectionId> {
        let client = &self.clients[self.pick(who)?];
        client.opened.then_some(client.id)
    }

    fn tell(&mut self, who: u8, input: impl FnOnce(ConnectionId) -> Input) {
        if let Some(id) = self.opened(who) {
            self.world.input(input(id));
        }
    }

    /// Routes whose clients are closed instead have no such outboxes.
    fn tell_pausable(&mut self, who: u8, input: impl FnOnce(ConnectionId) -> Input) {
        if self.pick(who).is_some_and(|index| self.clients[index].route != Endpoint::Ledger) {
            self.tell(who, input);
        }
    }

    fn message(&mut self, who: u8, text: u8) {
        let Some(client) = self.pick(who).map(|index| &mut self.clients[index]).filter(|it| it.opened) else {
            return;
        };
        let text = match client.route {
            Endpoint::Proxy => {
                client.said += 1;
                format!("client {}", client.said - 1)
            }
            Endpoint::Ledger | Endpoint::Hooks => text.to_string(),
        };
        self.world.text(client.id, &text);
    }

    fn open(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.opened = true;
        self.world.open(client.id);
        if self.world.engine.connection(client.id).is_some_and(|connection| connection.is_open()) {
            let default = (client.route == Endpoint::Hooks).then(|| DEFAULT_ROOM.to_owned());
            client.rooms = Some(default.into_iter().collect());
        }
    }

    fn cut(&mut self, index: usize) {
        let id = self.clients[index].id;
        let client = self.world.client(id);
        if client.rejected.is_none() {
            self.world.cut(id);
        }
    }

    fn shutdown(&mut self, grace_ms: u64) {
        let grace = Duration::from_millis(grace_ms);
        self.is_shut_down = true;
        self.world.input(Input::Shutdown { frame: CloseFrame::new(CloseCode::GOING_AWAY, ""), grace });
    }

    fn answer(&mut self, which: usize, outcome: u8) {
        if self.world.calls.is_empty() {
            return;
        }
        let (call, id, hook) = self.world.calls.remove(which % self.world.calls.len()).expect("in bounds");
        let client = self.clients.iter_mut().find(|client| client.id == id).expect("a known client");
        match hook {
            Hook::Connect => client.connects += 1,
            Hook::Close { .. } => client.closes += 1,
            _ => {}
        }
        let failed = Answer::Failed { error: "x".into() };
        let answer = match (hook, outcome % 4) {
            (Hook::Authenticate { .. }, 0) => Answer::Admission(Admission::refuse(None, "")),
            (Hook::Authenticate { .. }, 1) => Answer::Admission(Admission::refuse(Some(4001), "no")),
            (Hook::Authenticate { .. }, 2) => Answer::Admission(Admission::accept()),
            (_, 3) => failed,
            _ => Answer::Done,
        };
        self.world.answer(call, answer);
    }

    fn answer_all(&mut self) {
        while !self.world.calls.is_empty() {
            self.answer(0, 0);
        }
    }

    /// Takes out of the model whom the engine closed, then compares all audiences.
    pub fn compare(&mut self) {
        let Self { world, clients, targets, .. } = self;
        targets.look(world);
        for client in clients.iter_mut() {
            world.received(client.id).iter().for_each(|text| client.hear(text));
            if !world.engine.connection(client.id).is_some_and(|connection| connection.is_open()) {
                client.last_rooms.extend(client.rooms.take().into_iter().flatten());
            }
        }
        assert!(world.engine.connections() <= CONNECTIONS);
        for (route, endpoint) in [Endpoint::Ledger, Endpoint::Hooks, Endpoint::Proxy].into_iter().enumerate()
        {
            let members = |room: Option<&str>| -> BTreeSet<ConnectionId> {
                let is_member = |client: &&Client| {
                    client.route == endpoint
                        && client
                            .rooms
                            .as_ref()
                            .is_some_and(|rooms| room.is_none_or(|room| rooms.contains(room)))
                };
                clients.iter().filter(is_member).map(|client| client.id).collect()
            };
            let audience =
                |room: Option<&str>| world.engine.audience(route, room).into_iter().collect::<BTreeSet<_>>();
            assert_eq!(audience(None), members(None));
            for room in (0..ROOMS).map(|room| room.to_string()) {
                assert_eq!(audience(Some(&room)), members(Some(&room)), "room {room}");
            }
            assert!(world.engine.rooms(route).all(|room| !members(Some(room)).is_empty()), "an empty room");
        }
        if !self.has_handler_timeout {
            let mut waiting = BTreeMap::new();
            for (_, id, hook) in
                self.world.calls.iter().filter(|(_, _, hook)| !matches!(hook, Hook::Authenticate { .. }))
            {
                assert!(waiting.insert(id, hook).is_none(), "two hooks at once of {id:?}: {hook:?}");
            }
        }
    }

    /// Everyone goes, one way or another, and nothing may be left.
    pub fn finish(mut self, by_shutdown: bool) {
        for index in 0..self.clients.len() {
            let client = self.world.client(self.clients[index].id);
            if client.accepted.is_some() && !client.gone && !self.clients[index].opened {
                self.open(index);
            }
        }
        if by_shutdown {
            self.shutdown(1_000);
            self.world.advance(1_000);
        } else {
            (0..self.clients.len()).for_each(|index| self.cut(index));
        }
        self.answer_all();
        // Messages that are still held back come before the close hook.
        self.world.advance(DELAY);
        self.answer_all();
        self.targets.finish(&mut self.world);
        if self.is_shut_down {
            // The end of the grace time is nobody's timer but the server's.
            self.world.advance(u64::from(u16::MAX));
        }
        let world = &self.world;
        let mut stats = world.engine.stats();
        (stats.client_bytes.received, stats.client_bytes.sent) = (0, 0);
        (stats.upstream_bytes.received, stats.upstream_bytes.sent) = (0, 0);
        stats.dropped_messages.clear();
        assert_eq!(stats, Stats::default());
        for client in &self.clients {
            let is_removed = world.removed.get(&client.id).copied().unwrap_or(0);
            let was_accepted = world.client(client.id).accepted.is_some();
            assert!(is_removed == 1 || (!was_accepted && is_removed == 0), "{is_removed} times removed");
            assert_eq!(client.connects, client.closes, "as many closes as connects");
        }
        // What a handler asserts ends up in the log, as any panic of a handler.
        assert!(!world.log.iter().any(|(_, text)| text.contains("panicked")), "{:?}", world.log);
    }
}
