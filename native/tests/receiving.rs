//! Handlers that receive in a loop.

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use support::raw::{Raw, close_payload, frame};
use support::{start, within};
use switchboard::{HandlerResult, Handshake, Limits, Message, Server, Socket, SocketTask};
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message as WireMessage;

async fn echo(mut socket: Socket) {
    while let Some(message) = socket.recv().await {
        socket.send(message);
    }
}

#[tokio::test]
async fn messages_come_in_order_until_the_client_closes() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let task = SocketTask::new(move |mut socket: Socket| {
        let ended = ended.clone();
        async move {
            socket.send("welcome");
            let mut heard = Vec::new();
            while let Some(message) = socket.recv().await {
                heard.push(message);
            }
            assert_eq!(socket.recv().await, None, "the end stays the end");
            let _ = ended.send((heard, socket.close_frame().map(|frame| frame.code.0)));
        }
    });
    let server = start(Server::builder().route("/ws", task)).await;
    let mut client = server.connect("/ws").await;
    assert_eq!(client.text().await, "welcome");
    for text in ["1", "2"] {
        client.send(text).await;
    }
    client.send(WireMessage::Binary(vec![3].into())).await;
    client.close().await;
    let (heard, code) = within("the end", ends.recv()).await.expect("a task");
    assert_eq!(heard, ["1".into(), "2".into(), Message::from(Bytes::from_static(&[3]))]);
    assert_eq!(code, Some(1005));
    server.emptied().await;
}

#[tokio::test]
async fn a_task_that_ends_closes_its_connection() {
    async fn three(mut socket: Socket) -> HandlerResult {
        if let Some(message) = socket.recv().await {
            match message.as_text() {
                Some("end") => return Ok(()),
                Some("fail") => return Err("on purpose".into()),
                _ => panic!("on purpose"),
            }
        }
        Ok(())
    }
    let server = start(Server::builder().route("/ws", SocketTask::new(three))).await;
    for (text, code) in [("end", 1000), ("fail", 1011), ("panic", 1011)] {
        let mut client = server.connect("/ws").await;
        client.send(text).await;
        assert_eq!(client.closed().await.0, code, "{text}");
        client.close().await;
    }
    server.emptied().await;
}

#[tokio::test]
async fn what_is_not_received_stops_the_reading() {
    let (gate, received) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (opens, tells) = (gate.clone(), received.clone());
    let task = SocketTask::new(move |mut socket: Socket| {
        let (gate, received) = (opens.clone(), tells.clone());
        async move {
            gate.notified().await;
            let mut next = 0;
            while let Some(message) = socket.recv().await {
                let number = u64::from_be_bytes(message.payload()[..8].try_into().expect("8 bytes"));
                assert_eq!(number, next, "nothing is lost, nothing is late");
                next += 1;
                if next == COUNT {
                    received.notify_one();
                }
            }
        }
    });
    const COUNT: u64 = 4000;
    let limits = Limits { handler_timeout: Some(Duration::from_millis(50)), ..Limits::default() };
    let server = start(Server::builder().route("/ws", task).limits(limits)).await;
    let (mut raw, _) = Raw::open(server.address, "/ws", "").await;
    // More than the inbox's bound and all that the kernel's buffers hold: 4,000 times 16 KiB.
    let mut writing = tokio::spawn(async move {
        let mut payload = vec![0; 16 << 10];
        for number in 0..COUNT {
            payload[..8].copy_from_slice(&number.to_be_bytes());
            raw.stream.writable().await.expect("a stream");
            tokio::io::AsyncWriteExt::write_all(&mut raw.stream, &frame(0x82, &payload)).await.expect("open");
        }
        raw
    });
    // Writing stops when nobody reads, and nobody reads while nobody receives; longer than a callback may take.
    let stalled = tokio::time::timeout(Duration::from_millis(500), &mut writing).await;
    assert!(stalled.is_err(), "64 MiB were taken although nothing was received");
    gate.notify_one();
    within("the last message", received.notified()).await;
    drop(within("writing", writing).await.expect("no panic"));
    server.emptied().await;
}

#[tokio::test]
async fn a_socket_can_be_used_from_several_tasks() {
    let task = SocketTask::new(|mut socket: Socket| async move {
        let (other, count) = (socket.peer().clone(), Arc::new(Notify::new()));
        let tick = count.clone();
        let ticking = tokio::spawn(async move {
            loop {
                tick.notified().await;
                if other.try_send("tick").is_err() {
                    return;
                }
            }
        });
        while socket.recv().await.is_some() {
            count.notify_one();
        }
        count.notify_one();
        let _ = ticking.await;
    });
    let server = start(Server::builder().route("/ws", task)).await;
    let mut client = server.connect("/ws").await;
    client.send("x").await;
    assert_eq!(client.text().await, "tick");
    client.close().await;
    server.emptied().await;
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Move {
    x: i32,
    y: i32,
}

#[tokio::test]
async fn messages_are_values_of_ones_own() {
    async fn mirror(mut socket: Socket) -> HandlerResult {
        while let Some(message) = socket.recv().await {
            let Move { x, y } = message.parse_json()?;
            socket.send(Message::json(&Move { x: -x, y: -y })?);
        }
        Ok(())
    }
    let server = start(Server::builder().route("/ws", SocketTask::new(mirror))).await;
    let mut client = server.connect("/ws").await;
    client.send(r#"{"x":1,"y":-2}"#).await;
    assert_eq!(client.text().await, r#"{"x":-1,"y":2}"#);
    client.send("{").await;
    assert_eq!(client.closed().await.0, 1011);
}

#[tokio::test]
async fn a_client_is_authenticated_before_its_task_begins() {
    let task = SocketTask::new(|mut socket: Socket| async move {
        socket.send(socket.auth_data().to_string());
        socket.recv().await;
    });
    let task = task.authenticate(|handshake: Handshake| async move {
        match handshake.query("token") {
            Some(token) => switchboard::Admission::Accept { data: token.into() },
            None => switchboard::Admission::refuse(None, ""),
        }
    });
    let server = start(Server::builder().route("/ws", task)).await;
    assert_eq!(support::refused(server.url("/ws")).await, 401);
    let mut client = server.connect("/ws?token=t").await;
    assert_eq!(client.text().await, r#""t""#);
}

#[tokio::test]
async fn the_server_waits_for_tasks_and_tells_them_of_its_end() {
    let server = start(Server::builder().route("/ws", SocketTask::new(echo))).await;
    let mut client = server.connect("/ws").await;
    client.send("x").await;
    assert_eq!(client.text().await, "x");
    server.shutdown.shutdown();
    assert_eq!(client.closed().await.0, 1001);
    client.close().await;
    within("the end", server.serving).await.expect("no panic").expect("served");
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_ends_the_loop() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let task = SocketTask::new(move |mut socket: Socket| {
        let ended = ended.clone();
        async move {
            while socket.recv().await.is_some() {}
            let _ = ended.send(socket.close_frame().map(|frame| frame.code.0));
        }
    });
    let server = start(Server::builder().route("/ws", task)).await;
    let (mut raw, _) = Raw::open(server.address, "/ws", "").await;
    raw.write(&[0x81, 0]).await;
    assert_eq!(close_payload(&raw.frame().await).0, 1002, "the frame was not masked");
    assert_eq!(within("the end", ends.recv()).await, Some(Some(1002)));
    server.emptied().await;
}
