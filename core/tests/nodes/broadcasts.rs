//! Broadcasts reach who is meant on all nodes, once.

use switchboard_core::{Command, RouteCommand};

use super::TestCluster;
use super::cluster::LEASE;

const CHAT: &str = "
[[routes]]
pattern = '/chat'
[[routes.rules]]
on = 'message'
match = { type = 'join' }
do = [{ join = '{message.room}' }]
[[routes.rules]]
on = 'message'
match = { type = 'leave' }
do = [{ leave = '{message.room}' }]
[[routes.rules]]
on = 'message'
match = { type = 'all' }
do = [{ broadcast = 'to all' }]
[[routes.rules]]
on = 'message'
match = { type = 'rooms' }
do = [{ broadcast = 'to rooms', rooms = '{message.rooms}', includeSelf = true }]
[[routes.rules]]
on = 'message'
match = { type = 'mine' }
do = [{ broadcastAllRooms = 'to mine' }]
";

#[test]
fn everyone_is_everyone_on_all_nodes() {
    let mut cluster = TestCluster::new(3, CHAT);
    let clients = [0, 0, 1, 2].map(|node| cluster.connect(node, "/chat"));
    cluster.text(clients[0], r#"{"type":"all"}"#);
    let heard = clients.map(|client| cluster.received(client));
    assert_eq!(heard, [vec![], vec!["to all"], vec!["to all"], vec!["to all"]]);
    assert_eq!(cluster.carried["switchboard:channel:route /chat"], 1, "it is published once");
}

#[test]
fn a_room_is_heard_only_where_somebody_is_in_it() {
    let mut cluster = TestCluster::new(3, CHAT);
    let clients = [0, 1, 2].map(|node| cluster.connect(node, "/chat"));
    cluster.text(clients[1], r#"{"type":"join","room":"a"}"#);
    cluster.text(clients[0], r#"{"type":"rooms","rooms":["a"]}"#);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [0, 1, 0]);
    let received = |cluster: &TestCluster| {
        [0, 1, 2].map(|node| cluster.nodes[node].engine.cluster().unwrap().stats().received)
    };
    assert_eq!(received(&cluster), [0, 1, 0], "nobody listens elsewhere");
    cluster.text(clients[1], r#"{"type":"leave","room":"a"}"#);
    cluster.advance(2 * LEASE);
    cluster.text(clients[0], r#"{"type":"rooms","rooms":["a"]}"#);
    assert_eq!(received(&cluster), [0, 1, 0], "nor there any more");
}

#[test]
fn who_is_in_several_rooms_hears_it_once() {
    let mut cluster = TestCluster::new(2, CHAT);
    let clients = [0, 0, 1, 1].map(|node| cluster.connect(node, "/chat"));
    for (client, room) in [(0, "a"), (0, "b"), (1, "b"), (2, "a"), (2, "b")] {
        cluster.text(clients[client], &format!(r#"{{"type":"join","room":"{room}"}}"#));
    }
    cluster.text(clients[0], r#"{"type":"rooms","rooms":["a","b"]}"#);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [1, 1, 1, 0]);
    cluster.text(clients[0], r#"{"type":"mine"}"#);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [0, 1, 1, 0]);
    // Who is in no room means the route.
    cluster.text(clients[3], r#"{"type":"mine"}"#);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [1, 1, 1, 0]);
}

#[test]
fn what_comes_from_outside_goes_to_all_nodes() {
    let mut cluster = TestCluster::new(2, CHAT);
    let clients = [0, 1].map(|node| cluster.connect(node, "/chat"));
    cluster.text(clients[1], r#"{"type":"join","room":"a"}"#);
    let node = &mut cluster.nodes[0];
    let (route, now) = (node.engine.route_of("/chat").unwrap(), node.now());
    let mut effects = Vec::new();
    for room in [None, Some("a".to_owned()), Some("b".to_owned())] {
        let command = RouteCommand::Send { message: "hi".into(), room };
        node.engine.route_command(now, route, command, &mut effects).unwrap();
    }
    node.carry_out(effects);
    node.command(clients[0].1, Command::Broadcast { message: "x".into(), rooms: None, include_self: false })
        .unwrap();
    assert_eq!(clients.map(|client| cluster.received(client)), [vec!["hi"], vec!["hi", "hi", "x"]]);
}

#[test]
fn a_client_that_closes_is_heard_on_other_nodes_and_its_room_ends() {
    let on_close = "\n[[routes.rules]]\non = 'close'\ndo = [{ broadcastAllRooms = 'bye' }]";
    let mut cluster = TestCluster::new(2, &format!("{CHAT}{on_close}"));
    let clients = [0, 1].map(|node| cluster.connect(node, "/chat"));
    for client in clients {
        cluster.text(client, r#"{"type":"join","room":"a"}"#);
    }
    cluster.nodes[0].cut(clients[0].1);
    assert_eq!(cluster.received(clients[1]), ["bye"]);
    cluster.advance(2 * LEASE);
    assert_eq!(cluster.nodes[0].engine.cluster().unwrap().stats().channels, 1, "its own alone");
}

#[test]
fn without_a_link_the_own_clients_are_served_and_the_others_notice_the_gap() {
    let mut cluster = TestCluster::new(2, CHAT);
    let clients = [0, 0, 1].map(|node| cluster.connect(node, "/chat"));
    cluster.text(clients[0], r#"{"type":"all"}"#);
    cluster.unlink(0);
    cluster.text(clients[0], r#"{"type":"all"}"#);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [0, 2, 1]);
    cluster.link(0);
    // What it tells of could still be on its way.
    cluster.advance(300);
    assert_eq!(cluster.nodes[0].engine.cluster().unwrap().stats().unsent, 1);
    assert_eq!(cluster.nodes[1].engine.cluster().unwrap().stats().lost, 1);
    let lost = "1 messages of node n0 on the channel \"route /chat\" were lost";
    assert!(cluster.nodes[1].log.iter().any(|(_, text)| text == lost), "{:?}", cluster.nodes[1].log);
    cluster.text(clients[0], r#"{"type":"all"}"#);
    assert_eq!(clients.map(|client| cluster.received(client).len()), [0, 1, 1]);
}
