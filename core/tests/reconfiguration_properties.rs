//! What holds wherever an engine is reconfigured: an equal configuration changes nothing that anyone can see, and with any
//! other one each connection still ends once and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::World;
use switchboard_core::config::{Assembly, Dialect, RouteCallbacks};
use switchboard_core::{
    Answer, Config, Configuration, ConnectionId, Engine, Hook, Hooks, Input, Message, Stats, UpstreamEvent,
};

/// One thing that happens to one of a few clients.
#[derive(Clone, Debug)]
enum Step {
    Open(usize),
    Say(usize, usize),
    Ping(usize),
    Pong(usize),
    Close(usize),
    Cut(usize),
    Publish(u8),
    Target(u8),
    Answer,
    Advance(u64),
}

const PATHS: [&str; 9] = [
    "/handlers",
    "/echo",
    "/relay/x",
    "/rules",
    "/actions",
    "/topics",
    "/commands",
    "/events",
    "/socket/websocket?vsn=2.0.0",
];

const TEXTS: [&str; 14] = [
    "hi",
    r#"{"action":"sub","channel":"c"}"#,
    r#"{"type":"subscribe","topics":["all"]}"#,
    r#"{"type":"subscribe","event":"slow"}"#,
    r#"{"type":"unsubscribe","event":"tick"}"#,
    r#"{"event":"subscribe","channel":"c"}"#,
    r#"{"command":"presence"}"#,
    r#"["1","1","room:1","phx_join",{"user_id":"a"}]"#,
    r#"["1","2","room:1","shout",{}]"#,
    r#"["1","3","room:1","phx_leave",{}]"#,
    r#"["4","4","called:1","phx_join",{}]"#,
    r#"["5","5","killmails:lobby","phx_join",{"systems":[1,2],"preload":{"enabled":true}}]"#,
    r#"["6","6","realtime:x","phx_join",{"config":{"broadcast":{"self":true}}}]"#,
    r#"["6","7","realtime:x","presence",{"type":"presence","event":"track","payload":{"n":1}}]"#,
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..6usize;
    let step = prop_oneof![
        4 => (0..=PATHS.len()).prop_map(Step::Open),
        8 => (who.clone(), 0..TEXTS.len()).prop_map(|(who, text)| Step::Say(who, text)),
        1 => who.clone().prop_map(Step::Ping),
        1 => who.clone().prop_map(Step::Pong),
        1 => who.clone().prop_map(Step::Close),
        1 => who.prop_map(Step::Cut),
        2 => (0..3u8).prop_map(Step::Publish),
        1 => (0..4u8).prop_map(Step::Target),
        3 => Just(Step::Answer),
        4 => (0..700u64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..60)
}

/// All dialects. `variant` 0 is the first configuration; others have other options, order, routes and feeds.
fn config(variant: u8) -> Config {
    let other = variant % 2 == 1;
    let ms = if other { 130 } else { 200 };
    let mut routes = vec![
        json!({ "pattern": "/handlers", "heartbeat": ms, "feeds": ["f"] }),
        json!({ "pattern": "/echo", "dialect": "echo", "delay": ms / 2, "inactivityTimeout": ms * 9 }),
        json!({ "pattern": "/relay/{r}", "dialect": "relay" }),
        json!({ "pattern": "/rules", "rules": [
            { "on": "connect", "do": [{ "join": "lobby" }] },
            { "do": [{ "broadcast": { "n": "{random.int 1 1000}", "v": variant }, "rooms": "lobby", "includeSelf": true }] },
        ] }),
        json!({ "pattern": "/actions", "dialect": "actions", "actions": { "channels": [{ "name": "c", "feed": "f" }] } }),
        json!({ "pattern": "/topics", "dialect": "topics", "topics": { "feed": "f", "pingInterval": ms * 2, "pingTimeout": ms } }),
        json!({ "pattern": "/commands", "dialect": "commands", "commands": { "pingTimeout": 1 + variant % 2, "profile": if other { "compat" } else { "seed" } } }),
        json!({ "pattern": "/events", "heartbeat": ms * 3, "events": { "mock": [
            { "name": "tick", "interval": ms, "data": "{counter.n 1 1}" },
            { "name": "slow", "data": "{random.int 1 1000}" },
        ] } }),
        json!({ "pattern": "/socket/websocket", "dialect": "phoenix", "phoenix": {
            "timeout": ms * 10,
            "killmails": { "feed": "f" },
            "realtime": true,
            "channels": [
                { "topic": "room:*", "presence": true, "feed": "f", "join": { "v": variant } },
                { "topic": "called:*", "callbacks": true },
            ],
        } }),
        json!({ "pattern": "/proxy", "proxy": { "url": "ws://target", "timeout": ms * 5 } }),
    ];
    let mut feeds = vec![json!({
        "name": "f", "key": ["system_id"], "history": 3 + variant % 3,
        "interval": { "every": ms, "values": [{ "system_id": 1, "n": "{counter.n 1 1}" }, { "system_id": 2 }] },
        "upstream": { "url": "ws://feed" },
    })];
    match variant % 5 {
        2 => routes.reverse(),
        3 => {
            routes[1] = json!({ "pattern": "/echo", "rules": [] , "dialect": "rules" });
            routes[8]["phoenix"]["channels"] = json!([{ "topic": "other" }]);
            routes.remove(4);
        }
        4 => {
            routes.truncate(3);
            routes[0]["disabled"] = true.into();
            feeds = vec![json!({ "name": "f" })];
        }
        _ => {}
    }
    Config::from_value(json!({ "routes": routes, "feeds": feeds })).unwrap()
}

fn assembly(config: &Config) -> Assembly {
    let hooks = Hooks { connect: true, message: true, close: true, ..Hooks::default() };
    let mut assembly = Assembly::default();
    assembly.configured(config, |_, route| match route.dialect() {
        Dialect::Handlers => RouteCallbacks { hooks: hooks.clone(), ..RouteCallbacks::default() },
        _ => RouteCallbacks::default(),
    });
    assembly
}

fn configuration(variant: u8) -> Configuration {
    let config = config(variant);
    assembly(&config).configuration(config.engine_limits())
}

fn engine() -> Engine {
    let config = config(0);
    let assembly = assembly(&config);
    let router = assembly.router().unwrap().claim_all();
    assembly.engine(router, config.engine_limits(), [7; 32])
}

/// A world, and who is in it.
struct Play {
    world: World,
    clients: Vec<ConnectionId>,
    /// Whose connect hooks have run, and whose close hooks.
    connected: Vec<ConnectionId>,
    closed: Vec<ConnectionId>,
}

impl Play {
    fn new() -> Self {
        let (clients, connected, closed) = Default::default();
        Self { world: World::with_engine(engine()), clients, connected, closed }
    }

    fn step(&mut self, step: &Step) {
        let open = |id: &ConnectionId| {
            let client = self.world.client(*id);
            client.accepted.is_some() && !client.gone
        };
        let open: Vec<_> = self.clients.iter().copied().filter(open).collect();
        let pick = |who: usize| open.get(who % open.len().max(1)).copied();
        match *step {
            Step::Open(path) => {
                let id = self.world.upgrade(PATHS.get(path).copied().unwrap_or("/proxy"));
                if self.world.client(id).accepted.is_some() {
                    self.world.open(id);
                }
                self.clients.push(id);
            }
            Step::Say(who, text) => {
                if let Some(id) = pick(who) {
                    self.world.message(id, Message::from(TEXTS[text]));
                }
            }
            Step::Ping(who) => pick(who).into_iter().for_each(|id| self.world.ping(id, b"p")),
            Step::Pong(who) => pick(who).into_iter().for_each(|id| self.world.pong(id, b"heartbeat")),
            Step::Close(who) => pick(who).into_iter().for_each(|id| self.world.close(id, 1000, "")),
            Step::Cut(who) => pick(who).into_iter().for_each(|id| self.world.cut(id)),
            Step::Publish(system) => {
                let value = json!({ "system_id": system });
                self.world.input(Input::Publish { feed: "f".into(), value });
            }
            Step::Target(event) if !self.world.dials.is_empty() => self.world.target(match event {
                0 => UpstreamEvent::Opened { protocol: None },
                1 => UpstreamEvent::Message(r#"{"system_id":2}"#.into()),
                2 => UpstreamEvent::Closed(None),
                _ => UpstreamEvent::Failed { message: "no".into() },
            }),
            Step::Target(_) => {}
            Step::Answer => self.answer(),
            Step::Advance(ms) => self.world.advance(ms),
        }
        // Whose opening handshake was answered late.
        for id in self.clients.clone() {
            let client = self.world.client(id);
            let waits = client.accepted.is_some() && !client.gone;
            if waits && self.world.engine.connection(id).is_some_and(|it| !it.is_open()) {
                self.world.open(id);
            }
        }
    }

    /// The oldest hook that waits comes back.
    fn answer(&mut self) {
        if self.world.calls.is_empty() {
            return;
        }
        let (call, id, hook) = self.world.next_call();
        match hook {
            Hook::Connect => self.connected.push(id),
            Hook::Close { .. } => self.closed.push(id),
            _ => {}
        }
        self.world.answer(call, Answer::Done);
    }

    /// All that anyone has seen.
    fn seen(&self) -> Value {
        let world = &self.world;
        let clients: Vec<_> = self.clients.iter().map(|id| format!("{:?}", world.client(*id))).collect();
        let calls: Vec<_> = world.calls.iter().map(|call| format!("{call:?}")).collect();
        json!({
            "clients": clients,
            "calls": calls,
            "cancelled": format!("{:?}", world.cancelled),
            "log": format!("{:?}", world.log),
            "dials": format!("{:?}", world.dials),
            "upstream": format!("{:?}", world.upstream),
            "stats": format!("{:?}", world.engine.stats()),
            "deadline": format!("{:?}", world.engine.poll_timeout()),
        })
    }

    /// Everyone leaves; nothing may be left.
    fn end(mut self) -> Result<(), TestCaseError> {
        self.world.reconfigure(Configuration::default());
        for id in self.clients.clone() {
            self.world.cut(id);
        }
        while !self.world.calls.is_empty() {
            self.answer();
        }
        self.connected.sort_unstable();
        self.closed.sort_unstable();
        prop_assert_eq!(&self.connected, &self.closed, "each connect has its close");
        self.world.advance(60_000);
        for id in &self.clients {
            let client = self.world.client(*id);
            let removed = self.world.removed.get(id).copied().unwrap_or_default();
            prop_assert_eq!(removed, usize::from(client.rejected.is_none()), "{:?}", client);
        }
        let Stats { connections, rooms, timers, calls, .. } = self.world.engine.stats();
        prop_assert_eq!((connections, rooms, timers, calls), (0, 0, 0, 0));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn an_equal_configuration_changes_nothing(steps in steps(), often in prop::collection::vec(any::<bool>(), 60)) {
        let (mut plain, mut reconfigured) = (Play::new(), Play::new());
        for (step, now) in steps.iter().zip(often) {
            plain.step(step);
            reconfigured.step(step);
            if now {
                let done = reconfigured.world.reconfigure(configuration(0));
                prop_assert_eq!((done.changed, done.added, done.removed, done.closed), (0, 0, 0, 0));
            }
            prop_assert_eq!(plain.seen(), reconfigured.seen(), "after {:?}", step);
        }
        plain.end()?;
        reconfigured.end()?;
    }

    #[test]
    fn whatever_comes_each_connection_ends_once(steps in steps(), variants in prop::collection::vec(0..20u8, 60)) {
        let mut play = Play::new();
        for (step, variant) in steps.iter().zip(variants) {
            play.step(step);
            if variant < 10 {
                play.world.reconfigure(configuration(variant));
            }
        }
        play.end()?;
    }
}
