//! How connections end by a fault.

use super::*;

#[test]
fn connections_end_after_messages_bytes_or_time() {
    for (after, at_ms) in [
        (json!({ "messages": 4 }), 20),
        // A text of 10 bytes has 16 on its way to the server and 12 on its way back.
        (json!({ "bytes": 57 }), 20),
        (json!({ "ms": 25 }), 25),
        (json!({ "messages": 100, "ms": 15 }), 15),
    ] {
        for (end, heard_last) in [
            (json!({ "terminate": true }), "<eof>"),
            (json!({ "close": 4000, "reason": "enough" }), "<close 4000 enough>"),
        ] {
            let mut fault = end.clone();
            fault["after"] = after.clone();
            let mut world = echo(json!([fault]));
            let id = world.connect("/echo");
            for _ in 0..10 {
                world.advance(10);
                if world.engine.connection(id).is_some_and(|connection| connection.is_open()) {
                    world.text(id, "0123456789");
                }
            }
            let heard = world.received(id);
            assert_eq!(heard.last().unwrap(), heard_last, "{after} {end}");
            assert_eq!(heard.len() as u64, at_ms / 10 + 1, "{after} {end}: {heard:?}");
        }
    }
}

#[test]
fn what_is_sent_beyond_the_end_goes_nowhere() {
    let mut world = world(json!({ "routes": [{
        "pattern": "/many",
        "rules": [{ "do": [{ "reply": "1" }, { "reply": "2" }, { "reply": "3" }] }],
        "faults": [{ "on": "send", "after": { "messages": 2 }, "close": 1013 }],
    }] }));
    let id = world.connect("/many");
    world.text(id, "go");
    assert_eq!(world.received(id), ["1", "2", "<close 1013>"]);
}

#[test]
fn half_open_connections_look_open_to_both_sides() {
    let mut world = world(json!({ "routes": [{
        "pattern": "/relay", "dialect": "relay", "heartbeat": 1000,
        "faults": [{ "room": "nobody's", "loss": 1, "on": "send" }],
    }] }));
    let (quiet, other) = (world.connect("/relay"), world.connect("/relay"));
    let scope = FaultScope::Connection(quiet);
    let id = world.add_faults(scope, Fault { half_open: true, ..Fault::default() });
    world.text(other, "lost");
    world.text(quiet, "lost");
    world.ping(quiet, b"lost");
    assert_eq!((world.received(quiet), world.received(other)), (vec![], vec![]));
    assert!(world.engine.connection(quiet).unwrap().is_open());
    assert!(world.remove_faults(id), "and then it is heard again");
    world.text(other, "heard");
    world.text(quiet, "heard too");
    assert_eq!(
        (world.received(quiet), world.received(other)),
        (vec!["heard".into()], vec!["heard too".into()])
    );
    // The server notices by its heartbeat, which nobody answers.
    world.add_faults(FaultScope::Connection(quiet), Fault { half_open: true, ..Fault::default() });
    world.advance(20_000);
    assert_eq!(world.received(quiet), ["<end>"]);
}

#[test]
fn a_client_that_closes_a_half_open_connection_is_not_answered() {
    let mut world = echo(json!([{ "on": "open", "silent": true }]));
    let id = world.connect("/echo");
    world.text(id, "hi");
    world.close(id, 1000, "");
    world.advance(59_999);
    assert!(world.received(id).is_empty() && !world.client(id).gone);
    world.advance(1);
    assert_eq!(world.received(id), ["<end>"]);
    assert_eq!(world.engine.connections(), 0);
}

#[test]
fn an_end_that_is_added_happens_at_once() {
    let mut world = echo(json!([]));
    let (first, second) = (world.connect("/echo"), world.connect("/echo"));
    world.add_faults(FaultScope::Connection(first), Fault { terminate: true, ..Fault::default() });
    assert_eq!((world.received(first), world.received(second)), (vec!["<eof>".into()], vec![]));
    assert_eq!(world.engine.added_faults(), 0, "a fault of a connection goes with it");
    let fault = Fault { close: Some(1012), times: Some(1), ..Fault::default() };
    world.add_faults(FaultScope::Everything, fault);
    assert_eq!(world.received(second), ["<close 1012>"]);
}

/// The fault ends the connection, and so does the client while that is on its way.
#[test]
fn a_connection_is_ended_once() {
    let mut world = echo(json!([
        { "terminate": true, "after": { "messages": 1 } },
        { "on": "send", "latency": 10 },
    ]));
    let id = world.connect("/echo");
    world.text(id, "hi");
    world.close(id, 1000, "");
    world.advance(10);
    assert_eq!((world.received(id), world.removed[&id]), (vec!["<eof>".to_owned()], 1));
}

#[test]
fn what_a_client_sent_late_is_handled_at_once_when_its_connection_is_dropped() {
    let mut world = world(json!({ "routes": [{
        "pattern": "/relay", "dialect": "relay", "heartbeat": 400,
        "faults": [{ "on": "receive", "throttle": 1 }],
    }] }));
    let id = world.connect("/relay");
    world.text(id, "later than the close timeout");
    world.cut(id);
    while world.engine.connection(id).is_some() {
        // Fails where the engine, having been woken, asks to be woken again at the same time.
        world.run_next().unwrap();
    }
    assert_eq!((world.removed[&id], world.engine.stats().timers), (1, 0));
}
