//! Faults on purpose, on real sockets: those that only a host can carry out, and those that come and go.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::raw::{Raw, close_payload, upgrade_request};
use support::{Running, start};
use switchboard::{Callbacks, Condition, Config, Damage, Fault, FaultStage, Incoming, Peer, Server};

const SYNC: &[u8] = b"everything before this";

async fn server(config: &str) -> Running {
    start(Server::builder().config(Config::from_toml(config).unwrap())).await
}

async fn echo() -> Running {
    server("[[routes]]\npattern = \"/echo\"\ndialect = \"echo\"").await
}

async fn ask(server: &Running, path: &str) -> Raw {
    let mut raw = Raw::connect(server.address).await;
    raw.write(upgrade_request(path, "").as_bytes()).await;
    raw
}

async fn open(server: &Running, path: &str) -> Raw {
    let mut raw = ask(server, path).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    raw
}

/// What comes before the pong of a ping that follows these texts.
async fn said(raw: &mut Raw, texts: &[&str]) -> Vec<String> {
    for text in texts {
        raw.send(0x81, text.as_bytes()).await;
    }
    raw.send(0x89, SYNC).await;
    let mut heard = Vec::new();
    loop {
        let frame = raw.frame().await;
        if frame.payload == SYNC {
            return heard;
        }
        heard.push(String::from_utf8(frame.payload).unwrap());
    }
}

fn on(stage: FaultStage) -> Fault {
    Fault { on: Some(stage), ..Fault::default() }
}

#[tokio::test]
async fn an_opening_that_hangs_ends_with_its_client() {
    let server = server("[[routes]]\npattern = \"/echo\"\ndialect = \"echo\"\nfaults = [{ on = \"open\", hang = true, times = 1 }]").await;
    let hanging = ask(&server, "/echo").await;
    support::within("the request", async {
        while server.switchboard.connections() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(said(&mut open(&server, "/echo").await, &["hi"]).await, ["hi"]);
    drop(hanging);
    support::within("the end", async {
        while server.switchboard.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_is_offline_gets_no_byte() {
    let server = echo().await;
    let mut before = open(&server, "/echo").await;
    let offline = server.switchboard.faults().add(Condition::Offline).unwrap();
    assert_eq!(before.rest().await, b"", "no close frame");
    assert_eq!(ask(&server, "/echo").await.rest().await, b"", "no answer");
    // A request that HTTP has read, because it came in two pieces.
    let mut split = Raw::connect(server.address).await;
    let request = upgrade_request("/echo", "");
    split.write(&request.as_bytes()[..20]).await;
    tokio::task::yield_now().await;
    split.write(&request.as_bytes()[20..]).await;
    assert_eq!(split.rest().await, b"", "no answer");
    assert!(offline.remove());
    assert_eq!(said(&mut open(&server, "/echo").await, &["hi"]).await, ["hi"]);
}

#[tokio::test]
async fn broken_frames_keep_their_place() {
    let server = echo().await;
    let mut raw = open(&server, "/echo").await;
    let fault = Fault { damage: Some(Damage::Opcode), times: Some(1), ..on(FaultStage::Send) };
    server.switchboard.route("/echo").unwrap().faults().add(fault).unwrap();
    for text in ["a", "b"] {
        raw.send(0x81, text.as_bytes()).await;
    }
    let (first, second) = (raw.frame().await, raw.frame().await);
    assert_eq!(
        ((first.head, first.payload), (second.head, second.payload)),
        ((0x83, b"a".to_vec()), (0x81, b"b".to_vec()))
    );
}

#[tokio::test]
async fn faults_are_for_one_connection_a_pattern_or_a_room() {
    let server = echo().await;
    let (mut first, mut second) = (open(&server, "/echo").await, open(&server, "/echo").await);
    let route = server.switchboard.route("/echo").unwrap();
    let lose = || Fault { loss: Some(1.0), ..on(FaultStage::Send) };
    let peers = route.connections();
    let of = peers[0].faults().add(lose()).unwrap();
    assert_eq!((said(&mut first, &["a"]).await.len(), said(&mut second, &["a"]).await.len()), (0, 1));
    assert!(of.remove() && !of.remove());
    let elsewhere = server.switchboard.faults().pattern("/other/**").add(lose()).unwrap();
    let in_room = route.room("nobody's").faults().add(lose()).unwrap();
    assert_eq!(said(&mut first, &["a"]).await, ["a"]);
    server.switchboard.faults().clear();
    assert!(!elsewhere.remove() && !in_room.remove());
    peers[1]
        .faults()
        .add(Fault { close: Some(4000), reason: Some("enough".into()), ..Fault::default() })
        .unwrap();
    assert_eq!(close_payload(&second.frame().await), (4000, "enough".to_owned()));
    assert!(server.switchboard.faults().add(Fault::default()).is_err());
}

#[tokio::test]
async fn nobody_hears_a_half_open_connection_until_that_is_taken_back() {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = heard.clone();
    let callbacks = Callbacks::new().on_message(move |peer: Peer, message: Incoming| {
        count.fetch_add(1, Ordering::Relaxed);
        async move { peer.send(message.as_text().unwrap_or_default()) }
    });
    let server = start(Server::builder().route("/echo", callbacks)).await;
    let (mut leaving, mut staying) = (open(&server, "/echo").await, open(&server, "/echo").await);
    let half_open = server.switchboard.faults().add(Condition::HalfOpen).unwrap();
    leaving.send(0x81, b"lost").await;
    drop(leaving);
    support::within("the end", async {
        while server.switchboard.connections() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(heard.load(Ordering::Relaxed), 0);
    assert!(half_open.remove());
    assert_eq!(said(&mut staying, &["heard"]).await, ["heard"]);
}
