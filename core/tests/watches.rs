//! Heartbeat, inactivity, delay, pings: what happens when, to the millisecond.

mod support;

use std::time::Duration;

use support::{World, route};
use switchboard_core::{Answer, Command, Deferred, Hook, Hooks, RouteSettings};

fn world(settings: RouteSettings, hooks: Hooks) -> World {
    World::new(vec![route("/", settings, Deferred::new(hooks))])
}

#[test]
fn three_missed_pongs_close_at_the_fourth_tick() {
    let mut world = world(
        RouteSettings { heartbeat: Some(Duration::from_millis(200)), ..Default::default() },
        Hooks::default(),
    );
    let id = world.connect("/");
    world.advance(600);
    assert_eq!(world.received(id), ["<ping heartbeat>"; 3]);
    world.advance(199);
    assert!(world.received(id).is_empty());
    world.advance(1);
    assert_eq!(world.received(id), ["<close 1000 No pong received>"]);
}

#[test]
fn any_pong_starts_the_count_again() {
    let mut world = world(
        RouteSettings { heartbeat: Some(Duration::from_millis(200)), ..Default::default() },
        Hooks::default(),
    );
    let id = world.connect("/");
    for _ in 0..5 {
        world.advance(600);
        assert_eq!(world.received(id), ["<ping heartbeat>"; 3]);
        world.pong(id, b"whatever");
    }
    world.command(id, Command::Heartbeat(None)).unwrap();
    world.advance(10_000);
    assert!(world.received(id).is_empty());
}

#[test]
fn data_and_pings_are_activity_and_pongs_are_not() {
    let settings =
        RouteSettings { inactivity_timeout: Some(Duration::from_millis(100)), ..Default::default() };
    let mut world = world(settings, Hooks::default());
    let id = world.connect("/");
    world.advance(90);
    world.text(id, "x");
    world.advance(90);
    world.ping(id, b"p");
    assert_eq!(world.received(id), ["<pong p>"]);
    world.advance(90);
    world.pong(id, b"");
    world.advance(9);
    assert!(world.received(id).is_empty());
    world.advance(1);
    assert_eq!(world.received(id), ["<close 1000 Inactivity timeout>"]);
}

#[test]
fn user_code_starts_and_stops_the_watches() {
    let mut world = world(RouteSettings::default(), Hooks::default());
    let id = world.connect("/");
    world.advance(5_000);
    world.command(id, Command::InactivityTimeout(Some(Duration::from_millis(100)))).unwrap();
    world.command(id, Command::Heartbeat(Some(Duration::from_millis(30)))).unwrap();
    world.advance(60);
    world.command(id, Command::InactivityTimeout(Some(Duration::from_millis(100)))).unwrap();
    world.command(id, Command::ResetMissedPongs).unwrap();
    world.advance(99);
    assert_eq!(world.received(id), ["<ping heartbeat>"; 5]);
    world.command(id, Command::InactivityTimeout(None)).unwrap();
    world.command(id, Command::Heartbeat(Some(Duration::from_millis(0)))).unwrap();
    world.advance(10_000);
    assert!(world.received(id).is_empty());
    assert_eq!(world.engine.timers(id), 0);
}

#[test]
fn a_ping_has_exactly_one_pong_and_none_when_the_user_handles_pings() {
    let mut plain = world(RouteSettings::default(), Hooks::default());
    let id = plain.connect("/");
    plain.ping(id, b"x");
    assert_eq!(plain.received(id), ["<pong x>"]);

    let mut own = world(RouteSettings::default(), Hooks { ping: true, pong: true, ..Hooks::default() });
    let id = own.connect("/");
    own.ping(id, b"x");
    assert!(own.received(id).is_empty());
    assert_eq!(own.answer_next(Answer::Done), Hook::Ping("x".into()));
    own.pong(id, b"y");
    assert_eq!(own.answer_next(Answer::Done), Hook::Pong("y".into()));
}

#[test]
fn a_delay_holds_each_message_back_and_keeps_the_order() {
    let hooks = Hooks { message: true, ..Hooks::default() };
    let mut world = world(RouteSettings { delay: Duration::from_millis(50), ..Default::default() }, hooks);
    let id = world.connect("/");
    world.text(id, "one");
    world.advance(20);
    world.text(id, "two");
    world.advance(29);
    assert!(world.calls.is_empty());
    world.advance(1);
    assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some("one".into()) });
    world.advance(19);
    assert!(world.calls.is_empty());
    world.advance(1);
    assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some("two".into()) });
}

#[test]
fn early_and_repeated_timeouts_do_nothing() {
    let mut world = world(
        RouteSettings { heartbeat: Some(Duration::from_millis(200)), ..Default::default() },
        Hooks::default(),
    );
    let id = world.connect("/");
    for _ in 0..10 {
        world.timeout();
    }
    world.advance(200);
    for _ in 0..10 {
        world.timeout();
    }
    assert_eq!(world.received(id), ["<ping heartbeat>"]);
}
