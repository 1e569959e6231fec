//! The proxy: what passes when, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use support::proxy::{closes, connect, fails, opened, says, world};
use support::world::{World, route};
use switchboard_core::dialect::proxy::{Direction, Proxy, ProxyHooks, ProxyOptions};
use switchboard_core::{
    Answer, Connection, ConnectionId, Hook, Level, Message, RouteSettings, UpstreamEvent,
};

/// A client with its target, where this side answers opening handshakes.
fn linked(handshake: &str) -> (World, ConnectionId) {
    let proxy = json!({ "url": "ws://h", "handshake": handshake });
    let mut world = world(json!([{ "pattern": "/live", "proxy": proxy }]));
    let id = world.upgrade("/live");
    if handshake == "proxy" {
        world.open(id);
        world.target(opened());
    } else {
        world.target(opened());
        world.open(id);
    }
    (world, id)
}

#[test]
fn messages_pass_unchanged_and_wait_for_the_target() {
    let proxy = json!({ "url": "wss://example.com/feed?key=k", "handshake": "proxy" });
    let mut world = world(json!([{ "pattern": "/live", "proxy": proxy }]));
    let id = world.connect("/live?room=7");
    assert_eq!(world.dials[0].1.url, "wss://example.com/feed?key=k&room=7");
    assert_eq!((world.dials[0].1.timeout, world.dials[0].1.max_message), (Duration::from_secs(10), 16 << 20));
    world.text(id, "early");
    world.message(id, Bytes::from_static(&[1, 2]));
    assert!(world.told_targets().is_empty());
    world.target(opened());
    world.text(id, "late");
    assert_eq!(world.told_targets(), ["early", r#"<binary b"\x01\x02">"#, "late"]);
    world.target(says("hello"));
    world.target(says(Bytes::from_static(b"")));
    assert_eq!(world.received(id), ["hello", r#"<binary b"">"#]);
    world.target(closes(4001, "done"));
    world.target(says("too late"));
    assert_eq!(world.received(id), ["<close 4001 done>"]);
    assert!(world.told_targets().is_empty(), "a target that closed is not closed again");
}

/// What let a client in here is nothing for the target, whatever else it said.

#[test]
fn who_closes_tells_the_other_side_the_same() {
    for (handshake, code, client_hears) in [
        ("proxy", 1000, "<close 1000 bye>"),
        ("proxy", 1005, "<close>"),
        ("proxy", 1006, "<close 1011 Proxy target lost>"),
        ("target", 1000, "<close 1000 bye>"),
        ("target", 1005, "<close>"),
    ] {
        let (mut world, id) = linked(handshake);
        world.target(closes(code, "bye"));
        assert_eq!(world.received(id), [client_hears], "{handshake}");
    }
    for (handshake, cut, target_hears) in [
        ("proxy", false, "<close 4002 why>"),
        ("proxy", true, "<close 1001>"),
        ("target", false, "<close 4002 why>"),
        ("target", true, "<close 1006>"),
    ] {
        let (mut world, id) = linked(handshake);
        if cut {
            world.cut(id);
        } else {
            world.close(id, 4002, "why");
            world.cut(id);
        }
        assert_eq!(world.told_targets(), [target_hears], "{handshake}");
        assert_eq!(world.removed[&id], 1);
    }
}

#[test]
fn a_target_that_vanishes_ends_its_client_without_a_close_frame_behind_what_it_said() {
    let mut world = world(json!([{ "pattern": "/live", "proxy": "ws://h" }]));
    let id = connect(&mut world, "/live");
    world.target(says("the last"));
    world.target(closes(1006, ""));
    // What is queued is written before, which `<end>` would not wait for.
    assert_eq!(world.received(id), ["the last", "<eof>"]);
    assert!(world.client(id).gone);
}

#[test]
fn what_a_target_says_at_once_waits_for_its_client() {
    let mut world = world(json!([{ "pattern": "/live", "proxy": "ws://h" }]));
    let id = world.upgrade("/live");
    world.target(opened());
    world.target(says("welcome"));
    world.target(closes(4000, "that was all"));
    world.open(id);
    assert_eq!(world.received(id), ["welcome", "<close 4000 that was all>"]);
}

#[test]
fn a_target_that_fails_is_told_in_the_log_and_as_1011() {
    let proxy = json!({ "url": "ws://h", "handshake": "proxy" });
    let mut world = world(json!([{ "pattern": "/live", "proxy": proxy }]));
    let id = world.connect("/live?token=t0p");
    world.text(id, "waits in vain");
    world.target(UpstreamEvent::Refused { status: 502 });
    assert_eq!(world.received(id), ["<close 1011 Proxy error>"]);
    assert!(world.told_targets().is_empty());
    let log = [(Level::Warn, "the proxy /live: answered 502 Bad Gateway instead of 101".to_owned())];
    assert_eq!(world.log, log, "without the query, which may hold a token");
}

/// A page that tries again and again must not fill the log, nor may a client with a long path.

#[test]
fn a_dead_target_is_told_once_a_second() {
    let mut world = world(json!([{ "pattern": "/live/**", "proxy": "ws://h" }]));
    let path = format!("/live/{}", "x".repeat(3_000));
    for _ in 0..100 {
        world.upgrade(&path);
        world.target(fails("refused"));
    }
    world.advance(1_000);
    world.upgrade("/live/a");
    world.target(fails("refused"));
    assert_eq!(world.log.len(), 2, "{:?}", world.log);
    assert!(world.log[0].1.len() < 600 && world.log[0].1.ends_with("xxx…"), "{}", world.log[0].1);
    assert_eq!(world.log[1].1, "the proxy /live/a: refused (and 99 times more since)");
}

#[test]
fn named_targets_announce_themselves() {
    let targets = json!({ "echo": "wss://echo.example/base", "chat": { "url": "ws://c" } });
    let mut world = world(json!([{ "pattern": "/ws/proxy/**", "proxy": { "targets": targets } }]));
    let id = world.connect("/ws/proxy/echo/sub/path?x=1");
    assert_eq!(world.dials[0].1.url, "wss://echo.example/base/sub/path?x=1");
    assert!(world.received(id).is_empty(), "no greeting before the target answers");
    world.text(id, "early");
    world.target(opened());
    let connected = world.received(id).remove(0);
    assert!(
        connected.starts_with(r#"{"type":"proxy_connected","clientId":"client-1795168800000-"#),
        "{connected}"
    );
    assert!(
        connected.ends_with(r#"","routeName":"echo","timestamp":"2026-11-20T10:00:00.000Z"}"#),
        "{connected}"
    );
    assert_eq!(world.told_targets(), ["early"]);
    world.target(fails("connect ECONNREFUSED 10.0.0.7:9"));
    let error = r#"{"type":"error","error":"Proxy connection error: the connection to the target failed","timestamp":"2026-11-20T10:00:00.000Z"}"#;
    assert_eq!(world.received(id), [error, "<close 1011 Proxy error>"]);
    let logged = &world.log.last().unwrap().1;
    assert!(
        logged.ends_with("connect ECONNREFUSED 10.0.0.7:9"),
        "the address is for the log alone: {logged}"
    );

    for (path, error, close) in [
        ("/ws/proxy", "Proxy route name is required", "<close 1008 Route name missing>"),
        ("/ws/proxy/", "Proxy route name is required", "<close 1008 Route name missing>"),
        ("/ws/proxy/none", "Proxy route 'none' not found", "<close 1008 Route not found>"),
        (
            "/ws/proxy/chat/../x",
            "Failed to establish proxy connection",
            "<close 1011 Proxy connection failed>",
        ),
    ] {
        let id = world.connect(path);
        let error = json!({ "type": "error", "error": error, "timestamp": "2026-11-20T10:00:00.000Z" });
        assert_eq!(world.received(id), [error.to_string(), close.to_owned()], "{path}");
    }
    assert_eq!(world.dials.len(), 1);
}

#[test]
fn callbacks_look_at_messages_one_after_another() {
    let hooks = ProxyHooks { client: true, target: true };
    let proxy = Proxy::new(ProxyOptions::to("ws://h")).with_hooks(hooks);
    let mut world = World::new(vec![route("/", RouteSettings::default(), proxy)]);
    let id = connect(&mut world, "/");
    world.text(id, "a");
    let answer = |world: &mut World, from: Direction, message: Message, answer: Answer| {
        assert_eq!(world.answer_next(answer), Hook::Proxied { from, message });
    };
    world.target(says(Bytes::from_static(&[255])));
    world.target(says("drop me"));
    assert_eq!(world.calls.len(), 1, "one at a time");
    answer(&mut world, Direction::Client, "a".into(), Answer::Passed(Some("A".into())));
    assert_eq!(world.told_targets(), ["A"]);
    world.target(closes(1000, ""));
    answer(&mut world, Direction::Target, Bytes::from_static(&[255]).into(), Answer::Done);
    assert_eq!(world.received(id), [r#"<binary b"\xff">"#]);
    answer(&mut world, Direction::Target, "drop me".into(), Answer::Passed(None));
    assert_eq!(world.received(id), ["<close 1000>"], "the end comes after what was said before it");
}

#[test]
fn a_callback_that_fails_costs_its_message() {
    let hooks = ProxyHooks { client: true, ..ProxyHooks::default() };
    let proxy = Proxy::new(ProxyOptions::to("ws://h")).with_hooks(hooks);
    let mut world = World::new(vec![route("/", RouteSettings::default(), proxy)]);
    let id = connect(&mut world, "/");
    world.text(id, "a");
    world.text(id, "b");
    world.answer_next(Answer::Failed { error: "boom".into() });
    world.answer_next(Answer::Passed(Some(Bytes::from_static(&[0, 1]).into())));
    assert_eq!(world.told_targets(), [r#"<binary b"\0\x01">"#]);
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
}

#[test]
fn code_in_rust_can_change_and_drop_messages() {
    let inspector = |_: &Connection, from: Direction, message: Message| match (from, message.as_text()) {
        (Direction::Client, Some("secret")) => None,
        (Direction::Target, Some(text)) => Some(text.to_uppercase().into()),
        _ => Some(message),
    };
    let proxy = Proxy::new(ProxyOptions::to("ws://h")).with_inspector(inspector);
    let mut world = World::new(vec![route("/", RouteSettings::default(), proxy)]);
    let id = connect(&mut world, "/");
    world.text(id, "secret");
    world.text(id, "open");
    world.target(says("hi"));
    assert_eq!((world.told_targets(), world.received(id)), (vec!["open".to_owned()], vec!["HI".to_owned()]));
}
