//! Phoenix channels whose behaviour is the user's code.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod support;

use bytes::Bytes;
use serde_json::{Value, json};
use support::{World, route};
use switchboard_core::dialect::phoenix::{CallbackChannel, ChannelReply, Payload, Phoenix, Termination};
use switchboard_core::{Answer, ChannelStep, ConnectionId, Hook, RouteSettings};

const V2: &str = "/socket/websocket?vsn=2.0.0";

fn callbacks() -> World {
    let phoenix = Phoenix::new().with_channel("room:*".parse().unwrap(), CallbackChannel::new("room:*"));
    World::new(vec![route("/socket/websocket", RouteSettings::default(), phoenix)])
}

fn heard(world: &mut World, id: ConnectionId) -> Vec<Value> {
    let parse = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    world.received(id).into_iter().map(parse).collect()
}

/// The step of the one channel there is, which is `room:1`.
fn step(hook: Hook) -> ChannelStep {
    let Hook::Channel(call) = hook else { panic!("{hook:?}") };
    assert_eq!((&*call.channel, &*call.topic), ("room:*", "room:1"));
    call.step
}

fn let_in() -> Answer {
    Answer::ChannelReply(ChannelReply::none())
}

#[test]
fn callbacks_decide_about_joins_and_messages() {
    let mut world = callbacks();
    let id = world.connect(V2);
    world.text(id, r#"["1","1","room:1","phx_join",{"a":1}]"#);
    // What the callback pushes while it decides comes after the reply.
    let push = json!({ "topic": "room:1", "event": "welcome", "payload": { "b": 2 } });
    world.dialect_command(Some(id), "push", push).unwrap();
    assert!(world.received(id).is_empty());
    let hook = world.answer_next(Answer::ChannelReply(ChannelReply::ok(json!({ "c": 3 }))));
    assert_eq!(step(hook), ChannelStep::Join { payload: json!({ "a": 1 }).into(), reference: "1".into() });
    assert_eq!(
        world.received(id),
        [
            r#"["1","1","room:1","phx_reply",{"response":{"c":3},"status":"ok"}]"#,
            r#"["1",null,"room:1","welcome",{"b":2}]"#,
        ]
    );
    for (answer, expected) in [
        (ChannelReply::none(), vec![]),
        (
            ChannelReply::reason("no"),
            vec![r#"["1","2","room:1","phx_reply",{"response":{"reason":"no"},"status":"error"}]"#],
        ),
        (
            ChannelReply::ok(json!({})).and_stop(),
            vec![
                r#"["1","2","room:1","phx_reply",{"response":{},"status":"ok"}]"#,
                r#"["1","1","room:1","phx_close",{}]"#,
            ],
        ),
    ] {
        world.text(id, r#"["1","2","room:1","ask",{"q":1}]"#);
        let asked = step(world.answer_next(Answer::ChannelReply(answer)));
        let payload = json!({ "q": 1 }).into();
        assert_eq!(asked, ChannelStep::HandleIn { event: "ask".into(), payload, reference: "2".into() });
        assert_eq!(world.received(id), expected);
    }
    let left = step(world.answer_next(Answer::Done));
    assert_eq!(left, ChannelStep::Leave { reason: Termination::Stopped });
}

#[test]
fn bytes_stay_bytes_on_their_way_to_user_code_and_back() {
    let mut world = callbacks();
    let id = world.connect(V2);
    world.text(id, r#"["1","1","room:1","phx_join",{}]"#);
    world.answer_next(let_in());
    world.received(id);
    // Frame 0: the lengths of join_ref, ref, topic and event, then these, then the payload.
    world.message(id, Bytes::from_static(b"\x00\x01\x01\x06\x0312room:1img\xff\x00"));
    let bytes = Bytes::from_static(b"\xff\x00");
    let asked = step(world.answer_next(Answer::ChannelReply(ChannelReply::ok(bytes.clone()))));
    let payload = Payload::Binary(bytes);
    assert_eq!(asked, ChannelStep::HandleIn { event: "img".into(), payload, reference: "2".into() });
    assert_eq!(world.received(id), [r#"<binary b"\x01\x01\x01\x06\x0212room:1ok\xff\0">"#]);
}

#[test]
fn a_throwing_callback_crashes_its_channel_only() {
    let mut world = callbacks();
    let id = world.connect(V2);
    let failed = || Answer::Failed { error: "oops".into() };
    world.text(id, r#"["1","1","room:1","phx_join",{}]"#);
    world.answer_next(failed());
    assert_eq!(heard(&mut world, id)[0][4]["response"], json!({ "reason": "join crashed" }));
    world.text(id, r#"["2","2","room:1","phx_join",{}]"#);
    world.answer_next(let_in());
    // A join again while the first is told to leave: the answers may come in any order.
    world.text(id, r#"["3","3","room:1","phx_join",{}]"#);
    let ((left, _, leave), (joined, _, join)) = (world.next_call(), world.next_call());
    assert_eq!(step(leave), ChannelStep::Leave { reason: Termination::Replaced });
    assert!(matches!(step(join), ChannelStep::Join { .. }));
    world.received(id);
    world.answer(joined, let_in());
    world.answer(left, failed());
    assert_eq!(
        world.received(id),
        [
            r#"["3","3","room:1","phx_reply",{"response":{},"status":"ok"}]"#,
            r#"["2","2","room:1","phx_close",{}]"#,
        ]
    );
    world.text(id, r#"["3","4","room:1","ask",{}]"#);
    world.text(id, r#"[null,"5","phoenix","heartbeat",{}]"#);
    world.answer_next(failed());
    assert_eq!(world.received(id), [r#"["3","3","room:1","phx_error",{}]"#]);
    world.answer_next(Answer::Done);
    assert_eq!(world.received(id).len(), 1, "what waited is handled");
}

#[test]
fn user_code_pushes_broadcasts_and_tracks_at_any_time() {
    let mut world = callbacks();
    let ids = [world.connect(V2), world.connect(V2)];
    for id in ids {
        world.text(id, r#"["1","1","room:1","phx_join",{}]"#);
        world.answer_next(let_in());
        world.received(id);
    }
    let [a, b] = ids;
    let event = |payload| json!({ "topic": "room:1", "event": "e", "payload": payload });
    world.dialect_command(None, "broadcast", event(json!({}))).unwrap();
    world.dialect_command(Some(a), "broadcastFrom", event(json!({ "$binary": "/w==" }))).unwrap();
    world
        .dialect_command(Some(a), "reply", json!({ "topic": "room:1", "ref": "9", "status": "ok" }))
        .unwrap();
    world
        .dialect_command(Some(a), "track", json!({ "topic": "room:1", "key": "a", "meta": { "x": 1 } }))
        .unwrap();
    assert_eq!(
        world.received(a)[..2],
        [r#"[null,null,"room:1","e",{}]"#, r#"["1","9","room:1","phx_reply",{"response":{},"status":"ok"}]"#]
    );
    assert_eq!(
        world.received(b)[..2],
        [r#"[null,null,"room:1","e",{}]"#, r#"<binary b"\x02\x06\x01room:1e\xff">"#]
    );
    world.dialect_command(Some(b), "presenceState", json!({ "topic": "room:1" })).unwrap();
    assert_eq!(heard(&mut world, b)[0][4]["a"]["metas"][0]["x"], 1);
    world.dialect_command(Some(a), "stop", json!({ "topic": "room:1", "error": true })).unwrap();
    assert_eq!(world.received(a), [r#"["1","1","room:1","phx_error",{}]"#]);
    assert_eq!(heard(&mut world, b)[0][3], "presence_diff");
    for (id, name, payload) in [
        (Some(a), "push", event(json!({}))),
        (None, "push", event(json!({}))),
        (Some(b), "dance", event(json!({}))),
        (Some(b), "push", json!({ "topic": "room:1", "evnt": "e" })),
    ] {
        assert!(world.dialect_command(id, name, payload).is_err());
    }
}
