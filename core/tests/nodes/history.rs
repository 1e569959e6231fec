//! A route that keeps what was said keeps what was said on all nodes, or says that it has not.

use serde_json::Value;
use switchboard_core::ConnectionId;

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
    let position = told.last().unwrap()["history"]["position"].as_str().unwrap().to_owned();
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
    assert_eq!(come_back(&mut cluster, 1, &position), (vec![], false.into()), "positions are of a node");
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
    // What it tells of could still be on its way.
    cluster.advance(300);
    assert_eq!(come_back(&mut cluster, 0, &position), (vec![], false.into()), "node 1 had no link");
    let ann = cluster.connect(0, "/room/a?switchboard-history");
    cluster.text(bob, "three");
    let (_, _, position) = heard(&mut cluster, ann);
    cluster.nodes[0].cut(ann.1);
    assert_eq!(come_back(&mut cluster, 0, &position), (vec![], true.into()));
    cluster.unlink(0);
    cluster.link(0);
    assert_eq!(come_back(&mut cluster, 0, &position), (vec![], false.into()), "node 0 had no link");
}
