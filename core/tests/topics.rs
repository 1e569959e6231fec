//! The dialect `topics` on the wire: both generations, routing, application pings, statistics.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod support;

use bytes::Bytes;
use serde_json::{Value, json};
use support::{World, route};
use switchboard_core::dialect::topics::{Generation, Stream, Topics, TopicsOptions};
use switchboard_core::{ConnectionId, FeedSettings, Input, RouteSettings};

fn world(options: TopicsOptions) -> World {
    let feed = options.feed().to_owned();
    let settings = RouteSettings { feeds: vec![feed.clone()], ..Default::default() };
    let mut world = World::new(vec![route("/ws", settings, Topics::new(options))]);
    world.engine.add_feed(FeedSettings::new(feed));
    world
}

fn of(generation: Generation, stream: Stream) -> TopicsOptions {
    TopicsOptions { generation, stream, ..Default::default() }
}

/// A client that has been welcomed.
fn client(world: &mut World) -> ConnectionId {
    let id = world.connect("/ws");
    world.received(id);
    id
}

fn publish(world: &mut World, feed: &str, value: Value) {
    world.input(Input::Publish { feed: feed.into(), value });
}

#[test]
fn g3_welcomes_with_the_topics_and_takes_json_or_text() {
    let mut world = world(TopicsOptions::default());
    let id = world.connect("/ws");
    let [welcome] = &world.received(id)[..] else { panic!() };
    assert!(welcome.starts_with(
        r#"{"type":"info","message":"Welcome to Killmails! Please subscribe to topics you want to receive.","data":{"validTopics":["all","10b","5b","#
    ));
    assert!(
        welcome
            .ends_with(r#""titans","jove"],"partialTopics":["victim.","attacker.","system.","region."]}}"#)
    );
    for (text, answer) in [
        (
            r#"{"type":"subscribe","topics":["capitals"]}"#,
            r#"{"type":"subscribed","data":{"topics":["capitals"]}}"#,
        ),
        ("system.1, 5b", r#"{"type":"subscribed","data":{"topics":["capitals","system.1","5b"]}}"#),
        (
            r#"{"type":"subscribe","topics":["all","x","y"]}"#,
            r#"{"type":"error","message":"Invalid topics: x, y"}"#,
        ),
        (
            r#"{"type":"unsubscribe","topics":["capitals","5b","t1"]}"#,
            r#"{"type":"unsubscribed","data":{"topics":["capitals","5b","t1"]}}"#,
        ),
        (r#"{"type":"ping","timestamp":17}"#, r#"{"type":"pong","timestamp":17}"#),
        (r#"{"type":"ping"}"#, r#"{"type":"pong","timestamp":"2026-11-20T10:00:00.000Z"}"#),
        (r#"{"type":"dance"}"#, r#"{"type":"error","message":"Unknown message type: dance"}"#),
        (
            r#"{"type":"subscribe","topics":5}"#,
            r#"{"type":"error","message":"Invalid message format: topics must be an array of strings"}"#,
        ),
    ] {
        world.text(id, text);
        assert_eq!(world.received(id), [answer], "{text}");
    }
    world.message(id, Bytes::from_static(b"all"));
    assert_eq!(world.received(id), [""; 0]);
    publish(&mut world, "killmails", json!({ "system_id": 1 }));
    publish(&mut world, "killmails", json!({ "system_id": 2 }));
    assert_eq!(world.received(id), [r#"{"type":"killmail","data":{"system_id":1}}"#]);
}

#[test]
fn a_kill_with_several_of_a_clients_topics_comes_once() {
    let mut world = world(TopicsOptions::default());
    let (many, none) = (client(&mut world), client(&mut world));
    world.text(many, "all,bigkills,10b,system.5,victim.7");
    world.received(many);
    let kill =
        json!({ "system_id": 5, "total_value": 2e10, "victim": { "character_id": 7, "ship_group_id": 30 } });
    publish(&mut world, "killmails", kill.clone());
    assert_eq!(world.received(many), [json!({ "type": "killmail", "data": kill }).to_string()]);
    assert_eq!(world.received(none), [""; 0]);
}

#[test]
fn g1_takes_a_list_that_replaces_the_last_one() {
    let mut world = world(of(Generation::G1, Stream::Killmails));
    let id = world.connect("/ws");
    let [welcome] = &world.received(id)[..] else { panic!() };
    assert!(welcome.starts_with(
        r#"{"type":"info","message":"Welcome! Please reply with a comma-separated list of topics you want to subscribe to.","validTopics":["all""#
    ));
    assert!(welcome.ends_with(r#""titans"]}"#));
    for (text, answer) in [
        ("all,capitals", r#"{"type":"subscribed","topics":["all","capitals"]}"#),
        (
            "all,a,b",
            r#"{"type":"error","message":"Invalid topics: a, b. Please reply with a valid list of topics."}"#,
        ),
        (
            r#"{"action":"sub","channel":"kills"}"#,
            r#"{"type":"error","message":"Invalid topics: {\"action\":\"sub\", \"channel\":\"kills\"}. Please reply with a valid list of topics."}"#,
        ),
        ("system.5", r#"{"type":"subscribed","topics":["system.5"]}"#),
    ] {
        world.text(id, text);
        assert_eq!(world.received(id), [answer], "{text}");
    }
    publish(&mut world, "killmails", json!({ "system_id": 4 }));
    world.advance(600_000);
    assert_eq!(world.received(id), [""; 0], "no topic, no ping");
    publish(&mut world, "killmails", json!({ "system_id": 5 }));
    assert_eq!(world.received(id), [r#"{"type":"killmail","data":{"system_id":5}}"#]);
}

#[test]
fn comments_are_for_everyone() {
    let comment = json!({ "eventType": "new", "comment": {}, "killIdentifier": "1", "timestamp": 5 });
    let mut first = world(of(Generation::G1, Stream::Comments));
    let id = first.connect("/ws");
    publish(&mut first, "comments", comment.clone());
    assert_eq!(first.received(id), [comment.to_string()]);
    let mut world = world(of(Generation::G3, Stream::Comments));
    let id = world.connect("/ws");
    world.text(id, "ignored");
    publish(&mut world, "comments", comment.clone());
    assert_eq!(
        world.received(id),
        [
            r#"{"type":"info","message":"Welcome to Comments events!"}"#.to_owned(),
            json!({ "type": "comment", "data": comment }).to_string()
        ]
    );
}

#[test]
fn events_of_the_site_bring_their_topics_along() {
    let mut world = world(of(Generation::G3, Stream::Site));
    let (user, all) = (client(&mut world), client(&mut world));
    world.text(user, "user.5");
    world.text(all, "all");
    world.received(user);
    world.received(all);
    publish(&mut world, "site", json!({ "topics": ["user.5"], "n": 1 }));
    publish(&mut world, "site", json!({ "topics": ["user.6"], "n": 2 }));
    assert_eq!(world.received(user), [r#"{"type":"site-event","data":{"topics":["user.5"],"n":1}}"#]);
    assert_eq!(world.received(all).len(), 2);
}

#[test]
fn who_does_not_answer_pings_is_closed() {
    let mut world = world(TopicsOptions::default());
    let (alive, dead) = (client(&mut world), client(&mut world));
    world.advance(30_000);
    let ping = [r#"{"type":"ping","timestamp":"2026-11-20T10:00:30.000Z"}"#];
    assert_eq!(
        (world.received(alive), world.received(dead)),
        (ping.map(Into::into).into(), ping.map(Into::into).into())
    );
    world.text(alive, r#"{"type":"pong"}"#);
    world.advance(9_999);
    assert_eq!(world.received(dead), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(dead), ["<close 1000 Unresponsive to ping>"]);
    world.advance(20_000);
    assert_eq!(world.received(alive).len(), 1);
}

#[test]
fn topics_per_connection_are_bounded() {
    let mut world = world(TopicsOptions { max_topics: 2, ..Default::default() });
    let id = client(&mut world);
    world.text(id, "system.1,system.2,system.2");
    world.text(id, "system.2,system.3");
    world.text(id, &format!("system.{}", "1".repeat(200)));
    let received = world.received(id);
    assert_eq!(received[1], r#"{"type":"error","message":"Too many topics (max: 2)"}"#);
    assert!(received[2].starts_with(r#"{"type":"error","message":"Invalid topics: system.111"#));
    assert_eq!(world.engine.connection(id).unwrap().rooms().len(), 2);
}

#[test]
fn health_and_statistics_are_plain_http() {
    let options = TopicsOptions {
        health_path: Some("/health".into()),
        stats_path: Some("/stats".into()),
        ..Default::default()
    };
    let mut world = world(options);
    let id = client(&mut world);
    world.text(id, "all");
    publish(&mut world, "killmails", json!({}));
    let health = r#"{"status":"ok","connections":1,"timestamp":"2026-11-20T10:00:00.000Z"}"#;
    assert_eq!(world.http("GET", "/health", ""), (200, health.to_owned()));
    let stats =
        r#"{"connections":1,"topics":{"all":1},"published":1,"timestamp":"2026-11-20T10:00:00.000Z"}"#;
    assert_eq!(world.http("GET", "/stats", ""), (200, stats.to_owned()));
}
