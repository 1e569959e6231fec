//! What clients hear of those on other nodes.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::broker::BrokerProcess;
use crate::for_each_broker;
use crate::node::{LEASE, becomes, configuration, node, sees};
use crate::processes::File;
use crate::support::program::started;
use crate::support::{Client, Running, start, within};
use switchboard::{Config, Server};

for_each_broker! {
    rooms_reach_all_nodes_in_order,
    what_is_said_without_a_broker_is_missed_and_counted,
    nodes_are_restarted_one_after_the_other,
    presence_goes_with_a_node_that_is_killed,
    a_source_runs_once,
}

/// How many messages each publisher sends.
const MESSAGES: usize = 50;

/// How many listeners there are at each node.
const LISTENERS: usize = 100;

/// The next text that does not begin with `hello`.
async fn said(client: &mut Client) -> String {
    loop {
        let text = client.text().await;
        if !text.starts_with("hello") {
            return text;
        }
    }
}

/// Says hello until everybody has heard it: a subscription takes a moment to reach the broker.
pub(crate) async fn hello(publisher: &mut Client, name: &str, listeners: &mut [Client]) {
    let hello = format!("hello from {name}");
    for listener in listeners {
        let hearing = async {
            let mut again = tokio::time::interval(Duration::from_millis(20));
            loop {
                tokio::select! {
                    heard = listener.text() => if heard == hello { return },
                    _ = again.tick() => publisher.send(hello.as_str()).await,
                }
            }
        };
        within("a greeting", hearing).await;
    }
}

async fn rooms_reach_all_nodes_in_order(broker: BrokerProcess) {
    let mut nodes = Vec::new();
    for name in ["a", "b", "c"] {
        nodes.push(node(name, &broker.url()).await);
    }
    let mut listeners = Vec::new();
    for node in &nodes {
        for _ in 0..LISTENERS {
            listeners.push(node.connect("/room/x").await);
        }
    }
    let mut elsewhere = nodes[0].connect("/room/y").await;
    let mut publishers = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let mut publisher = node.connect("/room/x").await;
        hello(&mut publisher, &index.to_string(), &mut listeners).await;
        publishers.push(publisher);
    }
    let publishing = publishers.into_iter().enumerate().map(|(index, mut publisher)| {
        tokio::spawn(async move {
            for number in 0..MESSAGES {
                publisher.send(format!("{index} {number}")).await;
            }
            publisher
        })
    });
    let publishing: Vec<_> = publishing.collect();
    for listener in &mut listeners {
        let mut next = [0; 3];
        while next.iter().sum::<usize>() < 3 * MESSAGES {
            let text = said(listener).await;
            let (publisher, number) = text.split_once(' ').expect("a publisher and a number");
            let publisher: usize = publisher.parse().expect("a publisher");
            assert_eq!(number.parse(), Ok(next[publisher]), "of publisher {publisher}");
            next[publisher] += 1;
        }
    }
    for publishing in publishing {
        within("the last message", publishing).await.expect("a task");
    }
    // Nobody has spoken in that room.
    elsewhere.send(Message::Ping("nothing before".into())).await;
    assert!(elsewhere.next().await.is_pong());
}

async fn what_is_said_without_a_broker_is_missed_and_counted(mut broker: BrokerProcess) {
    let (a, b) = (node("a", &broker.url()).await, node("b", &broker.url()).await);
    let (at_a, at_b) = (a.address.to_string(), b.address.to_string());
    let mut publisher = a.connect("/room/x").await;
    let mut listeners = vec![b.connect("/room/x").await];
    let mut local = a.connect("/room/x").await;
    hello(&mut publisher, "a", &mut listeners).await;
    broker.kill().await;
    for at in [&at_a, &at_b] {
        becomes("it is cut off", at, |health| health["status"] == "degraded").await;
    }
    for number in 0..5 {
        publisher.send(format!("lost {number}")).await;
        assert_eq!(said(&mut local).await, format!("lost {number}"));
    }
    broker.run().await;
    sees(&at_a, &["b"]).await;
    let counted = becomes("b counts what it has missed", &at_b, |health| {
        health["status"] == "ok" && health["cluster"]["lost"].as_u64() >= Some(5)
    })
    .await;
    let unsent = becomes("a counts what it has not sent", &at_a, |health| {
        health["cluster"]["unsent"].as_u64() >= Some(5)
    })
    .await;
    assert_eq!(counted["cluster"]["lost"], 5, "{counted} {unsent}");
    hello(&mut publisher, "a again", &mut listeners).await;
    publisher.send("found").await;
    assert_eq!(said(&mut listeners[0]).await, "found");
}

async fn nodes_are_restarted_one_after_the_other(broker: BrokerProcess) {
    let mut nodes: Vec<Running> = Vec::new();
    for name in ["a", "b", "c"] {
        nodes.push(node(name, &broker.url()).await);
    }
    for name in ["a", "b", "c"] {
        let old = nodes.remove(0);
        old.shutdown.shutdown();
        within("the end", old.serving).await.expect("a task").expect("no error");
        let new = node(name, &broker.url()).await;
        let others: Vec<&str> = ["a", "b", "c"].into_iter().filter(|other| *other != name).collect();
        sees(&new.address.to_string(), &others).await;
        let mut publisher = new.connect("/room/x").await;
        let mut listeners = Vec::new();
        for node in &nodes {
            listeners.push(node.connect("/room/x").await);
        }
        hello(&mut publisher, name, &mut listeners).await;
        for listener in &mut listeners {
            hello(listener, "another", std::slice::from_mut(&mut publisher)).await;
        }
        nodes.push(new);
    }
}

/// A client on a topic with presence.
pub(crate) struct Present {
    client: Client,
    pub(crate) keys: BTreeSet<String>,
}

impl Present {
    pub(crate) async fn join(mut client: Client) -> Self {
        client.send_json(json!(["1", "1", "room:lobby", "phx_join", {}])).await;
        Self { client, keys: BTreeSet::new() }
    }

    /// Takes what is told until so many are there; says who has left last.
    pub(crate) async fn until(&mut self, count: usize) -> BTreeSet<String> {
        let keys = |value: &serde_json::Value| -> BTreeSet<String> {
            value.as_object().into_iter().flat_map(serde_json::Map::keys).cloned().collect()
        };
        let mut left = BTreeSet::new();
        while self.keys.len() != count {
            let message = self.client.json().await;
            match message[3].as_str() {
                Some("presence_state") => self.keys = keys(&message[4]),
                Some("presence_diff") => {
                    left = keys(&message[4]["leaves"]);
                    self.keys.extend(keys(&message[4]["joins"]));
                    self.keys.retain(|key| !left.contains(key));
                }
                _ => {}
            }
        }
        left
    }
}

async fn presence_goes_with_a_node_that_is_killed(broker: BrokerProcess) {
    let a = node("a", &broker.url()).await;
    let scheme = broker.url().split(':').next().unwrap_or_default().to_owned();
    let file = File::new(&format!("presence-{scheme}"), &configuration("b", &broker.url()));
    let (mut b, at_b, _) = started(&file.arguments()).await;
    sees(&a.address.to_string(), &["b"]).await;
    let path = "/socket/websocket?vsn=2.0.0";
    let mut here = Present::join(a.connect(path).await).await;
    here.until(1).await;
    let mine = here.keys.clone();
    let mut there = Present::join(Client::connect(format!("ws://{at_b}{path}")).await).await;
    there.until(2).await;
    here.until(2).await;
    assert_eq!(here.keys, there.keys);
    let killed_at = std::time::Instant::now();
    within("its end", b.kill()).await.expect("a process");
    let left = here.until(1).await;
    assert_eq!((&here.keys, left), (&mine, there.keys.difference(&mine).cloned().collect()));
    let took = killed_at.elapsed().as_millis();
    assert!(took > u128::from(LEASE / 2), "already after {took} ms: was it told?");
}

/// How many ms there are between two values of that feed.
pub(crate) const EVERY: u64 = 50;

/// A feed whose source may run only once, and a route that serves it.
pub(crate) const FEED: &str = r#"
[[feeds]]
name = "killmails"

[feeds.interval]
every = 50
values = [{ killmail_id = "{counter.kill 1 1}" }]

[[routes]]
pattern = "/feed"
dialect = "actions"
"#;

/// A node with that feed.
async fn with_feed(name: &str, broker: &BrokerProcess) -> Running {
    let config = configuration(name, &broker.url()) + FEED;
    start(Server::builder().config(Config::from_toml(&config).expect("a configuration"))).await
}

async fn a_source_runs_once(broker: BrokerProcess) {
    let a = with_feed("a", &broker).await;
    let b = with_feed("b", &broker).await;
    sees(&a.address.to_string(), &["b"]).await;
    sees(&b.address.to_string(), &["a"]).await;
    let subscribe = json!({ "action": "sub", "channel": "kills" });
    let (mut at_a, mut at_b) = (a.connect("/feed").await, b.connect("/feed").await);
    at_a.send_json(subscribe.clone()).await;
    at_b.send_json(subscribe).await;
    for client in [&mut at_a, &mut at_b] {
        let mut last: Option<i64> = None;
        for _ in 0..20 {
            let number = kill(client).await;
            assert!(last.is_none_or(|last| number == last + 1), "{number} after {last:?}");
            last = Some(number);
        }
    }
    // Whoever has the source, the other one goes on with it, with numbers of its own.
    a.shutdown.shutdown();
    within("the end", a.serving).await.expect("a task").expect("no error");
    sees(&b.address.to_string(), &[]).await;
    let before = kill(&mut at_b).await;
    let mut numbers = Vec::new();
    while numbers.len() < 20 {
        numbers.push(kill(&mut at_b).await);
    }
    assert!(numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).count() <= 1, "{before} {numbers:?}");
}

/// The number of the next kill.
pub(crate) async fn kill(client: &mut Client) -> i64 {
    loop {
        let message = client.json().await;
        if let Some(number) = message["data"]["killmail_id"].as_i64() {
            return number;
        }
    }
}

/// Then the first of the nodes by name runs it, as soon as they know each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_leases_a_source_runs_once_in_the_end() {
    let Some(broker) = BrokerProcess::nats_without_jetstream().await else { return };
    let a = with_feed("a", &broker).await;
    let b = with_feed("b", &broker).await;
    for node in [&a, &b] {
        let mut client = node.connect("/feed").await;
        client.send_json(json!({ "action": "sub", "channel": "kills" })).await;
        let running_once = async {
            let (mut last, mut in_a_row) = (0, 0);
            // More than come between two times that a lease is asked for.
            while in_a_row < 40 {
                let number = kill(&mut client).await;
                in_a_row = if number == last + 1 { in_a_row + 1 } else { 0 };
                last = number;
            }
        };
        within("numbers in a row", running_once).await;
    }
}
