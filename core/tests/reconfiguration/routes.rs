//! Routes that come, go and change.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_core::{
    Admission, Answer, CloseCode, CloseFrame, Configuration, Hooks, Input, ReconfigureError,
};

use crate::support::World;
use crate::{config, echo, replies, says, with_hooks, world};

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
