//! Each wire dialect: reads a client's message, acts on it and writes the answers.

use serde_json::{Value, json};
use switchboard_core::{ConnectionId, Input, Message};

use super::server::Server;
use super::{Operation, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("dialects.phoenix_heartbeat", phoenix_heartbeat),
    ("dialects.phoenix_join_and_leave", phoenix_join_and_leave),
    ("dialects.phoenix_broadcast_to_10", || phoenix_broadcast(10)),
    ("dialects.phoenix_broadcast_to_100", || phoenix_broadcast(100)),
    ("dialects.actions_subscribe", actions_subscribe),
    ("dialects.actions_kill_to_100", actions_kill),
    ("dialects.topics_subscribe", topics_subscribe),
    ("dialects.topics_kill_to_100", topics_kill),
    ("dialects.events_ping", || events(r#"{"type":"ping"}"#)),
    ("dialects.events_request", || events(r#"{"type":"request","event":"ticker"}"#)),
    ("dialects.commands_private_message", commands_private_message),
    ("dialects.commands_broadcast_to_100", || {
        commands_broadcast(r#"{"command":"broadcast","message":"hello all"}"#)
    }),
    ("dialects.commands_chat_to_100", || commands_broadcast("hello all")),
];

const SOCKET: &str = "/socket/websocket?vsn=2.0.0";

fn text(value: &Value) -> Message {
    Message::from(value)
}

fn phoenix() -> Server {
    let channels = json!([{ "topic": "room:*" }]);
    Server::new(json!({ "routes": [
        { "pattern": "/socket/websocket", "dialect": "phoenix", "phoenix": { "channels": channels } },
    ] }))
}

fn phoenix_join(server: &mut Server, id: ConnectionId) {
    assert_eq!(server.say(id, &text(&json!(["1", "1", "room:lobby", "phx_join", {}]))), 1);
}

fn phoenix_heartbeat() -> Operation {
    let mut server = phoenix();
    let (id, beat) = (server.connect(SOCKET), text(&json!([null, "7", "phoenix", "heartbeat", {}])));
    Box::new(move || assert_eq!(server.say(id, &beat), 1))
}

fn phoenix_join_and_leave() -> Operation {
    let mut server = phoenix();
    let id = server.connect(SOCKET);
    let leave = text(&json!(["1", "2", "room:lobby", "phx_leave", {}]));
    Box::new(move || {
        phoenix_join(&mut server, id);
        assert_eq!(server.say(id, &leave), 2, "the reply and phx_close");
    })
}

fn phoenix_broadcast(receivers: usize) -> Operation {
    let mut server = phoenix();
    let ids = server.connect_all(SOCKET, receivers + 1);
    for id in &ids {
        phoenix_join(&mut server, *id);
    }
    let push =
        json!(["1", "2", "room:lobby", "shout", { "body": "hello", "from": { "id": 5, "name": "Ada" } }]);
    let push = text(&push);
    Box::new(move || assert_eq!(server.say(ids[0], &push), receivers + 1, "the others and the reply"))
}

/// A kill as small as it can be while every field that is looked at has a value.
fn killmail() -> Value {
    json!({
        "killmail_id": 123_456_789, "killmail_hash": "0f3c", "killmail_time": "2026-11-20T10:00:00Z",
        "solar_system_id": 30_000_142, "region_id": 10_000_002, "total_value": 150_000_000.0,
        "victim": { "character_id": 90_000_001, "corporation_id": 98_000_001, "ship_type_id": 587 },
        "attackers": [
            { "character_id": 90_000_002, "corporation_id": 98_000_002, "ship_type_id": 17_703, "final_blow": true },
            { "character_id": 90_000_003, "corporation_id": 98_000_002, "ship_type_id": 17_703, "final_blow": false },
        ],
    })
}

fn fed(dialect: &str) -> Server {
    Server::new(json!({
        "feeds": [{ "name": "killmails" }],
        "routes": [{ "pattern": "/ws", "dialect": dialect }],
    }))
}

fn actions_subscribe() -> Operation {
    let mut server = fed("actions");
    let id = server.connect("/ws");
    let [sub, unsub] = ["sub", "unsub"].map(|action| text(&json!({ "action": action, "channel": "kills" })));
    Box::new(move || {
        server.say(id, &sub);
        server.say(id, &unsub);
    })
}

fn actions_kill() -> Operation {
    let mut server = fed("actions");
    for id in server.connect_all("/ws", 100) {
        server.say(id, &text(&json!({ "action": "sub", "channel": "kills" })));
    }
    publish(server, 100)
}

fn topics_subscribe() -> Operation {
    let mut server = fed("topics");
    let id = server.connect("/ws");
    let [subscribe, unsubscribe] =
        ["subscribe", "unsubscribe"].map(|kind| text(&json!({ "type": kind, "topics": ["all", "10b"] })));
    Box::new(move || {
        assert_eq!(server.say(id, &subscribe), 1);
        assert_eq!(server.say(id, &unsubscribe), 1);
    })
}

fn topics_kill() -> Operation {
    let mut server = fed("topics");
    for id in server.connect_all("/ws", 100) {
        server.say(id, &text(&json!({ "type": "subscribe", "topics": ["all"] })));
    }
    publish(server, 100)
}

fn publish(mut server: Server, receivers: usize) -> Operation {
    let killmail = killmail();
    Box::new(move || {
        let value = killmail.clone();
        assert_eq!(server.input(Input::Publish { feed: "killmails".into(), value }), receivers);
    })
}

fn events(asked: &'static str) -> Operation {
    let ticker = json!({ "name": "ticker", "data": { "price": "{random.int 1 100}", "name": "gold" } });
    let mut server = Server::new(json!({ "routes": [{ "pattern": "/ws", "events": [ticker] }] }));
    let (id, asked) = (server.connect("/ws"), Message::from(asked));
    Box::new(move || assert_eq!(server.say(id, &asked), 1))
}

fn commands() -> Server {
    Server::new(json!({ "routes": [{ "pattern": "/", "dialect": "commands" }] }))
}

fn commands_private_message() -> Operation {
    let mut server = commands();
    let ids = server.connect_all("/", 100);
    let presence: Value = serde_json::from_str(server.last_text()).unwrap();
    let to = &presence["users"][50]["id"];
    let message = text(&json!({ "command": "private_message", "to": to, "message": "hello you" }));
    Box::new(move || assert_eq!(server.say(ids[0], &message), 1))
}

fn commands_broadcast(said: &'static str) -> Operation {
    let mut server = commands();
    let ids = server.connect_all("/", 100);
    let said = Message::from(said);
    Box::new(move || assert_eq!(server.say(ids[0], &said), 100))
}
