//! Nodes that end and come back while clients go on talking.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::broker::BrokerProcess;
use crate::for_each_broker;
use crate::messages::hello;
use crate::node::{becomes, configuration, node, sees};
use crate::processes::File;
use crate::support::program::started;
use crate::support::{Client, Running, within};

for_each_broker! {
    nothing_is_lost_while_all_nodes_are_restarted,
    a_node_and_the_broker_are_killed_together,
}

/// How many publishers and listeners there are.
const PUBLISHERS: usize = 3;
const LISTENERS: usize = 9;

/// How many numbers all publishers together say between two restarts, at 5 ms each.
const SAID_BETWEEN: u64 = 900;

/// Clients that connect to the next node when theirs has ended.
#[derive(Clone)]
struct World {
    /// Where the nodes are that take clients.
    nodes: Arc<Mutex<Vec<SocketAddr>>>,
    is_over: Arc<AtomicBool>,
    /// How many connections there have been: each has another number.
    sessions: Arc<AtomicU64>,
    /// How many numbers were said.
    said: Arc<AtomicU64>,
}

impl World {
    fn nodes(&self) -> std::sync::MutexGuard<'_, Vec<SocketAddr>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next connection with its number, at the next node that takes one; `None` when it is over.
    async fn next(&self, attempts: &mut usize) -> Option<(u64, Client)> {
        while !self.is_over.load(Ordering::Relaxed) {
            let address = {
                let nodes = self.nodes();
                nodes[*attempts % nodes.len()]
            };
            *attempts += 1;
            // It may have ended since.
            if let Ok((socket, _)) = connect_async(format!("ws://{address}/room/x")).await {
                return Some((self.sessions.fetch_add(1, Ordering::Relaxed), Client { socket }));
            }
        }
        None
    }

    /// Says one number after the other.
    async fn publish(self, mut attempts: usize) {
        while let Some((session, mut client)) = self.next(&mut attempts).await {
            let mut pace = tokio::time::interval(Duration::from_millis(5));
            let mut number = 0_u64;
            while !self.is_over.load(Ordering::Relaxed) {
                tokio::select! {
                    heard = client.socket.next() => if !matches!(heard, Some(Ok(Message::Text(_)))) { break },
                    _ = pace.tick() => {
                        if client.socket.send(format!("{session} {number}").into()).await.is_err() {
                            break;
                        }
                        number += 1;
                        self.said.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Waits until so many more numbers were said.
    async fn hears_more(&self, count: u64) {
        let enough = self.said.load(Ordering::Relaxed) + count;
        within("more to be said", async {
            while self.said.load(Ordering::Relaxed) < enough {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// Hears every number of a publisher from the first one on, as long as both are connected. Gives how many it has heard.
    async fn listen(self, mut attempts: usize) -> u64 {
        let mut count = 0;
        while let Some((_, mut client)) = self.next(&mut attempts).await {
            let mut last: BTreeMap<u64, u64> = BTreeMap::new();
            while let Some(Ok(Message::Text(text))) = within("a message", client.socket.next()).await {
                if text == "over" {
                    return count;
                }
                let (session, number) = text.split_once(' ').expect("a session and a number");
                let number: u64 = number.parse().expect("a number");
                let before = last.insert(session.parse().expect("a session"), number);
                assert!(before.is_none_or(|before| number == before + 1), "{text} after {before:?}");
                count += 1;
            }
        }
        count
    }
}

async fn nothing_is_lost_while_all_nodes_are_restarted(broker: BrokerProcess) {
    let names = ["a", "b", "c"];
    let mut nodes: Vec<Running> = Vec::new();
    for name in names {
        nodes.push(node(name, &broker.url()).await);
    }
    for (index, node) in nodes.iter().enumerate() {
        sees(&node.address.to_string(), &others(index)).await;
    }
    let world = World {
        nodes: Arc::new(Mutex::new(nodes.iter().map(|node| node.address).collect())),
        is_over: Arc::default(),
        sessions: Arc::default(),
        said: Arc::default(),
    };
    let listeners: Vec<_> = (0..LISTENERS).map(|index| tokio::spawn(world.clone().listen(index))).collect();
    let publishers: Vec<_> =
        (0..PUBLISHERS).map(|index| tokio::spawn(world.clone().publish(index))).collect();
    for (index, name) in names.into_iter().enumerate() {
        // Longer than it takes to the next sign of life.
        world.hears_more(SAID_BETWEEN).await;
        let old = nodes.remove(index);
        world.nodes().retain(|address| *address != old.address);
        old.shutdown.shutdown();
        within("the end", old.serving).await.expect("a task").expect("no error");
        let new = node(name, &broker.url()).await;
        sees(&new.address.to_string(), &others(index)).await;
        world.nodes().push(new.address);
        nodes.insert(index, new);
    }
    world.hears_more(SAID_BETWEEN).await;
    world.is_over.store(true, Ordering::Relaxed);
    for publisher in publishers {
        within("a publisher's end", publisher).await.expect("a publisher");
    }
    let said = world.said.load(Ordering::Relaxed);
    let mut last = Client::connect(nodes[0].url("/room/x")).await;
    let mut heard = Vec::new();
    for listener in listeners {
        let mut again = tokio::time::interval(Duration::from_millis(20));
        tokio::pin!(listener);
        let ending = async {
            loop {
                tokio::select! {
                    count = &mut listener => return count,
                    // Also to whoever has come in this moment.
                    _ = again.tick() => last.send("over").await,
                }
            }
        };
        heard.push(within("a listener's end", ending).await.expect("a listener"));
    }
    assert!(heard.iter().all(|count| *count > said / 4), "{said} said, {heard:?} heard");
    for node in &nodes {
        let seen = becomes("it is well", &node.address.to_string(), |seen| seen["status"] == "ok").await;
        assert_eq!((&seen["cluster"]["lost"], &seen["cluster"]["unsent"]), (&0.into(), &0.into()), "{seen}");
    }
}

fn others(index: usize) -> Vec<&'static str> {
    let mut names = vec!["a", "b", "c"];
    names.remove(index);
    names
}

async fn a_node_and_the_broker_are_killed_together(mut broker: BrokerProcess) {
    let (a, b) = (node("a", &broker.url()).await, node("b", &broker.url()).await);
    let (at_a, at_b) = (a.address.to_string(), b.address.to_string());
    let scheme = broker.url().split(':').next().unwrap_or_default().to_owned();
    let file = File::new(&format!("both-{scheme}"), &configuration("c", &broker.url()));
    let (mut c, _, _) = started(&file.arguments()).await;
    sees(&at_a, &["b", "c"]).await;
    sees(&at_b, &["a", "c"]).await;
    c.start_kill().expect("a process");
    broker.kill().await;
    within("its end", c.wait()).await.expect("a process");
    for at in [&at_a, &at_b] {
        let alone = sees(at, &[]).await;
        assert_eq!(alone["status"], "degraded");
    }
    let mut publisher = a.connect("/room/x").await;
    let mut local = a.connect("/room/x").await;
    publisher.send("here").await;
    assert_eq!(local.text().await, "here");
    broker.run().await;
    sees(&at_a, &["b"]).await;
    sees(&at_b, &["a"]).await;
    let (_again, at_c, _) = started(&file.arguments()).await;
    for (at, others) in [(&at_a, ["b", "c"]), (&at_b, ["a", "c"]), (&at_c, ["a", "b"])] {
        sees(at, &others).await;
    }
    let at_c = Client::connect(format!("ws://{at_c}/room/x")).await;
    let mut listeners = [b.connect("/room/x").await, at_c];
    hello(&mut publisher, "a", &mut listeners).await;
    let [_, mut at_c] = listeners;
    hello(&mut at_c, "c", std::slice::from_mut(&mut local)).await;
}
