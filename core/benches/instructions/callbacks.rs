//! What it costs to ask the host's code: the question, the host's part of it, and the answer.

use serde_json::json;
use switchboard_core::{
    Answer, ChannelReply, ChannelStep, ConnectionId, Hook, Input, Message, UpstreamEvent,
};

use super::server::Server;
use super::{Operation, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("callbacks.proxied_text_64", || proxied(Message::from("x".repeat(64)))),
    ("callbacks.proxied_binary_4096", || proxied(Message::Binary(vec![7; 4096].into()))),
    ("callbacks.phoenix_push_json", || phoenix_push(push_json())),
    ("callbacks.phoenix_push_binary_4096", || phoenix_push(push_binary())),
];

/// A message from a client whose proxy has a callback for it, which lets it pass.
fn proxied(message: Message) -> Operation {
    let config = json!({ "routes": [{ "pattern": "/", "proxy": { "url": "ws://127.0.0.1:9", "handshake": "proxy" } }] });
    let mut server = Server::with_callbacks(config);
    let id = server.connect("/");
    let upstream = server.dialled();
    server.input(Input::Upstream { upstream, event: UpstreamEvent::Opened { protocol: None } });
    Box::new(move || {
        server.say(id, &message);
        answer(&mut server);
        assert!(server.has_sent_upstream());
    })
}

/// A push on a channel made of functions, which answer it with what came.
fn phoenix_push(push: Message) -> Operation {
    let channels = json!([{ "topic": "room:*", "callbacks": true }]);
    let route =
        json!({ "pattern": "/socket/websocket", "dialect": "phoenix", "phoenix": { "channels": channels } });
    let mut server = Server::with_callbacks(json!({ "routes": [route] }));
    let id: ConnectionId = server.connect("/socket/websocket?vsn=2.0.0");
    server.say(id, &Message::json(&json!(["1", "1", "room:lobby", "phx_join", {}])).unwrap());
    answer(&mut server);
    Box::new(move || {
        server.say(id, &push);
        assert_eq!(answer(&mut server), 1, "the reply");
    })
}

fn push_json() -> Message {
    Message::json(
        &json!(["1", "2", "room:lobby", "shout", { "body": "hello", "from": { "id": 5, "name": "Ada" } }]),
    )
    .unwrap()
}

/// As the serializer of V2 writes it: the lengths of join_ref, ref, topic and event, then these, then the bytes.
fn push_binary() -> Message {
    let mut bytes = vec![0, 1, 1, 10, 5];
    bytes.extend(b"12room:lobbyshout");
    bytes.resize(bytes.len() + 4096, 7);
    Message::Binary(bytes.into())
}

/// Answers as a callback that changes nothing and replies with what came. How many receive something for the answer.
fn answer(server: &mut Server) -> usize {
    let (call, hook) = server.called();
    let answer = match hook {
        Hook::Proxied { message, .. } => Answer::Passed(Some(message)),
        Hook::Channel(called) => Answer::ChannelReply(match called.step {
            ChannelStep::HandleIn { payload, .. } => ChannelReply::ok(payload),
            _ => ChannelReply::none(),
        }),
        other => panic!("no question of a dialect: {other:?}"),
    };
    server.input(Input::Answer { call, answer })
}
