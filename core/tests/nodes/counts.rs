//! Numbers that are shown count all nodes.

use serde_json::Value;

use super::TestCluster;
use super::cluster::LEASE;

const ROUTES: &str = "
[[feeds]]
name = 'killmails'
[[routes]]
pattern = '/topics'
dialect = 'topics'
topics = { generation = 'g1', feed = 'killmails', statsPath = '/topics/stats' }
[[routes]]
pattern = '/events'
dialect = 'events'
events = { stats = '/events/stats' }
";

fn stats(cluster: &mut TestCluster, node: usize, path: &str) -> Value {
    let (status, body) = cluster.nodes[node].http("GET", path, "");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn statistics_count_all_nodes_and_none_that_is_dead() {
    let mut cluster = TestCluster::new(3, ROUTES);
    let clients = [0, 1, 1].map(|node| cluster.connect(node, "/topics"));
    for client in &clients[..2] {
        cluster.text(*client, "region.1");
    }
    cluster.connect(2, "/events");
    cluster.advance(50);
    for node in 0..3 {
        let told = stats(&mut cluster, node, "/topics/stats");
        assert_eq!((&told["connections"], &told["topics"]["region.1"]), (&3.into(), &2.into()), "{told}");
        assert_eq!(stats(&mut cluster, node, "/events/stats")["data"]["connectedClients"], 1);
    }
    cluster.kill(1);
    cluster.advance(LEASE - 1_000);
    assert_eq!(stats(&mut cluster, 0, "/topics/stats")["connections"], 3, "its lease has not run out");
    cluster.advance(1_001);
    for node in [0, 2] {
        let told = stats(&mut cluster, node, "/topics/stats");
        assert_eq!((&told["connections"], &told["topics"]["region.1"]), (&1.into(), &1.into()), "{told}");
    }
}

#[test]
fn many_who_come_at_once_are_told_together() {
    let mut cluster = TestCluster::new(2, ROUTES);
    let before = cluster.carried["switchboard:nodes"];
    let ids: Vec<_> = (0..100).map(|_| cluster.nodes[0].connect("/topics")).collect();
    cluster.advance(50);
    let told = cluster.carried["switchboard:nodes"] - before;
    assert!(told <= 3, "{told} messages for 100 clients");
    assert_eq!(stats(&mut cluster, 1, "/topics/stats")["connections"], 100);
    ids.into_iter().for_each(|id| cluster.nodes[0].cut(id));
    cluster.advance(50);
    assert_eq!(stats(&mut cluster, 1, "/topics/stats")["connections"], 0);
}

#[test]
fn the_statistics_of_a_server_show_its_cluster() {
    let mut cluster = TestCluster::new(3, ROUTES);
    cluster.advance(50);
    let view = |cluster: &TestCluster, node: usize| cluster.nodes[node].engine.stats().cluster.unwrap();
    let seen = view(&cluster, 1);
    assert_eq!((seen.node.as_str(), seen.others.as_slice()), ("n1", &["n0".into(), "n2".into()][..]));
    assert!(seen.is_linked && (seen.incomplete, seen.lost, seen.unsent) == (0, 0, 0), "{seen:?}");
    cluster.kill(2);
    cluster.unlink(1);
    cluster.advance(LEASE + 1);
    let seen = view(&cluster, 1);
    assert!(!seen.is_linked && seen.others.is_empty(), "{seen:?}");
    assert!(view(&cluster, 0).is_linked);
    let alone = switchboard_core::testing::World::with_engine(
        switchboard_core::Config::from_toml(ROUTES).unwrap().engine([0; 32]).unwrap(),
    );
    assert_eq!(alone.engine.stats().cluster, None);
}
