//! Faults on purpose: opening handshakes, what is sent, what is received, and how connections end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

mod support;

use serde_json::{Value, json};
use support::World;
use switchboard_core::{
    CloseCode, Condition, Config, ConnectionId, Damage, Delay, Fault, FaultList, FaultScope, FaultStage,
    Level, Message,
};

fn world(options: Value) -> World {
    World::with_engine(Config::from_value(options).unwrap().engine([7; 32]).unwrap())
}

/// One route, which sends everything back.
fn echo(faults: Value) -> World {
    world(json!({ "routes": [{ "pattern": "/echo", "dialect": "echo", "faults": faults }] }))
}

/// One route, which passes everything on to the others.
fn relay(faults: Value) -> World {
    world(json!({ "routes": [{ "pattern": "/relay", "dialect": "relay", "faults": faults }] }))
}

fn status(world: &mut World, path: &str) -> Option<u16> {
    let id = world.upgrade(path);
    world.client(id).rejected
}

/// What has come, with the ms at which it did, in so many ms.
fn timeline(world: &mut World, id: ConnectionId, ms: u64) -> Vec<(u64, String)> {
    let start = world.now().instant.as_ms();
    let mut heard = Vec::new();
    for at in 0..=ms {
        heard.extend(world.received(id).into_iter().map(|text| (at, text)));
        if at < ms {
            world.advance(1);
        }
    }
    assert_eq!(world.now().instant.as_ms(), start + ms);
    heard
}

fn at(heard: &[(u64, &str)]) -> Vec<(u64, String)> {
    heard.iter().map(|(ms, text)| (*ms, (*text).to_owned())).collect()
}

fn on(stage: FaultStage) -> Fault {
    Fault { on: Some(stage), ..Fault::default() }
}

#[test]
fn the_next_openings_are_refused() {
    let mut world = echo(json!([{ "on": "open", "refuse": 503, "times": 2 }]));
    assert_eq!([(); 3].map(|()| status(&mut world, "/echo")), [Some(503), Some(503), None]);
    assert!(
        world.log.iter().any(|(level, text)| *level == Level::Info && text.contains("a fault refuses /echo"))
    );
    assert_eq!(world.engine.connections(), 1);
}

#[test]
fn a_share_of_the_openings_is_refused_and_a_seed_says_which() {
    let refused = |seed: u64| {
        let mut world = echo(json!([{ "on": "open", "refuse": 503, "probability": 0.3, "seed": seed }]));
        (0..100).map(|_| status(&mut world, "/echo").is_some()).collect::<Vec<_>>()
    };
    assert_eq!(refused(1), refused(1));
    assert_ne!(refused(1), refused(2));
    let count = refused(1).into_iter().filter(|is_refused| *is_refused).count();
    assert!((15..45).contains(&count), "{count}");
}

#[test]
fn an_opening_may_never_be_answered() {
    let mut world = echo(json!([{ "on": "open", "hang": true, "times": 1 }]));
    let waiting = world.upgrade("/echo");
    world.advance(3_600_000);
    let client = world.client(waiting);
    assert!(client.accepted.is_none() && client.rejected.is_none() && !client.gone);
    assert_eq!(world.engine.connections(), 1, "it counts against limits.maxConnections");
    let other = world.connect("/echo");
    world.text(other, "hi");
    assert_eq!(world.received(other), ["hi"]);
    world.cut(waiting);
    assert_eq!((world.removed[&waiting], world.engine.connections()), (1, 1));
}

#[test]
fn an_opening_may_end_without_an_answer() {
    let mut world = echo(json!([{ "on": "open", "terminate": true }]));
    let dropped = world.upgrade("/echo");
    let client = world.client(dropped);
    assert!(client.accepted.is_none() && client.rejected.is_none() && client.gone);
    assert_eq!((world.removed[&dropped], world.engine.connections()), (1, 0));
    assert_eq!(world.engine.stats().timers, 0);
}

#[test]
fn an_opening_may_be_answered_late() {
    let mut world = echo(json!([{ "on": "open", "latency": 300 }, { "on": "open", "latency": 200 }]));
    let slow = world.upgrade("/echo");
    world.advance(499);
    assert!(world.client(slow).accepted.is_none());
    world.advance(1);
    world.open(slow);
    world.text(slow, "hi");
    assert_eq!(world.received(slow), ["hi"]);
}

#[test]
fn an_opening_that_is_late_is_still_authenticated() {
    let options = json!({ "routes": [{
        "pattern": "/echo", "dialect": "echo", "faults": [{ "on": "open", "latency": 10 }],
        "authenticate": { "token": { "query": "token", "values": { "good": null } } },
    }] });
    let mut world = world(options);
    let (good, bad) = (world.upgrade("/echo?token=good"), world.upgrade("/echo?token=bad"));
    assert_eq!(world.client(bad).rejected, None);
    world.advance(10);
    assert!(world.client(good).accepted.is_some());
    assert_eq!(world.client(bad).rejected, Some(401));
}

#[test]
fn what_is_wrong_with_an_opening_is_said_before_faults() {
    let mut world = echo(json!([{ "on": "open", "refuse": 503 }]));
    assert_eq!(status(&mut world, "/ecco"), Some(404));
    let foreign = world.upgrade_with("/echo", &[("origin", "https://evil.example")]);
    assert_eq!(world.client(foreign).rejected, Some(403));
}

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
fn faults_of_a_room_are_for_its_members() {
    let mut world = world(json!({ "routes": [{
        "pattern": "/chat",
        "rules": [{ "match": "join", "do": [{ "join": "a" }] }, { "do": [{ "reply": "hi" }] }],
        "faults": [{ "on": "send", "loss": 1, "room": "a" }],
    }] }));
    let (member, other) = (world.connect("/chat"), world.connect("/chat"));
    world.text(member, "join");
    for id in [member, other] {
        world.text(id, "hi");
    }
    assert_eq!((world.received(member), world.received(other)), (vec![], vec!["hi".into()]));
}

#[test]
fn faults_come_and_go_while_the_server_runs() {
    let mut world = world(json!({ "routes": [
        { "pattern": "/a", "prefix": "/api", "dialect": "echo" }, { "pattern": "/b/*", "dialect": "echo" },
    ] }));
    let says = |world: &mut World, id| {
        world.text(id, "hi");
        world.received(id).len()
    };
    let [a, b, c] = ["/api/a", "/b/1", "/b/2"].map(|path| world.connect(path));
    let lose = || Fault { loss: Some(1.0), ..on(FaultStage::Send) };
    for (scope, heard) in [
        (FaultScope::Everything, [0, 0, 0]),
        (FaultScope::Pattern("/a".into()), [0, 1, 1]),
        (FaultScope::Pattern("/api/a".into()), [0, 1, 1]),
        (FaultScope::Pattern("/b/*".into()), [1, 0, 0]),
        (FaultScope::Pattern("/b/2".into()), [1, 1, 0]),
        (FaultScope::Pattern("/**/1".into()), [1, 0, 1]),
        (FaultScope::Connection(b), [1, 0, 1]),
        (FaultScope::Room { pattern: "/a".into(), room: "nobody's".into() }, [1, 1, 1]),
    ] {
        let id = world.add_faults(scope.clone(), lose());
        assert_eq!([a, b, c].map(|id| says(&mut world, id)), heard, "{scope:?}");
        assert!(world.remove_faults(id));
        assert!(!world.remove_faults(id), "it is gone");
        assert_eq!([a, b, c].map(|id| says(&mut world, id)), [1, 1, 1], "{scope:?}");
    }
    let gone = world.add_faults(FaultScope::Everything, lose());
    world.clear_faults();
    world.add_faults(FaultScope::Everything, Condition::HighLatency);
    assert!(!world.remove_faults(gone), "its id names no others");
    world.add_faults(FaultScope::Everything, lose());
    assert_eq!(world.engine.added_faults(), 4);
    world.clear_faults();
    assert_eq!((says(&mut world, a), world.engine.added_faults(), world.engine.stats().timers), (1, 0, 0));
}

#[test]
fn faults_of_the_next_openings() {
    let mut world = echo(json!([]));
    world.add_faults(
        FaultScope::Everything,
        Fault { refuse: Some(429), times: Some(2), ..on(FaultStage::Open) },
    );
    assert_eq!([(); 3].map(|()| status(&mut world, "/echo")), [Some(429), Some(429), None]);
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

#[test]
fn an_opening_that_is_refused_meets_no_other_fault() {
    let lost = |faults: Value, refused: usize| {
        let mut world = echo(faults);
        (0..refused).for_each(|_| assert_eq!(status(&mut world, "/echo"), Some(503)));
        let id = world.connect("/echo");
        (0..20).for_each(|number| world.text(id, &number.to_string()));
        world.received(id)
    };
    let loss = json!({ "on": "send", "loss": 0.5, "seed": 1 });
    let refuse = json!({ "on": "open", "refuse": 503, "times": 2 });
    assert_eq!(lost(json!([refuse, loss]), 2), lost(json!([loss]), 0));
}

#[test]
fn what_is_no_fault_is_not_added() {
    let mut world = echo(json!([]));
    let id = world.connect("/echo");
    let add = |world: &mut World, scope: FaultScope, faults: FaultList| {
        let now = world.now();
        world.engine.add_faults(now, scope, faults, &mut Vec::new()).unwrap_err().to_string()
    };
    let empty: FaultList = Fault::default().into();
    assert!(
        add(&mut world, FaultScope::Everything, empty)
            .starts_with("faults[0]: nothing would happen; write one of refuse")
    );
    let lose: FaultList = Fault { loss: Some(1.0), ..on(FaultStage::Send) }.into();
    assert!(add(&mut world, FaultScope::Pattern("x".into()), lose.clone()).starts_with("pattern: "));
    world.cut(id);
    assert_eq!(
        add(&mut world, FaultScope::Connection(id), lose.clone()),
        "connection: it is closed, or was never there"
    );
    for _ in 0..1000 {
        world.add_faults(FaultScope::Everything, lose.clone());
    }
    assert!(add(&mut world, FaultScope::Everything, lose).contains("at most 1000"));
}

#[test]
fn a_configuration_that_changes_faults_keeps_connections() {
    let options = |faults: Value| {
        json!({ "routes": [
            { "pattern": "/echo", "dialect": "echo", "faults": faults },
            { "pattern": "/other", "dialect": "echo", "faults": [{ "on": "send", "loss": 1, "times": 1 }] },
        ] })
    };
    let mut world = world(options(json!([{ "on": "send", "latency": 100 }])));
    let (id, other) = (world.connect("/echo"), world.connect("/other"));
    world.text(id, "slow");
    let config = Config::from_value(options(json!([{ "on": "send", "loss": 1 }]))).unwrap();
    assert_eq!(world.reconfigure(config.configuration()).kept, 2);
    world.text(id, "lost");
    world.advance(100);
    assert_eq!(world.received(id), ["slow"], "what is on its way stays on its way");
    // What has not changed goes on where it was.
    let says = |world: &mut World, text| {
        world.text(other, text);
        world.received(other).len()
    };
    assert_eq!((says(&mut world, "lost"), says(&mut world, "heard")), (0, 1));
    world.reconfigure(config.configuration());
    assert_eq!(says(&mut world, "heard"), 1);
    let config = Config::from_value(options(json!([]))).unwrap();
    world.reconfigure(config.configuration());
    world.text(id, "heard");
    assert_eq!(world.received(id), ["heard"]);
}

#[test]
fn conditions_do_what_their_names_say() {
    let route = |condition: &str| {
        world(json!({ "routes": [{ "pattern": "/echo", "dialect": "echo", "condition": condition }] }))
    };
    let mut offline = route("offline");
    let id = offline.upgrade("/echo");
    assert!(offline.client(id).gone && offline.client(id).rejected.is_none());

    let mut slow = route("slow-3g");
    let id = slow.upgrade("/echo");
    slow.advance(2000);
    slow.open(id);
    slow.text(id, "hi");
    // 8 and 4 bytes at 50 a ms, and twice 400 ms.
    assert_eq!(timeline(&mut slow, id, 900), at(&[(802, "hi")]));

    let mut far = route("high-latency");
    let id = far.upgrade("/echo");
    far.advance(700);
    far.open(id);
    far.text(id, "hi");
    let heard = timeline(&mut far, id, 800);
    assert!((600..=700).contains(&heard[0].0), "{heard:?}");

    let mut quiet = route("half-open");
    let id = quiet.connect("/echo");
    quiet.text(id, "hi");
    assert_eq!(timeline(&mut quiet, id, 1000), []);

    let mut restarting = route("restarting");
    let refused = (0..40).filter(|_| status(&mut restarting, "/echo") == Some(503)).count();
    assert!((10..30).contains(&refused), "{refused}");
    let id = (0..100).find_map(|_| {
        let id = restarting.upgrade("/echo");
        restarting.client(id).accepted.is_some().then_some(id)
    });
    let id = id.unwrap();
    restarting.open(id);
    assert_eq!(timeline(&mut restarting, id, 10_000), at(&[(10_000, "<close 1012 Service restart>")]));

    let mut flaky = route("flaky");
    flaky.add_faults(
        FaultScope::Everything,
        Fault { latency: Some(Delay::exactly(1)), ..on(FaultStage::Send) },
    );
    let (mut refused, mut open) = (0, Vec::new());
    for _ in 0..200 {
        let id = flaky.upgrade("/echo");
        match flaky.client(id).rejected {
            Some(503) => refused += 1,
            _ => {
                flaky.open(id);
                open.push(id);
            }
        }
    }
    assert!((5..40).contains(&refused), "{refused}");
    for &id in &open {
        flaky.text(id, "hi");
    }
    flaky.advance(601);
    let heard = open.iter().filter(|id| flaky.received(**id) == ["hi"]).count();
    assert!(heard < open.len() && heard > open.len() * 9 / 10, "{heard} of {}", open.len());
    flaky.advance(30_000);
    assert_eq!(flaky.engine.connections(), 0);
}

#[test]
fn clients_may_choose_a_condition_where_the_route_lets_them() {
    let route = |chosen: Value| {
        world(json!({ "routes": [{ "pattern": "/echo", "dialect": "echo", "clientConditions": chosen }] }))
    };
    let mut closed = route(json!(false));
    let id = closed.connect("/echo?switchboard-fault=half-open");
    closed.text(id, "hi");
    assert_eq!(closed.received(id), ["hi"], "it is off");

    let mut some = route(json!(["half-open", "offline"]));
    let chosen = some.connect("/echo?a=b&switchboard-fault=half-open");
    let by_header = some.upgrade_with("/echo", &[("switchboard-fault", "half-open")]);
    some.open(by_header);
    let other = some.connect("/echo");
    for id in [chosen, by_header, other] {
        some.text(id, "hi");
    }
    assert_eq!([chosen, by_header, other].map(|id| some.received(id).len()), [0, 0, 1]);
    assert_eq!(status(&mut some, "/echo?switchboard-fault=flaky"), Some(400), "it is not among them");
    assert_eq!(status(&mut some, "/echo?switchboard-fault=nonsense"), Some(400));
    let dropped = some.upgrade("/echo?switchboard-fault=offline");
    assert!(some.client(dropped).gone);
    for id in [chosen, by_header, other] {
        some.cut(id);
    }
    assert_eq!((some.engine.connections(), some.engine.stats().timers), (0, 0));
}

#[test]
fn mistakes_are_named_with_their_key() {
    for (route, expected) in [
        (
            json!({ "faults": [{ "on": "send", "latancy": 1 }] }),
            "routes[0].faults[0].latancy: unknown key; did you mean \"latency\"?",
        ),
        (
            json!({ "faults": [{ "on": "sent", "latency": 1 }] }),
            "routes[0].faults[0].on: expected \"open\" or \"send\" or \"receive\", got \"sent\"; did you mean \"send\"?",
        ),
        (
            json!({ "faults": [{ "on": "send", "loss": 2 }] }),
            "routes[0].faults[0].loss: expected a chance from 0 to 1, got 2",
        ),
        (
            json!({ "faults": [{ "on": "open", "loss": 1 }] }),
            "routes[0].faults[0].loss: happens to messages, not to on = \"open\"; write on = \"send\" or on = \"receive\"",
        ),
        (
            json!({ "faults": [{ "loss": 1 }] }),
            "routes[0].faults[0].loss: write on = \"send\" or on = \"receive\" as well",
        ),
        (
            json!({ "faults": [{ "on": "receive", "damage": "mask" }] }),
            "routes[0].faults[0].damage: does not go with on = \"receive\"; write on = \"send\"",
        ),
        (
            json!({ "faults": [{ "on": "send", "damage": "utf-8" }] }),
            "routes[0].faults[0].damage: expected \"length\" or \"mask\" or \"utf8\" or \"opcode\" or \"deflate\" or \"oversized\", got \"utf-8\"; did you mean \"utf8\"?",
        ),
        (
            json!({ "faults": [{ "on": "open", "refuse": 200 }] }),
            "routes[0].faults[0].refuse: expected an HTTP status from 400 to 599, got 200",
        ),
        (
            json!({ "faults": [{ "close": 1006 }] }),
            "routes[0].faults[0].close: 1006 must not be sent; write 1000, 1012 or one from 3000 to 4999",
        ),
        (
            json!({ "faults": [{ "close": 1012, "terminate": true }] }),
            "routes[0].faults[0]: a connection ends in one way: write close, terminate or halfOpen",
        ),
        (
            json!({ "faults": [{ "on": "send", "latency": { "min": 5, "max": 1 } }] }),
            "routes[0].faults[0].latency: min is more than max",
        ),
        (
            json!({ "faults": [{ "on": "send", "latency": "5s" }] }),
            "routes[0].faults[0].latency: expected a whole number of ms, or an object such as { min = 50, max = 400 }, got text \"5s\"",
        ),
        (
            json!({ "faults": [{ "on": "send", "throttle": 0 }] }),
            "routes[0].faults[0].throttle: nothing would ever pass; write at least 1, or halfOpen = true",
        ),
        (
            json!({ "faults": [{ "after": {}, "terminate": true }] }),
            "routes[0].faults[0].after: write messages, bytes or ms, such as { messages = 10 }",
        ),
        (
            json!({ "condition": "slow-4g" }),
            "routes[0].condition: expected \"offline\" or \"flaky\" or \"slow-3g\" or \"high-latency\" or \"half-open\" or \"restarting\", got \"slow-4g\"; did you mean \"slow-3g\"?",
        ),
        (
            json!({ "clientConditions": ["halfopen"] }),
            "routes[0].clientConditions: there is no condition \"halfopen\"; did you mean \"half-open\"?",
        ),
    ] {
        let mut route = route;
        route["pattern"] = json!("/");
        let error = Config::from_value(json!({ "routes": [route] })).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
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
fn they_are_written_in_toml_too() {
    let config = Config::from_toml(
        r#"
        [[routes]]
        pattern = "/echo"
        dialect = "echo"
        faults = [
          { on = "open", probability = 0.3, refuse = 503, seed = 1 },
          { on = "send", latency = { min = 50, max = 400 }, loss = 0.01 },
          { after = { messages = 10 }, terminate = true },
        ]
        "#,
    );
    let mut world = World::with_engine(config.unwrap().engine([7; 32]).unwrap());
    let mut open = (0..10).filter_map(|_| {
        let id = world.upgrade("/echo");
        world.client(id).accepted.is_some().then_some(id)
    });
    let id = open.next().unwrap();
    drop(open);
    world.open(id);
    for _ in 0..10 {
        world.text(id, "hi");
        world.advance(400);
    }
    let heard = world.received(id);
    assert_eq!(heard.last().unwrap(), "<eof>");
    assert!((4..=6).contains(&heard.len()), "{heard:?}");
}

#[test]
fn damage_has_names() {
    assert_eq!([Damage::Length, Damage::Utf8].map(Damage::name), ["length", "utf8"]);
}
