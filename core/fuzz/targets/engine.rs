//! The engine under arbitrary events, against a model of who is in which room: same audience, hooks one at a time, one
//! close for every connect, and at the end, however it comes, nothing is left.
//!
//! Input: a list of steps, as `arbitrary` reads it.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use switchboard_core::protocol::Overflow;
use switchboard_core::{
    Answer, Authentication, CloseCause, CloseCode, CloseFrame, Command, ConnectionId, Context, Deferred,
    Handler, HandlerResult, Hook, Hooks, Input, Limits, Message, RouteSettings, Stats, Admission,
};
use switchboard_fuzz::world::{World, route};

#[derive(Arbitrary, Debug)]
struct Run {
    steps: Vec<Step>,
    /// Whether hooks that take too long are given up.
    has_handler_timeout: bool,
    /// Whether the server ends everything or every client goes by itself.
    ends_by_shutdown: bool,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Upgrade { to_hooks: bool, address: bool },
    Opened(u8),
    Message(u8, u8),
    Ping(u8),
    Pong(u8),
    Order(u8, Order),
    Close(u8, Option<u16>),
    Violate(u8),
    Overflow(u8),
    Cut(u8),
    Answer { which: u8, outcome: u8 },
    Timeout,
    Advance(u16),
    Shutdown(u16),
}

#[derive(Arbitrary, Debug)]
enum Order {
    Send,
    Join(u8),
    Leave(u8),
    /// To the rooms of this bit set or to all; with or without the sender.
    Broadcast(Option<u8>, bool),
    BroadcastAllRooms(bool),
    Close(u16),
    Terminate,
    Heartbeat(u16),
    Inactivity(u16),
    Ping(u8),
}

const MAX_STEPS: usize = 150;
const MAX_CLIENTS: usize = 30;
const ROOMS: u8 = 5;
const ROOMS_PER_CONNECTION: usize = 3;
const CONNECTIONS: usize = 10;
const DEFAULT_ROOM: &str = "1";
const DELAY: u64 = 20;

fuzz_target!(|run: Run| {
    let mut harness = Harness::new(run.has_handler_timeout);
    for step in run.steps.into_iter().take(MAX_STEPS) {
        harness.step(step);
        harness.compare();
    }
    harness.finish(run.ends_by_shutdown);
});

/// Checks that connect and close come in pairs.
struct Ledger;

#[derive(Clone)]
struct Opened;

impl Handler for Ledger {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let connection = cx.connection_mut().ok_or("a connect without a connection")?;
        assert!(connection.metadata_mut().insert(Opened).is_none(), "connected twice");
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        cx.broadcast_to_all(message);
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, _: &CloseFrame, _: CloseCause) -> HandlerResult {
        let connection = cx.connection_mut().ok_or("a close without a connection")?;
        assert!(connection.metadata_mut().remove::<Opened>().is_some(), "closed twice or never opened");
        assert!(!connection.is_open());
        Ok(())
    }
}

struct Harness {
    world: World,
    clients: Vec<Client>,
    has_handler_timeout: bool,
    /// Counts messages, so that each is told from all others.
    number: usize,
    is_shut_down: bool,
}

struct Client {
    id: ConnectionId,
    route: usize,
    opened: bool,
    /// The model: the rooms of an open connection.
    rooms: Option<BTreeSet<String>>,
    /// Those it was in when it began to close: to them it may still say goodbye.
    last_rooms: BTreeSet<String>,
    connects: usize,
    closes: usize,
}

impl Harness {
    fn new(has_handler_timeout: bool) -> Self {
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
        let routes = vec![route("/ledger", watched, Ledger), route("/hooks", asking, Deferred::new(hooks))];
        Self {
            world: World::with_limits(routes, limits),
            clients: Vec::new(),
            has_handler_timeout,
            number: 0,
            is_shut_down: false,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Upgrade { .. } if self.clients.len() == MAX_CLIENTS => {}
            Step::Upgrade { to_hooks, address } => {
                self.world.address = address.then_some([127, 0, 0, 1].into());
                let id = self.world.upgrade(if to_hooks { "/hooks" } else { "/ledger" });
                let route = usize::from(to_hooks);
                self.clients.push(Client {
                    id,
                    route,
                    opened: false,
                    rooms: None,
                    last_rooms: BTreeSet::new(),
                    connects: 0,
                    closes: 0,
                });
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
            Step::Message(who, text) => {
                if let Some(id) = self.opened(who) {
                    self.world.text(id, &text.to_string());
                }
            }
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

    fn open(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.opened = true;
        self.world.open(client.id);
        if self.world.engine.connection(client.id).is_some_and(|connection| connection.is_open()) {
            let default = (client.route == 1).then(|| DEFAULT_ROOM.to_owned());
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

    fn order(&mut self, index: usize, order: Order) {
        let Client { id, .. } = self.clients[index];
        self.number += 1;
        let text = format!("#{}", self.number);
        let message = Message::from(text.as_str());
        match order {
            Order::Join(room) => {
                let room = (room % ROOMS).to_string();
                let rooms = self.clients[index].rooms.as_mut();
                let is_full = rooms
                    .as_ref()
                    .is_some_and(|rooms| rooms.len() == ROOMS_PER_CONNECTION && !rooms.contains(&room));
                let result = self.world.command(id, Command::Join(room.clone()));
                assert_eq!(result.is_err(), is_full, "{result:?}");
                if let Some(rooms) = rooms.filter(|_| !is_full) {
                    rooms.insert(room);
                }
            }
            Order::Leave(room) => {
                let room = (room % ROOMS).to_string();
                self.world.command(id, Command::Leave(room.clone())).unwrap();
                if let Some(rooms) = &mut self.clients[index].rooms {
                    rooms.remove(&room);
                }
                self.clients[index].last_rooms.remove(&room);
            }
            Order::Broadcast(rooms, include_self) => {
                let rooms: Option<Vec<String>> = rooms.map(|rooms| {
                    (0..ROOMS).filter(|room| rooms & 1 << room != 0).map(|room| room.to_string()).collect()
                });
                let names = rooms.clone();
                self.world.command(id, Command::Broadcast { message, rooms: names, include_self }).unwrap();
                self.heard(index, &text, include_self, |joined| {
                    rooms.as_ref().is_none_or(|rooms| rooms.iter().any(|room| joined.contains(room)))
                });
            }
            Order::BroadcastAllRooms(include_self) => {
                self.world.command(id, Command::BroadcastAllRooms { message, include_self }).unwrap();
                let Client { rooms, last_rooms, .. } = &self.clients[index];
                let mine = rooms.as_ref().unwrap_or(last_rooms).clone();
                self.heard(index, &text, include_self, |joined| mine.is_empty() || !mine.is_disjoint(joined));
            }
            Order::Send => {
                let sent = self.world.command(id, Command::Send(message));
                let is_open = self.clients[index].rooms.is_some();
                assert_eq!(self.world.client(id).received.contains(&text), is_open);
                assert_eq!(sent.is_ok(), is_open);
            }
            Order::Close(code) => {
                let result =
                    self.world.command(id, Command::Close { code: Some(code), reason: "r".repeat(200) });
                assert!(result.is_ok() || !CloseCode(code).is_sendable());
            }
            Order::Terminate => self.world.command(id, Command::Terminate).unwrap(),
            Order::Heartbeat(ms) => {
                // Not so often that beating is all there is.
                let ms = if ms % 4 == 0 { 0 } else { 100 + u64::from(ms) };
                self.world.command(id, Command::Heartbeat(Some(Duration::from_millis(ms)))).unwrap();
            }
            Order::Inactivity(ms) => {
                self.world.command(id, Command::InactivityTimeout(Some(Duration::from_millis(u64::from(ms))))).unwrap();
            }
            Order::Ping(length) => {
                let result = self.world.command(id, Command::Ping(vec![b'x'; usize::from(length)].into()));
                assert!(result.is_ok() || length > 125);
            }
        }
    }

    /// Whether exactly those heard the broadcast who should have. Who is closing may still say goodbye to the others.
    fn heard(
        &self,
        sender: usize,
        text: &str,
        include_self: bool,
        audience: impl Fn(&BTreeSet<String>) -> bool,
    ) {
        let Client { id, opened, .. } = self.clients[sender];
        let spoke = opened && self.world.engine.connection(id).is_some();
        for (index, client) in self.clients.iter().enumerate() {
            let is_audience = client.route == self.clients[sender].route
                && client.rooms.as_ref().is_some_and(&audience)
                && (include_self || index != sender);
            let count = self.world.client(client.id).received.iter().filter(|heard| *heard == text).count();
            assert_eq!(count, usize::from(spoke && is_audience), "{client:?} of {text}", client = client.id);
        }
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
    fn compare(&mut self) {
        let Self { world, clients, .. } = self;
        for client in clients.iter_mut() {
            world.received(client.id);
            if !world.engine.connection(client.id).is_some_and(|connection| connection.is_open()) {
                client.last_rooms.extend(client.rooms.take().into_iter().flatten());
            }
        }
        assert!(world.engine.connections() <= CONNECTIONS);
        for route in 0..2 {
            let members = |room: Option<&str>| -> BTreeSet<ConnectionId> {
                let is_member = |client: &&Client| {
                    client.route == route
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

    fn finish(mut self, by_shutdown: bool) {
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
        if self.is_shut_down {
            // The end of the grace time is nobody's timer but the server's.
            self.world.advance(u64::from(u16::MAX));
        }
        let world = &self.world;
        let mut stats = world.engine.stats();
        (stats.client_bytes.received, stats.client_bytes.sent) = (0, 0);
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
