//! Phoenix channels on several nodes: broadcasts in each client's form, and presence of all nodes.

use serde_json::{Value, json};
use switchboard_core::ConnectionId;

use super::TestCluster;
use super::cluster::LEASE;

const ROUTES: &str = "
[[routes]]
pattern = '/socket/websocket'
dialect = 'phoenix'
phoenix = { channels = [{ topic = 'room:*', presence = true }] }
";
const V2: &str = "/socket/websocket?vsn=2.0.0";
const V1: &str = "/socket/websocket";

/// Everything that came, as JSON.
fn heard(cluster: &mut TestCluster, client: (usize, ConnectionId)) -> Vec<Value> {
    cluster.received(client).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn join(cluster: &mut TestCluster, node: usize, path: &str, user: &str) -> (usize, ConnectionId) {
    let client = cluster.connect(node, path);
    let payload = json!({ "user_id": user });
    let frame = match path == V2 {
        true => json!(["1", "1", "room:1", "phx_join", payload]),
        false => json!({ "topic": "room:1", "event": "phx_join", "ref": "1", "payload": payload }),
    };
    cluster.text(client, &frame.to_string());
    client
}

/// Who is present on the topic, as the last `presence_state` of a client has it.
fn state(messages: &[Value]) -> Vec<String> {
    let state = messages.iter().rev().find(|message| message[3] == "presence_state").unwrap();
    state[4].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_broadcast_reaches_each_client_in_its_own_form() {
    let mut cluster = TestCluster::new(2, ROUTES);
    let [ann, bob, cid] = [(0, V2, "ann"), (1, V2, "bob"), (1, V1, "cid")]
        .map(|(node, path, user)| join(&mut cluster, node, path, user));
    cluster.advance(50);
    for client in [ann, bob, cid] {
        heard(&mut cluster, client);
    }
    cluster.text(ann, r#"["1","2","room:1","new_msg",{"text":"hi"}]"#);
    assert_eq!(heard(&mut cluster, bob), [json!([null, null, "room:1", "new_msg", { "text": "hi" }])]);
    let told = heard(&mut cluster, cid);
    assert_eq!((&told[0]["event"], &told[0]["payload"]), (&json!("new_msg"), &json!({ "text": "hi" })));
    let own = heard(&mut cluster, ann);
    assert!(own.iter().all(|message| message[3] != "new_msg"), "it does not come back: {own:?}");
    assert_eq!(cluster.carried["switchboard:channel:room /socket/websocket#room:1"], 1);
}

#[test]
fn presence_is_that_of_all_nodes() {
    let mut cluster = TestCluster::new(2, ROUTES);
    let ann = join(&mut cluster, 0, V2, "ann");
    cluster.advance(50);
    heard(&mut cluster, ann);
    let bob = join(&mut cluster, 1, V2, "bob");
    cluster.advance(50);
    let told = heard(&mut cluster, bob);
    assert_eq!(state(&told), ["bob", "ann"]);
    let diff = &heard(&mut cluster, ann)[0];
    assert_eq!((&diff[3], &diff[4]["leaves"]), (&json!("presence_diff"), &json!({})));
    let metas = &diff[4]["joins"]["bob"]["metas"];
    assert_eq!(metas[0]["phx_ref"], told.last().unwrap()[4]["bob"]["metas"][0]["phx_ref"]);
    // The same user again, on another node.
    let again = join(&mut cluster, 0, V2, "bob");
    let merged = heard(&mut cluster, again);
    let merged = merged.iter().find(|message| message[3] == "presence_state").unwrap();
    assert_eq!(merged[4]["bob"]["metas"].as_array().unwrap().len(), 2, "{merged}");
    cluster.advance(50);
    heard(&mut cluster, ann);
    cluster.nodes[1].cut(bob.1);
    cluster.advance(50);
    let left = heard(&mut cluster, ann);
    assert_eq!(
        left,
        [
            json!([null, null, "room:1", "presence_diff", { "joins": {}, "leaves": { "bob": { "metas": metas } } }])
        ]
    );
}

#[test]
fn a_node_that_dies_takes_its_presences_with_it_and_one_that_ends_at_once() {
    let mut cluster = TestCluster::new(3, ROUTES);
    let ann = join(&mut cluster, 0, V2, "ann");
    for (node, users) in [(1, ["bob", "cid"]), (2, ["dan", "eve"])] {
        for user in users {
            join(&mut cluster, node, V2, user);
        }
    }
    cluster.advance(50);
    heard(&mut cluster, ann);
    let node = &mut cluster.nodes[2];
    let mut effects = Vec::new();
    node.engine.leave_cluster(node.now(), &mut effects);
    node.carry_out(effects);
    let told = heard(&mut cluster, ann);
    let left = |told: &[Value]| -> Vec<Vec<String>> {
        told.iter().map(|diff| diff[4]["leaves"].as_object().unwrap().keys().cloned().collect()).collect()
    };
    assert_eq!(left(&told), [["dan", "eve"]], "one diff");
    cluster.kill(1);
    cluster.advance(LEASE - 100);
    assert_eq!(heard(&mut cluster, ann), Vec::<Value>::new(), "its lease has not run out");
    cluster.advance(LEASE);
    assert_eq!(left(&heard(&mut cluster, ann)), [["bob", "cid"]]);
    let fay = join(&mut cluster, 0, V2, "fay");
    assert_eq!(state(&heard(&mut cluster, fay)), ["ann", "fay"]);
}

#[test]
fn a_partition_keeps_who_was_there_until_the_lease_is_over_and_heals() {
    let mut cluster = TestCluster::new(2, ROUTES);
    let (ann, bob) = (join(&mut cluster, 0, V2, "ann"), join(&mut cluster, 1, V2, "bob"));
    cluster.advance(50);
    heard(&mut cluster, ann);
    cluster.unlink(1);
    cluster.nodes[1].cut(bob.1);
    let cid = join(&mut cluster, 1, V2, "cid");
    cluster.advance(LEASE / 2);
    assert_eq!(heard(&mut cluster, ann), Vec::<Value>::new());
    cluster.link(1);
    cluster.advance(LEASE);
    let told = heard(&mut cluster, ann);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0][4]["joins"]["cid"].is_object() && told[0][4]["leaves"]["bob"].is_object(), "{told:?}");
    assert_eq!(state(&heard(&mut cluster, cid)), ["cid", "ann"]);
}

#[test]
fn a_route_that_is_added_later_knows_who_is_present() {
    let empty = switchboard_core::Config::from_toml("").unwrap();
    let routes = || switchboard_core::Config::from_toml(ROUTES).unwrap();
    let mut cluster = TestCluster::of([routes().engine([7; 32]).unwrap(), empty.engine([8; 32]).unwrap()]);
    join(&mut cluster, 0, V2, "ann");
    cluster.advance(50);
    cluster.nodes[1].reconfigure(routes().configuration());
    let bob = join(&mut cluster, 1, V2, "bob");
    assert_eq!(state(&heard(&mut cluster, bob)), ["bob", "ann"]);
}

#[test]
fn what_was_missed_on_a_topic_is_had_at_another_node() {
    let routes = format!("{}\nhistory = {{}}\n", ROUTES.trim_end());
    let mut cluster = TestCluster::new(3, &routes);
    let take_part = |cluster: &mut TestCluster, node: usize, from: Value| {
        let client = cluster.connect(node, V2);
        let join = json!(["1", "1", "room:1", "phx_join", { "user_id": "ann", "switchboard-history": from }]);
        cluster.text(client, &join.to_string());
        let told = heard(cluster, client);
        let told: Vec<Value> = told.into_iter().filter(|told| told[3] != "presence_diff").collect();
        (client, told)
    };
    let (ann, _) = take_part(&mut cluster, 0, true.into());
    let [bob, cid] =
        [(1, V2, "bob"), (2, V1, "cid")].map(|(node, path, user)| join(&mut cluster, node, path, user));
    cluster.advance(50);
    heard(&mut cluster, ann);
    cluster.text(bob, r#"["1","2","room:1","new_msg",{"n":1}]"#);
    let told = heard(&mut cluster, ann);
    assert_eq!((told.len(), &told[0][3], &told[0][4]["n"]), (1, &json!("new_msg"), &json!(1)), "{told:?}");
    let position = told[0][4]["switchboard-position"].clone();
    assert!(position.is_string(), "{told:?}");
    cluster.kill(0);
    heard(&mut cluster, bob);
    cluster.text(cid, r#"{"topic":"room:1","event":"new_msg","payload":{"n":2},"ref":"2"}"#);
    // Who does not take part hears it as it is.
    let told = heard(&mut cluster, bob);
    assert_eq!(told, [json!([null, null, "room:1", "new_msg", { "n": 2 }])]);
    let (ann, told) = take_part(&mut cluster, 1, position);
    assert_eq!(
        (&told[1][3], &told[1][4]["recovered"]),
        (&json!("switchboard:history"), &json!(true)),
        "{told:?}"
    );
    assert_eq!((&told[2][3], &told[2][4]["n"]), (&json!("new_msg"), &json!(2)), "{told:?}");
    // Not twice, and what comes now goes on from there.
    cluster.text(bob, r#"["1","3","room:1","new_msg",{"n":3}]"#);
    let told = heard(&mut cluster, ann);
    let numbers: Vec<_> = told.iter().filter(|told| told[3] == "new_msg").map(|told| &told[4]["n"]).collect();
    assert_eq!(numbers, [3], "{told:?}");
}

#[test]
fn who_misses_something_on_a_topic_while_it_is_there_is_told_so() {
    let routes = format!("{}\nhistory = {{}}\n", ROUTES.trim_end());
    let mut cluster = TestCluster::new(2, &routes);
    let (ann, bob) = (cluster.connect(0, V2), join(&mut cluster, 1, V2, "bob"));
    cluster.text(ann, r#"["1","1","room:1","phx_join",{"switchboard-history":true}]"#);
    cluster.advance(50);
    heard(&mut cluster, ann);
    cluster.unlink(0);
    cluster.text(bob, r#"["1","2","room:1","new_msg",{"n":1}]"#);
    cluster.link(0);
    cluster.advance(LEASE);
    let told = heard(&mut cluster, ann);
    let told: Vec<_> = told.iter().filter(|told| told[3] == "switchboard:history").collect();
    assert_eq!((told.len(), &told[0][0], &told[0][2]), (1, &json!("1"), &json!("room:1")), "{told:?}");
    assert_eq!(told[0][4]["recovered"], false);
    assert!(told[0][4]["position"].is_string(), "{told:?}");
}
