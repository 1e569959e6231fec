//! From a message to its effects, and a connection's whole life.

use bytes::Bytes;
use serde_json::json;
use switchboard_core::{Input, Message};

use super::server::Server;
use super::{Operation, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("engine.echo", echo),
    ("engine.relay_to_1", || relay_to(1)),
    ("engine.relay_to_100", || relay_to(100)),
    ("engine.rule_reply", rule_reply),
    ("engine.ping", ping),
    ("engine.connect_and_disconnect", || connect_and_disconnect(0)),
    ("engine.connect_and_disconnect_in_1000", || connect_and_disconnect(1000)),
];

fn echo() -> Operation {
    let mut server = Server::new(json!({ "routes": [{ "pattern": "/", "dialect": "echo" }] }));
    let (id, message) = (server.connect("/"), Message::from("some words to be repeated"));
    Box::new(move || assert_eq!(server.say(id, &message), 1))
}

fn relay_to(receivers: usize) -> Operation {
    let mut server = Server::new(json!({ "routes": [{ "pattern": "/{room}", "dialect": "relay" }] }));
    server.connect_all("/lobby", receivers);
    let (id, message) = (server.connect("/lobby"), Message::from("some words for the others"));
    Box::new(move || assert_eq!(server.say(id, &message), receivers))
}

fn rule_reply() -> Operation {
    let rule = json!({ "match": { "type": "ping" }, "do": [{ "reply": { "type": "pong", "at": "{now}" } }] });
    let mut server = Server::new(json!({ "routes": [{ "pattern": "/", "rules": [rule] }] }));
    let (id, message) = (server.connect("/"), Message::from(&json!({ "type": "ping", "number": 5 })));
    Box::new(move || assert_eq!(server.say(id, &message), 1))
}

fn ping() -> Operation {
    let mut server = Server::new(json!({ "routes": [{ "pattern": "/", "dialect": "echo" }] }));
    let (id, payload) = (server.connect("/"), Bytes::from_static(b"are you there"));
    Box::new(move || {
        server.input(Input::Ping { id, payload: payload.clone() });
    })
}

/// The request's making included.
fn connect_and_disconnect(others: usize) -> Operation {
    let mut server = Server::new(json!({ "routes": [{ "pattern": "/{room}", "dialect": "relay" }] }));
    server.connect_all("/lobby", others);
    Box::new(move || {
        let id = server.connect("/lobby");
        server.disconnect(id);
    })
}
