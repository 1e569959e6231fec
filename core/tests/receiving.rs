//! Messages that wait for a task to receive them.

mod support;

use std::time::Duration;

use support::{World, route};
use switchboard_core::{
    Admission, Answer, CallId, CloseCause, Command, Hook, Limits, Receiving, RouteSettings,
};

fn world(limits: Limits) -> World {
    World::with_limits(vec![route("/", RouteSettings::default(), Receiving::new(false))], limits)
}

/// The message that waits to be received.
fn offered(world: &mut World) -> (CallId, String) {
    match world.next_call() {
        (call, _, Hook::Message { message: Some(message) }) => {
            (call, message.as_text().unwrap_or_default().to_owned())
        }
        other => panic!("not a message: {other:?}"),
    }
}

#[test]
fn messages_wait_for_as_long_as_they_are_not_received() {
    let limits = Limits { handler_timeout: Some(Duration::from_secs(1)), ..Limits::default() };
    let mut world = world(limits);
    let id = world.connect("/");
    assert_eq!(world.answer_next(Answer::Done), Hook::Connect);
    world.text(id, "1");
    world.text(id, "2");
    let (first, text) = offered(&mut world);
    assert_eq!(text, "1");
    world.advance(3_600_000);
    assert_eq!((world.calls.len(), world.received(id), world.log.len()), (0, vec![], 0), "nothing timed out");
    world.answer(first, Answer::Done);
    let (second, text) = offered(&mut world);
    assert_eq!(text, "2");
    world.answer(second, Answer::Done);
    world.close(id, 1000, "");
    assert!(matches!(world.answer_next(Answer::Done), Hook::Close { cause: CloseCause::Client, .. }));
    assert_eq!(world.removed[&id], 1);
}

#[test]
fn what_is_not_received_counts_in_the_inbox_and_pauses_reading() {
    let mut world = world(Limits { pending_messages: 4, ..Limits::default() });
    let id = world.connect("/");
    world.answer_next(Answer::Done);
    for number in 0..5 {
        assert!(!world.client(id).paused, "message {number}");
        world.text(id, &number.to_string());
    }
    assert!(world.client(id).paused, "one is offered, four wait");
    for number in 0..5 {
        let (call, text) = offered(&mut world);
        assert_eq!(text, number.to_string());
        world.answer(call, Answer::Done);
    }
    assert!(!world.client(id).paused);
}

#[test]
fn what_came_before_the_end_is_received_before_it() {
    let mut world = world(Limits::default());
    let id = world.connect("/");
    world.answer_next(Answer::Done);
    world.text(id, "1");
    world.text(id, "2");
    world.cut(id);
    for expected in ["1", "2"] {
        let (call, text) = offered(&mut world);
        assert_eq!(text, expected);
        world.answer(call, Answer::Done);
    }
    let (close, _, hook) = world.next_call();
    assert!(matches!(hook, Hook::Close { cause: CloseCause::Lost, .. }), "{hook:?}");
    assert!(!world.removed.contains_key(&id), "the task may still say goodbye to the others");
    world.answer(close, Answer::Done);
    assert_eq!(world.removed[&id], 1);
}

#[test]
fn a_connection_that_the_server_closes_offers_nothing_more() {
    let mut world = world(Limits::default());
    let id = world.connect("/");
    world.answer_next(Answer::Done);
    world.text(id, "1");
    world.text(id, "2");
    let (call, _) = offered(&mut world);
    world.command(id, Command::Close { code: Some(1000), reason: String::new() }).unwrap();
    world.answer(call, Answer::Done);
    assert!(world.calls.is_empty());
    world.close(id, 1000, "");
    assert!(matches!(world.answer_next(Answer::Done), Hook::Close { cause: CloseCause::Server, .. }));
}

#[test]
fn a_client_is_authenticated_first() {
    let mut world = World::new(vec![route("/", RouteSettings::default(), Receiving::new(true))]);
    let id = world.upgrade("/");
    assert!(matches!(
        world.answer_next(Answer::Admission(Admission::refuse(None, ""))),
        Hook::Authenticate { .. }
    ));
    assert_eq!(world.client(id).rejected, Some(401));
}
