//! Wide broadcasts: everyone gets everything, once and in order, however it is written.

mod support;

use futures_util::SinkExt;
use support::raw::Raw;
use support::{Client, Running, start, within};
use switchboard::{Config, Server};

/// More than are written at a stretch.
const SUBSCRIBERS: usize = 1_200;

/// What each of two publishers sends.
const MESSAGES: usize = 24;

async fn relay(io_uring: bool) -> Running {
    let config = Config::from_toml("[[routes]]\npattern = \"/relay\"\ndialect = \"relay\"\n")
        .expect("a configuration");
    start(Server::builder().config(config).io_uring(io_uring)).await
}

/// Messages are numbered and of very different lengths.
fn message(name: &str, number: usize) -> String {
    let digits = (0..if number % 8 == 7 { 8_000 } else { number }).map(|digit| format!("{digit:05}"));
    format!("{name} {number} {}", digits.collect::<String>())
}

/// Sends all messages at once.
async fn publish(mut publisher: Client, name: &'static str) -> Client {
    for number in 0..MESSAGES {
        let text = message(name, number);
        within("queueing", publisher.socket.feed(text.into())).await.expect("an open socket");
    }
    within("sending", publisher.socket.flush()).await.expect("an open socket");
    publisher
}

/// Receives until both publishers are done; each one's messages have to come in order.
async fn listen(mut subscriber: Client) -> Client {
    let (mut a, mut b) = (0, 0);
    while a + b < 2 * MESSAGES {
        let text = subscriber.text().await;
        let (name, _) = text.split_once(' ').expect("a name");
        let next = if name == "a" { &mut a } else { &mut b };
        assert!(text == message(name, *next), "{name} {next}: {}", &text[..text.len().min(20)]);
        *next += 1;
    }
    assert_eq!((a, b), (MESSAGES, MESSAGES));
    subscriber
}

async fn everyone_gets_everything_in_order(io_uring: bool) {
    let server = relay(io_uring).await;
    let mut listening = Vec::new();
    for _ in 0..SUBSCRIBERS {
        listening.push(tokio::spawn(listen(server.connect("/relay").await)));
    }
    // Reads nothing until all is sent.
    let (mut slow, _) = Raw::open(server.address, "/relay", "").await;
    let [a, b] = [server.connect("/relay").await, server.connect("/relay").await];
    let publishing = [tokio::spawn(publish(a, "a")), tokio::spawn(publish(b, "b"))];
    for task in listening {
        within("the last message", task).await.expect("everything in order").close().await;
    }
    for _ in 0..2 * MESSAGES {
        assert_eq!(slow.frame().await.head, 0x81);
    }
    for task in publishing {
        task.await.expect("published");
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
