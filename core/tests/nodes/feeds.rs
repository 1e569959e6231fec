//! A feed is one feed on all nodes, and what fills it runs at one of them.

use serde_json::json;
use switchboard_core::Input;

use super::TestCluster;
use super::cluster::LEASE;

const SUB: &str = r#"{"action":"sub","channel":"kills"}"#;

/// Nodes with a feed that has these settings, and a subscriber on each.
fn cluster<const NODES: usize>(
    feed: &str,
) -> (TestCluster, [(usize, switchboard_core::ConnectionId); NODES]) {
    let configuration = format!(
        "[[feeds]]
        name = 'killmails'
        {feed}
        [[routes]]
        pattern = '/'
        dialect = 'actions'
        actions = {{ channels = [{{ name = 'kills', feed = 'killmails' }}] }}
        [[routes]]
        pattern = '/topics'
        dialect = 'topics'
        topics = {{ generation = 'g1', feed = 'killmails' }}"
    );
    let mut cluster = TestCluster::new(NODES, &configuration);
    let clients = std::array::from_fn(|node| cluster.connect(node, "/"));
    for client in clients {
        cluster.text(client, SUB);
    }
    (cluster, clients)
}

#[test]
fn a_value_that_is_posted_at_one_node_is_on_all_once() {
    let (mut cluster, clients) = cluster::<3>("post = {}");
    assert_eq!(cluster.nodes[1].http("POST", "/feeds/killmails", "[1,2]").0, 202);
    cluster.settle();
    cluster.nodes[2].input(Input::Publish { feed: "killmails".into(), value: json!({ "n": 3 }) });
    for client in clients {
        assert_eq!(cluster.received(client), ["1", "2", r#"{"n":3}"#], "node {}", client.0);
    }
    let carried = cluster.carried.iter().filter(|(channel, _)| channel.contains(":channel:"));
    assert_eq!(
        carried.map(|(channel, count)| (&**channel, *count)).collect::<Vec<_>>(),
        [("switchboard:channel:feed killmails", 3)]
    );
}

#[test]
fn a_source_runs_on_one_node_and_goes_over_when_that_dies() {
    let (mut cluster, clients) = cluster::<2>("interval = { every = 100, values = [1, 2] }");
    cluster.advance(450);
    for client in clients {
        assert_eq!(cluster.received(client), ["1", "2", "1", "2"], "node {}", client.0);
    }
    cluster.kill(0);
    cluster.advance(LEASE + LEASE / 3);
    cluster.received(clients[1]);
    cluster.advance(1_000);
    assert_eq!(cluster.received(clients[1]).len(), 10, "the other node has taken over");
}

#[test]
fn a_source_does_not_stay_with_a_node_whose_name_another_has_taken() {
    let source = "interval = { every = 100, values = [1] }";
    let (mut cluster, clients) = cluster::<3>(source);
    cluster.advance(1_000);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [10; 3]);
    cluster.kill(1);
    cluster.start_as(1, "n0", &format!("feeds = [{{ name = 'killmails', {source} }}]"));
    let published = |cluster: &TestCluster| cluster.nodes[0].engine.cluster().unwrap().stats().published;
    let before = published(&cluster);
    cluster.advance(LEASE);
    cluster.received(clients[2]);
    cluster.advance(1_000);
    assert_eq!(cluster.received(clients[2]).len(), 10, "another node has taken over, which is heard");
    assert_eq!(published(&cluster), before);

    cluster.kill(1);
    cluster.kill(2);
    cluster.advance(2 * LEASE + LEASE / 3);
    cluster.received(clients[0]);
    cluster.advance(1_000);
    assert_eq!(cluster.received(clients[0]).len(), 10, "the name is its own again");
}

#[test]
fn without_the_broker_each_node_runs_its_sources_and_one_when_it_is_back() {
    let (mut cluster, clients) = cluster::<2>("interval = { every = 100, values = [1] }");
    cluster.advance(50);
    (0..2).for_each(|node| cluster.unlink(node));
    cluster.advance(2 * LEASE);
    for client in clients {
        cluster.received(client);
    }
    cluster.advance(1_000);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [10, 10]);
    (0..2).for_each(|node| cluster.link(node));
    cluster.advance(1_000);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [10, 10]);
    let publishing = [0, 1].map(|node| cluster.nodes[node].engine.cluster().unwrap().stats().published);
    assert_eq!(publishing.iter().filter(|count| **count >= 10).count(), 1, "{publishing:?}");
}

#[test]
fn a_node_that_shuts_down_gives_its_sources_away_at_once() {
    let (mut cluster, clients) = cluster::<2>("interval = { every = 100, values = [1] }");
    cluster.advance(250);
    assert_eq!(cluster.received(clients[1]).len(), 2);
    let frame = switchboard_core::CloseFrame::new(switchboard_core::CloseCode::GOING_AWAY, "");
    cluster.nodes[0].input(Input::Shutdown { frame, grace: std::time::Duration::from_secs(1) });
    cluster.settle();
    cluster.advance(LEASE / 3 + 1_000);
    assert!(cluster.received(clients[1]).len() >= 9, "the other node asks three times in a lease");
}
