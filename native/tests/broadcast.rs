//! Wide broadcasts: everyone gets everything, once and in order, however it is written.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use futures_util::{SinkExt, StreamExt};
use support::raw::Raw;
use support::{BOUND, Client, Running, start, within};
use switchboard::{Config, Server};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

/// More than are written at a stretch.
const SUBSCRIBERS: usize = 1_200;

/// What each of two publishers sends.
const MESSAGES: usize = 24;

/// The messages of both publishers, which are numbered and of very different lengths. Made once: every subscriber
/// compares all of them.
static SENT: LazyLock<[Vec<String>; 2]> =
    LazyLock::new(|| ["a", "b"].map(|name| (0..MESSAGES).map(|number| message(name, number)).collect()));

fn message(name: &str, number: usize) -> String {
    let digits = (0..if number % 8 == 7 { 8_000 } else { number }).map(|digit| format!("{digit:05}"));
    format!("{name} {number} {}", digits.collect::<String>())
}

async fn relay(io_uring: bool) -> Running {
    let config = Config::from_toml("[[routes]]\npattern = \"/relay\"\ndialect = \"relay\"\n")
        .expect("a configuration");
    start(Server::builder().config(config).io_uring(io_uring)).await
}

/// Sends all messages at once.
async fn publish(mut publisher: Client, messages: &'static [String]) -> Client {
    for text in messages {
        publisher.socket.feed(text.as_str().into()).await.expect("an open socket");
    }
    publisher.socket.flush().await.expect("an open socket");
    publisher
}

/// Receives until both publishers are done; each one's messages have to come in order.
async fn listen(mut subscriber: Client, received: Arc<AtomicUsize>) -> Client {
    let mut counts = [0, 0];
    while counts != [MESSAGES; 2] {
        let text = match subscriber.socket.next().await {
            Some(Ok(Message::Text(text))) => text,
            other => panic!("not text: {other:?}"),
        };
        let publisher = usize::from(text.starts_with('b'));
        let next = &mut counts[publisher];
        let expected = SENT[publisher].get(*next).expect("no more than were sent");
        assert!(text.as_str() == expected, "publisher {publisher}, {next}: {:.20}", text.as_str());
        *next += 1;
        received.fetch_add(1, Ordering::Relaxed);
    }
    subscriber
}

/// Waits until every subscriber has everything. How long that takes is up to the machine, but messages have to keep
/// coming.
async fn all_done(mut listening: JoinSet<Client>, received: &AtomicUsize) {
    let mut before = 0;
    loop {
        match tokio::time::timeout(BOUND, listening.join_next()).await {
            Ok(None) => break,
            Ok(Some(done)) => done.expect("everything in order").close().await,
            Err(_) => {
                let now = received.load(Ordering::Relaxed);
                assert!(now > before, "no message within {BOUND:?} after {now}");
                before = now;
            }
        }
    }
    assert_eq!(received.load(Ordering::Relaxed), SUBSCRIBERS * 2 * MESSAGES);
}

async fn everyone_gets_everything_in_order(io_uring: bool) {
    let server = relay(io_uring).await;
    let received = Arc::<AtomicUsize>::default();
    let mut listening = JoinSet::new();
    for _ in 0..SUBSCRIBERS {
        listening.spawn(listen(server.connect("/relay").await, received.clone()));
    }
    // Reads nothing until all is sent.
    let (mut slow, _) = Raw::open(server.address, "/relay", "").await;
    let [a, b] = [server.connect("/relay").await, server.connect("/relay").await];
    let publishing = [tokio::spawn(publish(a, &SENT[0])), tokio::spawn(publish(b, &SENT[1]))];
    all_done(listening, &received).await;
    for _ in 0..2 * MESSAGES {
        assert_eq!(slow.frame().await.head, 0x81);
    }
    for task in publishing {
        within("the last message's departure", task).await.expect("published");
    }
    drop(slow);
    server.emptied().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn together() {
    everyone_gets_everything_in_order(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each() {
    everyone_gets_everything_in_order(false).await;
}

#[tokio::test]
async fn together_on_one_thread() {
    everyone_gets_everything_in_order(true).await;
}
