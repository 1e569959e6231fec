//! Presence on Phoenix channels: who is on a topic, who comes and goes.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod support;

use serde_json::json;
use support::phoenix::{V2, declared, heard, topic, world};
use switchboard_core::dialect::phoenix::{Phoenix, Realtime};

#[test]
fn presence_tells_who_comes_and_goes() {
    let mut world = world(declared(json!({ "topic": "room:*", "presence": true })));
    let (ann, bob) = (world.connect(V2), world.connect("/socket/websocket?vsn=2.0.0&user_id=bob"));
    world.text(ann, r#"["1","1","room:1","phx_join",{"user_id":"ann"}]"#);
    let heard_by_ann = heard(&mut world, ann);
    let reference = heard_by_ann[1][4]["joins"]["ann"]["metas"][0]["phx_ref"].clone();
    let meta = json!({ "online_at": "1795168800", "user_id": "ann", "phx_ref": reference });
    assert_eq!(
        heard_by_ann[1..],
        [
            json!([null, null, "room:1", "presence_diff", { "joins": { "ann": { "metas": [meta] } }, "leaves": {} }]),
            json!(["1", null, "room:1", "presence_state", { "ann": { "metas": [meta] } }]),
        ]
    );
    world.text(bob, r#"["9","9","room:1","phx_join",{}]"#);
    let heard_by_bob = heard(&mut world, bob);
    let state = &heard_by_bob[2][4];
    assert_eq!(state.as_object().unwrap().keys().collect::<Vec<_>>(), ["ann", "bob"]);
    assert_eq!(heard(&mut world, ann).len(), 1);
    world.cut(bob);
    let left = json!({ "joins": {}, "leaves": { "bob": state["bob"] } });
    assert_eq!(heard(&mut world, ann), [json!([null, null, "room:1", "presence_diff", left])]);
}

#[test]
fn presence_that_is_too_large_is_refused_and_the_client_stays() {
    let mut world = world(Phoenix::new().with_channel(topic("realtime:*"), Realtime::new()));
    let id = world.connect(V2);
    world.text(id, r#"["1","1","realtime:a","phx_join",{}]"#);
    world.received(id);
    let track = |payload: &str| {
        let payload = json!({ "type": "presence", "event": "track", "payload": { "text": payload } });
        json!(["1", "2", "realtime:a", "presence", payload]).to_string()
    };
    world.text(id, &track(&"x".repeat(70_000)));
    let answer = heard(&mut world, id).remove(0);
    assert_eq!(answer[4]["status"], "error");
    assert!(answer[4]["response"]["reason"].as_str().unwrap().contains("the most is 65536"), "{answer}");
    world.text(id, &track("here"));
    assert_eq!(
        heard(&mut world, id).iter().map(|message| message[3].clone()).collect::<Vec<_>>(),
        ["presence_diff", "phx_reply"]
    );
}
