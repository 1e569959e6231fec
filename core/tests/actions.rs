//! The dialect `actions` on the wire: silent, exact, once each.

#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod support;

use bytes::Bytes;
use serde_json::{Value, json};
use support::{World, route};
use switchboard_core::dialect::actions::{Actions, ActionsChannel, ActionsOptions};
use switchboard_core::{Effect, FeedSettings, Input, RouteSettings};

const SUB: &str = r#"{"action":"sub","channel":"kills"}"#;
const UNSUB: &str = r#"{"action":"unsub","channel":"kills"}"#;

/// The dialect on `/` and `/ws`, both fed by `killmails`.
fn world(options: ActionsOptions) -> World {
    let settings = RouteSettings { feeds: options.feeds(), ..Default::default() };
    let routes = ["/", "/ws"].map(|path| route(path, settings.clone(), Actions::new(options.clone())));
    let mut world = World::new(routes.into());
    world.engine.add_feed(FeedSettings::new("killmails"));
    world
}

fn publish(world: &mut World, value: Value) {
    world.input(Input::Publish { feed: "killmails".into(), value });
}

#[test]
fn a_subscriber_gets_each_kill_once_on_every_path() {
    let mut world = world(ActionsOptions::default());
    let (root, ws, silent) = (world.connect("/"), world.connect("/ws"), world.connect("/"));
    for id in [root, root, ws] {
        world.text(id, SUB);
    }
    publish(&mut world, json!({ "killmail_id": 123456789, "total_value": 150000000.0 }));
    let kill = r#"{"action":"kill","data":{"killmail_id":123456789,"total_value":150000000.0}}"#;
    assert_eq!(world.received(root), [kill]);
    assert_eq!(world.received(ws), [kill]);
    assert_eq!(world.received(silent), [""; 0]);
    world.text(root, UNSUB);
    world.text(root, UNSUB);
    publish(&mut world, json!(2));
    assert_eq!(world.received(root), [""; 0]);
    assert_eq!(world.received(ws), [r#"{"action":"kill","data":2}"#]);
}

#[test]
fn channels_match_exactly() {
    let mut world = world(ActionsOptions::default());
    let id = world.connect("/");
    for channel in ["kill", "killsx", "Kills", " kills", "kills*", ""] {
        world.text(id, &json!({ "action": "sub", "channel": channel }).to_string());
    }
    publish(&mut world, json!(1));
    assert_eq!(world.received(id), [""; 0]);
}

#[test]
fn what_is_not_understood_is_ignored_and_the_next_message_works() {
    let mut world = world(ActionsOptions::default());
    let id = world.connect("/ws");
    for text in ["", "kills", "{", "null", r#"{"action":"sub"}"#, r#"{"type":"ping"}"#] {
        world.text(id, text);
    }
    world.message(id, Bytes::from_static(SUB.as_bytes()));
    publish(&mut world, json!(1));
    assert_eq!(world.received(id), [""; 0], "binary frames count for nothing");
    world.text(id, SUB);
    publish(&mut world, json!(2));
    assert_eq!(world.received(id), [r#"{"action":"kill","data":2}"#]);
}

#[test]
fn channels_per_connection_are_bounded() {
    let mut world = world(ActionsOptions { max_channels: 2, ..Default::default() });
    let id = world.connect("/");
    for text in [r#"{"action":"sub","channel":"a"}"#, r#"{"action":"sub","channel":"b"}"#, SUB] {
        world.text(id, text);
    }
    publish(&mut world, json!(1));
    assert_eq!(world.received(id), [""; 0]);
    world.text(id, r#"{"action":"unsub","channel":"a"}"#);
    world.text(id, SUB);
    let long = "x".repeat(10_000);
    world.text(id, r#"{"action":"unsub","channel":"b"}"#);
    world.text(id, &json!({ "action": "sub", "channel": long }).to_string());
    assert_eq!(world.engine.connection(id).unwrap().rooms().len(), 1);
    publish(&mut world, json!(2));
    assert_eq!(world.received(id), [r#"{"action":"kill","data":2}"#]);
}

#[test]
fn a_kill_is_encoded_once_for_everyone() {
    let mut world = world(ActionsOptions::default());
    for _ in 0..3 {
        let id = world.connect("/");
        world.text(id, SUB);
    }
    let mut effects = Vec::new();
    let (now, feed) = (world.now(), "killmails".to_owned());
    world.engine.handle_input(now, Input::Publish { feed, value: json!(1) }, &mut effects);
    assert!(matches!(&effects[..], [Effect::Send { to, .. }] if to.len() == 3), "{effects:?}");
}

#[test]
fn a_channel_without_action_carries_bare_values_and_code_publishes_on_any() {
    let channel = ActionsChannel { name: "killstream".into(), feed: "killmails".into(), action: None };
    let mut world = world(ActionsOptions { channels: vec![channel], ..Default::default() });
    let id = world.connect("/");
    world.text(id, r#"{"action":"sub","channel":"killstream"}"#);
    world.text(id, r#"{"action":"sub","channel":"public"}"#);
    publish(&mut world, json!({ "killmail_id": 7 }));
    let status = json!({ "channel": "public", "message": { "action": "tqStatus", "tqStatus": "ONLINE" } });
    let mut effects = Vec::new();
    let now = world.now();
    world.engine.dialect_command(now, 0, None, "publish", status, &mut effects).unwrap();
    let error = world.engine.dialect_command(now, 0, None, "push", json!({}), &mut effects).unwrap_err();
    assert_eq!(error.to_string(), "the actions dialect knows no command \"push\", only \"publish\"");
    assert_eq!(world.received(id), [r#"{"killmail_id":7}"#]);
    let [Effect::Send { message, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(message.as_text(), Some(r#"{"action":"tqStatus","tqStatus":"ONLINE"}"#));
}
