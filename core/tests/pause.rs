//! Clients that are not read from while what waits for them has reached its bound.

mod support;

use support::{World, route};
use switchboard_core::protocol::Overflow;
use switchboard_core::{
    Answer, CloseCause, Context, Deferred, Handler, HandlerResult, Hook, Hooks, Input, Message, RouteSettings,
};

/// Answers each message with three that are as long as its number says.
struct Three;

impl Handler for Three {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        let length = message.as_text().unwrap_or_default().parse()?;
        for letter in ["a", "b", "c"] {
            cx.send(letter.repeat(length));
        }
        Ok(())
    }
}

fn settings() -> RouteSettings {
    RouteSettings { overflow: Overflow::Pause, max_outbound: 1_000, ..RouteSettings::default() }
}

#[test]
fn messages_wait_for_their_handler_while_the_outbox_is_full() {
    let mut world = World::new(vec![route("/", settings(), Three)]);
    let id = world.connect("/");
    world.input(Input::Full { id });
    assert!(world.client(id).paused);
    world.text(id, "1");
    world.text(id, "2");
    assert_eq!((world.received(id), world.engine.stats().client_bytes.waiting), (vec![], 2));
    world.input(Input::Drained { id });
    assert_eq!(world.received(id), ["a", "b", "c", "aa", "bb", "cc"]);
    assert!(!world.client(id).paused);
}

/// Otherwise all that one read brought would be answered before the host has said that the outbox is full.
#[test]
fn no_more_is_answered_at_once_than_fits_into_the_outbox() {
    let mut world = World::new(vec![route("/", settings(), Three)]);
    let (id, other) = (world.connect("/"), world.connect("/"));
    for _ in 0..5 {
        world.text(id, "100");
    }
    let lengths = |world: &mut World| world.received(id).iter().map(String::len).sum::<usize>();
    assert_eq!(lengths(&mut world), 600);
    world.text(other, "100");
    assert_eq!(world.received(other).len(), 3, "it is not its outbox");
    world.advance(1);
    assert_eq!(lengths(&mut world), 600);
    world.input(Input::Full { id });
    world.advance(100);
    assert_eq!(lengths(&mut world), 0);
    world.input(Input::Drained { id });
    assert_eq!(lengths(&mut world), 300);
    world.advance(1);
    assert_eq!((lengths(&mut world), world.engine.poll_timeout()), (0, None));
}

#[test]
fn what_came_before_the_clients_end_is_handled_although_its_outbox_is_full() {
    let hooks = Hooks { message: true, close: true, ..Hooks::default() };
    for ends in [|world: &mut World, id| world.cut(id), |world: &mut World, id| world.close(id, 1000, "")] {
        let mut world = World::new(vec![route("/", settings(), Deferred::new(hooks.clone()))]);
        let id = world.connect("/");
        world.input(Input::Full { id });
        world.text(id, "last words");
        assert!(world.calls.is_empty());
        ends(&mut world, id);
        assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some("last words".into()) });
        assert!(matches!(
            world.answer_next(Answer::Done),
            Hook::Close { cause: CloseCause::Lost | CloseCause::Client, .. }
        ));
        assert_eq!((world.removed[&id], world.engine.timers(id)), (1, 0));
    }
}

#[test]
fn a_connection_that_closes_leaves_no_timer() {
    let mut world = World::new(vec![route("/", settings(), Three)]);
    let id = world.connect("/");
    for _ in 0..5 {
        world.text(id, "400");
    }
    world.close(id, 1000, "");
    assert_eq!((world.removed[&id], world.engine.poll_timeout()), (1, None));
}
