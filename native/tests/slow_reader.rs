//! A client that does not read costs a bounded amount, and only itself.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::raw::{Raw, close_payload};
use support::start;
use switchboard::{
    CloseCode, Context, Endpoint, Handler, HandlerResult, Limits, Message, Overflow, RouteSettings, Server,
};

/// Sends everything to everyone else.
struct Fan;

impl Handler for Fan {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        cx.broadcast(message);
        cx.send("done");
        Ok(())
    }
}

fn fan(overflow: Overflow) -> Endpoint {
    let settings = RouteSettings { max_outbound: 256 << 10, overflow, ..RouteSettings::default() };
    Endpoint::from(Fan).with_settings(settings)
}

/// Sends 64 messages of 1 MiB, far more than the kernel's buffers take.
async fn flood(server: &support::Running, reader: &mut support::Client) -> u32 {
    let mut sender = server.connect("/fan").await;
    let message = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        sender.send(message.clone()).await;
        assert_eq!(sender.text().await, "done");
        assert_eq!(reader.next().await.len(), 1 << 20);
    }
    sender.close().await;
    64
}

#[tokio::test]
async fn it_is_closed_with_1013_while_the_others_go_on() {
    let server = start(Server::builder().route("/fan", fan(Overflow::Close))).await;
    let (mut slow, _) = Raw::open(server.address, "/fan", "").await;
    let mut reader = server.connect("/fan").await;
    flood(&server, &mut reader).await;
    let mut received = 0;
    let close = loop {
        let frame = slow.frame().await;
        if frame.head == 0x88 {
            break frame;
        }
        assert_eq!(frame.payload.len(), 1 << 20);
        received += 1;
    };
    assert_eq!(close_payload(&close), (1013, "Reading too slowly".to_owned()));
    assert!(received < 64, "some were never queued");
    drop(slow);
    reader.close().await;
    server.emptied().await;
}

#[tokio::test]
async fn it_loses_the_oldest_messages_if_the_route_says_so() {
    let server = start(Server::builder().route("/fan", fan(Overflow::DropOldest))).await;
    let (mut slow, _) = Raw::open(server.address, "/fan", "").await;
    let mut reader = server.connect("/fan").await;
    let sent = flood(&server, &mut reader).await;
    slow.send(0x81, b"and I am still here").await;
    let mut received = 0;
    while slow.frame().await.payload != b"done" {
        received += 1;
    }
    assert!((1..sent).contains(&received), "{received} of {sent}");
    assert_eq!(reader.text().await, "and I am still here");
    let dropped = u64::from(sent - received);
    let counted = server.switchboard.stats().dropped_messages;
    assert_eq!(counted.into_iter().collect::<Vec<_>>(), [("/fan".to_owned(), dropped)]);
    let mut raw = Raw::connect(server.address).await;
    raw.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
    let health: Value = serde_json::from_slice(&raw.rest().await).expect("JSON");
    assert_eq!(health["droppedMessages"], json!({ "/fan": dropped }));
}

/// Paused rather than closed: it sends no more until it has read what it caused.
#[tokio::test]
async fn it_is_not_read_from_if_the_route_says_so() {
    struct Echo;
    impl Handler for Echo {
        fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
            cx.send(message);
            Ok(())
        }
    }
    let settings = RouteSettings { max_outbound: 64 << 10, overflow: Overflow::Pause, ..Default::default() };
    let server = start(Server::builder().route("/echo", Endpoint::from(Echo).with_settings(settings))).await;
    let (raw, _) = Raw::open(server.address, "/echo", "").await;
    let (mut read, mut write) = raw.stream.into_split();
    let sending = tokio::spawn(async move {
        for index in 0..2000_u32 {
            let mut payload = vec![0; 16 << 10];
            payload[..4].copy_from_slice(&index.to_be_bytes());
            let frame = support::raw::frame(0x82, &payload);
            tokio::io::AsyncWriteExt::write_all(&mut write, &frame).await.expect("an open socket");
        }
        write
    });
    let mut frame = vec![0; 4 + (16 << 10)];
    for index in 0..2000_u32 {
        let read = tokio::io::AsyncReadExt::read_exact(&mut read, &mut frame);
        support::within("an echo", read).await.expect("an open socket");
        assert_eq!(frame[4..8], index.to_be_bytes());
    }
    sending.await.expect("no panic");
}

/// Longer than `closeTimeout`, as long as it takes something within each: from the outbox, or from the kernel.
#[tokio::test]
async fn it_gets_all_that_was_sent_before_the_close_frame() {
    const LENGTH: usize = 8 << 20;
    struct Last;
    impl Handler for Last {
        fn message(&mut self, cx: &mut Context<'_>, _: Message) -> HandlerResult {
            cx.send(Message::Binary(vec![b'x'; LENGTH].into()));
            cx.close(CloseCode(4000), "bye")?;
            Ok(())
        }
    }
    let limits = Limits { close_timeout: Duration::from_secs(1), ..Limits::default() };
    let server = start(Server::builder().limits(limits).route("/last", Last)).await;
    let mut raw = Raw::with_small_buffer(server.address).await;
    raw.write(support::raw::upgrade_request("/last", "").as_bytes()).await;
    raw.head().await;
    raw.send(0x81, b"go").await;
    let (asked, mut received) = (Instant::now(), Vec::with_capacity(LENGTH + 17));
    while received.len() < LENGTH + 10 + 7 {
        let mut piece = vec![0; 64 << 10];
        let read = tokio::io::AsyncReadExt::read(&mut raw.stream, &mut piece);
        let read = support::within("the next piece", read).await.expect("an open socket");
        assert_ne!(read, 0, "the end after {} bytes", received.len());
        received.extend_from_slice(&piece[..read]);
        // That the client reads slowly is what this is about.
        tokio::time::sleep(Duration::from_secs(2) * read as u32 / LENGTH as u32).await;
    }
    assert!(asked.elapsed() > Duration::from_millis(1_250), "{:?}", asked.elapsed());
    assert_eq!(received[LENGTH + 10..], *b"\x88\x05\x0f\xa0bye");
}

/// However short what it sends is, and however long what it gets for it.
#[tokio::test]
async fn nothing_is_dropped_if_the_route_says_that_it_is_not_read_from() {
    const COUNT: u32 = 5_000;
    struct Long;
    impl Handler for Long {
        fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
            let mut reply = message.payload().to_vec();
            reply.resize(1_000, 0);
            cx.send(Message::Binary(reply.into()));
            Ok(())
        }
    }
    let settings = RouteSettings { max_outbound: 16 << 10, overflow: Overflow::Pause, ..Default::default() };
    let server = start(Server::builder().route("/long", Endpoint::from(Long).with_settings(settings))).await;
    let (raw, _) = Raw::open(server.address, "/long", "").await;
    let (mut read, mut write) = raw.stream.into_split();
    let sending = tokio::spawn(async move {
        let frames: Vec<u8> =
            (0..COUNT).flat_map(|index| support::raw::frame(0x82, &index.to_be_bytes())).collect();
        tokio::io::AsyncWriteExt::write_all(&mut write, &frames).await.expect("an open socket");
        write
    });
    let mut frame = vec![0; 4 + 1_000];
    for index in 0..COUNT {
        let read = tokio::io::AsyncReadExt::read_exact(&mut read, &mut frame);
        support::within("a reply", read).await.expect("an open socket");
        assert_eq!(frame[4..8], index.to_be_bytes());
    }
    sending.await.expect("no panic");
    assert!(server.switchboard.stats().dropped_messages.is_empty());
}
