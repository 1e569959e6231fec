//! Rakit's chat server on several nodes: presence of all of them, and messages to one client wherever it is.

use serde_json::{Value, json};
use switchboard_core::ConnectionId;

use super::TestCluster;
use super::cluster::LEASE;

const ROUTES: &str = "
[[routes]]
pattern = '/chat'
dialect = 'commands'
commands = { disconnect = 'everyone' }
";

/// The ids of who is present, as the last message of a client has it.
fn present(cluster: &mut TestCluster, client: (usize, ConnectionId)) -> Vec<String> {
    let told: Value = serde_json::from_str(cluster.received(client).last().unwrap()).unwrap();
    assert_eq!(told["type"], "presence");
    let users = told["users"].as_array().unwrap();
    users.iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn presence_tells_of_the_clients_of_all_nodes() {
    let mut cluster = TestCluster::new(2, ROUTES);
    let (ann, bob) = (cluster.connect(0, "/chat"), cluster.connect(1, "/chat"));
    cluster.advance(50);
    let seen = present(&mut cluster, ann);
    let mut seen_elsewhere = present(&mut cluster, bob);
    seen_elsewhere.reverse();
    assert_eq!((seen.len(), &seen), (2, &seen_elsewhere), "each has its own first");
    cluster.nodes[1].cut(bob.1);
    cluster.advance(50);
    assert_eq!(present(&mut cluster, ann), seen[..1]);
    cluster.connect(1, "/chat");
    cluster.advance(50);
    assert_eq!(present(&mut cluster, ann).len(), 2);
    cluster.kill(1);
    cluster.advance(2 * LEASE);
    assert_eq!(present(&mut cluster, ann), seen[..1], "nobody stays behind");
}

#[test]
fn private_messages_and_disconnects_find_their_client() {
    let mut cluster = TestCluster::new(3, ROUTES);
    let [ann, bob, cid] = [0, 1, 2].map(|node| cluster.connect(node, "/chat"));
    cluster.advance(50);
    let ids = present(&mut cluster, bob);
    for client in [ann, cid] {
        cluster.received(client);
    }
    // Its own first, the others by their ids: ann's is the one that she is told.
    let before = cluster.carried.clone();
    cluster.text(ann, &json!({ "to": ids[0], "message": "psst" }).to_string());
    let heard = cluster.received(bob);
    assert_eq!(heard.len(), 1);
    let heard: Value = serde_json::from_str(&heard[0]).unwrap();
    assert_eq!(heard["message"], "psst");
    assert!(ids.contains(&heard["client_id"].as_str().unwrap().to_owned()), "{heard}");
    assert_eq!((cluster.received(ann).len(), cluster.received(cid).len()), (0, 0));
    let carried = "switchboard:channel:node n1";
    assert_eq!(cluster.carried[carried] - before.get(carried).copied().unwrap_or(0), 1, "to its node alone");
    cluster.text(ann, &json!({ "command": "disconnect", "client_id": ids[0] }).to_string());
    assert_eq!(cluster.received(bob), ["<close 1000 Disconnected>"]);
    cluster.text(ann, &json!({ "to": "nobody", "message": "psst" }).to_string());
    cluster
        .text(ann, &json!({ "command": "broadcast_to_channel", "channel": "c", "message": "x" }).to_string());
    assert_eq!(cluster.received(cid), Vec::<String>::new());
    cluster.text(cid, r#"{"event":"subscribe","channel":"c"}"#);
    cluster
        .text(ann, &json!({ "command": "broadcast_to_channel", "channel": "c", "message": "x" }).to_string());
    assert_eq!(cluster.received(cid).len(), 1, "somebody who has subscribed just now");
}
