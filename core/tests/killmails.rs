//! The killmail channel: subscriptions, limits and their words, preloads, kills exactly once.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod support;

use http::Request;
use serde_json::{Value, json};
use support::{World, route};
use switchboard_core::dialect::phoenix::{Killmails, KillmailsOptions, Phoenix, RateLimitOptions};
use switchboard_core::{ConnectionId, FeedSettings, Input, RouteSettings};

const LOBBY: &str = "killmails:lobby";

fn world(options: KillmailsOptions) -> World {
    let channel = Killmails::new(options);
    let phoenix = Phoenix::new().with_channel(channel.topics(), channel);
    let settings = RouteSettings { feeds: vec!["killmails".into()], ..RouteSettings::default() };
    let mut world = World::new(vec![route("/socket/websocket", settings, phoenix)]);
    let key = vec!["system_id".to_owned(), "solar_system_id".to_owned()];
    world.engine.add_feed(FeedSettings { key, ..FeedSettings::new("killmails") });
    world
}

fn connect(world: &mut World) -> ConnectionId {
    world.connect("/socket/websocket?vsn=2.0.0&client_identifier=my%20app")
}

fn publish(world: &mut World, kill: Value) {
    world.input(Input::Publish { feed: "killmails".into(), value: kill });
}

/// Event and payload of everything that came.
fn heard(world: &mut World, id: ConnectionId) -> Vec<(String, Value)> {
    let parse = |text: String| {
        let mut message: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        (message[3].as_str().unwrap().to_owned(), message[4].take())
    };
    world.received(id).into_iter().map(parse).collect()
}

/// Sends an event; gives back status and response of its reply, which is the first that comes.
fn ask(world: &mut World, id: ConnectionId, event: &str, payload: Value) -> (Value, Value) {
    world.text(id, &json!(["1", "2", LOBBY, event, payload]).to_string());
    let first = world.received(id).into_iter().next().expect("a reply");
    let mut reply: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(reply[3], "phx_reply", "{first}");
    (reply[4]["status"].take(), reply[4]["response"].take())
}

fn join(world: &mut World, id: ConnectionId, payload: Value) -> (Value, Value) {
    ask(world, id, "phx_join", payload)
}

#[test]
fn a_join_names_systems_and_characters() {
    let mut world = world(KillmailsOptions::default());
    let id = connect(&mut world);
    let payload = json!({ "systems": [31, 30, 31], "character_ids": [7], "extra": 1 });
    let (status, response) = join(&mut world, id, payload);
    assert_eq!(status, "ok");
    assert_eq!(response["subscription_id"].as_str().unwrap().len(), 22);
    assert_eq!(response["subscribed_systems"], json!([31, 30]));
    assert_eq!(response["subscribed_characters"], json!([7]));
    assert_eq!(response["status"], "connected");
    let (_, response) = join(&mut world, id, json!({ "systems": "x", "characters": {} }));
    assert_eq!(response["subscribed_systems"], json!([]));
}

#[test]
fn wrong_joins_are_refused_in_the_originals_words() {
    let mut world = world(KillmailsOptions::default());
    let id = connect(&mut world);
    for (payload, reason) in [
        (json!({ "systems": ["x"] }), "[validation:non_integer_system_ids] System IDs must be integers"),
        (
            json!({ "systems": [0], "characters": ["x"] }),
            "[validation:invalid_system_ids] Invalid system IDs",
        ),
        (
            json!({ "systems": [1], "characters": [-1] }),
            "[validation:invalid_character_ids] Invalid character IDs",
        ),
        (json!({ "systems": vec![1; 51] }), "[validation:too_many_systems] Too many systems (max: 50)"),
        (json!(null), "join crashed"),
    ] {
        assert_eq!(join(&mut world, id, payload), (json!("error"), json!({ "reason": reason })));
    }
    world.text(id, r#"["4","4","killmails:other","phx_join",{}]"#);
    assert_eq!(
        world.received(id),
        [
            r#"["4","4","killmails:other","phx_reply",{"response":{"reason":"join crashed"},"status":"error"}]"#
        ]
    );
    assert_eq!(join(&mut world, id, json!({})).0, "ok");
}

#[test]
fn subscriptions_change_one_request_at_a_time() {
    let mut world = world(KillmailsOptions::default());
    let id = connect(&mut world);
    join(&mut world, id, json!({ "systems": [40] }));
    for (event, payload, response) in [
        ("subscribe_systems", json!({ "systems": [30, 50] }), json!({ "subscribed_systems": [30, 40, 50] })),
        (
            "subscribe_systems",
            json!({ "systems": [30] }),
            json!({ "message": "Already subscribed to all requested systems" }),
        ),
        (
            "subscribe_systems",
            json!({ "systems": [] }),
            json!({ "message": "Already subscribed to all requested systems" }),
        ),
        ("unsubscribe_systems", json!({ "systems": [40, 9] }), json!({ "subscribed_systems": [30, 50] })),
        (
            "unsubscribe_systems",
            json!({ "systems": [40] }),
            json!({ "message": "Not subscribed to any of the requested systems" }),
        ),
        ("subscribe_characters", json!({ "characters": [8] }), json!({ "subscribed_characters": [8] })),
        ("subscribe_characters", json!({ "character_ids": [7] }), json!({ "subscribed_characters": [7, 8] })),
        (
            "subscribe_characters",
            json!({ "characters": [7, 8] }),
            json!({ "message": "Already subscribed to all requested characters" }),
        ),
        (
            "unsubscribe_characters",
            json!({ "characters": [1] }),
            json!({ "message": "Not subscribed to any of the requested characters" }),
        ),
        ("unsubscribe_characters", json!({ "characters": [7] }), json!({ "subscribed_characters": [8] })),
    ] {
        assert_eq!(ask(&mut world, id, event, payload.clone()), (json!("ok"), response), "{event} {payload}");
    }
    let (_, status) = ask(&mut world, id, "get_status", json!(null));
    assert_eq!(
        (&status["subscribed_systems"], &status["subscribed_characters"]),
        (&json!([30, 50]), &json!([8]))
    );
    assert_eq!(status["connected_at"], "2026-11-20T10:00:00.000000Z");
    let user = status["user_id"].as_str().unwrap();
    assert!(user.starts_with("my_app_1795168800000000_"), "{user}");
    assert_eq!(user.rsplit_once("0_").unwrap().1.len(), 11);
}

#[test]
fn wrong_requests_are_answered_and_the_channel_stays() {
    let mut world = world(KillmailsOptions::default());
    let id = connect(&mut world);
    join(&mut world, id, json!({}));
    for (event, payload, reason) in [
        (
            "subscribe_systems",
            json!({ "systems": [0] }),
            "[validation:invalid_system_ids] Invalid system IDs",
        ),
        (
            "subscribe_systems",
            json!({ "systems": "x" }),
            "[validation:invalid_systems] systems must be a list",
        ),
        ("unsubscribe_characters", json!(null), "[validation:invalid_characters] characters must be a list"),
        ("dance", json!({}), "[validation:unknown_event] Unknown event: dance"),
    ] {
        assert_eq!(ask(&mut world, id, event, payload), (json!("error"), json!({ "reason": reason })));
    }
    assert_eq!(ask(&mut world, id, "get_status", json!({})).0, "ok");
}

#[test]
fn a_strict_channel_crashes_as_the_original_does() {
    let mut world = world(KillmailsOptions { strict: true, ..Default::default() });
    let id = connect(&mut world);
    for (event, payload) in [("dance", json!({})), ("subscribe_systems", json!({ "systems": [0] }))] {
        join(&mut world, id, json!({}));
        world.text(id, &json!(["1", "2", LOBBY, event, payload]).to_string());
        assert_eq!(world.received(id), [r#"["1","1","killmails:lobby","phx_error",{}]"#]);
    }
}

#[test]
fn each_kill_comes_exactly_once() {
    let mut world = world(KillmailsOptions::default());
    let (both, system, nothing) = (connect(&mut world), connect(&mut world), connect(&mut world));
    join(&mut world, both, json!({ "systems": [30], "characters": [7] }));
    join(&mut world, system, json!({ "systems": [30, 31] }));
    join(&mut world, nothing, json!({}));
    let kill =
        json!({ "killmail_id": 1, "solar_system_id": 30, "victim": { "character_id": 7 }, "attackers": [] });
    publish(&mut world, kill.clone());
    let at = "2026-11-20T10:00:00.000000Z";
    let update = json!({ "system_id": 30, "killmails": [kill], "timestamp": at, "preload": false });
    let count = json!({ "system_id": 30, "count": 1, "timestamp": at });
    for id in [both, system] {
        let expected =
            [("killmail_update".to_owned(), update.clone()), ("kill_count_update".to_owned(), count.clone())];
        assert_eq!(heard(&mut world, id), expected);
    }
    let far = json!({ "killmail_id": 2, "system_id": 99, "attackers": [{ "character_id": 7 }] });
    publish(&mut world, far.clone());
    assert_eq!(heard(&mut world, both).len(), 1, "no count of a system it did not name");
    assert!(heard(&mut world, system).is_empty() && heard(&mut world, nothing).is_empty());
    world.text(both, &json!(["1", "3", LOBBY, "phx_leave", {}]).to_string());
    world.received(both);
    publish(&mut world, far);
    assert!(world.received(both).is_empty());
    world.cut(system);
    publish(&mut world, json!({ "system_id": 30 }));
}

#[test]
fn objects_on_v2_are_answered_and_served_as_objects() {
    let mut world = world(KillmailsOptions::default());
    let id = world.connect("/socket/websocket?vsn=2.0.0");
    world.text(
        id,
        r#"{ "topic": "killmails:lobby", "event": "phx_join", "payload": {"systems":[30]}, "ref": 1 }"#,
    );
    let reply: Value = serde_json::from_str(&world.received(id)[0]).unwrap();
    assert_eq!((&reply["ref"], &reply["payload"]["status"]), (&json!(1), &json!("ok")));
    publish(&mut world, json!({ "system_id": 30 }));
    let update: Value = serde_json::from_str(&world.received(id)[0]).unwrap();
    assert_eq!((&update["event"], &update["ref"]), (&json!("killmail_update"), &Value::Null));
}

#[test]
fn recent_kills_come_after_the_reply() {
    let mut world = world(KillmailsOptions::default());
    for number in 0..7 {
        publish(&mut world, json!({ "system_id": 30, "n": number }));
    }
    let id = connect(&mut world);
    world.text(id, &json!(["1", "1", LOBBY, "phx_join", { "systems": [30, 31] }]).to_string());
    let messages = heard(&mut world, id);
    let numbers = |update: &Value| {
        let kills = update["killmails"].as_array().unwrap();
        kills.iter().map(|kill| kill["n"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((messages.len(), &*messages[0].0, &*messages[1].0), (2, "phx_reply", "killmail_update"));
    assert_eq!((&messages[1].1["preload"], numbers(&messages[1].1)), (&json!(true), vec![6, 5, 4, 3, 2]));
    let later = connect(&mut world);
    join(&mut world, later, json!({}));
    world.text(later, &json!(["1", "2", LOBBY, "subscribe_systems", { "systems": [30] }]).to_string());
    assert_eq!(heard(&mut world, later).len(), 2);
    world.advance(24 * 60 * 60 * 1000 + 1);
    let late = connect(&mut world);
    world.text(late, &json!(["1", "1", LOBBY, "phx_join", { "systems": [30] }]).to_string());
    assert_eq!(heard(&mut world, late).len(), 1);
}

#[test]
fn a_long_preload_comes_in_batches_at_its_pace() {
    let mut world = world(KillmailsOptions::default());
    for number in 0..5 {
        publish(&mut world, json!({ "system_id": 30, "n": number }));
    }
    publish(&mut world, json!({ "system_id": 32, "n": 9 }));
    let id = connect(&mut world);
    let preload = json!({ "limit_per_system": 4, "delivery_batch_size": 3, "delivery_interval_ms": 500 });
    let payload = json!({ "systems": [30, 31, 32], "preload": preload });
    world.text(id, &json!(["1", "1", LOBBY, "phx_join", payload]).to_string());
    let events = |world: &mut World| {
        let heard = heard(world, id).into_iter().filter(|(event, _)| event.starts_with("preload"));
        heard
            .map(|(event, payload)| match &*event {
                "preload_status" => {
                    format!("status {} {}", payload["current_system"], payload["systems_complete"])
                }
                "preload_batch" => format!("batch {}", payload["batch_size"]),
                _ => payload.to_string(),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(events(&mut world), ["status 30 0", "batch 3"]);
    world.advance(499);
    assert!(events(&mut world).is_empty());
    world.advance(1);
    assert_eq!(events(&mut world), ["batch 1"]);
    world.advance(500);
    assert_eq!(
        events(&mut world),
        ["status 31 1", "status 32 2", "batch 1", r#"{"total_kills":5,"systems_processed":3,"errors":[]}"#]
    );
    assert!(join(&mut world, id, json!({ "systems": [30], "preload": {} })).0 == "ok");
    assert!(events(&mut world).is_empty());
}

#[test]
fn updates_can_be_limited_per_connection() {
    let limit = RateLimitOptions { updates: 2, per: 60_000 };
    let mut world = world(KillmailsOptions { rate_limit: Some(limit), ..Default::default() });
    let id = connect(&mut world);
    join(&mut world, id, json!({}));
    for system in [1, 2] {
        assert_eq!(ask(&mut world, id, "subscribe_systems", json!({ "systems": [system] })).0, "ok");
    }
    let reason = "[rate_limit:exceeded] Too many subscription updates (max: 2 in 60000 ms)";
    let refused = (json!("error"), json!({ "reason": reason }));
    assert_eq!(ask(&mut world, id, "subscribe_systems", json!({ "systems": [3] })), refused);
    join(&mut world, id, json!({}));
    assert_eq!(ask(&mut world, id, "unsubscribe_systems", json!({ "systems": [3] })), refused);
    assert_eq!(ask(&mut world, id, "get_status", json!({})).0, "ok");
    world.advance(30_000);
    assert_eq!(ask(&mut world, id, "subscribe_systems", json!({ "systems": [3] })).0, "ok");
}

#[test]
fn pages_tell_about_the_server() {
    let mut world = world(KillmailsOptions { health: true, ..KillmailsOptions::default() });
    let id = connect(&mut world);
    join(&mut world, id, json!({}));
    world.advance(5_000);
    let mut get = |path: &str| {
        let request = Request::get(path).header("host", "h:4004").body(Default::default()).unwrap();
        let response = world.engine.request(world.now(), &request, &mut Vec::new())?;
        serde_json::from_slice::<Value>(response.body()).ok().or(Some(Value::Null))
    };
    let info = get("/websocket").unwrap();
    assert_eq!(info["websocket_url"], "ws://h:4004/socket");
    assert_eq!(info["limits"]["timeout_seconds"], 45);
    assert_eq!(info["limits"]["max_systems_per_subscription"], 50);
    assert_eq!(info["channels"]["killmails"], LOBBY);
    assert_eq!(
        get("/websocket/status").unwrap(),
        json!({ "status": "operational", "active_connections": 1, "active_subscriptions": 1,
            "uptime_seconds": 5, "timestamp": "2026-11-20T10:00:05.000000Z" })
    );
    assert_eq!(get("/health").unwrap()["status"], "ok");
    assert_eq!((get("/ping"), get("/other")), (Some(Value::Null), None));
}

/// They are the application's own, unless they are asked for.
#[test]
fn health_status_and_ping_are_left_alone() {
    let mut world = world(KillmailsOptions::default());
    for (path, status) in [("/websocket/status", 200), ("/health", 404), ("/status", 404), ("/ping", 404)] {
        assert_eq!(world.http("GET", path, "").0, status, "{path}");
    }
    let mut world = self::world(KillmailsOptions { pages: false, health: true, ..Default::default() });
    for (path, status) in [("/websocket/status", 404), ("/health", 200), ("/status", 200), ("/ping", 200)] {
        assert_eq!(world.http("GET", path, "").0, status, "{path}");
    }
}

#[test]
fn of_10_000_kills_each_of_200_clients_hears_those_of_its_systems_once_and_in_order() {
    let mut world = world(KillmailsOptions { kill_counts: false, ..Default::default() });
    // System s is heard by the clients whose number has the same remainder, and by one more that hears two.
    let ids: Vec<_> = (0..200).map(|_| connect(&mut world)).collect();
    for (number, id) in ids.iter().enumerate() {
        let systems = [number % 40 + 1, (number + 1) % 40 + 1];
        assert_eq!(join(&mut world, *id, json!({ "systems": systems, "characters": [7] })).0, "ok");
    }
    for number in 0..10_000 {
        let victim = json!({ "character_id": if number % 100 == 0 { 7 } else { 8 } });
        publish(&mut world, json!({ "killmail_id": number, "system_id": number % 50 + 1, "victim": victim }));
    }
    for (client, id) in ids.into_iter().enumerate() {
        let kills = heard(&mut world, id)
            .into_iter()
            .map(|(_, update)| update["killmails"][0]["killmail_id"].clone());
        let is_heard = |number: &usize| {
            let system = number % 50 + 1;
            number.is_multiple_of(100) || system == client % 40 + 1 || system == (client + 1) % 40 + 1
        };
        assert_eq!(
            kills.collect::<Vec<_>>(),
            (0..10_000).filter(is_heard).collect::<Vec<_>>(),
            "client {client}"
        );
    }
}
