//! Phoenix Channels: the socket, joins and leaves, replies, crashes.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod support;

use std::time::Duration;

use serde_json::json;
use support::phoenix::{V1, V2, declared, heard, topic, world};
use support::{World, route};
use switchboard_core::dialect::phoenix::{
    Channel, ChannelContext, Payload, Phoenix, Realtime, Reply, Termination,
};
use switchboard_core::{
    ConnectionId, FeedSettings, HandlerError, HandlerResult, Input, Message, RouteSettings,
};

fn rooms() -> World {
    world(declared(json!({ "topic": "room:*", "replies": { "time": { "now": 5 } } })))
}

fn join(world: &mut World, id: ConnectionId, topic: &str) {
    world.text(id, &json!(["1", "1", topic, "phx_join", {}]).to_string());
    let expected = json!(["1", "1", topic, "phx_reply", { "response": {}, "status": "ok" }]);
    assert_eq!(heard(world, id), [expected]);
}

#[test]
fn vsn_decides_about_the_handshake() {
    let mut world = world(Phoenix::new());
    for (path, status) in [
        ("/socket/websocket", None),
        ("/socket/websocket?vsn=1.0.0", None),
        ("/socket/websocket?vsn=2.0.0&client_id=x", None),
        ("/socket/websocket?vsn=3.0.0", Some(403)),
        ("/socket/websocket?vsn=abc", Some(403)),
    ] {
        let id = world.upgrade(path);
        assert_eq!(world.client(id).rejected, status, "{path}");
    }
    let id = world.upgrade_with(V2, &[("sec-websocket-protocol", "phoenix, base64url.bearer.phx.dG9rZW4")]);
    assert_eq!(world.client(id).accepted.as_ref().unwrap().subprotocol.as_deref(), Some("phoenix"));
    let id = world.upgrade_with(V2, &[("sec-websocket-protocol", "other")]);
    assert_eq!(world.client(id).accepted.as_ref().unwrap().subprotocol, None);
}

#[test]
fn heartbeats_and_unknown_topics_are_answered() {
    let mut world = rooms();
    let id = world.connect(V2);
    for (text, expected) in [
        (
            r#"[null,"7","phoenix","heartbeat",{}]"#,
            r#"[null,"7","phoenix","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
        (
            r#"["x",7,"phoenix","heartbeat",{},"more"]"#,
            r#"[null,7,"phoenix","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
        (
            r#"["1","1","nowhere","phx_join",{}]"#,
            r#"[null,"1","nowhere","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#,
        ),
        (
            r#"["1","2","room:1","shout",{}]"#,
            r#"[null,"2","room:1","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#,
        ),
        (
            r#"["1","3","room:1","phx_leave",{}]"#,
            r#"["1","3","room:1","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
    ] {
        world.text(id, text);
        assert_eq!(world.received(id), [expected], "{text}");
    }
}

#[test]
fn v1_clients_send_and_get_objects() {
    let mut world = rooms();
    let (old, new) = (world.connect(V1), world.connect(V2));
    join(&mut world, new, "room:1");
    world.text(old, r#"{"topic":"room:1","event":"phx_join","payload":{},"ref":0}"#);
    let joined = r#"{"event":"phx_reply","payload":{"response":{},"status":"ok"},"ref":0,"topic":"room:1"}"#;
    assert_eq!(world.received(old), [joined]);
    world.text(new, r#"["1","2","room:1","say",{"a":1}]"#);
    assert_eq!(world.received(old), [r#"{"event":"say","payload":{"a":1},"ref":null,"topic":"room:1"}"#]);
    world.received(new);
    world.text(old, r#"{"topic":"room:1","event":"say","payload":5,"ref":1}"#);
    assert_eq!(world.received(new), [r#"[null,null,"room:1","say",5]"#]);
    world.received(old);
    world.text(old, r#"{"topic":"room:1","event":"phx_leave","payload":{},"ref":2,"join_ref":null}"#);
    assert_eq!(
        world.received(old),
        [
            r#"{"event":"phx_reply","payload":{"response":{},"status":"ok"},"ref":2,"topic":"room:1"}"#,
            r#"{"event":"phx_close","payload":{},"ref":null,"topic":"room:1"}"#,
        ]
    );
    // V1 reads binary frames as JSON.
    world.message(
        old,
        Message::Binary(r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":3}"#.into()),
    );
    assert_eq!(world.received(old).len(), 1);
}

#[test]
fn what_cannot_be_decoded_closes_with_1011() {
    for (path, text) in [
        (V1, "[]"),
        (V1, r#"{"topic":"t","event":"e","payload":{}}"#),
        (V2, "{"),
        (V2, "5"),
        (V2, r#"["1","2","room:1","say"]"#),
        (V2, r#"{"topic":"room:1"}"#),
    ] {
        let mut world = rooms();
        let id = world.connect(path);
        world.text(id, text);
        assert_eq!(world.received(id), ["<close 1011>"], "{text}");
    }
    let mut world = rooms();
    let id = world.connect(V2);
    world.message(id, Message::Binary(vec![0, 9, 9].into()));
    assert_eq!(world.received(id), ["<close 1011>"]);
}

#[test]
fn any_frame_of_the_client_keeps_it_alive() {
    let mut world = rooms();
    let id = world.connect(V2);
    world.advance(40_000);
    world.ping(id, b"x");
    assert_eq!(world.received(id), ["<pong x>"]);
    world.advance(40_000);
    world.pong(id, b"");
    world.advance(40_000);
    world.text(id, r#"[null,"7","phoenix","heartbeat",{}]"#);
    world.received(id);
    world.advance(44_999);
    assert!(world.received(id).is_empty());
    world.advance(1);
    assert_eq!(world.received(id), ["<close 1000>"]);
}

#[test]
fn joining_again_closes_the_old_join_after_the_reply() {
    let mut world = rooms();
    let id = world.connect(V2);
    join(&mut world, id, "room:1");
    world.text(id, r#"["5","5","room:1","phx_join",{}]"#);
    assert_eq!(
        world.received(id),
        [
            r#"["5","5","room:1","phx_reply",{"response":{},"status":"ok"}]"#,
            r#"["1","1","room:1","phx_close",{}]"#,
        ]
    );
    // The old join is history, whatever join_ref a message has.
    world.text(id, r#"["1","6","room:1","phx_leave",{}]"#);
    assert!(world.received(id).is_empty());
    world.text(id, r#"["1","7","room:1","time",{}]"#);
    assert_eq!(
        world.received(id),
        [r#"["5","7","room:1","phx_reply",{"response":{"now":5},"status":"ok"}]"#]
    );
    world.text(id, r#"["5","8","room:1","phx_leave",{}]"#);
    assert_eq!(
        world.received(id),
        [
            r#"["5","8","room:1","phx_reply",{"response":{},"status":"ok"}]"#,
            r#"["5","5","room:1","phx_close",{}]"#,
        ]
    );
}

#[test]
fn a_declared_channel_passes_events_and_bytes_to_the_others() {
    let mut world = rooms();
    let (a, b, elsewhere) = (world.connect(V2), world.connect(V2), world.connect(V2));
    join(&mut world, a, "room:1");
    join(&mut world, b, "room:1");
    join(&mut world, elsewhere, "room:2");
    world.message(a, Message::Binary(b"\0\x01\x01\x06\x0314room:1say\xff".to_vec().into()));
    assert_eq!(world.received(b), [r#"<binary b"\x02\x06\x03room:1say\xff">"#]);
    let ok = r#"["1","4","room:1","phx_reply",{"response":{},"status":"ok"}]"#;
    assert_eq!(world.received(a), [ok]);
    assert!(world.received(elsewhere).is_empty());
}

#[test]
fn rooms_per_connection_bound_the_joins() {
    let routes =
        vec![route("/socket/websocket", RouteSettings::default(), declared(json!({ "topic": "*" })))];
    let limits = switchboard_core::Limits { rooms_per_connection: 1, ..Default::default() };
    let mut world = World::with_limits(routes, limits);
    let id = world.connect(V2);
    join(&mut world, id, "a");
    world.text(id, r#"["2","2","b","phx_join",{}]"#);
    assert_eq!(
        world.received(id),
        [
            r#"["2","2","b","phx_reply",{"response":{"reason":"a connection can be in at most 1 rooms"},"status":"error"}]"#
        ]
    );
}

#[test]
fn a_refused_join_does_not_end_the_feed_of_those_on_the_topic() {
    let phoenix = declared(json!({ "topic": "*", "feed": "prices" }));
    let settings = RouteSettings { feeds: vec!["prices".into()], ..RouteSettings::default() };
    let routes = vec![route("/socket/websocket", settings, phoenix)];
    let limits = switchboard_core::Limits { rooms_per_connection: 1, ..Default::default() };
    let mut world = World::with_limits(routes, limits);
    world.engine.add_feed(FeedSettings::new("prices"));
    let (listener, refused) = (world.connect(V2), world.connect(V2));
    join(&mut world, listener, "a");
    join(&mut world, refused, "b");
    world.text(refused, r#"["2","2","a","phx_join",{}]"#);
    assert_eq!(heard(&mut world, refused)[0][4]["status"], "error");
    let publish = |world: &mut World, value: u32| {
        world.input(Input::Publish { feed: "prices".into(), value: value.into() });
        (world.received(listener).len(), world.received(refused).len())
    };
    assert_eq!(publish(&mut world, 1), (1, 1));
    world.text(refused, r#"["1","3","b","phx_leave",{}]"#);
    world.received(refused);
    assert_eq!(publish(&mut world, 2), (1, 0));
    world.cut(listener);
    world.text(refused, r#"["3","4","a","phx_join",{}]"#);
    world.received(refused);
    world.input(Input::Publish { feed: "prices".into(), value: 3.into() });
    assert_eq!(world.received(refused), [r#"[null,null,"a","update",3]"#]);
}

#[test]
fn supabase_clients_broadcast_and_track() {
    let mut world = world(Phoenix::new().with_channel(topic("realtime:*"), Realtime::new()));
    let (a, b) = (world.connect(V1), world.connect(V2));
    world.text(
        a,
        r#"{"topic":"realtime:x","event":"phx_join","ref":"1","join_ref":"1","payload":{"config":{
        "broadcast":{"ack":true,"self":true},"presence":{"key":"ann"},"postgres_changes":[{"event":"*"}]}}}"#,
    );
    assert_eq!(
        heard(&mut world, a)[0]["payload"],
        json!({ "response": { "postgres_changes": [{ "event": "*", "id": 1 }] }, "status": "ok" })
    );
    world.text(b, r#"["2","2","realtime:x","phx_join",{"config":{"presence":{"enabled":false}}}]"#);
    assert_eq!(world.received(b).len(), 1);
    let said = r#"{"type":"broadcast","event":"cursor","payload":{"x":1}}"#;
    world.text(a, &format!(r#"{{"topic":"realtime:x","event":"broadcast","payload":{said},"ref":"2"}}"#));
    assert_eq!(world.received(b), [format!(r#"[null,null,"realtime:x","broadcast",{said}]"#)]);
    assert_eq!(world.received(a).len(), 2, "its own broadcast and the acknowledgement");
    let track = r#"{"type":"presence","event":"track","payload":{"mood":"ok"}}"#;
    world.text(a, &format!(r#"{{"topic":"realtime:x","event":"presence","payload":{track},"ref":"3"}}"#));
    let diff = heard(&mut world, b).remove(0);
    assert_eq!(diff[3], "presence_diff");
    assert_eq!(diff[4]["joins"]["ann"]["metas"][0]["mood"], "ok");
    // Broadcasts in Supabase's own binary frames.
    world.message(b, Message::Binary(b"\x03\x012\x0a\x06\0\x0123realtime:xcursor{\"x\":2}".to_vec().into()));
}

/// Fails on demand.
struct Moody;

impl Channel for Moody {
    fn join(&mut self, _: &mut ChannelContext<'_, '_>, payload: &Payload) -> Result<Reply, HandlerError> {
        match payload.json().as_str() {
            Some("refuse") => Ok(Reply::Error(json!({ "reason": "no" }).into())),
            Some("panic") => panic!("as asked"),
            Some("fail") => Err("as asked".into()),
            _ => Ok(Reply::None),
        }
    }

    fn joined(&mut self, cx: &mut ChannelContext<'_, '_>) -> HandlerResult {
        cx.push("hello", json!({}));
        cx.set_timer(7, Duration::from_millis(100));
        Ok(())
    }

    fn handle_in(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        event: &str,
        _: Payload,
    ) -> Result<Reply, HandlerError> {
        match event {
            "panic" => panic!("as asked"),
            "stop" => Ok(Reply::Stop),
            "all" => {
                cx.broadcast("all", json!({}));
                Ok(Reply::Error(json!({ "reason": "no" }).into()))
            }
            _ => Err("as asked".into()),
        }
    }

    fn timeout(&mut self, cx: &mut ChannelContext<'_, '_>, key: u32) -> HandlerResult {
        cx.push("tick", json!(key));
        Ok(())
    }

    fn terminate(&mut self, cx: &mut ChannelContext<'_, '_>, why: Termination) {
        cx.broadcast("gone", json!(why.as_str()));
    }
}

#[test]
fn a_failing_step_costs_the_client_the_channel_and_nothing_else() {
    let mut world = world(Phoenix::new().with_channel(topic("m"), Moody));
    let (id, other) = (world.connect(V2), world.connect(V2));
    for how in ["fail", "panic"] {
        world.text(id, &json!(["1", "1", "m", "phx_join", how]).to_string());
        let crashed = json!({ "response": { "reason": "join crashed" }, "status": "error" });
        assert_eq!(heard(&mut world, id), [json!(["1", "1", "m", "phx_reply", crashed])]);
    }
    world.text(id, r#"["1","1","m","phx_join","refuse"]"#);
    assert_eq!(heard(&mut world, id)[0][4], json!({ "response": { "reason": "no" }, "status": "error" }));
    world.text(other, r#"["o","1","m","phx_join",{}]"#);
    for event in ["fail", "panic"] {
        world.text(id, r#"["2","1","m","phx_join",{}]"#);
        assert_eq!(heard(&mut world, id)[1], json!(["2", null, "m", "hello", {}]));
        world.received(other);
        world.text(id, &json!(["2", "2", "m", event, {}]).to_string());
        assert_eq!(world.received(id), [r#"["2","2","m","phx_error",{}]"#]);
        assert_eq!(world.received(other), [r#"[null,null,"m","gone","crashed"]"#]);
    }
    world.text(id, r#"["3","1","m","phx_join",{}]"#);
    world.text(id, r#"["3","2","m","all",{}]"#);
    assert_eq!(
        world.received(id)[2..],
        [
            r#"[null,null,"m","all",{}]"#,
            r#"["3","2","m","phx_reply",{"response":{"reason":"no"},"status":"error"}]"#,
        ]
    );
    world.text(id, r#"["3","3","m","stop",{}]"#);
    assert_eq!(world.received(id), [r#"["3","3","m","phx_close",{}]"#]);
}

#[test]
fn a_channels_timer_ends_with_the_channel() {
    let mut world = world(Phoenix::new().with_channel(topic("m"), Moody));
    let id = world.connect(V2);
    world.text(id, r#"["1","1","m","phx_join",{}]"#);
    world.text(id, r#"["2","2","m","phx_join",{}]"#);
    world.received(id);
    world.advance(100);
    assert_eq!(world.received(id), [r#"["2",null,"m","tick",7]"#]);
}
