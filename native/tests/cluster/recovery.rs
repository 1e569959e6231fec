//! Clients that lose their node, and come back to another one.

use serde_json::Value;

use crate::broker::BrokerProcess;
use crate::for_each_broker;
use crate::node::{becomes, sees};
use crate::processes::File;
use crate::support::program::started;
use crate::support::{Client, Running, start, within};
use switchboard::{Config, Server};

for_each_broker! {
    who_comes_back_to_another_node_gets_just_what_it_missed,
    a_broker_that_restarts_takes_nothing_from_those_who_miss_nothing,
}

/// How many messages are said while a client is away.
const MISSED: usize = 50;

pub(crate) fn configuration(name: &str, url: &str) -> String {
    format!(
        r#"
        [[routes]]
        pattern = "/room/{{room}}"
        dialect = "relay"
        history = {{ size = 100 }}

        [cluster]
        url = "{url}"
        name = "{name}"
        lease = 3000
        "#
    )
}

pub(crate) async fn node(name: &str, url: &str) -> Running {
    let config = Config::from_toml(&configuration(name, url)).expect("a configuration");
    start(Server::builder().config(config)).await
}

/// A client that takes part, at this address; with the position at which it was before.
pub(crate) async fn listener(address: &str, position: &str) -> Client {
    let from = if position.is_empty() { String::new() } else { format!("=/room/x@{position}") };
    Client::connect(format!("ws://{address}/room/x?switchboard-history{from}")).await
}

/// The next envelope of the room: whether what was missed is there, the text, and the position.
pub(crate) async fn told(client: &mut Client) -> (Option<bool>, Option<String>, String) {
    loop {
        let told: Value = client.json().await;
        let history = &told["history"];
        if history["rooms"][0] == "/room/x" {
            let position = history["position"].as_str().expect("a position").to_owned();
            let text = told["text"].as_str().map(str::to_owned);
            return (history["recovered"].as_bool(), text, position);
        }
    }
}

/// The next text, and the position that comes with it.
pub(crate) async fn heard(client: &mut Client) -> (String, String) {
    loop {
        if let (_, Some(text), position) = told(client).await {
            return (text, position);
        }
    }
}

/// Whether a node promises to one that comes from the present what it has missed, which is nothing.
pub(crate) async fn recovers(address: &str, position: &str) -> bool {
    told(&mut listener(address, position).await).await.0 == Some(true)
}

async fn who_comes_back_to_another_node_gets_just_what_it_missed(broker: BrokerProcess) {
    let b = node("b", &broker.url()).await;
    let at_b = b.address.to_string();
    let scheme = broker.url().split(':').next().unwrap_or_default().to_owned();
    let file = File::new(&format!("recovery-{scheme}"), &configuration("a", &broker.url()));
    let (mut a, at_a, _) = started(&file.arguments()).await;
    sees(&at_b, &["a"]).await;
    sees(&at_a, &["b"]).await;
    let mut ann = listener(&at_a, "").await;
    let mut at_node_a = Client::connect(format!("ws://{at_a}/room/x")).await;
    let mut at_node_b = Client::connect(format!("ws://{at_b}/room/x")).await;
    at_node_a.send("from a").await;
    let (text, _) = heard(&mut ann).await;
    assert_eq!(text, "from a");
    assert_eq!(at_node_b.text().await, "from a");
    at_node_b.send("from b").await;
    let (text, position) = heard(&mut ann).await;
    assert_eq!(text, "from b");
    // Said at the node that dies, and heard at the other one.
    at_node_a.send("the last of a").await;
    assert_eq!(at_node_b.text().await, "the last of a");
    within("its end", a.kill()).await.expect("a process");
    for number in 0..MISSED {
        at_node_b.send(format!("{number}")).await;
    }
    // Everything that was sent has been said when the answer is there.
    at_node_b.send(tokio_tungstenite::tungstenite::Message::Ping("all".into())).await;
    assert!(at_node_b.next().await.is_pong());
    let mut ann = listener(&at_b, &position).await;
    assert_eq!(told(&mut ann).await.0, Some(true));
    assert_eq!(heard(&mut ann).await.0, "the last of a");
    for number in 0..MISSED {
        assert_eq!(heard(&mut ann).await.0, number.to_string());
    }
    at_node_b.send("now").await;
    let (text, position) = heard(&mut ann).await;
    assert_eq!(text, "now", "nothing came twice");
    // Also when it is known that the other node is dead.
    sees(&at_b, &[]).await;
    assert!(recovers(&at_b, &position).await);
}

/// The broker keeps nothing.
pub(crate) async fn what_a_node_was_not_there_for_cannot_be_recovered(broker: BrokerProcess) {
    let a = node("a", &broker.url()).await;
    let at_a = a.address.to_string();
    let mut ann = listener(&at_a, "").await;
    let mut bob = a.connect("/room/x").await;
    bob.send("one").await;
    let (_, first) = heard(&mut ann).await;
    bob.send("two").await;
    let (_, second) = heard(&mut ann).await;
    let b = node("b", &broker.url()).await;
    let at_b = b.address.to_string();
    sees(&at_b, &["a"]).await;
    // Who has missed nothing is told so as soon as the new node has asked the other one.
    let recovering = async {
        while !recovers(&at_b, &second).await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("the answer of the other node", recovering).await;
    assert_eq!(told(&mut listener(&at_b, &first).await).await.0, Some(false), "it has not heard two");
    assert_eq!(told(&mut listener(&at_a, &first).await).await.0, Some(true));
}

async fn a_broker_that_restarts_takes_nothing_from_those_who_miss_nothing(mut broker: BrokerProcess) {
    let (a, b) = (node("a", &broker.url()).await, node("b", &broker.url()).await);
    let (at_a, at_b) = (a.address.to_string(), b.address.to_string());
    sees(&at_a, &["b"]).await;
    sees(&at_b, &["a"]).await;
    let mut ann = listener(&at_a, "").await;
    let mut bob = b.connect("/room/x").await;
    bob.send("one").await;
    let (_, position) = heard(&mut ann).await;
    broker.kill().await;
    for at in [&at_a, &at_b] {
        becomes("it is cut off", at, |health| health["status"] == "degraded").await;
    }
    assert!(!recovers(&at_a, &position).await, "the other node may say something now");
    broker.run().await;
    let recovering = async {
        while !recovers(&at_a, &position).await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("the answer of the other node", recovering).await;
    broker.kill().await;
    becomes("b is cut off", &at_b, |health| health["status"] == "degraded").await;
    bob.send("two").await;
    broker.run().await;
    // It was here all the time, and is told that it has missed something.
    let losing = async { while told(&mut ann).await.0 != Some(false) {} };
    within("the loss", losing).await;
    let mut carl = listener(&at_a, &position).await;
    assert_eq!(told(&mut carl).await.0, Some(false));
}
