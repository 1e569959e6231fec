//! A node whose packets to the broker vanish, both ways, without a word: neither side is told that the link is cut.

use std::time::{Duration, Instant};

use crate::broker::{Access, BrokerProcess};
use crate::messages::{Present, hello};
use crate::network::{BROKER, CLIENTS, Network};
use crate::node::{LEASE, becomes, configuration, sees};
use crate::processes::File;
use crate::support::program::listening;
use crate::support::{Client, within};

/// How many messages each side says meanwhile.
const SAID: u64 = 5;

const SOCKET: &str = "/socket/websocket?vsn=2.0.0";

#[test]
fn redis() {
    in_a_network("redis", |access| Box::pin(BrokerProcess::redis_with(access)));
}

#[test]
fn nats() {
    in_a_network("nats", |access| Box::pin(BrokerProcess::nats_with(access)));
}

type Starting = std::pin::Pin<Box<dyn Future<Output = Option<BrokerProcess>>>>;

/// Runs the test where its clients are.
fn in_a_network(name: &str, start: fn(Access) -> Starting) {
    let Some(network) = Network::new(name) else { return };
    // A thread of its own, as nobody leads it back.
    let result = std::thread::scope(|scope| {
        let test = scope.spawn(|| {
            network.enter();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let access = Access { namespace: Some(network.namespace("broker")), ..Access::default() };
                if let Some(broker) = start(access).await {
                    a_link_is_cut_and_heals(&network, &broker, name).await;
                }
            });
        });
        test.join()
    });
    drop(network);
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

async fn a_link_is_cut_and_heals(network: &Network, broker: &BrokerProcess, name: &str) {
    // The processes end with these.
    let (mut processes, mut at) = (Vec::new(), Vec::new());
    for (node, node_name) in ["a", "b"].into_iter().enumerate() {
        let url = broker.url_at("", BROKER[node][0]);
        let file = File::new(&format!("partition-{name}-{node_name}"), &configuration(node_name, &url));
        let mut command = tokio::process::Command::new("ip");
        command.args(["netns", "exec", &network.namespace(&format!("node-{node}"))]);
        command.arg(env!("CARGO_BIN_EXE_switchboard")).args(["--host", CLIENTS[node][1]]);
        command.kill_on_drop(true).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
        let (process, address, _) = listening(command, &file.arguments()).await;
        processes.push(process);
        at.push(address);
    }
    sees(&at[0], &["b"]).await;
    sees(&at[1], &["a"]).await;
    let room = |address: &str| Client::connect(format!("ws://{address}/room/x"));
    let (mut ann, mut bob) = (room(&at[0]).await, room(&at[1]).await);
    let (mut near_ann, mut near_bob) = (room(&at[0]).await, room(&at[1]).await);
    hello(&mut ann, "ann", &mut [room(&at[1]).await]).await;
    hello(&mut bob, "bob", &mut [room(&at[0]).await]).await;
    let mut presences = Vec::new();
    for address in &at {
        presences.push(Present::join(Client::connect(format!("ws://{address}{SOCKET}")).await).await);
    }
    for present in &mut presences {
        present.until(2).await;
    }

    network.set_link(1, false);
    let cut_at = Instant::now();
    for number in 0..SAID {
        for (publisher, neighbour, who) in
            [(&mut ann, &mut near_ann, "ann"), (&mut bob, &mut near_bob, "bob")]
        {
            let text = format!("{who} {number}");
            publisher.send(&*text).await;
            said(neighbour, &text).await;
        }
    }
    // Their clients are told when the lease of the other node has run out, not before, on both sides.
    for present in &mut presences {
        present.until(1).await;
    }
    let took = cut_at.elapsed();
    assert!(took.as_millis() > u128::from(LEASE / 2), "already after {took:?}");
    sees(&at[0], &[]).await;
    sees(&at[1], &[]).await;
    let degraded =
        becomes("b knows that it is cut off", &at[1], |health| health["status"] == "degraded").await;
    let down_for = Duration::from_millis(degraded["cluster"]["downForMs"].as_u64().expect("a time"));
    assert!(down_for < cut_at.elapsed(), "{degraded}");
    let later = becomes("time goes on", &at[1], |health| {
        health["cluster"]["downForMs"].as_u64() > degraded["cluster"]["downForMs"].as_u64()
    })
    .await;
    assert!(later["cluster"]["error"].is_string(), "{later}");
    // The broker is there for the other node.
    assert_eq!(becomes("a goes on", &at[0], |_| true).await["status"], "ok");

    network.set_link(1, true);
    sees(&at[1], &["a"]).await;
    sees(&at[0], &["b"]).await;
    for present in &mut presences {
        present.until(2).await;
    }
    assert_eq!(presences[0].keys, presences[1].keys);
    for address in &at {
        becomes("it is well again", address, |health| health["status"] == "ok").await;
    }
    // Nothing is without a trace. What was on its way when the link was cut may still come.
    for (publisher, who, listener, at) in
        [(&mut ann, "ann", &mut near_bob, &at[1]), (&mut bob, "bob", &mut near_ann, &at[0])]
    {
        let heard = heard_of(publisher, who, listener).await;
        let health = becomes("it answers", at, |_| true).await;
        let lost = health["cluster"]["lost"].as_u64().expect("a number");
        assert_eq!(heard + lost, SAID, "{heard} of {who} were heard: {health}");
    }
}

/// How many of those messages a client on the other side hears in the end, before the next ones.
async fn heard_of(publisher: &mut Client, who: &str, listener: &mut Client) -> u64 {
    let (last, mut heard) = (format!("the last of {who}"), 0);
    let mut again = tokio::time::interval(Duration::from_millis(20));
    within(&last, async {
        loop {
            tokio::select! {
                text = listener.text() => match &*text {
                    text if text == last => return,
                    text => heard += u64::from(text.starts_with(&format!("{who} "))),
                },
                // The subscription takes a moment to reach the broker again.
                _ = again.tick() => publisher.send(&*last).await,
            }
        }
    })
    .await;
    heard
}

/// Waits until a client hears this.
async fn said(client: &mut Client, text: &str) {
    while client.text().await != text {}
}
