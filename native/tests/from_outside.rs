//! Routes, rooms and connections from outside of their callbacks.

mod support;

use std::collections::HashSet;

use serde_json::json;
use support::{Client, Running, start, within};
use switchboard::{Callbacks, CommandError, HandlerResult, Incoming, Peer, Server};
use tokio_tungstenite::tungstenite::Message as WireMessage;

/// Tells each client its id, and joins whatever room it names.
fn chat() -> Callbacks {
    async fn join(peer: Peer, message: Incoming) -> HandlerResult {
        peer.join(message.as_text().unwrap_or_default())?;
        peer.send("joined");
        Ok(())
    }
    Callbacks::new().on_connect(|peer: Peer| async move { peer.send(peer.id().to_owned()) }).on_message(join)
}

async fn connect(server: &Running, path: &str) -> (Client, String) {
    let mut client = server.connect(path).await;
    let id = client.text().await;
    (client, id)
}

#[tokio::test]
async fn a_route_is_sent_to_counted_listed_and_closed() {
    let server = start(Server::builder().route("/chat", chat()).route("/other", chat())).await;
    let route = server.switchboard.route("/chat").expect("a route");
    assert_eq!((route.pattern(), route.count(), route.send("nobody hears this")), ("/chat", 0, 0));

    let (mut a, first) = connect(&server, "/chat").await;
    let (mut b, second) = connect(&server, "/chat").await;
    let (mut other, third) = connect(&server, "/other").await;
    a.send("lobby").await;
    assert_eq!(a.text().await, "joined");
    assert_eq!(route.send("to all"), 2);
    let lobby = route.room("lobby");
    assert_eq!(lobby.send(bytes::Bytes::from_static(b"\x01")), 1);
    assert_eq!(
        (lobby.name(), lobby.count(), route.count(), route.rooms()),
        ("lobby", 1, 2, vec!["lobby".to_owned()])
    );
    assert_eq!(a.text().await, "to all");
    assert_eq!(a.next().await, WireMessage::Binary(vec![1].into()));
    assert_eq!(b.text().await, "to all");

    let ids = |peers: Vec<Peer>| peers.iter().map(|peer| peer.id().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(route.connections()), [first.as_str(), &second], "in the order they came");
    assert_eq!(ids(lobby.connections()), [first.as_str()]);
    let peer = route.connection(&second).expect("it is open");
    peer.send("to one");
    assert_eq!(b.text().await, "to one");
    assert_eq!(route.connection(&third), None, "it is on another route");

    assert_eq!(route.close(1006, ""), Err(CommandError::CloseCode(1006)));
    assert_eq!(lobby.close(4000, "closed for today"), Ok(1));
    assert_eq!(a.closed().await, (4000, "closed for today".to_owned()));
    assert_eq!(route.close(1000, ""), Ok(1));
    assert_eq!(b.closed().await, (1000, String::new()));
    assert_eq!((route.count(), route.connection(&second)), (0, None));
    server.switchboard.route("/other").expect("a route").send("still here");
    assert_eq!(other.text().await, "still here");
}

#[tokio::test]
async fn an_unknown_route_names_those_that_there_are() {
    let server = start(Server::builder().prefix("/api").route("/chat", chat()).route("/other", chat())).await;
    for pattern in ["/chat", "/api/chat"] {
        assert_eq!(server.switchboard.route(pattern).expect("a route").pattern(), pattern);
    }
    let error = server.switchboard.route("/chta").expect_err("there is none");
    assert_eq!(error.to_string(), "there is no route /chta; there are /api/chat, /api/other");
}

#[tokio::test]
async fn a_route_of_a_dialect_takes_its_commands() {
    let config = "[[routes]]\npattern = '/socket/websocket'\ndialect = 'phoenix'\nphoenix.channels = [{ topic = 'room:*' }]";
    let config = switchboard::Config::from_toml(config).expect("a configuration");
    let server = start(Server::builder().config(config)).await;
    let route = server.switchboard.route("/socket/websocket").expect("a route");
    let mut client = server.connect("/socket/websocket?vsn=2.0.0").await;
    client.send(r#"["1","1","room:1","phx_join",{}]"#).await;
    client.json().await;
    let news = json!({ "topic": "room:1", "event": "news", "payload": { "n": 1 } });
    route.command("broadcast", news).expect("phoenix takes it");
    assert_eq!(client.json().await, json!([null, null, "room:1", "news", { "n": 1 }]));
    assert!(route.command("fly", json!({})).is_err());
}

#[tokio::test]
#[allow(
    clippy::mutable_key_type,
    reason = "a peer is hashed by which connection it is, and that does not change"
)]
async fn peers_are_values() {
    let server = start(Server::builder().route("/chat", chat())).await;
    let route = server.switchboard.route("/chat").expect("a route");
    let ((mut a, first), _b) = (connect(&server, "/chat").await, connect(&server, "/chat").await);
    let mut seen: HashSet<Peer> = route.connections().into_iter().collect();
    assert_eq!(seen.len(), 2);
    seen.extend(route.connections());
    assert_eq!(seen.len(), 2, "the same connection is the same value");
    let peer = route.connection(&first).expect("it is open");
    assert!(seen.contains(&peer));

    assert_eq!(peer.try_send("hello"), Ok(()));
    assert_eq!(a.text().await, "hello");
    a.close().await;
    within("the end", async {
        while !peer.is_closed() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(peer.try_send("too late"), Err(CommandError::Closed));
}
