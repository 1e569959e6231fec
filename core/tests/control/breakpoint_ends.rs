//! When breakpoints end, and what bounds there are for what they hold.

use super::breakpoints::control;
use super::*;

#[test]
fn breakpoints_end_when_nobody_looks_at_them() {
    let mut control = control();
    let id = control.world.connect("/echo");
    let subscriber = control.subscribe("&kinds=released");
    control.post("/breakpoints", json!({"route": "/echo", "direction": "in"}));
    control.world.text(id, "held");
    control.world.advance(30_000);
    assert_eq!(control.texts(), ["held"], "somebody is told");
    control.world.cut(subscriber);
    control.world.advance(9_999);
    assert_eq!(control.texts(), ["held"], "a page may be loading again");
    control.world.advance(9_999);
    assert_eq!(control.world.received(id), [""; 0], "it was asked for");
    control.world.advance(1);
    assert_eq!(control.world.received(id), ["held"]);
    assert_eq!(control.get("/breakpoints")["breakpoints"], json!([]));
    assert_eq!(control.world.engine.stats().timers, 0);

    let persistent = control.hold(json!({"route": "/echo"}));
    control.world.advance(3_600_000);
    assert_eq!(control.get("/breakpoints")["breakpoints"][0]["id"], json!(persistent));
    assert!(persistent > 1, "a number that was used never names another");
}

#[test]
fn what_is_held_has_bounds_beyond_which_messages_go_on() {
    let mut control = control();
    let subscriber = control.subscribe("&kinds=released");
    let ids: Vec<_> = (0..11).map(|_| control.world.connect("/echo")).collect();
    control.hold(json!({"route": "/echo", "direction": "out"}));
    for id in &ids {
        (0..100).for_each(|number| control.world.text(*id, &number.to_string()));
    }
    assert_eq!(control.held().len(), 1_000);
    assert_eq!(control.released(subscriber), ["full"; 100]);
    assert_eq!(control.world.received(ids[10]).len(), 100);
    assert_eq!(control.get("/breakpoints")["breakpoints"][0]["missed"], 100);
    assert_eq!(
        control.post("/held", json!({"action": "drop", "connection": control.public_id(ids[0])}))["count"],
        100
    );
    assert_eq!(control.pass_all(), 900);

    let large = "x".repeat(9 << 20);
    control.world.text(ids[0], &large);
    control.world.text(ids[1], &large);
    assert_eq!((control.held().len(), control.world.received(ids[1]).len()), (1, 101));
    let held = control.held()[0].0;
    assert_eq!(control.get("/breakpoints")["held"][0]["text"].as_str().unwrap().len(), 4_096);
    let whole = control.get(&format!("/held/{held}"));
    assert_eq!((whole["text"].as_str().unwrap().len(), &whole["isCut"]), (9 << 20, &json!(false)));
}

#[test]
fn a_server_that_stops_or_is_reset_holds_nothing() {
    let mut control = control();
    let id = control.world.connect("/echo");
    control.hold(json!({"route": "/echo"}));
    control.world.text(id, "in");
    control.post("/reset", json!({}));
    assert_eq!(control.world.received(id), ["<close 1012 The server was reset>"]);
    assert_eq!(control.get("/breakpoints"), json!({"breakpoints": [], "held": []}));

    let id = control.world.connect("/echo");
    control.hold(json!({"route": "/echo", "direction": "in"}));
    control.world.text(id, "in");
    let frame = switchboard_core::CloseFrame::new(switchboard_core::CloseCode::GOING_AWAY, "");
    control.world.input(Input::Shutdown { frame, grace: std::time::Duration::from_secs(1) });
    assert_eq!(control.world.received(id), ["in", "<close 1001>"]);
}

#[test]
fn a_connection_that_waited_for_its_end_is_ended_once() {
    let mut control = control();
    let id = control.world.connect("/echo");
    control.hold(json!({"route": "/echo"}));
    control.world.text(id, "answered");
    control.pass_all();
    let end = serde_json::from_value::<switchboard_core::Fault>(json!({"terminate": true})).unwrap();
    control.world.add_faults(switchboard_core::FaultScope::Everything, end);
    control.world.text(id, "unheard");
    control.world.close(id, 1000, "");
    assert_eq!(control.world.received(id), [""; 0]);
    // Both ends wait for a message that is held: the fault's in one direction, the client's in the other.
    control.ask(Method::DELETE, "/breakpoints", "");
    assert_eq!(control.world.received(id), ["answered", "<eof>"]);
    assert_eq!(control.world.removed[&id], 1);
}
