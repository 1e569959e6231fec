//! How connections end: by the client, by the server, by a violation, at a shutdown.

mod support;

use std::time::Duration;

use support::{all_hooks, chat};
use switchboard_core::{
    Answer, CloseCause, CloseCode, CloseFrame, Command, CommandError, Hook, Hooks, Input, RouteSettings,
};

#[test]
fn a_lost_connection_is_1006_and_what_it_sent_is_still_handled() {
    let mut world = chat(RouteSettings::default(), all_hooks());
    let id = world.connect("/ws/chat");
    world.text(id, "last words");
    world.cut(id);
    world.answer_next(Answer::Done);
    assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: Some("last words".into()) });
    let close = Hook::Close { frame: CloseFrame::new(CloseCode::ABNORMAL, ""), cause: CloseCause::Lost };
    assert_eq!(world.answer_next(Answer::Done), close);
}

#[test]
fn a_close_without_a_code_is_1005_for_the_hook_and_empty_on_the_wire() {
    let mut world = chat(RouteSettings::default(), Hooks { close: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.input(Input::CloseReceived { id, frame: None });
    assert_eq!(world.received(id), ["<close>"]);
    let close = Hook::Close { frame: CloseFrame::new(CloseCode::NO_STATUS, ""), cause: CloseCause::Client };
    assert_eq!(world.answer_next(Answer::Done), close);
}

#[test]
fn a_code_that_cannot_be_sent_leaves_the_connection_as_it_was() {
    let mut world = chat(RouteSettings::default(), Hooks::default());
    let id = world.connect("/ws/chat");
    let close = |code| Command::Close { code: Some(code), reason: String::new() };
    assert_eq!(world.command(id, close(1005)), Err(CommandError::CloseCode(1005)));
    world.command(id, Command::Send("still here".into())).unwrap();
    world.command(id, close(4000)).unwrap();
    assert_eq!(world.command(id, Command::Send("too late".into())), Err(CommandError::Closed));
    world.command(id, close(4001)).unwrap();
    assert_eq!(world.received(id), ["still here", "<close 4000>"]);
}

#[test]
fn an_unanswered_close_frame_ends_after_the_close_timeout() {
    let mut world = chat(RouteSettings::default(), Hooks { close: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.command(id, Command::Close { code: Some(4000), reason: "go".into() }).unwrap();
    world.advance(9_999);
    assert!(!world.client(id).gone);
    world.advance(1);
    assert_eq!(world.received(id), ["<close 4000 go>", "<end>"]);
    let close = Hook::Close { frame: CloseFrame::new(CloseCode(4000), "go"), cause: CloseCause::Server };
    assert_eq!(world.answer_next(Answer::Done), close);
}

#[test]
fn a_violation_closes_and_tells_on_error() {
    let mut world = chat(RouteSettings::default(), Hooks { error: true, close: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.violate(id, CloseCode::PROTOCOL_ERROR, "reserved opcode");
    assert_eq!(world.received(id), ["<close 1002 reserved opcode>"]);
    assert_eq!(world.answer_next(Answer::Done), Hook::Error { error: "reserved opcode".into() });
    assert!(matches!(world.answer_next(Answer::Done), Hook::Close { .. }));
    assert_eq!(world.removed[&id], 1);
}

#[test]
fn a_shutdown_says_goodbye_rejects_newcomers_and_ends() {
    let mut world = chat(RouteSettings::default(), Hooks::default());
    let (polite, silent) = (world.connect("/ws/chat"), world.connect("/ws/chat"));
    world.input(Input::Shutdown {
        frame: CloseFrame::new(CloseCode::GOING_AWAY, "bye"),
        grace: Duration::from_millis(500),
    });
    let late = world.upgrade("/ws/chat");
    assert_eq!(world.client(late).rejected, Some(503));
    world.close(polite, 1001, "");
    assert!(world.client(polite).gone && !world.client(silent).gone);
    world.advance(500);
    assert_eq!(world.received(silent), ["<close 1001 bye>", "<end>"]);
    assert_eq!((world.engine.connections(), world.engine.poll_timeout()), (0, None));
}

#[test]
fn who_is_just_being_let_in_hears_of_a_shutdown_too() {
    let mut world = chat(RouteSettings::default(), Hooks { connect: true, ..Hooks::default() });
    let id = world.upgrade("/ws/chat");
    world.input(Input::Shutdown {
        frame: CloseFrame::new(CloseCode::GOING_AWAY, "bye"),
        grace: Duration::from_millis(500),
    });
    world.open(id);
    world.close(id, 1001, "");
    assert_eq!(world.received(id), ["<close 1001 bye>"]);
    world.advance(500);
    assert_eq!((world.engine.connections(), world.engine.poll_timeout()), (0, None));
}

#[test]
fn a_host_that_never_opens_what_it_accepted_is_told_to_drop_it() {
    let mut world = chat(RouteSettings::default(), all_hooks());
    let id = world.upgrade("/ws/chat");
    world.advance(10_000);
    assert_eq!(world.received(id), ["<end>"]);
    assert_eq!((world.removed[&id], world.calls.len()), (1, 0));
}

#[test]
fn what_came_before_a_violation_is_answered_before_the_close() {
    let mut world = chat(RouteSettings::default(), Hooks { message: true, error: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.text(id, "one");
    world.text(id, "two");
    world.violate(id, CloseCode::PROTOCOL_ERROR, "reserved opcode");
    for text in ["one", "two"] {
        let (call, _, hook) = world.next_call();
        assert_eq!(hook, Hook::Message { message: Some(text.into()) });
        world.command(id, Command::Send(text.into())).unwrap();
        world.answer(call, Answer::Done);
    }
    assert_eq!(world.received(id), ["one", "two", "<close 1002 reserved opcode>"]);
    assert_eq!(world.answer_next(Answer::Done), Hook::Error { error: "reserved opcode".into() });
    assert_eq!((world.removed[&id], world.engine.connections()), (1, 0));
}

#[test]
fn a_client_that_still_takes_what_was_sent_is_waited_for() {
    let mut world = chat(RouteSettings::default(), Hooks::default());
    let id = world.connect("/ws/chat");
    world.command(id, Command::Send("large".into())).unwrap();
    world.leave_unsent(id, 1_000);
    world.command(id, Command::Close { code: Some(4000), reason: String::new() }).unwrap();
    for unsent in (0..1_000).step_by(200).rev() {
        world.advance(9_000);
        world.leave_unsent(id, unsent);
    }
    // At 45 s all was taken, slowly. That is seen at 47.5 s; from there on the whole timeout is left for the answer.
    world.advance(12_499);
    assert!(!world.client(id).gone);
    world.advance(1);
    assert_eq!(world.received(id), ["large", "<close 4000>", "<end>"]);
}

#[test]
fn a_client_that_takes_nothing_of_what_was_sent_is_given_up() {
    let mut world = chat(RouteSettings::default(), Hooks::default());
    let id = world.connect("/ws/chat");
    world.leave_unsent(id, 1_000);
    world.command(id, Command::Close { code: Some(4000), reason: String::new() }).unwrap();
    world.advance(12_499);
    assert!(!world.client(id).gone);
    world.advance(1);
    assert!(world.client(id).gone);
}

/// Otherwise a byte now and then would keep a connection for ever.
#[test]
fn a_client_that_takes_very_little_is_given_up_after_six_timeouts() {
    let mut world = chat(RouteSettings::default(), Hooks::default());
    let id = world.connect("/ws/chat");
    world.command(id, Command::Close { code: Some(4000), reason: String::new() }).unwrap();
    for seconds in 1..60 {
        world.leave_unsent(id, 1_000 - seconds);
        world.advance(1_000);
        assert!(!world.client(id).gone, "after {seconds} s");
    }
    world.advance(1_000);
    assert!(world.client(id).gone);
}
