//! What goes wrong with the frames of an open connection.

use super::*;

#[test]
fn latency_keeps_the_order_of_frames_and_their_close() {
    let faults = json!([{ "on": "send", "latency": { "min": 50, "max": 400 }, "seed": 1 }]);
    let mut world = echo(faults);
    let id = world.connect("/echo");
    for number in 0..20 {
        world.text(id, &number.to_string());
    }
    world.close(id, 1000, "");
    let heard = timeline(&mut world, id, 1000);
    let texts: Vec<_> = heard.iter().map(|(_, text)| text.clone()).collect();
    let expected: Vec<_> =
        (0..20).map(|number| number.to_string()).chain(["<close 1000>".to_owned()]).collect();
    assert_eq!(texts, expected);
    assert!(heard.is_sorted_by_key(|(ms, _)| *ms) && heard[0].0 >= 50 && heard[20].0 <= 400, "{heard:?}");
    assert_eq!((world.engine.connections(), world.engine.stats().timers), (0, 0));
}

#[test]
fn both_directions_have_a_latency_of_their_own() {
    let mut world = echo(json!([{ "on": "send", "latency": 30 }, { "on": "receive", "latency": 20 }]));
    let id = world.connect("/echo");
    world.text(id, "a");
    world.ping(id, b"p");
    assert_eq!(timeline(&mut world, id, 60), at(&[(50, "a"), (50, "<pong p>")]));
}

#[test]
fn what_was_said_before_the_end_is_heard_before_it() {
    let mut world = relay(json!([{ "on": "receive", "latency": 100, "times": 1 }]));
    let (speaker, listener) = (world.connect("/relay"), world.connect("/relay"));
    world.text(speaker, "bye");
    world.cut(speaker);
    world.advance(99);
    assert_eq!(world.engine.connections(), 2);
    // Nothing is sent to a client that is gone.
    world.text(listener, "still there?");
    world.advance(1);
    assert_eq!(world.received(listener), ["bye"]);
    assert_eq!((world.engine.connections(), world.removed[&speaker]), (1, 1));
}

#[test]
fn throttling_counts_the_bytes_of_frames() {
    let mut world = echo(json!([{ "on": "send", "throttle": 1000 }]));
    let id = world.connect("/echo");
    // 98 bytes and a header of 2.
    for letter in ["a", "b"] {
        world.text(id, &letter.repeat(98));
    }
    let heard: Vec<_> =
        timeline(&mut world, id, 300).into_iter().map(|(ms, text)| (ms, text.len())).collect();
    assert_eq!(heard, [(100, 98), (200, 98)]);
}

#[test]
fn messages_are_lost_doubled_cut_and_overtaken() {
    for (faults, expected) in [
        (json!([{ "on": "send", "loss": 1 }]), vec![]),
        (json!([{ "on": "send", "loss": 0 }]), vec!["a", "béé", "c"]),
        (json!([{ "on": "receive", "loss": 1, "times": 2 }]), vec!["c"]),
        (json!([{ "on": "send", "duplicate": 1, "times": 1 }]), vec!["a", "a", "béé", "c"]),
        (json!([{ "on": "receive", "duplicate": 1, "times": 1 }]), vec!["a", "a", "béé", "c"]),
        (json!([{ "on": "send", "truncate": 2 }]), vec!["a", "b", "c"]),
        (json!([{ "on": "receive", "truncate": 3 }]), vec!["a", "bé", "c"]),
        (json!([{ "on": "send", "reorder": 1, "times": 1 }]), vec!["béé", "a", "c"]),
        (json!([{ "on": "receive", "reorder": 1, "times": 1 }]), vec!["béé", "a", "c"]),
        (json!([{ "on": "send", "loss": 1, "after": { "messages": 2 } }]), vec!["a", "béé"]),
        (json!([{ "on": "send", "loss": 1, "probability": 0 }]), vec!["a", "béé", "c"]),
    ] {
        let mut world = echo(faults.clone());
        let id = world.connect("/echo");
        for text in ["a", "béé", "c"] {
            world.text(id, text);
        }
        assert_eq!(world.received(id), expected, "{faults}");
    }
}

#[test]
fn one_that_nothing_overtakes_goes_by_itself() {
    let mut world = echo(json!([{ "on": "send", "reorder": 1, "times": 1 }]));
    let id = world.connect("/echo");
    world.text(id, "a");
    assert_eq!(timeline(&mut world, id, 1200), at(&[(1000, "a")]));
}

#[test]
fn frames_are_broken_in_their_place() {
    for damage in ["length", "mask", "utf8", "opcode", "deflate", "oversized"] {
        let mut world =
            echo(json!([{ "on": "send", "damage": damage, "after": { "messages": 1 }, "times": 1 }]));
        let id = world.connect("/echo");
        for text in ["a", "b", "c"] {
            world.text(id, text);
        }
        assert_eq!(world.received(id), ["a", &format!("<damaged {damage}>"), "c"]);
    }
}

#[test]
fn what_waits_for_a_fault_counts_against_the_bound_of_the_outbox() {
    let options = |overflow: &str| {
        json!({ "routes": [{
            "pattern": "/echo", "dialect": "echo", "outbound": { "maxBytes": 300, "overflow": overflow },
            "faults": [{ "on": "send", "latency": 1000 }],
        }] })
    };
    let say = |world: &mut World, id| {
        for letter in ["a", "b", "c", "d", "e"] {
            world.text(id, &letter.repeat(98));
        }
        world.advance(1000);
        world.received(id).iter().map(|text| text.chars().next().unwrap()).collect::<String>()
    };
    let mut closing = world(options("close"));
    let id = closing.connect("/echo");
    assert_eq!(say(&mut closing, id), "abc<");
    let mut dropping = world(options("drop-oldest"));
    let id = dropping.connect("/echo");
    assert_eq!(say(&mut dropping, id), "cde");
    assert_eq!(dropping.engine.stats().dropped_messages["/echo"], 2);
    let mut pausing = world(options("pause"));
    let id = pausing.connect("/echo");
    for letter in ["a", "b", "c"] {
        pausing.text(id, &letter.repeat(98));
    }
    // The engine answers no more at once than half of the bound.
    pausing.advance(1);
    assert!(pausing.client(id).paused);
    pausing.advance(1000);
    assert!(!pausing.client(id).paused);
    assert_eq!(pausing.received(id).len(), 3);
}

#[test]
fn what_is_late_from_a_client_counts_against_the_bound_of_the_inbox() {
    let mut world = world(json!({
        "limits": { "pendingMessages": 4 },
        "routes": [{ "pattern": "/echo", "dialect": "echo", "faults": [{ "on": "receive", "latency": 100 }] }],
    }));
    let id = world.connect("/echo");
    for _ in 0..3 {
        world.text(id, "a");
    }
    assert!(!world.client(id).paused);
    world.text(id, "a");
    assert!(world.client(id).paused);
    world.advance(100);
    assert!(!world.client(id).paused);
    world.message(id, Message::Binary(vec![0; 600_000].into()));
    assert!(world.client(id).paused);
}

#[test]
fn a_debug_log_shows_what_the_handler_sends() {
    let mut world = echo(json!([{ "on": "send", "loss": 1 }]));
    world.engine.set_trace(true);
    let id = world.connect("/echo");
    world.text(id, "hi");
    assert!(world.log.iter().any(|(_, text)| text.ends_with("→ text, 2 bytes: hi")));
    assert!(world.received(id).is_empty());
    world.engine.set_trace(false);
    world.text(id, "hi");
    assert!(world.received(id).is_empty(), "without the log faults stay");
}

#[test]
fn a_violation_waits_its_turn() {
    let mut world = echo(json!([{ "on": "receive", "latency": 10 }]));
    let id = world.connect("/echo");
    world.text(id, "hi");
    world.violate(id, CloseCode::PROTOCOL_ERROR, "RSV1");
    assert_eq!(timeline(&mut world, id, 20), at(&[(10, "hi"), (10, "<close 1002 RSV1>")]));
}

#[test]
fn damage_has_names() {
    assert_eq!([Damage::Length, Damage::Utf8].map(Damage::name), ["length", "utf8"]);
}
