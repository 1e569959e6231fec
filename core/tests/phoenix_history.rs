//! Clients of Phoenix that come back to a topic: what they are told beside what the transcript shows.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::World;
use support::phoenix::{V2, heard};
use switchboard_core::{Command, CommandError, Config, ConnectionId, Input};

const ROUTES: &str = "
    feeds = [{ name = 'news' }]
    [[routes]]
    pattern = '/socket/websocket'
    dialect = 'phoenix'
    history = {}
    phoenix = { channels = [{ topic = 'room:*', presence = true, feed = 'news' }, { topic = 'plain:*' }] }
";

fn world(config: &str) -> World {
    World::with_engine(Config::from_toml(config).unwrap().engine([7; 32]).unwrap())
}

fn join(world: &mut World, id: ConnectionId, topic: &str, payload: &Value) -> Vec<Value> {
    world.text(id, &json!(["1", "1", topic, "phx_join", payload]).to_string());
    let mut heard = heard(world, id);
    assert_eq!(heard.remove(0)[4]["status"], "ok");
    heard
}

fn shout(world: &mut World, id: ConnectionId, topic: &str, payload: &Value) {
    world.text(id, &json!(["1", "2", topic, "shout", payload]).to_string());
}

fn position(message: &Value) -> String {
    let position = message[4].get("switchboard-position").or_else(|| message[4].get("position"));
    position.unwrap().as_str().unwrap().to_owned()
}

#[test]
fn presence_is_as_ever_and_no_part_of_it() {
    let mut world = world(ROUTES);
    let ann = world.connect(V2);
    let told = join(&mut world, ann, "room:1", &json!({ "user_id": "ann", "switchboard-history": true }));
    let events: Vec<_> = told.iter().map(|message| message[3].as_str().unwrap()).collect();
    assert_eq!(events, ["switchboard:history", "presence_diff", "presence_state"]);
    let meta = &told[2][4]["ann"]["metas"][0];
    assert!(meta["user_id"] == "ann" && meta.get("switchboard-history").is_none(), "{meta}");
    let start = position(&told[0]);
    let bob = world.connect(V2);
    join(&mut world, bob, "room:1", &json!({ "user_id": "bob" }));
    let diff = &heard(&mut world, ann)[0];
    assert!(diff[3] == "presence_diff" && diff[4].get("switchboard-position").is_none(), "{diff}");
    world.cut(ann);
    let ann = world.connect(V2);
    let told = join(&mut world, ann, "room:1", &json!({ "user_id": "ann", "switchboard-history": start }));
    assert_eq!(told[0][4], json!({ "position": start, "recovered": true }));
    assert_eq!(told[1][3], "presence_diff", "nothing was said: {told:?}");
}

#[test]
fn who_takes_part_on_one_topic_does_not_on_all() {
    let mut world = world(ROUTES);
    let (ann, bob) = (world.connect(V2), world.connect(V2));
    join(&mut world, ann, "plain:1", &json!({ "switchboard-history": true }));
    // Neither does the query of the socket mean anything.
    assert_eq!(join(&mut world, ann, "plain:2", &json!({})), [] as [Value; 0]);
    let cid = world.connect(&format!("{V2}&switchboard-history"));
    assert_eq!(join(&mut world, cid, "plain:1", &json!({ "switchboard-history": false })), [] as [Value; 0]);
    for topic in ["plain:1", "plain:2"] {
        join(&mut world, bob, topic, &json!({}));
        shout(&mut world, bob, topic, &json!({ "n": 1 }));
    }
    let told = heard(&mut world, ann);
    assert!(told[0][4].get("switchboard-position").is_some(), "{told:?}");
    assert_eq!(told[1], json!([null, null, "plain:2", "shout", { "n": 1 }]));
    assert_eq!(heard(&mut world, cid), [json!([null, null, "plain:1", "shout", { "n": 1 }])]);
    // Nor once it has joined the topic anew without asking.
    world.text(ann, r#"["1","3","plain:1","phx_leave",{}]"#);
    heard(&mut world, ann);
    assert_eq!(join(&mut world, ann, "plain:1", &json!({})), [] as [Value; 0]);
    shout(&mut world, bob, "plain:1", &json!({ "n": 2 }));
    assert_eq!(heard(&mut world, ann), [json!([null, null, "plain:1", "shout", { "n": 2 }])]);
}

#[test]
fn a_join_on_the_same_connection_gets_what_was_missed_in_between() {
    let mut world = world(ROUTES);
    let (ann, bob) = (world.connect(V2), world.connect(V2));
    let start = position(&join(&mut world, ann, "plain:1", &json!({ "switchboard-history": true }))[0]);
    join(&mut world, bob, "plain:1", &json!({}));
    world.text(ann, r#"["1","3","plain:1","phx_leave",{}]"#);
    heard(&mut world, ann);
    shout(&mut world, bob, "plain:1", &json!({ "n": 1, "switchboard-position": "of a client" }));
    let told = join(&mut world, ann, "plain:1", &json!({ "switchboard-history": start }));
    assert_eq!(told[0][4]["recovered"], true);
    assert_eq!((&told[1][3], &told[1][4]["n"]), (&json!("shout"), &json!(1)));
    assert_ne!(position(&told[1]), "of a client");
    let told = join(&mut world, ann, "plain:1", &json!({ "switchboard-history": "nonsense" }));
    assert!(told.iter().any(|message| message[4]["recovered"] == false), "{told:?}");
}

#[test]
fn a_topic_that_everyone_has_left_is_kept_and_values_of_feeds_are_not() {
    let mut world = world(ROUTES);
    let (ann, bob) = (world.connect(V2), world.connect(V2));
    let told = join(&mut world, ann, "room:1", &json!({ "user_id": "ann", "switchboard-history": true }));
    let start = position(&told[0]);
    world.input(Input::Publish { feed: "news".into(), value: json!({ "headline": "x" }) });
    let value = &heard(&mut world, ann)[0];
    assert_eq!((&value[2], &value[4]), (&json!("room:1"), &json!({ "headline": "x" })));
    world.cut(ann);
    // From outside of the topic, as the command of a program does it.
    let command = json!({ "topic": "room:1", "event": "shout", "payload": { "n": 1 } });
    world.dialect_command(None, "broadcast", command).unwrap();
    join(&mut world, bob, "room:1", &json!({ "user_id": "bob" }));
    world.cut(bob);
    let ann = world.connect(V2);
    let told = join(&mut world, ann, "room:1", &json!({ "user_id": "ann", "switchboard-history": start }));
    assert_eq!(told[0][4]["recovered"], true);
    assert_eq!((&told[1][3], &told[1][4]["n"]), (&json!("shout"), &json!(1)));
    assert_eq!(told[2][3], "presence_diff", "{told:?}");
}

#[test]
fn a_contract_is_for_what_is_said_and_not_for_positions() {
    let mut world = world(
        "
        [[routes]]
        pattern = '/socket/websocket'
        dialect = 'phoenix'
        history = {}
        phoenix = { channels = [{ topic = 'room:*' }] }
        [routes.contract]
        mode = 'refuse'
        sends = { prefixItems = [true, true, true, { enum = ['phx_reply', 'shout'] }, { propertyNames = { enum = ['n', 'response', 'status'] } }] }
    ",
    );
    let (ann, bob) = (world.connect(V2), world.connect(V2));
    let start = position(&join(&mut world, ann, "room:1", &json!({ "switchboard-history": true }))[0]);
    join(&mut world, bob, "room:1", &json!({}));
    shout(&mut world, bob, "room:1", &json!({ "n": 1 }));
    let told = heard(&mut world, ann);
    assert_eq!((told.len(), &told[0][4]["n"]), (1, &json!(1)), "{told:?}");
    shout(&mut world, bob, "room:1", &json!({ "m": 1 }));
    assert_eq!(heard(&mut world, ann), [] as [Value; 0]);
    world.cut(ann);
    let ann = world.connect(V2);
    let told = join(&mut world, ann, "room:1", &json!({ "switchboard-history": start }));
    assert_eq!((told.len(), &told[1][4]["n"]), (2, &json!(1)), "{told:?}");
}

#[test]
fn code_beside_the_channels_neither_takes_part_nor_is_kept() {
    let mut world = world(ROUTES);
    let ann = world.connect(V2);
    let recover = Command::Recover { room: "plain:1".into(), position: None };
    let error = world.command(ann, recover).unwrap_err();
    assert_eq!(error, CommandError::HistoryOfJoins);
    assert!(error.to_string().contains(r#"{"switchboard-history": true}"#), "{error}");
    let start = position(&join(&mut world, ann, "plain:1", &json!({ "switchboard-history": true }))[0]);
    let raw =
        Command::Broadcast { message: "raw".into(), rooms: Some(vec!["plain:1".into()]), include_self: true };
    world.command(ann, raw).unwrap();
    assert_eq!(world.received(ann), ["raw"]);
    world.cut(ann);
    let ann = world.connect(V2);
    let told = join(&mut world, ann, "plain:1", &json!({ "switchboard-history": start }));
    assert_eq!((told.len(), &told[0][4]["recovered"]), (1, &json!(true)), "{told:?}");
}

#[test]
fn a_history_may_come_and_go_while_clients_are_there() {
    const WITHOUT: &str = "
        [[routes]]
        pattern = '/socket/websocket'
        dialect = 'phoenix'
        phoenix = { channels = [{ topic = 'plain:*' }] }
    ";
    let with = WITHOUT.replace("[[routes]]", "[[routes]]\n        history = {}");
    let configure = |world: &mut World, text: &str| {
        let configuration = Config::from_toml(text).unwrap().configuration();
        let changed = world.reconfigure(configuration);
        assert_eq!(changed.changed, 1, "{changed:?}");
    };
    let shout_of = |n: u64| json!([null, null, "plain:1", "shout", { "n": n }]);
    let mut world = world(WITHOUT);
    let (ann, bob) = (world.connect(V2), world.connect(V2));
    // Who asks where nothing is kept is not told anything.
    assert_eq!(join(&mut world, ann, "plain:1", &json!({ "switchboard-history": true })), [] as [Value; 0]);
    join(&mut world, bob, "plain:1", &json!({}));
    configure(&mut world, &with);
    shout(&mut world, bob, "plain:1", &json!({ "n": 1 }));
    assert_eq!(heard(&mut world, ann), [shout_of(1)]);
    let told = join(&mut world, ann, "plain:1", &json!({ "switchboard-history": true }));
    let start = position(told.iter().find(|told| told[3] == "switchboard:history").unwrap());
    shout(&mut world, bob, "plain:1", &json!({ "n": 2 }));
    assert!(heard(&mut world, ann)[0][4].get("switchboard-position").is_some());
    configure(&mut world, WITHOUT);
    shout(&mut world, bob, "plain:1", &json!({ "n": 3 }));
    assert_eq!(heard(&mut world, ann), [shout_of(3)]);
    configure(&mut world, &with);
    world.cut(ann);
    let ann = world.connect(V2);
    let told = join(&mut world, ann, "plain:1", &json!({ "switchboard-history": start }));
    assert_eq!(told[0][4]["recovered"], false, "not all was kept: {told:?}");
}
