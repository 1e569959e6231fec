//! What each dialect takes over when its route is reconfigured.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod support;

use serde_json::{Value, json};
use support::World;
use switchboard_core::config::{Assembly, RouteCallbacks};
use switchboard_core::dialect::proxy::ProxyHooks;
use switchboard_core::{Answer, ChannelReply, Config, ConnectionId, Hook, Hooks, Input, UpstreamEvent};

/// A server of one route, and its next configurations.
struct Reconfigurable {
    world: World,
    hooks: Hooks,
    proxied: ProxyHooks,
}

impl Reconfigurable {
    fn new(route: Value) -> Self {
        Self::with_hooks(route, Hooks::default())
    }

    fn with_hooks(route: Value, hooks: Hooks) -> Self {
        let mut this = Self { world: World::new(Vec::new()), hooks, proxied: ProxyHooks::default() };
        this.route(route);
        this
    }

    /// Gives the route other options.
    fn route(&mut self, route: Value) -> String {
        let feeds = json!([{ "name": "killmails" }, { "name": "comments" }, { "name": "f" }]);
        let config = Config::from_value(json!({ "routes": [route], "feeds": feeds })).unwrap();
        let mut assembly = Assembly::default();
        let callbacks =
            RouteCallbacks { hooks: self.hooks.clone(), proxied: self.proxied, ..Default::default() };
        assembly.configured(&config, |_, _| callbacks.clone());
        self.world.reconfigure(assembly.configuration(config.engine_limits())).to_string()
    }

    /// A client of the route at `/`, with a query or not.
    fn connect(&mut self, query: &str) -> ConnectionId {
        self.world.connect(&format!("/{query}"))
    }

    fn ask(&mut self, id: ConnectionId, text: &str) -> Vec<String> {
        self.world.text(id, text);
        self.world.received(id)
    }

    fn publish(&mut self, feed: &str, value: Value) {
        self.world.input(Input::Publish { feed: feed.into(), value });
    }
}

/// A route at `/` with these keys.
fn at_root(mut keys: Value) -> Value {
    keys["pattern"] = "/**".into();
    keys
}

const KEPT: &str = "1 route changed; 1 connection kept";
const CLOSED: &str = "1 route changed; 0 connections kept, 1 closed";

#[test]
fn relay_leaves_everyone_in_the_room() {
    let mut server =
        Reconfigurable::new(at_root(json!({ "dialect": "relay", "room": "{connection.query.r}" })));
    let [a, b] = [server.connect("?r=x&s=1"), server.connect("?r=x&s=2")];
    server.route(at_root(json!({ "dialect": "relay", "room": "{connection.query.s}" })));
    assert_eq!(server.ask(a, "hi"), [""; 0]);
    assert_eq!(server.world.received(b), ["hi"]);
    let c = server.connect("?r=x&s=2");
    assert_eq!(server.ask(c, "hi"), [""; 0], "newcomers get another room");
    assert_eq!(server.world.received(b), [""; 0]);
}

#[test]
fn rules_change_at_once_and_random_goes_on() {
    let options = |reply: &str| at_root(json!({ "rules": [{ "do": [{ "reply": reply }] }] }));
    let run = |reconfigures: bool| {
        let mut server = Reconfigurable::new(options("{random.int 1 1000000}"));
        let id = server.connect("");
        let first = server.ask(id, "");
        if reconfigures {
            server.route(options("{random.int 1 1000000}"));
        }
        (first, server.ask(id, ""))
    };
    assert_eq!(run(true), run(false));
    let mut server = Reconfigurable::new(options("old"));
    let id = server.connect("");
    assert_eq!(server.route(options("new")), KEPT);
    assert_eq!(server.ask(id, ""), ["new"]);
}

#[test]
fn actions_keeps_subscriptions() {
    let options = |action: &str, most: u64| {
        let channels = json!([{ "name": "c", "feed": "f", "action": action }]);
        at_root(json!({ "dialect": "actions", "actions": { "channels": channels, "maxChannels": most } }))
    };
    let mut server = Reconfigurable::new(options("old", 9));
    let id = server.connect("");
    server.ask(id, r#"{"action":"sub","channel":"c"}"#);
    server.route(options("new", 1));
    server.publish("f", json!(1));
    assert_eq!(server.world.received(id), [r#"{"action":"new","data":1}"#]);
    server.ask(id, r#"{"action":"sub","channel":"d"}"#);
    let connection = server.world.engine.connection(id).unwrap();
    assert_eq!(connection.rooms().len(), 1, "one more is too many now");
}

#[test]
fn topics_keeps_topics_and_moves_its_pings() {
    let options = |keys: Value| at_root(json!({ "dialect": "topics", "topics": keys }));
    let mut server = Reconfigurable::new(options(json!({ "pingInterval": 1_000 })));
    let id = server.connect("");
    server.ask(id, r#"{"type":"subscribe","topics":["solo"]}"#);
    server.world.received(id);
    server.world.advance(300);
    server.route(options(json!({ "pingInterval": 400, "maxTopics": 1 })));
    server.world.advance(99);
    assert_eq!(server.world.received(id), [""; 0]);
    server.world.advance(1);
    assert!(server.world.next_received(id).unwrap().starts_with(r#"{"type":"ping""#));
    server.ask(id, r#"{"type":"pong"}"#);
    assert_eq!(
        server.ask(id, r#"{"type":"subscribe","topics":["npc"]}"#),
        [r#"{"type":"error","message":"Too many topics (max: 1)"}"#]
    );
    assert_eq!(server.route(options(json!({ "generation": "g1" }))), CLOSED);
    assert_eq!(server.world.received(id), ["<close 1012 The route has changed>"]);
}

#[test]
fn commands_keeps_who_is_there() {
    let options = |keys: Value| at_root(json!({ "dialect": "commands", "commands": keys }));
    let mut server = Reconfigurable::new(options(json!({})));
    let [a, b] = [server.connect(""), server.connect("")];
    let presence: Value = serde_json::from_str(server.world.received(b).last().unwrap()).unwrap();
    let of_a = presence["users"][0]["id"].as_str().unwrap().to_owned();
    server.world.received(a);
    server.route(options(json!({ "profile": "compat", "pingTimeout": 5 })));
    let command = json!({ "command": "private_message", "to": of_a, "message": "m" }).to_string();
    server.ask(b, &command);
    assert_eq!(server.world.received(a), ["m"], "the bare text of the profile");
    let presence: Value =
        serde_json::from_str(server.ask(b, r#"{"command":"presence"}"#).last().unwrap()).unwrap();
    assert_eq!(presence["users"].as_object().unwrap().len(), 2);
    server.world.advance(4_999);
    assert!(server.world.engine.connection(a).unwrap().is_open());
    server.world.advance(1);
    assert!(!server.world.engine.connection(a).unwrap().is_open(), "silent for longer than pingTimeout");
}

#[test]
fn events_go_on_by_name() {
    let options = |events: Value, heartbeat: u64| {
        at_root(json!({ "heartbeat": heartbeat, "events": { "mock": events } }))
    };
    let event =
        |name: &str, interval: u64, data: &str| json!({ "name": name, "interval": interval, "data": data });
    let names = |server: &mut Reconfigurable, id| {
        let heard = server.world.received(id);
        let name = |text: &String| {
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            (value["name"].as_str().unwrap_or("-").to_owned(), value["data"].clone())
        };
        heard.iter().map(name).map(|(name, data)| format!("{name}={data}")).collect::<Vec<_>>()
    };
    let first = json!([event("a", 100, "{counter.n 1 1}"), event("b", 250, "b"), event("x", 70, "x")]);
    let mut server = Reconfigurable::new(options(first, 0));
    let id = server.connect("");
    server.ask(id, r#"{"type":"unsubscribe","event":"x"}"#);
    server.world.advance(150);
    names(&mut server, id);
    let second = json!([
        event("b", 200, "b"),
        event("x", 70, "x"),
        event("a", 100, "{counter.n 1 1}"),
        event("new", 500, "new"),
    ]);
    assert_eq!(server.route(options(second, 0)), KEPT);
    server.world.advance(49);
    assert_eq!(names(&mut server, id), [""; 0]);
    server.world.advance(1);
    let mut both = names(&mut server, id);
    both.sort_unstable();
    assert_eq!(both, ["a=2", "b=\"b\""], "the counter goes on, the other is due 200 ms after it began");
    server.world.advance(449);
    assert!(!names(&mut server, id).iter().any(|name| name.starts_with("new")));
    server.world.advance(1);
    assert!(names(&mut server, id).iter().any(|name| name.starts_with("new")), "500 ms after it was added");
    server.route(options(json!([]), 300));
    names(&mut server, id);
    server.world.advance(300);
    assert_eq!(server.world.received(id), ["<ping >".to_owned()]);
}

fn phoenix(channels: Value) -> Value {
    at_root(json!({ "dialect": "phoenix", "phoenix": channels }))
}

fn join(server: &mut Reconfigurable, id: ConnectionId, topic: &str, payload: Value) -> String {
    server.ask(id, &json!(["1", "1", topic, "phx_join", payload]).to_string()).join("\n")
}

#[test]
fn phoenix_keeps_joins_and_presence() {
    let room = |join: &str| json!({ "topic": "room:*", "join": { "v": join }, "presence": true });
    let mut server = Reconfigurable::new(phoenix(json!({ "channels": [room("old")] })));
    let a = server.connect("?vsn=2.0.0&user_id=ada");
    assert!(join(&mut server, a, "room:1", json!({})).contains("\"v\":\"old\""));
    // The same channel, now behind another one.
    let next = phoenix(json!({ "channels": [{ "topic": "other" }, room("new")], "timeout": 10_000 }));
    assert_eq!(server.route(next), KEPT);
    assert_eq!(server.world.received(a), [""; 0]);
    let b = server.connect("?vsn=2.0.0&user_id=bob");
    let heard = join(&mut server, b, "room:1", json!({}));
    assert!(heard.contains("\"v\":\"new\"") && heard.contains("\"ada\""), "{heard}");
    assert!(server.world.received(a).concat().contains("presence_diff"));
    server.ask(a, r#"["1","2","room:1","hello",{}]"#);
    assert_eq!(server.world.received(b), [r#"[null,null,"room:1","hello",{}]"#]);
    server.world.advance(9_999);
    assert!(server.world.engine.connection(a).unwrap().is_open());
    server.world.advance(1);
    assert!(!server.world.engine.connection(a).unwrap().is_open(), "the new timeout, from its last frame");
}

#[test]
fn phoenix_ends_channels_that_are_gone_and_lets_clients_join_the_others() {
    let first =
        json!({ "channels": [{ "topic": "a:*" }, { "topic": "b:*", "presence": true }, { "topic": "c:*" }] });
    let mut server = Reconfigurable::new(phoenix(first));
    let id = server.connect("?vsn=2.0.0");
    for topic in ["a:1", "b:1", "c:1"] {
        join(&mut server, id, topic, json!({}));
    }
    server.world.received(id);
    // One is gone, and another comes before one that stays.
    let next = json!({ "channels": [{ "topic": "b:*", "presence": true }, { "topic": "c:1", "join": { "v": 2 } }, { "topic": "c:*" }] });
    server.route(phoenix(next));
    assert_eq!(
        server.world.received(id),
        [r#"["1","1","a:1","phx_error",{}]"#, r#"["1","1","c:1","phx_error",{}]"#]
    );
    assert!(join(&mut server, id, "a:1", json!({})).contains("unmatched topic"));
    assert!(join(&mut server, id, "c:1", json!({})).contains("\"v\":2"));
    assert!(server.ask(id, r#"["1","9","b:1","x",{}]"#)[0].contains("\"ok\""));
    server.world.cut(id);
    let stats = server.world.engine.stats();
    assert_eq!((stats.connections, stats.rooms, stats.timers), (0, 0, 0));
}

#[test]
fn phoenix_keeps_the_killmail_channel_and_realtime() {
    let options =
        |counts: bool| json!({ "killmails": { "feed": "f", "killCounts": counts }, "realtime": true });
    let mut server = Reconfigurable::new(phoenix(options(true)));
    let id = server.connect("?vsn=2.0.0");
    join(&mut server, id, "killmails:lobby", json!({ "systems": [30] }));
    let config = json!({ "config": { "broadcast": { "self": true } } });
    join(&mut server, id, "realtime:x", config);
    server.world.received(id);
    assert_eq!(server.route(phoenix(options(false))), KEPT);
    server.publish("f", json!({ "system_id": 30 }));
    let heard = server.world.received(id);
    assert!(heard.len() == 1 && heard[0].contains("killmail_update"), "{heard:?}");
    let own =
        server.ask(id, r#"["1","5","realtime:x","broadcast",{"type":"broadcast","event":"e","payload":{}}]"#);
    assert!(own[0].contains("\"broadcast\""), "it hears itself, as it has asked: {own:?}");
}

#[test]
fn phoenix_answers_late_joins_where_the_channel_is() {
    let room = |topic: &str| json!({ "topic": topic, "callbacks": true });
    let options =
        |topics: &[&str]| json!({ "channels": topics.iter().map(|topic| room(topic)).collect::<Vec<_>>() });
    let hooks = Hooks::default();
    let mut server = Reconfigurable::with_hooks(phoenix(options(&["a", "b"])), hooks);
    let [x, y] = [server.connect("?vsn=2.0.0"), server.connect("?vsn=2.0.0")];
    assert_eq!(join(&mut server, x, "a", json!({})), "");
    assert_eq!(join(&mut server, y, "b", json!({})), "");
    server.route(phoenix(options(&["b"])));
    assert!(server.world.received(x)[0].contains("join crashed"));
    assert!(matches!(server.world.answer_next(Answer::ChannelReply(ChannelReply::none())), Hook::Channel(_)));
    assert_eq!(server.world.received(x), [""; 0], "a late answer says nothing");
    server.world.answer_next(Answer::ChannelReply(ChannelReply::none()));
    assert!(server.world.received(y)[0].contains("\"ok\""));
}

#[test]
fn proxy_keeps_its_targets() {
    let options = |url: &str| at_root(json!({ "proxy": { "url": url, "handshake": "target" } }));
    let mut server = Reconfigurable::new(options("ws://old"));
    let id = server.world.upgrade("/x");
    let opening = server.world.upgrade("/y");
    server.world.input(Input::Upstream {
        upstream: server.world.dials[0].0,
        event: UpstreamEvent::Opened { protocol: None },
    });
    server.world.open(id);
    let done = server.route(at_root(json!({ "proxy": { "url": "ws://new", "handshake": "proxy" } })));
    assert_eq!(done, "1 route changed; 2 connections kept");
    server.ask(id, "hi");
    assert_eq!(server.world.told_targets(), ["hi"], "at the old target");
    // Its target answers its opening handshake, as when it was dialled.
    server.world.target(UpstreamEvent::Opened { protocol: None });
    server.world.open(opening);
    assert!(server.world.engine.connection(opening).unwrap().is_open());
    server.world.cut(opening);
    let newcomer = server.connect("z");
    assert_eq!(server.world.dials.last().unwrap().1.url, "ws://new/z");
    server.route(at_root(json!({ "dialect": "echo" })));
    assert_eq!(server.world.received(newcomer), ["<close 1012 The route's dialect is now echo>"]);
}

#[test]
fn a_message_that_a_callback_looks_at_goes_on() {
    let options = at_root(json!({ "proxy": "ws://t" }));
    let mut server = Reconfigurable::new(options.clone());
    server.proxied = ProxyHooks { client: true, target: false };
    server.hooks = Hooks { message: true, ..Hooks::default() };
    server.route(options.clone());
    let id = server.world.upgrade("/x");
    server.world.target(UpstreamEvent::Opened { protocol: None });
    server.world.open(id);
    server.ask(id, "seen");
    assert_eq!(server.world.calls.len(), 2);
    // From now on nothing looks at the messages that the client's callback sees.
    server.hooks = Hooks::default();
    server.route(options);
    let (passing, _, _) = server.world.calls.pop_front().unwrap();
    let (other, _, hook) = server.world.calls.pop_front().unwrap();
    assert!(matches!(hook, Hook::Message { .. }));
    server.world.answer(other, Answer::Done);
    assert_eq!(server.world.told_targets(), [""; 0]);
    server.world.answer(passing, Answer::Passed(Some("changed".into())));
    assert_eq!(server.world.told_targets(), ["changed"]);
}
