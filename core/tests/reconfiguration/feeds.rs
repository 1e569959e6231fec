//! What feeds keep, and what begins anew.

use serde_json::{Value, json};
use switchboard_core::{Input, UpstreamEvent};

use crate::support::World;
use crate::{config, echo, world};

#[test]
fn feeds_keep_what_they_may() {
    let options = |feeds: Value| {
        let channels = json!([{ "name": "kills", "feed": "kills" }]);
        json!({ "feeds": feeds, "routes": [
            { "pattern": "/", "dialect": "actions", "actions": { "channels": channels } },
            { "pattern": "/socket/websocket", "dialect": "phoenix", "phoenix": { "killmails": { "feed": "kills" } } },
        ] })
    };
    let kept = |world: &mut World| {
        let id = world.connect("/socket/websocket?vsn=2.0.0");
        world.text(id, r#"["1","1","killmails:lobby","phx_join",{"systems":[1,2]}]"#);
        let heard = world.received(id).join("\n");
        world.cut(id);
        heard.matches("\"n\":").count()
    };
    let feed = |history: u64| json!([{ "name": "kills", "key": ["system_id"], "history": history }]);
    let mut world = world(options(feed(5)));
    for n in 0..4 {
        let value = json!({ "system_id": 1 + n % 2, "n": 10 + n });
        world.input(Input::Publish { feed: "kills".into(), value });
    }
    assert_eq!(kept(&mut world), 4);
    world.reconfigure(config(options(feed(5))).configuration());
    assert_eq!(kept(&mut world), 4);
    world.reconfigure(config(options(feed(1))).configuration());
    assert_eq!(kept(&mut world), 2);
    let other = json!([{ "name": "kills", "key": ["n"], "history": 5 }]);
    world.reconfigure(config(options(other)).configuration());
    assert_eq!(kept(&mut world), 0, "their keys are no systems now");
    world.reconfigure(config(options(feed(5))).configuration());
    assert_eq!(kept(&mut world), 2);
}

#[test]
fn an_interval_neither_skips_nor_ticks_twice() {
    let options = |every: u64, values: Value| {
        let channels = json!([{ "name": "c", "feed": "f" }]);
        let feed = json!({ "name": "f", "interval": { "every": every, "values": values } });
        config(json!({ "feeds": [feed], "routes": [
            { "pattern": "/", "dialect": "actions", "actions": { "channels": channels } },
        ] }))
    };
    let letters = json!(["a", "b", "c"]);
    let mut world = World::with_engine(options(100, letters.clone()).engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.text(id, r#"{"action":"sub","channel":"c"}"#);
    world.advance(150);
    assert_eq!(world.received(id), ["\"a\""]);
    world.reconfigure(options(100, letters.clone()).configuration());
    world.advance(49);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["\"b\""]);
    world.advance(50);
    world.reconfigure(options(60, letters.clone()).configuration());
    world.advance(9);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["\"c\""], "60 ms after the one before");
    world.reconfigure(options(60, json!(["x"])).configuration());
    world.advance(60);
    assert_eq!(world.received(id), ["\"x\""]);
    let none = json!({ "routes": [{ "pattern": "/", "dialect": "actions", "actions": { "channels": [] } }] });
    world.reconfigure(config(none).configuration());
    world.advance(1_000);
    assert_eq!((world.received(id).len(), world.engine.stats().timers), (0, 0));
}

#[test]
fn a_source_that_points_elsewhere_begins_anew() {
    let options = |upstream: Value| {
        config(json!({ "feeds": [{ "name": "f", "upstream": upstream }], "routes": [echo("/")] }))
    };
    let mut world = World::with_engine(options(json!({ "url": "ws://a" })).engine([7; 32]).unwrap());
    world.advance(0);
    world.target(UpstreamEvent::Opened { protocol: None });
    world.reconfigure(options(json!({ "url": "ws://a", "field": "data", "retry": 5 })).configuration());
    world.advance(10);
    assert_eq!((world.dials.len(), world.told_targets().len()), (1, 0), "it goes on");
    world.reconfigure(options(json!({ "url": "ws://b" })).configuration());
    world.advance(0);
    assert_eq!((world.dials.len(), world.told_targets()), (2, vec!["<close>".to_owned()]));
    assert_eq!(world.dials[1].1.url, "ws://b");
    world.reconfigure(config(json!({ "routes": [echo("/")] })).configuration());
    assert_eq!(world.told_targets(), ["<end>"]);
}

#[test]
fn a_file_that_is_read_late_is_not_taken_for_another() {
    let options = |file: &str| {
        let channels = json!([{ "name": "c", "feed": "f" }]);
        config(json!({ "feeds": [{ "name": "f", "replay": { "file": file, "every": 1 } }], "routes": [
            { "pattern": "/", "dialect": "actions", "actions": { "channels": channels } },
        ] }))
    };
    let mut world = World::with_engine(options("a").engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.text(id, r#"{"action":"sub","channel":"c"}"#);
    world.advance(0);
    world.reconfigure(options("b").configuration());
    world.advance(0);
    assert_eq!(world.files, [("f".to_owned(), "a".to_owned()), ("f".to_owned(), "b".to_owned())]);
    for (file, content) in [("a", "\"a\"\n"), ("b", "\"b\"\n\"c\"\n")] {
        world.input(Input::File { feed: "f".into(), file: file.into(), content: Ok(content.into()) });
    }
    world.advance(0);
    assert_eq!(world.received(id), ["\"b\""]);
    world.reconfigure(options("b").configuration());
    world.advance(1);
    assert_eq!(world.received(id), ["\"c\""]);
}
