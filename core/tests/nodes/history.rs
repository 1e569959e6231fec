//! A route that keeps what was said keeps what was said on all nodes, or says that it has not.

use serde_json::Value;
use switchboard_core::{Command, ConnectionId, Input};

use super::TestCluster;
use super::cluster::LEASE;

const RELAY: &str = "
[[routes]]
pattern = '/room/{room}'
dialect = 'relay'
history = { size = 10 }
";

/// The texts that came, whether what was missed was all there, and the last position.
fn heard(cluster: &mut TestCluster, client: (usize, ConnectionId)) -> (Vec<Value>, Value, String) {
    let told: Vec<Value> =
        cluster.received(client).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let recovered = told.iter().rev().find_map(|told| told["history"].get("recovered").cloned());
    let position = told.iter().rev().find_map(|told| told["history"]["position"].as_str());
    let position = position.unwrap_or_default().to_owned();
    let texts = told.iter().filter_map(|told| told.get("text").cloned()).collect();
    (texts, recovered.unwrap_or_default(), position)
}

fn come_back(cluster: &mut TestCluster, node: usize, position: &str) -> (Vec<Value>, Value) {
    let client = cluster.connect(node, &format!("/room/a?switchboard-history=/room/a@{position}"));
    let (texts, recovered, _) = heard(cluster, client);
    cluster.nodes[node].cut(client.1);
    (texts, recovered)
}

#[test]
fn a_client_that_comes_back_gets_what_was_said_on_other_nodes() {
    let mut cluster = TestCluster::new(2, RELAY);
    let (ann, bob) = (cluster.connect(0, "/room/a?switchboard-history"), cluster.connect(1, "/room/a"));
    cluster.text(bob, "one");
    let (texts, _, position) = heard(&mut cluster, ann);
    assert_eq!(texts, ["one"]);
    cluster.nodes[0].cut(ann.1);
    // Longer than the room of nobody is heard.
    cluster.advance(3 * LEASE);
    cluster.text(bob, "two");
    assert_eq!(come_back(&mut cluster, 0, &position), (vec!["two".into()], true.into()));
    assert_eq!(come_back(&mut cluster, 1, &position), (vec!["two".into()], true.into()));
}

#[test]
fn a_client_whose_node_has_died_goes_on_at_another_one() {
    let mut cluster = TestCluster::new(3, RELAY);
    let (ann, bob) = (cluster.connect(0, "/room/a?switchboard-history"), cluster.connect(1, "/room/a"));
    let carl = cluster.connect(0, "/room/a");
    cluster.text(carl, "one");
    cluster.text(bob, "two");
    let (texts, _, position) = heard(&mut cluster, ann);
    assert_eq!(texts, ["one", "two"]);
    cluster.text(carl, "three");
    cluster.kill(0);
    cluster.text(bob, "four");
    let missed = || (vec!["three".into(), "four".into()], true.into());
    assert_eq!(come_back(&mut cluster, 1, &position), missed(), "nobody knows yet that node 0 is dead");
    cluster.advance(2 * LEASE);
    assert_eq!(come_back(&mut cluster, 2, &position), missed());
    for number in 0..10 {
        cluster.text(bob, &number.to_string());
    }
    assert_eq!(come_back(&mut cluster, 2, &position), (vec![], false.into()), "it is too much");
}

#[test]
fn nodes_that_start_anew_give_what_was_said_since_then() {
    let mut cluster = TestCluster::new(2, RELAY);
    let (ann, bob) = (cluster.connect(0, "/room/a?switchboard-history"), cluster.connect(1, "/room/a"));
    cluster.text(bob, "one");
    let (_, _, first) = heard(&mut cluster, ann);
    cluster.kill(0);
    cluster.text(bob, "two");
    cluster.start(0, RELAY);
    cluster.advance(LEASE);
    assert_eq!(come_back(&mut cluster, 0, &first), (vec![], false.into()), "it was not there");
    assert_eq!(come_back(&mut cluster, 1, &first), (vec!["two".into()], true.into()));
    let ann = cluster.connect(1, "/room/a?switchboard-history");
    let carl = cluster.connect(0, "/room/a");
    cluster.text(carl, "three");
    let (texts, _, second) = heard(&mut cluster, ann);
    assert_eq!(texts, ["three"]);
    cluster.kill(1);
    cluster.text(carl, "four");
    assert_eq!(come_back(&mut cluster, 0, &second), (vec!["four".into()], true.into()));
    // Of the earlier lives a node knows by the others alone.
    cluster.start(1, RELAY);
    cluster.advance(LEASE);
    let bob = cluster.connect(1, "/room/a");
    cluster.text(bob, "five");
    let missed = (vec!["four".into(), "five".into()], true.into());
    assert_eq!(come_back(&mut cluster, 0, &second), missed);
    assert_eq!(come_back(&mut cluster, 1, &second), (vec![], false.into()), "it has not heard four");
}

#[test]
fn a_node_that_knows_not_all_of_the_others_yet_promises_nothing() {
    let mut cluster = TestCluster::new(2, RELAY);
    let (ann, bob) = (cluster.connect(0, "/room/a?switchboard-history"), cluster.connect(1, "/room/a"));
    cluster.text(bob, "one");
    let (_, _, position) = heard(&mut cluster, ann);
    cluster.nodes[0].cut(ann.1);
    cluster.unlink(0);
    assert_eq!(come_back(&mut cluster, 0, &position), (vec![], false.into()), "it has no link");
    cluster.link(0);
    assert_eq!(come_back(&mut cluster, 0, &position), (vec![], true.into()), "nothing was said meanwhile");
}

#[test]
fn who_misses_something_while_it_is_there_is_told_so() {
    let mut cluster = TestCluster::new(2, RELAY);
    let (ann, bob) = (cluster.connect(0, "/room/a?switchboard-history"), cluster.connect(1, "/room/a"));
    cluster.text(bob, "one");
    assert_eq!(heard(&mut cluster, ann).1, Value::Null);
    cluster.unlink(0);
    cluster.text(bob, "two");
    cluster.link(0);
    cluster.advance(LEASE);
    let (texts, recovered, _) = heard(&mut cluster, ann);
    assert_eq!((texts, recovered), (vec![], false.into()));
    cluster.text(bob, "three");
    let (texts, recovered, position) = heard(&mut cluster, ann);
    assert_eq!((texts, recovered), (vec!["three".into()], Value::Null));
    cluster.nodes[0].cut(ann.1);
    assert_eq!(come_back(&mut cluster, 1, &position), (vec![], true.into()));
}

#[test]
fn values_of_a_feed_are_one_message_on_all_nodes() {
    let configuration = "
        feeds = [{ name = 'killmails' }]
        [[routes]]
        pattern = '/kills'
        dialect = 'actions'
        history = { size = 10 }
    ";
    let mut cluster = TestCluster::new(2, configuration);
    let kill = |cluster: &mut TestCluster, node: usize, id: u64| {
        let value = serde_json::json!({ "killmail_id": id });
        cluster.nodes[node].input(Input::Publish { feed: "killmails".into(), value });
        cluster.settle();
    };
    let subscribe = r#"{"action":"sub","channel":"kills"}"#;
    let ann = cluster.connect(0, "/kills?switchboard-history");
    cluster.text(ann, subscribe);
    kill(&mut cluster, 1, 1);
    kill(&mut cluster, 0, 2);
    let (texts, _, position) = heard(&mut cluster, ann);
    assert_eq!(texts.len(), 2, "{texts:?}");
    cluster.nodes[0].cut(ann.1);
    kill(&mut cluster, 0, 3);
    let ann = cluster.connect(1, &format!("/kills?switchboard-history=kills@{position}"));
    cluster.text(ann, subscribe);
    let (texts, recovered, _) = heard(&mut cluster, ann);
    assert_eq!(texts, [r#"{"action":"kill","data":{"killmail_id":3}}"#]);
    assert_eq!(recovered, true);
}

#[test]
fn what_was_lost_between_nodes_is_not_said_to_be_there() {
    let mut cluster = TestCluster::new(2, RELAY);
    let (ann, bob) = (cluster.connect(0, "/room/a?switchboard-history"), cluster.connect(1, "/room/a"));
    cluster.text(bob, "one");
    let (_, _, position) = heard(&mut cluster, ann);
    cluster.nodes[0].cut(ann.1);
    cluster.unlink(1);
    cluster.text(bob, "two");
    cluster.link(1);
    // It tells what it has said with its next sign of life at the latest.
    cluster.advance(LEASE);
    assert_eq!(come_back(&mut cluster, 0, &position), (vec![], false.into()), "node 1 had no link");
    let ann = cluster.connect(0, "/room/a?switchboard-history");
    cluster.text(bob, "three");
    let (_, _, position) = heard(&mut cluster, ann);
    cluster.nodes[0].cut(ann.1);
    assert_eq!(come_back(&mut cluster, 0, &position), (vec![], true.into()));
}

#[test]
fn a_client_that_asks_by_words_of_its_own_goes_on_at_another_node() {
    const LIVE: &str = "
        [[routes]]
        pattern = '/live'
        history = { size = 10 }
    ";
    let mut cluster = TestCluster::new(2, LIVE);
    let (ann, bob) = (cluster.connect(0, "/live"), cluster.connect(1, "/live"));
    let say = |cluster: &mut TestCluster, text: &str| {
        let rooms = Some(vec!["a".to_owned()]);
        let command = Command::Broadcast { message: text.into(), rooms, include_self: false };
        cluster.command(bob, command);
    };
    let recover = |position: &str| Command::Recover { room: "a".into(), position: Some(position.into()) };
    cluster.command(ann, recover(""));
    say(&mut cluster, "one");
    let (texts, _, position) = heard(&mut cluster, ann);
    assert_eq!(texts, ["one"]);
    cluster.nodes[0].cut(ann.1);
    say(&mut cluster, "two");
    let ann = cluster.connect(1, "/live");
    cluster.command(ann, recover(&position));
    let (texts, recovered, _) = heard(&mut cluster, ann);
    assert_eq!((texts, recovered), (vec!["two".into()], true.into()));
}
