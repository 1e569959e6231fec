//! Routes without code: the configuration that the native server embeds, and what else declarations can do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

mod support;

use bytes::Bytes;
use serde_json::{Value, json};
use support::World;
use switchboard_core::{Config, ConnectionId, Engine, Message};

const EMBEDDED: &str = include_str!("../../native/switchboard.toml");

fn world(toml: &str) -> World {
    let config = Config::from_toml(toml).unwrap();
    World::with_engine(engine(&config))
}

fn engine(config: &Config) -> Engine {
    config.engine([7; 32]).unwrap()
}

fn send(world: &mut World, id: ConnectionId, message: Value) {
    world.text(id, &message.to_string());
}

fn received(world: &mut World, id: ConnectionId) -> Vec<Value> {
    world.received(id).iter().map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text))).collect()
}

/// Every example's configuration is one, and needs no code.
#[test]
fn the_examples_start() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
    for example in std::fs::read_dir(examples).unwrap() {
        let file = example.unwrap().path().join("switchboard.toml");
        if let Ok(text) = std::fs::read_to_string(&file) {
            let config = Config::from_toml(&text).map_err(|error| format!("{}: {error}", file.display()));
            assert_eq!(engine(&config.unwrap()).connections(), 0);
        }
    }
}

/// One feed, four wires.
#[test]
fn the_embedded_killmails_reach_every_dialect_once() {
    let mut world = world(EMBEDDED);
    let sub = r#"{"action":"sub","channel":"kills"}"#;
    let actions = ["/", "/evekill", "/evekill/ws"].map(|path| (world.connect(path), sub));
    let topics = (world.connect("/killmails"), r#"{"type":"subscribe","topics":["system.30000142"]}"#);
    let lobby = r#"["1","1","killmails:lobby","phx_join",{"systems":[30000142]}]"#;
    let phoenix = (world.connect("/socket/websocket?vsn=2.0.0"), lobby);
    for (id, message) in actions.into_iter().chain([topics, phoenix]) {
        world.text(id, message);
        world.received(id);
    }
    world.advance(2_000);
    for (id, _) in actions {
        let kills = received(&mut world, id);
        assert_eq!((kills.len(), &kills[0]["data"]["system_name"]), (1, &json!("Jita")));
    }
    let kills = received(&mut world, topics.0);
    assert_eq!((kills.len(), &kills[0]["data"]["killmail_id"]), (1, &json!(130_000_001)));
    let kills = received(&mut world, phoenix.0);
    let events: Vec<&Value> = kills.iter().map(|push| &push[3]).collect();
    assert_eq!(events, [&json!("killmail_update"), &json!("kill_count_update")]);
    assert_eq!(kills[0][4]["killmails"][0]["victim"]["ship_type_name"], "Rifter");

    // The next one is of another system.
    world.advance(2_000);
    assert_eq!((received(&mut world, topics.0).len(), received(&mut world, phoenix.0).len()), (0, 0));
}

/// Made-up kills are what the systems' own clients print: EVE-KILL's read `ship_name.en`, WandererKills' read
/// `ship_name` as text and `zkb.totalValue` as a number.
#[test]
fn made_up_kills_have_the_shape_that_their_clients_read() {
    let systems = json!([30000142, 30002187, 30002659, 30002053, 30002510]);
    let join = json!(["1", "1", "killmails:lobby", "phx_join", { "systems": systems }]);
    for toml in [EMBEDDED, include_str!("../../examples/phoenix/switchboard.toml")] {
        let mut world = world(toml);
        let client = world.connect("/socket/websocket?vsn=2.0.0");
        send(&mut world, client, join.clone());
        for number in 0..5 {
            world.advance(2_000);
            let pushes = received(&mut world, client);
            let updates = pushes.iter().filter(|push| push[3] == "killmail_update").collect::<Vec<_>>();
            assert!(!updates.is_empty(), "kill {number}");
            for kill in updates.iter().map(|push| &push[4]["killmails"][0]) {
                assert!(kill["victim"]["ship_name"].is_string(), "{kill}");
                assert!(kill["victim"]["corporation_name"].is_string(), "{kill}");
                assert!(kill["attackers"][0]["ship_name"].is_string(), "{kill}");
                assert!(kill["zkb"]["totalValue"].is_number(), "{kill}");
                assert_eq!(
                    kill["zkb"]["totalValue"], kill["zkb"]["total_value"],
                    "newer clients read this one"
                );
            }
        }
    }
    for (toml, path) in [(EMBEDDED, "/"), (include_str!("../../examples/evekill/switchboard.toml"), "/ws")] {
        let mut world = world(toml);
        let client = world.connect(path);
        send(&mut world, client, json!({ "action": "sub", "channel": "kills" }));
        for number in 0..5 {
            world.advance(2_000);
            let kills = received(&mut world, client);
            assert!(!kills.is_empty(), "kill {number}");
            for kill in kills.iter().map(|message| &message["data"]) {
                assert!(kill["victim"]["ship_name"]["en"].is_string(), "{kill}");
                assert!(kill["total_value"].is_number() && kill["system_name"].is_string(), "{kill}");
            }
        }
    }
}

#[test]
fn the_embedded_chat_has_rooms() {
    let mut world = world(EMBEDDED);
    let [alice, bob, eve] = ["alice", "bob", "eve"].map(|_| world.connect("/api/ws/chat"));
    let hello = received(&mut world, alice).remove(0);
    assert_eq!((&hello["type"], hello["id"].as_str().unwrap().len()), (&json!("connected"), 36));
    world.received(bob);
    world.received(eve);

    send(&mut world, alice, json!({"type": "join-room", "room": "general", "username": "Alice"}));
    send(&mut world, bob, json!({"type": "join-room", "room": "general", "username": "Bob"}));
    assert_eq!(
        received(&mut world, alice),
        [json!({"type": "user-joined", "username": "Bob", "room": "general"})]
    );
    send(&mut world, bob, json!({"type": "message", "room": "general", "username": "Bob", "text": "Hi"}));
    let message = [json!({"type": "chat-message", "from": "Bob", "text": "Hi"})];
    assert_eq!(received(&mut world, alice), message);
    assert_eq!(received(&mut world, bob), message);

    send(&mut world, alice, json!({"type": "leave-room", "room": "general"}));
    send(&mut world, bob, json!({"type": "message", "room": "general", "username": "Bob", "text": "Gone?"}));
    assert_eq!(received(&mut world, alice), [] as [Value; 0]);
    assert_eq!(received(&mut world, eve), [] as [Value; 0]);

    world.close(bob, 1000, "");
    let left = &received(&mut world, eve)[0];
    assert_eq!(left["type"], "user-left");
}

#[test]
fn the_embedded_chat_has_one_room_for_all() {
    let mut world = world(EMBEDDED);
    let [alice, bob] = ["alice", "bob"].map(|_| world.connect("/api/ws/chat"));
    for id in [alice, bob] {
        world.received(id);
        send(&mut world, id, json!({"type": "join", "username": "A"}));
    }
    assert_eq!(received(&mut world, alice), [json!({"type": "user-joined", "username": "A"})]);
    send(&mut world, alice, json!({"type": "message", "username": "A", "message": "Hi"}));
    let message =
        json!({"type": "chat-message", "username": "A", "message": "Hi", "timestamp": 1_795_168_800_000_u64});
    assert_eq!(received(&mut world, bob), [message]);
}

#[test]
fn the_embedded_game_makes_rooms_of_its_own() {
    let mut world = world(EMBEDDED);
    let [host, guest] = ["host", "guest"].map(|_| world.connect("/api/ws/game"));
    assert_eq!(received(&mut world, host), [json!({"type": "joined-lobby"})]);
    world.received(guest);
    send(&mut world, host, json!({"type": "create-game"}));
    let created = received(&mut world, host).remove(0);
    let game = &created["gameId"];
    assert_eq!(game.as_str().unwrap().len(), 8);
    send(&mut world, guest, json!({"type": "join-game", "gameId": game}));
    assert_eq!(received(&mut world, host)[0]["type"], "player-joined");
    send(&mut world, guest, json!({"type": "game-action", "gameId": game, "action": {"x": 1}}));
    let update = &received(&mut world, host)[0];
    assert_eq!((&update["action"], received(&mut world, guest)[0] == *update), (&json!({"x": 1}), true));
    assert_eq!(world.engine.connection(guest).unwrap().rooms().count(), 2);
}

#[test]
fn the_embedded_private_route_wants_its_token() {
    let mut world = world(EMBEDDED);
    for (query, expected) in [
        ("", json!("<close 4001 No token provided>")),
        ("?token=", json!("<close 4001 No token provided>")),
        ("?token=wrong", json!("<close 4002 Invalid token>")),
        ("?token=your-jwt-token", json!({"type": "authenticated", "user": {"name": "Alice"}})),
    ] {
        let id = world.connect(&format!("/api/ws/private{query}"));
        assert_eq!(received(&mut world, id), [expected], "{query}");
    }
}

#[test]
fn the_embedded_echo_and_relay_change_no_byte() {
    let mut world = world(EMBEDDED);
    let echo = world.connect("/echo");
    world.text(echo, "{ \"a\" : 1.0 }");
    world.message(echo, Message::Binary(Bytes::from_static(&[0, 255])));
    assert_eq!(world.received(echo), ["{ \"a\" : 1.0 }".to_owned(), "<binary b\"\\0\\xff\">".to_owned()]);

    let [a, b, other] = ["/relay/x", "/relay/x", "/relay/y"].map(|path| world.connect(path));
    world.text(a, "not { json");
    world.message(a, Message::Binary(Bytes::from_static(b"\x01")));
    assert_eq!(world.received(b), ["not { json", "<binary b\"\\x01\">"]);
    assert_eq!((world.received(a).len(), world.received(other).len()), (0, 0));
    let nowhere = world.upgrade("/relay/");
    assert_eq!(world.client(nowhere).rejected, Some(404));
}

#[test]
fn a_relay_takes_its_room_from_wherever_it_is_told() {
    let mut world = world(
        "[[routes]]\npattern = '/r/{name}/**'\ndialect = 'relay'\nroom = '{connection.params.name}-{connection.query.n}'",
    );
    let [a, b] = ["/r/x/1?n=1", "/r/x/2?n=1"].map(|path| world.connect(path));
    let other = world.connect("/r/x/1?n=2");
    world.text(a, "hi");
    assert_eq!((world.received(b), world.received(other).len()), (vec!["hi".to_owned()], 0));
}

#[test]
fn a_relay_without_a_room_closes() {
    let mut world = world("[[routes]]\npattern = '/r'\ndialect = 'relay'\nroom = '{connection.query.room}'");
    let id = world.connect("/r");
    let error = r#"{"type":"error","message":"this connection has no room to relay in"}"#;
    assert_eq!(world.received(id), [error, "<close 1011 Internal error>"]);
}

#[test]
fn responses_come_before_rules() {
    let mut world = world(
        r#"
        [[routes]]
        pattern = "/ws"
        defaultRoom = "all"
        responses = [
          { match = { type = "ping" }, response = { type = "pong" } },
          { match = { type = "shout" }, response = "{message.text}", broadcast = true },
          { match = { type = "tell" }, response = "{message.text}", broadcast = { room = "{message.room}", includeSelf = true } },
        ]
        rules = [{ do = [{ reply = "rule" }] }]
        "#,
    );
    let [a, b] = ["a", "b"].map(|_| world.connect("/ws"));
    world.text(a, r#"{"type":"ping"}"#);
    world.text(a, r#"{"type":"shout","text":"hey"}"#);
    world.text(a, r#"{"type":"tell","text":"you","room":"all"}"#);
    world.text(a, r#"{"type":"tell","text":"nobody"}"#);
    world.text(a, "plain");
    assert_eq!(world.received(a), [r#"{"type":"pong"}"#, "you", "rule"]);
    assert_eq!(world.received(b), ["hey", "you"]);
}

#[test]
fn a_limit_that_a_rule_hits_is_told_and_costs_nothing_else() {
    let mut world = world(
        r#"
        [limits]
        roomsPerConnection = 1
        [[routes]]
        pattern = "/ws"
        rules = [{ match = { type = "join" }, do = [{ join = "{message.room}" }, { reply = "joined" }] }]
        "#,
    );
    let id = world.connect("/ws");
    for room in ["a", "a", "b"] {
        send(&mut world, id, json!({"type": "join", "room": room}));
    }
    let error = r#"{"type":"error","message":"a connection can be in at most 1 rooms"}"#;
    assert_eq!(world.received(id), ["joined", "joined", error]);
}

#[test]
fn text_too_deep_to_parse_stays_text() {
    let mut world = world(
        r#"
        [limits]
        jsonDepth = 2
        [[routes]]
        pattern = "/ws"
        rules = [{ match = { a = { exists = true } }, do = [{ reply = "json" }] }, { do = [{ reply = "{message}" }] }]
        "#,
    );
    let id = world.connect("/ws");
    world.text(id, r#"{"a":[1]}"#);
    world.text(id, r#"{"a":[[1]]}"#);
    assert_eq!(world.received(id), ["json", r#"{"a":[[1]]}"#]);
}
