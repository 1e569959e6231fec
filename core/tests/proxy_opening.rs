//! The opening handshake of a proxy: what is dialled, and who answers the client.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::time::Duration;

use serde_json::json;
use support::proxy::{closes, connect, fails, opened, world};
use support::world::World;
use switchboard_core::config::Config;
use switchboard_core::{CloseCode, CloseFrame, Stats, UpstreamEvent};

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
