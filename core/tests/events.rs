//! The dialect `events`: to the millisecond, and what no transcript can say.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use serde_json::{Value, json};
use support::world::World;
use switchboard_core::config::Config;

fn world(config: Value) -> World {
    let config = Config::from_value(config).unwrap();
    World::with_engine(config.engine([7; 32]).unwrap())
}

#[test]
fn frames_have_the_keys_in_the_order_of_the_original() {
    let mut world = world(json!({ "routes": [{
        "pattern": "/ws", "events": [{ "name": "ticker", "interval": 2000, "data": { "price": 100 } }]
    }] }));
    let id = world.connect("/ws");
    let greeting = world.received(id).remove(0);
    let (client, rest) = greeting
        .strip_prefix(r#"{"type":"connected","clientId":"client-1795168800000-"#)
        .unwrap()
        .split_at(9);
    assert!(client.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()), "{client}");
    assert_eq!(
        rest,
        r#"","timestamp":"2026-11-20T10:00:00.000Z","message":"Connected to Mock API WebSocket server"}"#
    );
    world.advance(1999);
    assert!(world.received(id).is_empty(), "the first one comes after one interval");
    world.advance(1);
    let event = |at: &str| {
        format!(
            r#"{{"type":"event","name":"ticker","data":{{"price":100}},"timestamp":"2026-11-20T10:00:{at}Z"}}"#
        )
    };
    assert_eq!(world.received(id), [event("02.000")]);
    world.advance(500);
    world.text(id, r#"{"type":"subscribe","event":"ticker"}"#);
    let subscribed = r#"{"type":"subscribed","event":"ticker","timestamp":"2026-11-20T10:00:02.500Z"}"#;
    assert_eq!(world.received(id), [event("02.500"), subscribed.to_owned()]);
    world.advance(3500);
    assert_eq!(
        world.received(id),
        [event("04.000"), event("06.000")],
        "a subscription moves no running interval"
    );
    world.close(id, 1000, "");
    world.cut(id);
    assert_eq!(world.engine.timers(id), 0);
}

#[test]
fn the_same_seed_shows_every_client_the_same_walk() {
    let walk = || {
        let mut world = world(json!({ "routes": [{ "pattern": "/ws", "events": {
            "seed": 42,
            "mock": [{ "name": "t", "interval": 10, "data": ["{walk.price 100.00 2}", "{fake.name}", "{random.int 1 6}"] }],
        } }] }));
        let first = world.connect("/ws");
        world.advance(5);
        let second = world.connect("/ws");
        world.advance(100);
        [first, second].map(|id| {
            let frames = world.received(id).into_iter().skip(1).take(9);
            frames
                .map(|text| serde_json::from_str::<Value>(&text).unwrap()["data"].take())
                .collect::<Vec<_>>()
        })
    };
    let [first, second] = walk();
    assert_eq!(first.len(), 9);
    assert_eq!(first, second);
    assert_eq!(walk(), [first.clone(), second]);
    assert_eq!(first[0][0], 100.0);
    assert_ne!(first[1][0], 100.0);
}

#[test]
fn without_auto_start_intervals_wait_for_a_subscription() {
    let mut world = world(json!({ "routes": [{ "pattern": "/ws", "events": {
        "autoStart": false, "greeting": "Hello", "mock": [{ "name": "t", "interval": 10, "data": 1 }],
    } }] }));
    let id = world.connect("/ws");
    world.advance(100);
    assert_eq!(world.received(id).len(), 1);
    world.text(id, r#"{"type":"subscribe","event":"t"}"#);
    world.advance(20);
    assert_eq!(world.received(id).len(), 2 + 2);
}

#[test]
fn one_missed_pong_drops_the_client() {
    let mut world = world(json!({ "routes": [{ "pattern": "/ws", "dialect": "events", "heartbeat": 200 }] }));
    let id = world.connect("/ws");
    world.received(id);
    for _ in 0..3 {
        world.advance(200);
        assert_eq!(world.received(id), ["<ping >"]);
        world.pong(id, b"");
    }
    world.advance(200);
    world.text(id, r#"{"type":"ping"}"#);
    world.received(id);
    world.advance(200);
    assert_eq!(world.received(id), ["<end>"], "messages are no pongs");
}

#[test]
fn statistics_are_for_whoever_knows_the_token() {
    let mut world = world(
        json!({ "routes": [{ "pattern": "/ws", "events": { "stats": "/stats", "adminToken": "s3cret" } }] }),
    );
    let mut status = |token: Option<&str>| {
        let mut request = http::Request::get("/stats");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(bytes::Bytes::new()).unwrap();
        world.engine.request(world.now(), &request, &mut Vec::new()).unwrap().status().as_u16()
    };
    assert_eq!([status(None), status(Some("guess")), status(Some("s3cret"))], [401, 403, 200]);
}

#[test]
fn statistics_without_a_token_of_their_own_are_for_whom_the_route_lets_in() {
    let token = json!({ "token": { "query": "token", "values": ["good"] } });
    let events = json!({ "stats": "/stats", "health": "/health" });
    let mut world =
        world(json!({ "routes": [{ "pattern": "/ws", "authenticate": token, "events": events }] }));
    assert_eq!(world.http("GET", "/stats", "").0, 401);
    assert_eq!(world.http("GET", "/stats?token=bad", "").0, 401);
    assert_eq!(world.http("GET", "/stats?token=good", "").0, 200);
    assert_eq!(world.http("GET", "/health", "").0, 200);
}

#[test]
fn what_is_wrong_with_events_is_named() {
    for (events, expected) in [
        (
            json!([{ "name": "a", "data": 1 }, { "name": "a", "data": 2 }]),
            "routes[0].events.mock[1].name: \"a\" stands here twice",
        ),
        (json!([{ "name": "a" }]), "routes[0].events[0]: the key \"data\" is missing"),
        (
            json!([{ "name": "a", "data": 1, "interval": "2s" }]),
            "routes[0].events[0].interval: expected a whole number of ms, or false, got text \"2s\"",
        ),
        (
            json!([{ "name": "a", "data": { "x": "{walk.price}" } }]),
            "routes[0].events[0].data.x: {walk.price} is no placeholder; write {walk.price start step} or {walk.price start step low high}",
        ),
        (
            json!([{ "name": "a", "data": "{message.x}" }]),
            "routes[0].events.mock[0].data: there is no message here; {message} is for rules on \"message\"",
        ),
        (
            json!({ "adminToken": "x" }),
            "routes[0].events.adminToken: there is nothing to ask for; write stats, too",
        ),
        (json!({ "mocks": [] }), "routes[0].events.mocks: unknown key; did you mean \"mock\"?"),
    ] {
        let config = json!({ "routes": [{ "pattern": "/ws", "events": events }] });
        assert_eq!(Config::from_value(config).unwrap_err().to_string(), expected);
    }
}
