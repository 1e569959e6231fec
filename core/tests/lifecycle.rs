//! From the opening handshake to the last hook: who is served, in which order hooks run, what a failure costs.

mod support;

use support::{World, all_hooks, chat, route};
use switchboard_core::{
    Admission, Answer, Authentication, CloseCause, CloseCode, CloseFrame, Command, Deferred, Hook, Hooks,
    Level, Limits, RouteSettings,
};

fn asking() -> RouteSettings {
    RouteSettings { authentication: Authentication::Handler, ..RouteSettings::default() }
}

#[test]
fn hooks_come_in_order_and_close_comes_last_and_once() {
    let mut world = chat(RouteSettings::default(), all_hooks());
    let id = world.connect("/ws/chat");
    world.text(id, "one");
    world.text(id, "two");
    world.close(id, 1000, "bye");
    assert_eq!(world.received(id), ["<close 1000 bye>"]);
    assert_eq!(world.answer_next(Answer::Done), Hook::Connect);
    assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some("one".into()) });
    assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some("two".into()) });
    assert_eq!(world.removed.get(&id), None);
    let close = Hook::Close { frame: CloseFrame::new(CloseCode(1000), "bye"), cause: CloseCause::Client };
    assert_eq!(world.answer_next(Answer::Done), close);
    assert!(world.calls.is_empty());
    assert_eq!(world.removed[&id], 1);
    assert_eq!((world.engine.connections(), world.engine.poll_timeout()), (0, None));
}

#[test]
fn other_connections_do_not_wait() {
    let mut world = chat(RouteSettings::default(), Hooks { message: true, ..Hooks::default() });
    let (a, b) = (world.connect("/ws/chat"), world.connect("/ws/chat"));
    world.text(a, "a");
    world.text(b, "b");
    assert_eq!(world.calls.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(), [a, b]);
}

#[test]
fn where_a_callback_threw_stands_below_its_line_in_the_log_and_nowhere_else() {
    let threw = |message: &str| Answer::Threw { message: message.into(), stack: "    at chat.ts:3:7".into() };
    let mut world = chat(asking(), Hooks { authenticate: true, ..all_hooks() });
    world.upgrade("/ws/chat");
    world.answer_next(threw("no database"));
    let id = world.upgrade("/ws/chat");
    world.answer_next(Answer::Admission(Admission::accept()));
    world.open(id);
    world.answer_next(Answer::Done);
    world.text(id, "x");
    world.answer_next(threw("boom"));
    assert_eq!(world.answer_next(threw("boom again")), Hook::Error { error: "boom".into() });
    world.text(id, "x");
    world.answer_next(Answer::Failed { error: "later".into() });
    world.answer_next(Answer::Done);
    assert!(world.received(id).is_empty());
    let lines = [
        "authenticate for /ws/chat failed: no database\n    at chat.ts:3:7",
        "onMessage for /ws/chat: boom\n    at chat.ts:3:7",
        "onError for /ws/chat failed: boom again\n    at chat.ts:3:7",
    ];
    assert_eq!(world.log, lines.map(|line| (Level::Error, line.to_owned())));
    world.advance(60_000);
    world.text(id, "x");
    world.answer_next(threw("boom"));
    world.answer_next(Answer::Done);
    let line = "onMessage for /ws/chat: boom (and 1 times more since)\n    at chat.ts:3:7";
    assert_eq!(world.log[3..], [(Level::Error, line.to_owned())]);
}

#[test]
fn a_failed_connect_tells_and_closes_with_1011() {
    let mut world = chat(RouteSettings::default(), Hooks { connect: true, close: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.answer_next(Answer::Failed { error: "boom".into() });
    assert_eq!(world.received(id), [r#"{"type":"error","message":"boom"}"#, "<close 1011 Internal error>"]);
    world.close(id, 1011, "");
    assert!(matches!(world.answer_next(Answer::Done), Hook::Close { cause: CloseCause::Server, .. }));
}

#[test]
fn a_failed_connect_tells_on_error_before_it_closes() {
    let mut world = chat(RouteSettings::default(), all_hooks());
    let id = world.connect("/ws/chat");
    world.answer_next(Answer::Failed { error: "boom".into() });
    let (call, _, hook) = world.next_call();
    assert_eq!(hook, Hook::Error { error: "boom".into() });
    world.command(id, Command::Send("sorry".into())).unwrap();
    world.answer(call, Answer::Done);
    assert_eq!(world.received(id), ["sorry", "<close 1011 Internal error>"]);
}

#[test]
fn a_failed_message_costs_nothing_but_an_error() {
    let mut world = chat(RouteSettings::default(), Hooks { message: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.text(id, "x");
    world.text(id, "y");
    world.answer_next(Answer::Failed { error: "boom".into() });
    assert_eq!(world.received(id), [r#"{"type":"error","message":"boom"}"#]);
    assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some("y".into()) });
    assert!(world.received(id).is_empty());
}

#[test]
fn a_hook_that_does_not_settle_times_out_and_the_next_message_goes_on() {
    let mut world = chat(RouteSettings::default(), Hooks { message: true, error: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.text(id, "x");
    world.text(id, "y");
    let (late, ..) = world.next_call();
    world.advance(29_999);
    assert!(world.cancelled.is_empty());
    world.advance(1);
    assert_eq!(world.cancelled, [late], "the host is told to stop it before the next is called for");
    let Hook::Error { error } = world.answer_next(Answer::Done) else { panic!("expected onError") };
    let message = error.to_string();
    assert_eq!(message, "timeout: onMessage did not settle within 30000 ms");
    world.answer(late, Answer::Failed { error: "too late to matter".into() });
    assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some("y".into()) });
}

#[test]
fn a_handler_far_behind_pauses_reading_and_resumes() {
    let limits = Limits { pending_messages: 4, ..Limits::default() };
    let hooks = Hooks { message: true, ..Hooks::default() };
    let mut world =
        World::with_limits(vec![route("/", RouteSettings::default(), Deferred::new(hooks))], limits);
    let id = world.connect("/");
    for n in 0..5 {
        world.text(id, &n.to_string());
    }
    assert!(world.client(id).paused);
    world.answer_next(Answer::Done);
    assert!(world.client(id).paused);
    world.answer_next(Answer::Done);
    assert!(!world.client(id).paused);
    for n in 2..5 {
        assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some(n.to_string().into()) });
    }
}

#[test]
fn ours_but_unmatched_is_404_with_a_hint_and_foreign_is_left_alone() {
    let (mut key, route) = route("/ws/chat", RouteSettings::default(), Deferred::new(Hooks::default()));
    key.prefixes = vec!["/api".into()];
    let mut world = World::new(vec![(key, route)]);
    let (unmatched, foreign) = (world.upgrade("/api/ws/chatt"), world.upgrade("/apix/ws/chat"));
    assert_eq!((world.client(unmatched).rejected, world.client(foreign).ignored), (Some(404), true));
    assert_eq!(world.log.len(), 1);
    assert!(world.log[0].1.contains("/api/ws/chat"), "{}", world.log[0].1);
}

#[test]
fn a_broken_handshake_is_answered_before_any_user_code() {
    let mut world = chat(asking(), Hooks { authenticate: true, ..Hooks::default() });
    let id = world.upgrade_with("/ws/chat", &[("sec-websocket-key", "second")]);
    assert_eq!(world.client(id).rejected, Some(400));
    assert!(world.calls.is_empty());
}

#[test]
fn connections_are_bounded_in_total_and_per_address() {
    let limits = Limits { connections: 3, connections_per_address: Some(2), ..Limits::default() };
    let handler = Deferred::new(Hooks::default());
    let mut world = World::with_limits(vec![route("/", RouteSettings::default(), handler)], limits);
    world.address = Some([127, 0, 0, 1].into());
    let first = world.connect("/");
    world.connect("/");
    let third = world.upgrade("/");
    assert_eq!(world.client(third).rejected, Some(429));
    world.cut(first);
    world.connect("/");
    world.address = Some([127, 0, 0, 2].into());
    world.connect("/");
    let fourth = world.upgrade("/");
    assert_eq!(world.client(fourth).rejected, Some(503));
}
