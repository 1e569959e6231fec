//! Rust handlers, both kinds, with tungstenite clients.

mod support;

use serde_json::json;
use support::{Client, start};
use switchboard::{
    Audience, Callbacks, Context, Endpoint, Handler, HandlerResult, Incoming, Message, Peer, RouteSettings,
    Server,
};

/// Seed 002's chat, as a callback.
async fn chat(peer: Peer, message: Incoming) -> HandlerResult {
    let message = message.value();
    let room = message["room"].as_str().unwrap_or_default().to_owned();
    match message["type"].as_str() {
        Some("join-room") => {
            peer.join(&room)?;
            let joined = json!({ "type": "user-joined", "rooms": peer.rooms() });
            peer.broadcast_with(Message::from(&joined), Audience::room(room).including_self());
        }
        Some("message") => {
            let said = json!({ "type": "message", "text": message["text"] });
            peer.broadcast_with(Message::from(&said), Audience::room(room).including_self());
        }
        Some("leave-room") => {
            peer.leave(&room);
            peer.broadcast_with(Message::from(&json!({ "type": "user-left" })), Audience::room(room));
            peer.send(Message::from(&json!({ "type": "left", "in": peer.is_in_room("a") })));
        }
        _ => return Err("unknown type".into()),
    }
    Ok(())
}

async fn join(client: &mut Client, room: &str) {
    client.send_json(json!({ "type": "join-room", "room": room })).await;
    assert_eq!(client.json().await["type"], "user-joined");
}

#[tokio::test]
async fn rooms_separate_who_hears_what() {
    let callbacks =
        Callbacks::new().on_connect(|peer: Peer| async move { peer.send("welcome") }).on_message(chat);
    let settings = RouteSettings { default_room: Some("lobby".into()), ..RouteSettings::default() };
    let endpoint = Endpoint::from(callbacks).with_settings(settings);
    let server = start(Server::builder().prefix("/api").route("/ws/chat", endpoint)).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = server.connect("/api/ws/chat").await;
        assert_eq!(client.text().await, "welcome");
        clients.push(client);
    }
    let [a, b, other] = &mut clients[..] else { unreachable!() };
    join(a, "a").await;
    b.send_json(json!({ "type": "join-room", "room": "a" })).await;
    assert_eq!(b.json().await["rooms"], json!(["lobby", "a"]));
    assert_eq!(a.json().await["type"], "user-joined");
    join(other, "b").await;

    b.send_json(json!({ "type": "message", "room": "a", "text": "hi" })).await;
    let said = json!({ "type": "message", "text": "hi" });
    assert_eq!((a.json().await, b.json().await), (said.clone(), said));

    b.send_json(json!({ "type": "leave-room", "room": "a" })).await;
    assert_eq!(b.json().await, json!({ "type": "left", "in": false }));
    assert_eq!(a.json().await["type"], "user-left");

    other.send_json(json!({ "type": "nonsense" })).await;
    let error = json!({ "type": "error", "message": "unknown type" });
    assert_eq!(other.json().await, error, "nothing of room a came before");

    for client in clients {
        client.close().await;
    }
    server.emptied().await;
}

/// Counts the messages of the whole route.
struct Counter(u64);

impl Handler for Counter {
    fn message(&mut self, cx: &mut Context<'_>, _: Message) -> HandlerResult {
        self.0 += 1;
        cx.broadcast_to_all(self.0.to_string());
        Ok(())
    }
}

#[tokio::test]
async fn a_handler_keeps_its_state_in_itself() {
    let server = start(Server::builder().route("/count", Counter(0))).await;
    let (mut a, mut b) = (server.connect("/count").await, server.connect("/count").await);
    a.send("x").await;
    assert_eq!((a.text().await, b.text().await), ("1".into(), "1".into()));
    b.send("y").await;
    assert_eq!((a.text().await, b.text().await), ("2".into(), "2".into()));
}
