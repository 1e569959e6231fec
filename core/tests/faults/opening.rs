//! What goes wrong with openings.

use super::*;

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
