//! Messages come back byte for byte, however large and however they were cut.

mod support;

use std::time::Duration;

use futures_util::SinkExt;
use support::raw::{Frame, Raw, frame};
use support::{start, within};
use switchboard::{Context, Endpoint, Handler, HandlerResult, Message, Overflow, RouteSettings, Server};

struct Echo;

impl Handler for Echo {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        cx.send(message);
        Ok(())
    }
}

#[tokio::test]
async fn text_and_binary_of_any_size() {
    let server = start(Server::builder().route("/echo", Echo)).await;
    let mut client = server.connect("/echo").await;
    for length in [0, 1, 125, 126, 65_535, 65_536, 3_000_000] {
        client.send("é".repeat(length / 2)).await;
        assert_eq!(client.text().await, "é".repeat(length / 2));
        let binary: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
        client.send(binary.clone()).await;
        assert_eq!(client.next().await.into_data(), binary);
    }
    client.close().await;
    server.emptied().await;
}

/// What comes right behind the request was read by HTTP already, and must not be lost.
#[tokio::test]
async fn frames_in_the_same_packet_as_the_request() {
    let server = start(Server::builder().route("/echo", Echo)).await;
    let mut raw = Raw::connect(server.address).await;
    let mut bytes = support::raw::upgrade_request("/echo", "").into_bytes();
    for word in ["one", "two"] {
        bytes.extend(frame(0x81, word.as_bytes()));
    }
    let half = frame(0x81, b"three");
    bytes.extend(&half[..4]);
    raw.write(&bytes).await;
    assert!(raw.head().await.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(raw.frame().await, Frame { head: 0x81, payload: b"one".into() });
    assert_eq!(raw.frame().await, Frame { head: 0x81, payload: b"two".into() });
    raw.write(&half[4..]).await;
    assert_eq!(raw.frame().await, Frame { head: 0x81, payload: b"three".into() });
}

/// A client that reads only after it has sent everything, more than the kernel's buffers hold.
#[tokio::test]
async fn a_late_reader_gets_everything() {
    let settings = switchboard::RouteSettings { max_outbound: 64 << 20, ..Default::default() };
    let endpoint = switchboard::Endpoint::from(Echo).with_settings(settings);
    let server = start(Server::builder().route("/echo", endpoint)).await;
    let (mut raw, _) = Raw::open(server.address, "/echo", "").await;
    let message = vec![7; 1 << 20];
    for _ in 0..16 {
        raw.send(0x82, &message).await;
    }
    for _ in 0..16 {
        assert_eq!(raw.frame().await, Frame { head: 0x82, payload: message.clone() });
    }
    raw.send(0x88, &1000u16.to_be_bytes()).await;
    assert_eq!(raw.frame().await.payload, 1000u16.to_be_bytes());
    assert_eq!(raw.rest().await, b"");
    drop(raw);
    server.emptied().await;
    server.shutdown.shutdown();
    let stopped = tokio::time::timeout(Duration::from_secs(5), server.serving).await;
    stopped.expect("in time").expect("no panic").expect("no error");
}

/// Far more in one piece than may wait for a client that does not read; this one reads.
#[tokio::test]
async fn a_large_burst_is_echoed_within_a_small_bound() {
    for overflow in [Overflow::Close, Overflow::Pause, Overflow::DropOldest] {
        let settings = RouteSettings { max_outbound: 1 << 10, overflow, ..RouteSettings::default() };
        let server =
            start(Server::builder().route("/echo", Endpoint::from(Echo).with_settings(settings))).await;
        let mut client = server.connect("/echo").await;
        for number in 0..200 {
            let message = format!("{number} {}", "x".repeat(number)).into();
            within("queueing", client.socket.feed(message)).await.expect("an open socket");
        }
        within("sending", client.socket.flush()).await.expect("an open socket");
        for number in 0..200 {
            assert_eq!(client.text().await, format!("{number} {}", "x".repeat(number)), "{overflow:?}");
        }
    }
}
