//! A running engine takes another configuration: routes, connections, timers, calls, feeds.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{World, route};
use switchboard_core::config::{Assembly, RouteCallbacks};
use switchboard_core::{
    Admission, Answer, CloseCode, CloseFrame, Command, Config, Configuration, ConnectionId, Context,
    Deferred, Handler, HandlerResult, Hook, Hooks, Input, Message, Predecessor, ReconfigureError,
    ResponseAudience, RouteSettings, UpstreamEvent,
};

fn config(options: Value) -> Config {
    Config::from_value(options).unwrap()
}

fn world(options: Value) -> World {
    World::with_engine(config(options).engine([7; 32]).unwrap())
}

/// The configuration, in which every route has these callbacks.
fn with_hooks(options: Value, hooks: Hooks) -> Configuration {
    let config = config(options);
    let mut assembly = Assembly::default();
    assembly.configured(&config, |_, _| RouteCallbacks { hooks: hooks.clone(), ..Default::default() });
    assembly.configuration(config.engine_limits())
}

fn echo(pattern: &str) -> Value {
    json!({ "pattern": pattern, "dialect": "echo" })
}

fn replies(pattern: &str, reply: &str) -> Value {
    json!({ "pattern": pattern, "rules": [{ "do": [{ "reply": reply }] }] })
}

fn says(world: &mut World, id: ConnectionId) -> Vec<String> {
    world.text(id, "hi");
    world.received(id)
}

#[test]
fn routes_are_found_by_prefix_and_pattern() {
    let mut world = world(json!({ "routes": [echo("/a"), replies("/b", "old"), echo("/c")] }));
    let [a, b, c] = ["/a", "/b", "/c"].map(|path| world.connect(path));
    // In another order, one changed, one removed, one added, and one of the same pattern below a prefix.
    let moved = json!({ "pattern": "/c", "prefix": "/api", "dialect": "echo" });
    let next = config(json!({ "routes": [echo("/d"), replies("/b", "new"), echo("/a"), moved] }));
    let done = world.reconfigure(next.configuration());
    assert_eq!(done.to_string(), "1 route changed, 2 added, 1 removed; 2 connections kept, 1 closed");
    assert_eq!((done.unchanged, done.indices[1], done.indices[2]), (1, 1, 0), "what goes on keeps its index");
    assert_eq!(world.received(c), ["<close 1012 The route was removed>"]);
    assert_eq!((says(&mut world, a), says(&mut world, b)), (vec!["hi".to_owned()], vec!["new".to_owned()]));
    let unserved = world.upgrade("/c");
    assert_eq!(world.client(unserved).rejected, Some(404));
    let [d, moved] = ["/d", "/api/c"].map(|path| world.connect(path));
    assert_eq!(
        (says(&mut world, d), says(&mut world, moved)),
        (vec!["hi".to_owned()], vec!["hi".to_owned()])
    );
    assert_eq!(world.engine.route_of("/b"), Some(1));
    for id in [a, b, c, d, moved] {
        world.cut(id);
        assert_eq!(world.removed[&id], 1);
    }
    let stats = world.engine.stats();
    assert_eq!((stats.connections, stats.rooms, stats.timers, stats.calls), (0, 0, 0, 0));
}

#[test]
fn another_dialect_and_a_switch_close_with_the_reason() {
    let mut world = world(json!({ "routes": [echo("/a"), echo("/b")] }));
    let [a, b] = ["/a", "/b"].map(|path| world.connect(path));
    let off = json!({ "pattern": "/b", "dialect": "echo", "disabled": true });
    let done = world.reconfigure(config(json!({ "routes": [replies("/a", "new"), off] })).configuration());
    assert_eq!(done.to_string(), "2 routes changed; 0 connections kept, 2 closed");
    assert_eq!(world.received(a), ["<close 1012 The route's dialect is now rules>"]);
    assert_eq!(world.received(b), ["<close 1012 The route was switched off>"]);
    let next = world.connect("/a");
    assert_eq!(says(&mut world, next), ["new"]);
    let unserved = world.upgrade("/b");
    assert_eq!(world.client(unserved).rejected, Some(404));
    world.reconfigure(config(json!({ "routes": [replies("/a", "new"), echo("/b")] })).configuration());
    let next = world.connect("/b");
    assert_eq!(says(&mut world, next), ["hi"]);
}

#[test]
fn a_connection_keeps_its_rooms_and_its_data() {
    let hooks = Hooks { message: true, authenticate: true, ..Hooks::default() };
    let options = json!({ "routes": [{ "pattern": "/a", "defaultRoom": "lobby" }] });
    let mut world = World::new(Vec::new());
    world.reconfigure(with_hooks(options.clone(), hooks.clone()));
    let id = world.upgrade("/a");
    world.answer_next(Answer::Admission(Admission::Accept { data: json!({ "name": "Ada" }) }));
    world.open(id);
    world.command(id, Command::Join("x".into())).unwrap();
    let public_id = world.engine.connection(id).unwrap().public_id().clone();
    let other = json!({ "routes": [{ "pattern": "/a", "defaultRoom": "hall", "maxPayload": 9 }] });
    world.reconfigure(with_hooks(other, hooks));
    let connection = world.engine.connection(id).unwrap();
    assert_eq!(connection.public_id(), &public_id);
    assert_eq!(connection.auth_data(), &json!({ "name": "Ada" }));
    assert_eq!(connection.rooms().map(|room| &**room).collect::<Vec<_>>(), ["lobby", "x"]);
    let index = world.engine.route_of("/a").unwrap();
    assert_eq!(world.engine.audience(index, Some("lobby")), [id]);
    let newcomer = world.upgrade("/a");
    world.answer_next(Answer::Admission(Admission::accept()));
    world.open(newcomer);
    assert_eq!(world.engine.audience(index, Some("hall")), [newcomer], "this counts for newcomers");
}

#[test]
fn a_heartbeat_counts_from_the_ping_before() {
    let options = |heartbeat: u64| {
        config(json!({ "routes": [{ "pattern": "/", "dialect": "echo", "heartbeat": heartbeat }] }))
    };
    let mut world = World::with_engine(options(1_000).engine([7; 32]).unwrap());
    let id = world.connect("/");
    let own = world.connect("/");
    world.command(own, Command::Heartbeat(Some(Duration::from_millis(5_000)))).unwrap();
    world.advance(300);
    world.reconfigure(options(400).configuration());
    world.advance(99);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["<ping heartbeat>"], "400 ms after it has connected");
    world.reconfigure(options(10_000).configuration());
    world.advance(4_599);
    assert_eq!((world.received(id).len(), world.received(own).len()), (0, 0));
    world.advance(1);
    assert_eq!(world.received(own), ["<ping heartbeat>"], "what user code has set stays");
    world.advance(5_400);
    assert_eq!(world.received(id), ["<ping heartbeat>"]);
    world.reconfigure(options(0).configuration());
    world.advance(60_000);
    assert_eq!(world.received(id), [""; 0]);
    world.reconfigure(options(100).configuration());
    world.advance(100);
    assert_eq!(world.received(id), ["<ping heartbeat>"]);
}

#[test]
fn the_silence_so_far_counts() {
    let options = |timeout: u64| {
        config(json!({ "routes": [{ "pattern": "/", "dialect": "echo", "inactivityTimeout": timeout }] }))
    };
    let mut world = World::with_engine(options(0).engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.advance(300);
    world.reconfigure(options(1_000).configuration());
    world.advance(699);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["<close 1000 Inactivity timeout>"]);
    let id = world.connect("/");
    world.advance(500);
    world.reconfigure(options(100).configuration());
    world.timeout();
    assert_eq!(world.received(id), ["<close 1000 Inactivity timeout>"]);
}

#[test]
fn waiting_messages_keep_their_order() {
    let options = |delay: u64, reply: &str| {
        let mut route = replies("/", &format!("{reply} {{message}}"));
        route["delay"] = delay.into();
        config(json!({ "routes": [route] }))
    };
    let mut world = World::with_engine(options(100, "old").engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.text(id, "1");
    world.text(id, "2");
    world.reconfigure(options(0, "new").configuration());
    world.text(id, "3");
    assert_eq!(world.received(id), [""; 0]);
    world.advance(100);
    assert_eq!(world.received(id), ["new 1", "new 2", "new 3"]);
}

#[test]
fn a_call_under_way_ends_as_it_began() {
    let responses = |room: &str| Hooks {
        responses: vec![ResponseAudience::Broadcast { room: Some(room.into()), include_self: true }],
        ..Hooks::default()
    };
    let options = json!({ "routes": [{ "pattern": "/" }] });
    let mut world = World::new(Vec::new());
    world.reconfigure(with_hooks(options.clone(), responses("old")));
    let [a, b] = [world.connect("/"), world.connect("/")];
    world.command(a, Command::Join("old".into())).unwrap();
    world.command(b, Command::Join("new".into())).unwrap();
    world.text(a, "first");
    world.text(a, "second");
    world.reconfigure(with_hooks(options.clone(), responses("new")));
    world.reconfigure(with_hooks(options, responses("new")));
    let matched = |text: &str| Answer::Response { index: 0, message: Some(text.into()) };
    world.answer_next(matched("first"));
    assert_eq!((world.received(a), world.received(b)), (vec!["first".to_owned()], vec![]));
    world.answer_next(matched("second"));
    assert_eq!((world.received(a), world.received(b)), (vec![], vec!["second".to_owned()]));
}

#[test]
fn callbacks_come_and_go() {
    let options = json!({ "routes": [echo("/")] });
    let mut world = world(options.clone());
    let id = world.connect("/");
    let watched = Hooks { message: true, close: true, ..Hooks::default() };
    world.reconfigure(with_hooks(options.clone(), watched));
    assert_eq!(says(&mut world, id), ["hi"]);
    assert!(matches!(world.answer_next(Answer::Done), Hook::Message { .. }));
    world.reconfigure(with_hooks(options, Hooks::default()));
    assert_eq!(says(&mut world, id), ["hi"]);
    assert!(world.calls.is_empty());
}

#[test]
fn openings_under_way_end_with_their_route_or_go_on_with_it() {
    let hooks = Hooks { authenticate: true, ..Hooks::default() };
    let options = |paths: &[&str]| {
        let routes: Vec<Value> = paths.iter().map(|path| json!({ "pattern": path })).collect();
        json!({ "routes": routes })
    };
    let mut world = World::new(Vec::new());
    world.reconfigure(with_hooks(options(&["/a", "/b", "/c"]), hooks.clone()));
    let [a, b, c] = ["/a", "/b", "/c"].map(|path| world.upgrade(path));
    let (accepted, _, _) = world.calls.pop_back().unwrap();
    world.answer(accepted, Answer::Admission(Admission::accept()));
    let done = world.reconfigure(with_hooks(options(&["/b"]), hooks));
    assert_eq!((done.kept, done.closed), (1, 2));
    assert_eq!(world.client(a).rejected, Some(503));
    world.answer_next(Answer::Admission(Admission::accept()));
    world.answer_next(Answer::Admission(Admission::accept()));
    assert!(world.client(a).accepted.is_none(), "a late answer is ignored");
    world.open(b);
    assert!(world.engine.connection(b).unwrap().is_open());
    world.open(c);
    assert_eq!(world.received(c), ["<close 1012 The route was removed>"]);
    assert!(world.calls.is_empty(), "no hook of it has run");
    world.cut(b);
    world.cut(c);
    let stats = world.engine.stats();
    assert_eq!((stats.connections, stats.timers, stats.calls), (0, 0, 0));
}

#[test]
fn limits_and_origins_count_at_once() {
    let options = |most: usize| json!({ "limits": { "maxConnections": most }, "routes": [echo("/")] });
    let mut world = world(options(2));
    let [a, b] = [world.connect("/"), world.connect("/")];
    assert_eq!(world.reconfigure(config(options(1)).configuration()).kept, 2, "nobody is closed for it");
    world.close(a, 1000, "");
    let third = world.upgrade("/");
    assert_eq!(world.client(third).rejected, Some(503));
    let mut closed = options(9);
    closed["origins"] = json!(["https://other.example"]);
    world.reconfigure(config(closed).configuration());
    let page = world.upgrade_with("/", &[("origin", "http://localhost")]);
    assert_eq!(world.client(page).rejected, Some(403));
    assert_eq!(says(&mut world, b), ["hi"]);
}

#[test]
fn a_server_that_stops_changes_nothing_any_more() {
    let mut world = world(json!({ "routes": [echo("/")] }));
    let id = world.connect("/");
    let frame = CloseFrame::new(CloseCode::GOING_AWAY, "");
    world.input(Input::Shutdown { frame, grace: Duration::from_secs(1) });
    let (now, mut effects) = (world.now(), Vec::new());
    let result = world.engine.reconfigure(now, Configuration::default(), &mut effects);
    assert_eq!((result, effects.len()), (Err(ReconfigureError::Stopping), 0));
    assert_eq!(world.received(id), ["<close 1001>"]);
}

/// Remembers by itself how many messages came.
#[derive(Default)]
struct Counter(usize);

impl Handler for Counter {
    fn message(&mut self, cx: &mut Context<'_>, _: Message) -> HandlerResult {
        self.0 += 1;
        cx.send(self.0.to_string());
        Ok(())
    }

    fn succeed(&mut self, _: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        predecessor.get::<Self>().map(|predecessor| self.0 = predecessor.0).is_some()
    }
}

/// Has no idea of succession.
struct Plain;

impl Handler for Plain {
    fn message(&mut self, _: &mut Context<'_>, _: Message) -> HandlerResult {
        Ok(())
    }
}

/// Breaks down when it takes over.
struct Clumsy;

impl Handler for Clumsy {
    fn message(&mut self, _: &mut Context<'_>, _: Message) -> HandlerResult {
        Ok(())
    }

    fn succeed(&mut self, _: &mut Context<'_>, _: &mut Predecessor<'_>) -> bool {
        panic!("not today")
    }
}

#[test]
fn a_handler_of_ones_own_takes_over_or_its_clients_are_closed() {
    let settings = RouteSettings::default;
    let mut world = World::new(vec![route("/", settings(), Counter::default())]);
    let id = world.connect("/");
    assert_eq!(says(&mut world, id), ["1"]);
    world.reroute(vec![route("/", settings(), Counter::default())]);
    assert_eq!(says(&mut world, id), ["2"]);
    world.reroute(vec![route("/", settings(), Plain)]);
    assert_eq!(world.received(id), ["<close 1012 The route has changed>"]);
    let id = world.connect("/");
    let done = world.reroute(vec![route("/", settings(), Clumsy)]);
    assert_eq!((done.changed, done.closed), (1, 1));
    assert_eq!(world.received(id), ["<close 1012 The route has changed>"]);
    let panicked = "the new handler of / panicked when it took over";
    assert!(world.log.iter().any(|(_, text)| text == panicked), "{:?}", world.log);
}

#[test]
fn the_close_of_a_removed_route_is_its_own() {
    let hooks = Hooks { close: true, ..Hooks::default() };
    let mut world = World::new(vec![route("/old", RouteSettings::default(), Deferred::new(hooks))]);
    let id = world.connect("/old");
    let done = world.reroute(vec![route("/new", RouteSettings::default(), Plain)]);
    assert_eq!(done.indices, [1], "the old index is not free yet");
    world.close(id, 1012, "");
    let (call, of, hook) = world.next_call();
    assert!(of == id && matches!(hook, Hook::Close { .. }));
    world.answer(call, Answer::Done);
    assert_eq!(world.removed[&id], 1);
    let done = world.reroute(vec![
        route("/new", RouteSettings::default(), Plain),
        route("/newer", RouteSettings::default(), Plain),
    ]);
    assert_eq!(done.indices.iter().filter(|index| **index == 0).count(), 1, "now it is");
}

#[test]
fn feeds_keep_what_they_may() {
    let options = |feeds: Value| {
        let channels = json!([{ "name": "kills", "feed": "kills" }]);
        json!({ "feeds": feeds, "routes": [
            { "pattern": "/", "dialect": "actions", "actions": { "channels": channels } },
            { "pattern": "/socket/websocket", "dialect": "phoenix", "phoenix": { "killmails": { "feed": "kills" } } },
        ] })
    };
    let kept = |world: &mut World| {
        let id = world.connect("/socket/websocket?vsn=2.0.0");
        world.text(id, r#"["1","1","killmails:lobby","phx_join",{"systems":[1,2]}]"#);
        let heard = world.received(id).join("\n");
        world.cut(id);
        heard.matches("\"n\":").count()
    };
    let feed = |history: u64| json!([{ "name": "kills", "key": ["system_id"], "history": history }]);
    let mut world = world(options(feed(5)));
    for n in 0..4 {
        let value = json!({ "system_id": 1 + n % 2, "n": 10 + n });
        world.input(Input::Publish { feed: "kills".into(), value });
    }
    assert_eq!(kept(&mut world), 4);
    world.reconfigure(config(options(feed(5))).configuration());
    assert_eq!(kept(&mut world), 4);
    world.reconfigure(config(options(feed(1))).configuration());
    assert_eq!(kept(&mut world), 2);
    let other = json!([{ "name": "kills", "key": ["n"], "history": 5 }]);
    world.reconfigure(config(options(other)).configuration());
    assert_eq!(kept(&mut world), 0, "their keys are no systems now");
    world.reconfigure(config(options(feed(5))).configuration());
    assert_eq!(kept(&mut world), 2);
}

#[test]
fn an_interval_neither_skips_nor_ticks_twice() {
    let options = |every: u64, values: Value| {
        let channels = json!([{ "name": "c", "feed": "f" }]);
        let feed = json!({ "name": "f", "interval": { "every": every, "values": values } });
        config(json!({ "feeds": [feed], "routes": [
            { "pattern": "/", "dialect": "actions", "actions": { "channels": channels } },
        ] }))
    };
    let letters = json!(["a", "b", "c"]);
    let mut world = World::with_engine(options(100, letters.clone()).engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.text(id, r#"{"action":"sub","channel":"c"}"#);
    world.advance(150);
    assert_eq!(world.received(id), ["\"a\""]);
    world.reconfigure(options(100, letters.clone()).configuration());
    world.advance(49);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["\"b\""]);
    world.advance(50);
    world.reconfigure(options(60, letters.clone()).configuration());
    world.advance(9);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["\"c\""], "60 ms after the one before");
    world.reconfigure(options(60, json!(["x"])).configuration());
    world.advance(60);
    assert_eq!(world.received(id), ["\"x\""]);
    let none = json!({ "routes": [{ "pattern": "/", "dialect": "actions", "actions": { "channels": [] } }] });
    world.reconfigure(config(none).configuration());
    world.advance(1_000);
    assert_eq!((world.received(id).len(), world.engine.stats().timers), (0, 0));
}

#[test]
fn a_source_that_points_elsewhere_begins_anew() {
    let options = |upstream: Value| {
        config(json!({ "feeds": [{ "name": "f", "upstream": upstream }], "routes": [echo("/")] }))
    };
    let mut world = World::with_engine(options(json!({ "url": "ws://a" })).engine([7; 32]).unwrap());
    world.advance(0);
    world.target(UpstreamEvent::Opened { protocol: None });
    world.reconfigure(options(json!({ "url": "ws://a", "field": "data", "retry": 5 })).configuration());
    world.advance(10);
    assert_eq!((world.dials.len(), world.told_targets().len()), (1, 0), "it goes on");
    world.reconfigure(options(json!({ "url": "ws://b" })).configuration());
    world.advance(0);
    assert_eq!((world.dials.len(), world.told_targets()), (2, vec!["<close>".to_owned()]));
    assert_eq!(world.dials[1].1.url, "ws://b");
    world.reconfigure(config(json!({ "routes": [echo("/")] })).configuration());
    assert_eq!(world.told_targets(), ["<end>"]);
}

#[test]
fn a_file_that_is_read_late_is_not_taken_for_another() {
    let options = |file: &str| {
        let channels = json!([{ "name": "c", "feed": "f" }]);
        config(json!({ "feeds": [{ "name": "f", "replay": { "file": file, "every": 1 } }], "routes": [
            { "pattern": "/", "dialect": "actions", "actions": { "channels": channels } },
        ] }))
    };
    let mut world = World::with_engine(options("a").engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.text(id, r#"{"action":"sub","channel":"c"}"#);
    world.advance(0);
    world.reconfigure(options("b").configuration());
    world.advance(0);
    assert_eq!(world.files, [("f".to_owned(), "a".to_owned()), ("f".to_owned(), "b".to_owned())]);
    for (file, content) in [("a", "\"a\"\n"), ("b", "\"b\"\n\"c\"\n")] {
        world.input(Input::File { feed: "f".into(), file: file.into(), content: Ok(content.into()) });
    }
    world.advance(0);
    assert_eq!(world.received(id), ["\"b\""]);
    world.reconfigure(options("b").configuration());
    world.advance(1);
    assert_eq!(world.received(id), ["\"c\""]);
}

#[test]
fn endpoints_are_those_of_the_new_configuration() {
    let options = |path: &str| json!({ "feeds": [{ "name": "f", "post": { "path": path } }] });
    let mut world = world(options("/a"));
    world.reconfigure(config(options("/b")).configuration());
    assert_eq!((world.http("POST", "/a", "1").0, world.http("POST", "/b", "1").0), (404, 202));
}

#[test]
fn a_secret_counts_as_a_change() {
    let options = |token: &str| {
        config(json!({ "routes": [
            { "pattern": "/", "dialect": "echo", "authenticate": { "token": { "query": "t", "values": [token] } } },
            { "pattern": "/p", "proxy": { "url": "ws://x", "auth": { "type": "bearer", "token": token } } },
        ] }))
    };
    let mut world = World::with_engine(options("a").engine([7; 32]).unwrap());
    assert_eq!(world.reconfigure(options("a").configuration()).unchanged, 2);
    assert_eq!(world.reconfigure(options("b").configuration()).changed, 2);
}
