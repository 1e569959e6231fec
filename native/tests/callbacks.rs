//! Async closures: their order, their failures, and the whole of what a peer can do.

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use support::raw::{Frame, Raw, close_payload};
use support::{start, within};
use switchboard::{
    Audience, Callbacks, CloseCause, CloseFrame, HandlerError, HandlerResult, Incoming, Limits, Message,
    Peer, ResponseAudience, Server,
};
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message as WireMessage;

#[tokio::test]
async fn messages_of_one_connection_wait_for_each_other() {
    let gate = Arc::new(Notify::new());
    let opens = gate.clone();
    let callbacks = Callbacks::new().on_message(move |peer: Peer, message: Incoming| {
        let gate = opens.clone();
        async move {
            if message.as_text() == Some("wait") {
                peer.send("waiting");
                gate.notified().await;
            }
            peer.send(message.as_text().unwrap_or_default());
        }
    });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let (mut slow, mut quick) = (server.connect("/ws").await, server.connect("/ws").await);
    for text in ["wait", "2", "3"] {
        slow.send(text).await;
    }
    assert_eq!(slow.text().await, "waiting");
    quick.send("other connections do not wait").await;
    assert_eq!(quick.text().await, "other connections do not wait");
    gate.notify_one();
    for text in ["wait", "2", "3"] {
        assert_eq!(slow.text().await, text);
    }
}

#[tokio::test]
async fn a_failing_connect_closes_with_1011() {
    async fn connect(peer: Peer) -> HandlerResult {
        match peer.params().get("how") {
            Some("panic") => panic!("on purpose"),
            _ => Err("not today".into()),
        }
    }
    let server = start(Server::builder().route("/{how}", Callbacks::new().on_connect(connect))).await;
    for (how, message) in [("error", "not today"), ("panic", "onConnect panicked")] {
        let mut client = server.connect(&format!("/{how}")).await;
        assert_eq!(client.json().await, json!({ "type": "error", "message": message }));
        assert_eq!(client.closed().await, (1011, "Internal error".to_owned()));
        client.close().await;
    }
    server.emptied().await;
}

#[tokio::test]
async fn a_failing_message_costs_nothing_but_itself() {
    let callbacks = Callbacks::new()
        .on_message(|_: Peer, message: Incoming| async move { message.json::<Value>().map(|_| ()) })
        .on_error(|peer: Peer, error: HandlerError| async move { peer.send(format!("caught: {error}")) });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let mut client = server.connect("/ws").await;
    client.send("{").await;
    assert!(client.text().await.starts_with("caught: EOF while parsing"));
    client.send("}").await;
    assert!(client.text().await.starts_with("caught: "));
}

/// An error of the application's own.
#[derive(Debug)]
struct TooLong(usize);

impl std::error::Error for TooLong {}

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes are too long", self.0)
    }
}

#[tokio::test]
async fn errors_are_told_apart() {
    async fn message(_: Peer, message: Incoming) -> HandlerResult {
        match message.as_text().unwrap_or_default() {
            long if long.len() > 3 => Err(TooLong(long.len()))?,
            number => drop(number.parse::<u8>()?),
        }
        Ok(())
    }
    async fn error(peer: Peer, error: HandlerError) {
        let kind = match error.downcast_ref::<TooLong>() {
            Some(TooLong(length)) => format!("too long: {length}"),
            None if error.is::<std::num::ParseIntError>() => "no number".to_owned(),
            None => format!("other: {error}"),
        };
        peer.send(kind);
    }
    let callbacks = Callbacks::new().on_message(message).on_error(error);
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let mut client = server.connect("/ws").await;
    for (text, told) in [("12345", "too long: 5"), ("x", "no number"), ("7", "")] {
        client.send(text).await;
        if !told.is_empty() {
            assert_eq!(client.text().await, told);
        }
    }
    client.send("999").await;
    assert_eq!(client.text().await, "no number");
}

#[tokio::test]
async fn raw_data_is_transformed_once_for_responses_and_messages() {
    async fn transform(_: Peer, message: Message) -> Result<Incoming, HandlerError> {
        match message {
            Message::Binary(bytes) => Ok(json!({ "bytes": bytes.len() }).into()),
            Message::Text(_) => Err("binary only".into()),
        }
    }
    let callbacks = Callbacks::new()
        .transform_raw_data(transform)
        .response(
            |_, incoming| incoming.value()["bytes"] == 0,
            |_, _| async { "nothing" },
            ResponseAudience::Sender,
        )
        .response(|_, incoming| incoming.value()["bytes"] == 1, |_, _| async {}, ResponseAudience::Sender)
        .response(
            |_, incoming| incoming.value()["bytes"] == 2,
            |_, incoming| async move { incoming.value() },
            ResponseAudience::Broadcast { room: None, include_self: true },
        )
        .on_message(|peer: Peer, incoming: Incoming| async move { peer.send(incoming.value().to_string()) });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let (mut a, mut b) = (server.connect("/ws").await, server.connect("/ws").await);
    for length in 0..=3 {
        a.send(vec![0; length]).await;
    }
    a.send("text").await;
    assert_eq!(a.text().await, "nothing");
    assert_eq!(a.json().await, json!({ "bytes": 2 }));
    assert_eq!(a.json().await, json!({ "bytes": 3 }));
    assert_eq!(a.json().await, json!({ "type": "error", "message": "binary only" }));
    assert_eq!(b.json().await, json!({ "bytes": 2 }));
}

/// Says when it is dropped.
struct OnDrop(mpsc::UnboundedSender<&'static str>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ = self.0.send("stopped");
    }
}

#[tokio::test]
async fn a_callback_that_takes_too_long_is_stopped_before_the_next_one_runs() {
    let (told, mut hears) = mpsc::unbounded_channel();
    let callbacks = Callbacks::new()
        .on_message(move |peer: Peer, message: Incoming| {
            let told = told.clone();
            async move {
                let text = message.as_text().unwrap_or_default().to_owned();
                if text == "wait" {
                    let _stopped = OnDrop(told);
                    std::future::pending::<()>().await;
                } else {
                    let _ = told.send("next");
                }
                peer.send(text);
            }
        })
        .on_error(|peer: Peer, error: HandlerError| async move { peer.send(error.to_string()) });
    let limits = Limits { handler_timeout: Some(Duration::from_millis(50)), ..Limits::default() };
    let server = start(Server::builder().limits(limits).route("/ws", callbacks)).await;
    let mut client = server.connect("/ws").await;
    client.send("wait").await;
    client.send("go on").await;
    assert_eq!(client.text().await, "timeout: onMessage did not settle within 50 ms");
    assert_eq!(client.text().await, "go on");
    assert_eq!(within("the end", hears.recv()).await, Some("stopped"));
    assert_eq!(within("the next", hears.recv()).await, Some("next"));
}

/// A transform that is stopped leaves nothing to the hooks of the message behind it.
#[tokio::test]
async fn a_late_transform_replaces_no_other_message() {
    let (gate, opened) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (waits, opens) = (gate.clone(), opened.clone());
    let callbacks = Callbacks::new()
        .transform_raw_data(move |_, message: Message| {
            let gate = waits.clone();
            async move {
                if message.as_text() == Some("late") {
                    gate.notified().await;
                }
                Ok(message.into())
            }
        })
        .response(
            |_, incoming| incoming.as_text() == Some("never"),
            |_, _| async {},
            ResponseAudience::Sender,
        )
        .on_error(move |_: Peer, _: HandlerError| {
            opens.notify_one();
            async {}
        })
        .on_message(move |peer: Peer, incoming: Incoming| async move {
            peer.send(incoming.as_text().unwrap_or_default());
        });
    let limits = Limits { handler_timeout: Some(Duration::from_millis(50)), ..Limits::default() };
    let server = start(Server::builder().limits(limits).route("/ws", callbacks)).await;
    let mut client = server.connect("/ws").await;
    client.send("late").await;
    within("the timeout", opened.notified()).await;
    gate.notify_waiters();
    for text in ["1", "2", "3"] {
        client.send(text).await;
        assert_eq!(client.text().await, text);
    }
}

#[tokio::test]
async fn pings_are_answered_by_the_callback_or_not_at_all() {
    let callbacks = Callbacks::new()
        .on_ping(|peer: Peer, payload| async move {
            if payload != "quiet" {
                peer.pong(format!("answer to {}", String::from_utf8_lossy(&payload)))?;
            }
            HandlerResult::Ok(())
        })
        .on_pong(|peer: Peer, payload: bytes::Bytes| async move { peer.send(Message::Binary(payload)) });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let mut client = server.connect("/ws").await;
    client.send(WireMessage::Ping("quiet".into())).await;
    client.send(WireMessage::Ping("loud".into())).await;
    assert_eq!(client.next().await, WireMessage::Pong("answer to loud".into()));
    client.send(WireMessage::Pong("unasked".into())).await;
    assert_eq!(client.next().await, WireMessage::Binary("unasked".into()));
}

#[tokio::test]
async fn close_is_called_once_and_can_still_tell_the_others() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let callbacks = Callbacks::new()
        .on_connect(|peer: Peer| async move { peer.send(peer.id().to_owned()) })
        .on_message(|peer: Peer, message: Incoming| async move {
            match message.as_text() {
                Some("drop") => peer.terminate(),
                _ => drop(peer.close(4000, "bye")),
            }
        })
        .on_close(move |peer: Peer, frame: CloseFrame, cause: CloseCause| {
            peer.broadcast(format!("{} left", peer.id()));
            let _ = ended.send((frame.code.0, frame.reason.as_str().to_owned(), cause));
            async {}
        });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let mut witness = server.connect("/ws").await;
    witness.text().await;
    let mut next = async || within("a close", ends.recv()).await.expect("a callback");

    let mut client = server.connect("/ws").await;
    let id = client.text().await;
    client.send("close").await;
    assert_eq!(client.closed().await, (4000, "bye".to_owned()));
    client.close().await;
    assert_eq!(next().await, (4000, "bye".to_owned(), CloseCause::Server));
    assert_eq!(witness.text().await, format!("{id} left"));

    let mut client = server.connect("/ws").await;
    client.text().await;
    client.send("drop").await;
    assert_eq!(next().await, (1006, String::new(), CloseCause::Server));

    let (mut raw, _) = Raw::open(server.address, "/ws", "").await;
    raw.frame().await;
    raw.send(0x88, &[0x0f, 0xa1, b'x']).await;
    assert_eq!(close_payload(&raw.frame().await), (4001, "x".to_owned()));
    assert_eq!(next().await, (4001, "x".to_owned(), CloseCause::Client));

    let (raw, _) = Raw::open(server.address, "/ws", "").await;
    drop(raw);
    assert_eq!(next().await, (1006, String::new(), CloseCause::Lost));
    witness.close().await;
    assert_eq!(next().await.2, CloseCause::Client);
    server.emptied().await;
    assert!(ends.try_recv().is_err(), "one callback for each connection");
}

/// A peer can be kept and used from anywhere, threads without a runtime included.
#[tokio::test]
async fn a_peer_works_from_any_thread() {
    let (opened, mut peers) = mpsc::unbounded_channel();
    let callbacks = Callbacks::new().on_connect(move |peer: Peer| {
        let _ = opened.send(peer);
        async {}
    });
    let server = start(Server::builder().route("/rooms/{name}", callbacks)).await;
    let mut a = server.connect("/rooms/one?x=1").await;
    let peer = within("a peer", peers.recv()).await.expect("a peer");
    let mut b = server.connect("/rooms/two").await;
    let other = within("a peer", peers.recv()).await.expect("a peer");
    let work = std::thread::spawn(move || {
        assert_eq!((peer.path(), peer.request().uri().query()), ("/rooms/one", Some("x=1")));
        assert_eq!((peer.params().get("name"), peer.auth_data()), (Some("one"), &Value::Null));
        assert!(peer.address().is_some_and(|address| address.is_loopback()));
        peer.metadata().insert(7_u32);
        assert_eq!(peer.clone().metadata().get::<u32>(), Some(&7));
        for peer in [&peer, &other] {
            peer.join("x").expect("a room");
        }
        assert!(peer.is_in_room("x") && !peer.is_in_room("y"));
        assert_eq!(peer.rooms(), ["x"]);
        peer.send("to one");
        peer.broadcast("to the others");
        peer.broadcast_with("to the room", Audience::rooms(["x", "y"]).including_self());
        peer.broadcast_with("to nobody", Audience::rooms([""; 0]));
        peer.broadcast_all_rooms("to my rooms", false);
        peer.leave("x");
        peer.broadcast_with("to the room that I left", Audience::room("x"));
        peer.ping("p").expect("a short payload");
        assert!(peer.ping(vec![0; 126]).is_err());
        assert!(peer.close(1006, "").is_err() && !peer.is_closed());
        peer.start_heartbeat(Duration::from_secs(60));
        peer.reset_missed_pongs();
        peer.stop_heartbeat();
        peer.stop_inactivity_timeout();
        peer.start_inactivity_timeout(Duration::from_millis(1));
        other
    });
    assert_eq!((a.text().await, a.text().await), ("to one".into(), "to the room".into()));
    assert_eq!(a.next().await, WireMessage::Ping("p".into()));
    for text in ["to the others", "to the room", "to my rooms", "to the room that I left"] {
        assert_eq!(b.text().await, text);
    }
    assert_eq!(a.closed().await, (1000, "Inactivity timeout".to_owned()));
    let other = tokio::task::spawn_blocking(move || work.join()).await.expect("a thread").expect("no panic");
    b.close().await;
    a.close().await;
    server.emptied().await;
    assert!(other.is_closed());
    other.send("to nobody");
    assert_eq!(other.rooms(), [""; 0]);
}

#[tokio::test]
async fn silence_is_noticed_by_heartbeats() {
    let callbacks = Callbacks::new()
        .on_connect(|peer: Peer| async move { peer.start_heartbeat(Duration::from_millis(20)) });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    // A raw client answers no pings.
    let (mut raw, _) = Raw::open(server.address, "/ws", "").await;
    for _ in 0..3 {
        assert_eq!(raw.frame().await, Frame { head: 0x89, payload: b"heartbeat".into() });
    }
    assert_eq!(close_payload(&raw.frame().await), (1000, "No pong received".to_owned()));
}

/// tungstenite answers pings as long as it is read from.
#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let callbacks = Callbacks::new()
        .on_connect(|peer: Peer| async move { peer.start_heartbeat(Duration::from_millis(20)) })
        .on_message(|peer: Peer, _: Incoming| async move { peer.send("here") });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let mut client = server.connect("/ws").await;
    for _ in 0..8 {
        assert_eq!(client.next().await, WireMessage::Ping("heartbeat".into()));
    }
    client.send("still there?").await;
    loop {
        match client.next().await {
            WireMessage::Ping(_) => {}
            other => break assert_eq!(other, "here".into()),
        }
    }
}
