//! The proxy: what passes when, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use support::world::{World, route};
use switchboard_core::config::Config;
use switchboard_core::dialect::proxy::{Direction, Proxy, ProxyHooks, ProxyOptions};
use switchboard_core::{
    Answer, CloseCode, CloseFrame, Connection, ConnectionId, Hook, Level, Message, RouteSettings, Stats,
    UpstreamEvent,
};

fn world(routes: Value) -> World {
    let config = Config::from_value(json!({ "routes": routes })).unwrap();
    World::with_engine(config.engine([7; 32]).unwrap())
}

/// A client whose target has answered.
fn connect(world: &mut World, path: &str) -> ConnectionId {
    let id = world.upgrade(path);
    world.target(opened());
    world.open(id);
    id
}

fn opened() -> UpstreamEvent {
    UpstreamEvent::Opened { protocol: None }
}

fn says(message: impl Into<Message>) -> UpstreamEvent {
    UpstreamEvent::Message(message.into())
}

fn closes(code: u16, reason: &str) -> UpstreamEvent {
    UpstreamEvent::Closed(Some(CloseFrame::new(CloseCode(code), reason)))
}

fn fails(message: &str) -> UpstreamEvent {
    UpstreamEvent::Failed { message: message.to_owned() }
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
fn the_token_stays_here() {
    let token = json!({ "query": "token", "header": "x-token", "values": { "DEVTOKEN": {} } });
    let proxy = json!({ "url": "wss://example.com/feed", "forward": ["x-token", "cookie"] });
    let mut world =
        world(json!([{ "pattern": "/live", "proxy": proxy, "authenticate": { "token": token } }]));
    world.upgrade("/live?a=1&token=DEVTOKEN&%74oken=DEVTOKEN&b=token");
    assert_eq!(world.dials[0].1.url, "wss://example.com/feed?a=1&b=token");
    world.upgrade_with("/live?a=1", &[("x-token", "DEVTOKEN"), ("cookie", "c=1")]);
    let dial = &world.dials[1].1;
    assert_eq!(
        (&*dial.url, &dial.headers[..]),
        ("wss://example.com/feed?a=1", &[("cookie".to_owned(), "c=1".to_owned())][..])
    );
}

/// Of several parameters of one name, some servers take the last.
#[test]
fn the_targets_own_parameters_cannot_be_replaced() {
    let mut world = world(json!([{ "pattern": "/live", "proxy": "wss://example.com/feed?role=reader&x=1" }]));
    world.upgrade("/live?role=admin&r%6fle=admin&y=2&&role");
    assert_eq!(world.dials[0].1.url, "wss://example.com/feed?role=reader&x=1&y=2&");
}

#[test]
fn the_servers_own_port_may_be_known_later_than_the_configuration() {
    let target = json!({
        "url": "ws://localhost:${PORT}/echo",
        "headers": { "origin": "http://localhost:${PORT}", "x-home": "${HOME}" },
        "auth": { "type": "basic", "username": "a", "password": "p${PORT}" },
    });
    let written = json!({ "routes": [{ "pattern": "/live/**", "proxy": { "targets": { "echo": target, "other": "ws://h" } } }] });
    let mut config = Config::from_value(written).unwrap();
    assert!(config.resolve_but_port(|name| (name == "HOME").then(|| "/home/a".to_owned())).unwrap());
    let mut world = World::with_engine(config.engine([7; 32]).unwrap());
    world.engine.set_port(4004);
    world.connect("/live/echo/a");
    let dial = world.dials[0].1.clone();
    assert_eq!(dial.url, "ws://localhost:4004/echo/a");
    let header =
        |name: &str| dial.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(header("origin"), Some("http://localhost:4004"));
    assert_eq!(header("x-home"), Some("/home/a"));
    assert_eq!(header("authorization"), Some("Basic YTpwNDAwNA=="));
    world.connect("/live/other");
    assert_eq!(world.dials[1].1.url, "ws://h/");
}

#[test]
fn without_a_port_and_with_an_open_url_the_client_is_told() {
    let written = json!({ "routes": [{ "pattern": "/live", "proxy": "ws://localhost:${PORT}/echo" }] });
    let mut config = Config::from_value(written).unwrap();
    assert!(config.resolve_but_port(|_| None).unwrap());
    let mut world = World::with_engine(config.engine([7; 32]).unwrap());
    let id = world.upgrade("/live");
    assert!(world.dials.is_empty());
    assert_eq!(world.client(id).rejected, Some(400));
    let closed = json!({ "routes": [{ "pattern": "/live", "proxy": "ws://h" }] });
    assert!(!Config::from_value(closed).unwrap().resolve_but_port(|_| None).unwrap());
    let wrong = json!({ "routes": [{ "pattern": "/live", "proxy": "htp://h:${PORT}" }] });
    let error = Config::from_value(wrong).unwrap_err().to_string();
    assert!(error.starts_with("routes[0].proxy.url: "), "{error}");
}

#[test]
fn who_closes_tells_the_other_side_the_same() {
    for (handshake, code, client_hears) in [
        ("proxy", 1000, "<close 1000 bye>"),
        ("proxy", 1005, "<close>"),
        ("proxy", 1006, "<close 1011 Proxy target lost>"),
        ("target", 1000, "<close 1000 bye>"),
        ("target", 1005, "<close>"),
    ] {
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
        world.target(closes(code, "bye"));
        assert_eq!(world.received(id), [client_hears], "{handshake}");
    }
    for (handshake, cut, target_hears) in [
        ("proxy", false, "<close 4002 why>"),
        ("proxy", true, "<close 1001>"),
        ("target", false, "<close 4002 why>"),
        ("target", true, "<close 1006>"),
    ] {
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
    assert_eq!(world.received(id), ["the last"]);
    assert!(world.client(id).gone);
}

#[test]
fn the_target_answers_the_opening_handshake() {
    let refused = |status| UpstreamEvent::Refused { status };
    for (event, status) in [
        (refused(401), 401),
        (refused(404), 404),
        (refused(503), 503),
        (refused(200), 502),
        (refused(302), 502),
        (fails("connection refused"), 502),
        (closes(1006, ""), 502),
    ] {
        let mut world = world(json!([{ "pattern": "/live", "proxy": "ws://h" }]));
        let id = world.upgrade("/live?token=t0p");
        assert!(world.client(id).accepted.is_none() && world.client(id).rejected.is_none());
        world.target(event.clone());
        assert_eq!(world.client(id).rejected, Some(status), "{event:?}");
        assert!(world.log.iter().all(|(_, text)| !text.contains("t0p")), "{:?}", world.log);
        assert_eq!((world.engine.stats(), world.engine.poll_timeout()), (Stats::default(), None));
    }
    let mut world = world(json!([{ "pattern": "/live", "proxy": { "url": "ws://h", "timeout": 700 } }]));
    let id = world.upgrade("/live");
    world.advance(699);
    assert_eq!(world.client(id).rejected, None);
    world.advance(1);
    assert_eq!(world.client(id).rejected, Some(504));
    assert_eq!(world.told_targets(), ["<end>"]);
    world.target(opened());
    assert_eq!(world.engine.stats().upstreams, 0, "what comes too late opens nothing");
}

#[test]
fn a_client_that_does_not_wait_for_its_target_leaves_nothing() {
    let mut world = world(json!([{ "pattern": "/live", "proxy": "ws://h" }]));
    let id = world.upgrade("/live");
    world.cut(id);
    assert_eq!((world.told_targets(), world.removed[&id]), (vec!["<end>".to_owned()], 1));
    let id = world.upgrade("/live");
    world.target(opened());
    world.cut(id);
    assert_eq!((world.told_targets(), world.removed[&id]), (vec!["<close>".to_owned()], 1));
    world.target(closes(1005, ""));
    assert_eq!(world.engine.stats(), Stats::default());
    let id = world.upgrade("/live");
    let frame = CloseFrame::new(CloseCode::GOING_AWAY, "");
    world.input(switchboard_core::Input::Shutdown { frame, grace: Duration::from_millis(100) });
    assert_eq!((world.client(id).rejected, world.told_targets()), (Some(503), vec!["<end>".to_owned()]));
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
fn the_target_chooses_among_the_subprotocols_of_its_client() {
    let offer = [("sec-websocket-protocol", "graphql-ws, other, third")];
    for (allowed, offered, chosen, status) in [
        (json!([]), vec!["graphql-ws", "other", "third"], Some("other"), None),
        (json!([]), vec!["graphql-ws", "other", "third"], None, None),
        (json!(["other", "third"]), vec!["other", "third"], Some("third"), None),
        (json!(["other"]), vec!["other"], Some("graphql-ws"), Some(502)),
        (json!([]), vec!["graphql-ws", "other", "third"], Some("never offered"), Some(502)),
    ] {
        let mut world = world(json!([{ "pattern": "/live", "proxy": "ws://h", "subprotocols": allowed }]));
        let id = world.upgrade_with("/live", &offer);
        assert_eq!(world.dials[0].1.protocols, offered);
        world.target(UpstreamEvent::Opened { protocol: chosen.map(str::to_owned) });
        let client = world.client(id);
        assert_eq!(client.rejected, status);
        let accepted = client.accepted.as_ref().and_then(|accept| accept.subprotocol.as_deref());
        assert_eq!(accepted, chosen.filter(|_| status.is_none()));
    }
}

#[test]
fn a_path_that_names_no_target_is_answered_404() {
    let proxy = json!({ "targets": { "chat": "ws://c" }, "handshake": "target" });
    let mut world = world(json!([{ "pattern": "/p/**", "proxy": proxy }]));
    for (path, status) in [("/p", 404), ("/p/none", 404), ("/p/chat/../x", 400)] {
        let id = world.upgrade(path);
        assert_eq!(world.client(id).rejected, Some(status), "{path}");
    }
    let id = connect(&mut world, "/p/chat");
    assert!(world.received(id)[0].contains("proxy_connected"), "named targets announce themselves");
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
    world.target(fails("reset"));
    let error =
        r#"{"type":"error","error":"Proxy connection error: reset","timestamp":"2026-11-20T10:00:00.000Z"}"#;
    assert_eq!(world.received(id), [error, "<close 1011 Proxy error>"]);

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
fn the_first_offered_subprotocol_is_the_one_on_both_sides() {
    let proxy = json!({ "url": "ws://h", "handshake": "proxy" });
    let mut world = world(json!([{ "pattern": "/live", "proxy": proxy }]));
    let offer = [("sec-websocket-protocol", "graphql-ws, other")];
    for (protocol, expected) in [(Some("graphql-ws"), None), (None, Some("<close 1011 Proxy error>"))] {
        let id = world.upgrade_with("/live", &offer);
        assert_eq!(world.client(id).accepted.as_ref().unwrap().subprotocol.as_deref(), Some("graphql-ws"));
        world.open(id);
        assert_eq!(world.dials.last().unwrap().1.protocols, ["graphql-ws"]);
        world.target(UpstreamEvent::Opened { protocol: protocol.map(str::to_owned) });
        assert_eq!(world.received(id).pop().as_deref(), expected);
    }
}

#[test]
fn credentials_come_from_the_environment_and_show_nowhere() {
    let mut config = Config::from_value(json!({ "routes": [{ "pattern": "/ws/proxy/**", "proxy": { "forward": ["cookie"], "targets": {
        "bearer": { "url": "ws://${HOST}/x", "auth": { "type": "bearer", "token": "${TOKEN}" } },
        "basic": { "url": "ws://h", "auth": { "type": "basic", "username": "ada", "password": "${TOKEN}" } },
        "key": { "url": "ws://h", "headers": { "x-more": "1" }, "auth": { "type": "apikey", "apiKeyHeader": "X-Key", "apiKeyValue": "k-${TOKEN}" } },
    } } }] }))
    .unwrap();
    assert_eq!(
        config.clone().resolve(|name| (name != "TOKEN").then(String::new)).unwrap_err().to_string(),
        "routes[0].proxy.targets.bearer.auth.token: there is no variable TOKEN in the environment"
    );
    config.resolve(|name| Some(if name == "HOST" { "host:81" } else { "s3cret" }.to_owned())).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    let mut world = World::with_engine(config.engine([7; 32]).unwrap());
    let cookie = ("cookie", "a=1");
    let expected = [
        ("bearer", "ws://host:81/x", vec![cookie, ("authorization", "Bearer s3cret")]),
        ("basic", "ws://h/", vec![cookie, ("authorization", "Basic YWRhOnMzY3JldA==")]),
        ("key", "ws://h/", vec![cookie, ("x-more", "1"), ("X-Key", "k-s3cret")]),
    ];
    for (name, url, headers) in expected {
        let id = world.upgrade_with(&format!("/ws/proxy/{name}"), &[cookie, ("authorization", "mine")]);
        world.open(id);
        let dial = &world.dials.last().unwrap().1;
        let sent: Vec<_> = dial.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!((dial.url.as_str(), sent), (url, headers));
    }
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

#[test]
fn what_is_wrong_with_a_proxy_is_named() {
    for (pattern, proxy, expected) in [
        (
            "/a",
            json!("http://x"),
            "routes[0].proxy.url: \"http://x\" is no URL; write one such as \"wss://example.com/live\"",
        ),
        ("/a", json!({}), "routes[0].proxy: write where to: url, or targets by name"),
        (
            "/a",
            json!({ "targets": { "x": "ws://x" } }),
            "routes[0].proxy.targets: the target's name comes from the path; end the pattern with /**",
        ),
        (
            "/a/**",
            json!({ "targets": { "x": { "uri": "ws://x" } } }),
            "routes[0].proxy.targets.x.uri: unknown key; did you mean \"url\"?",
        ),
        (
            "/a/**",
            json!({ "targets": { "x": "wss" } }),
            "routes[0].proxy.targets.x.url: \"wss\" is no URL; write one such as \"wss://example.com/live\"",
        ),
        (
            "/a",
            json!({ "url": "ws://x", "forward": ["Sec-WebSocket-Key"] }),
            "routes[0].proxy.forward[0]: sec-websocket-key belongs to the opening handshake itself",
        ),
        (
            "/a",
            json!({ "url": "ws://x", "timeout": 0 }),
            "routes[0].proxy.timeout: no target could ever answer; write at least 1",
        ),
        (
            "/a",
            json!({ "url": "ws://x", "sendTimeout": 0 }),
            "routes[0].proxy.sendTimeout: no target could ever take anything; write at least 1",
        ),
        (
            "/a",
            json!({ "url": "ws://x", "handshake": "wait" }),
            "routes[0].proxy.handshake: expected \"target\" or \"proxy\", got \"wait\"",
        ),
    ] {
        let config = json!({ "routes": [{ "pattern": pattern, "proxy": proxy }] });
        assert_eq!(Config::from_value(config).unwrap_err().to_string(), expected);
    }
}
