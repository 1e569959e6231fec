//! From the opening handshake to the last hook.

mod support;

use std::time::Duration;

use support::{World, route};
use switchboard_core::{
    Admission, Answer, Authentication, CloseCause, CloseCode, CloseFrame, Command, CommandError, Context,
    Deferred, Handler, HandlerResult, Hook, Hooks, Input, Level, Limits, Message, Params, RouteSettings,
};

fn all_hooks() -> Hooks {
    Hooks { connect: true, message: true, close: true, error: true, ..Hooks::default() }
}

fn world(settings: RouteSettings, hooks: Hooks) -> World {
    World::new(vec![route("/ws/chat", settings, Deferred::new(hooks))])
}

fn asking() -> RouteSettings {
    RouteSettings { authentication: Authentication::Handler, ..RouteSettings::default() }
}

#[test]
fn hooks_come_in_order_and_close_comes_last_and_once() {
    let mut world = world(RouteSettings::default(), all_hooks());
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
    let mut world = world(RouteSettings::default(), Hooks { message: true, ..Hooks::default() });
    let (a, b) = (world.connect("/ws/chat"), world.connect("/ws/chat"));
    world.text(a, "a");
    world.text(b, "b");
    assert_eq!(world.calls.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(), [a, b]);
}

#[test]
fn a_lost_connection_is_1006_and_what_it_sent_is_still_handled() {
    let mut world = world(RouteSettings::default(), all_hooks());
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
    let mut world = world(RouteSettings::default(), Hooks { close: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.input(Input::CloseReceived { id, frame: None });
    assert_eq!(world.received(id), ["<close>"]);
    let close = Hook::Close { frame: CloseFrame::new(CloseCode::NO_STATUS, ""), cause: CloseCause::Client };
    assert_eq!(world.answer_next(Answer::Done), close);
}

#[test]
fn a_verdict_can_reject_or_refuse_with_a_close_code_and_no_hook_runs() {
    let hooks = Hooks { authenticate: true, ..all_hooks() };
    let admissions = [
        (Answer::Admission(Admission::refuse(None, "")), Some(401)),
        (Answer::Admission(Admission::refuse(Some(4001), "No token provided")), None),
        (Answer::Failed { error: "boom".into() }, Some(500)),
    ];
    for (answer, status) in admissions {
        let mut world = world(asking(), hooks.clone());
        let id = world.upgrade("/ws/chat");
        assert!(matches!(world.answer_next(answer), Hook::Authenticate { .. }));
        assert_eq!(world.client(id).rejected, status);
        if status.is_none() {
            world.open(id);
            assert_eq!(world.received(id), ["<close 4001 No token provided>"]);
            assert!(world.engine.audience(0, None).is_empty());
            world.close(id, 4001, "");
        }
        assert!(world.calls.is_empty());
        assert_eq!((world.engine.connections(), world.engine.poll_timeout()), (0, None));
    }
}

#[test]
fn what_is_no_verdict_refuses_and_is_said() {
    let mut world = world(asking(), Hooks { authenticate: true, ..all_hooks() });
    for _ in 0..100 {
        let id = world.upgrade("/ws/chat?token=t0p");
        world.answer_next(Answer::NotAnAdmission { message: "returned text: write true".into() });
        assert_eq!(world.client(id).rejected, Some(401));
    }
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    assert_eq!(world.log[0], (Level::Warn, "authenticate for /ws/chat returned text: write true".to_owned()));
    assert_eq!((world.engine.connections(), world.calls.len()), (0, 0));
}

#[test]
fn a_rejection_may_have_any_status_of_an_answer_but_never_one_that_upgrades() {
    let table =
        [(101, 500), (200, 500), (299, 500), (302, 302), (401, 401), (503, 503), (599, 599), (600, 500)];
    for (status, answered) in table {
        let mut world = world(asking(), Hooks { authenticate: true, ..all_hooks() });
        let id = world.upgrade("/ws/chat");
        let status = http::StatusCode::from_u16(status).expect("a status");
        world.answer_next(Answer::Admission(Admission::refuse_with(status)));
        assert_eq!(world.client(id).rejected, Some(answered));
        assert_eq!(world.log.len(), usize::from(status.as_u16() != answered), "{status}: {:?}", world.log);
        assert_eq!((world.engine.connections(), world.engine.poll_timeout()), (0, None));
    }
}

#[test]
fn an_authentication_that_always_fails_is_said_once() {
    let mut world = world(asking(), Hooks { authenticate: true, ..Hooks::default() });
    for _ in 0..100 {
        let id = world.upgrade("/ws/chat");
        world.answer_next(Answer::Failed { error: "boom".into() });
        assert_eq!(world.client(id).rejected, Some(500));
    }
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    assert!(world.log[0].1.contains("/ws/chat failed: boom"), "{}", world.log[0].1);
}

#[test]
fn where_a_callback_threw_stands_below_its_line_in_the_log_and_nowhere_else() {
    let threw = |message: &str| Answer::Threw { message: message.into(), stack: "    at chat.ts:3:7".into() };
    let mut world = world(asking(), Hooks { authenticate: true, ..all_hooks() });
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
fn an_authentication_that_does_not_settle_is_503() {
    let mut world = world(asking(), Hooks { authenticate: true, ..Hooks::default() });
    let id = world.upgrade("/ws/chat");
    let (call, ..) = world.next_call();
    world.advance(9_999);
    assert_eq!(world.client(id).rejected, None);
    world.advance(1);
    assert_eq!(world.client(id).rejected, Some(503));
    assert_eq!(world.cancelled, [call]);
    world.answer(call, Answer::Admission(Admission::accept()));
    assert!(world.client(id).accepted.is_none());
}

#[test]
fn a_client_that_leaves_during_authentication_is_forgotten() {
    let mut world = world(asking(), Hooks { authenticate: true, ..all_hooks() });
    let id = world.upgrade("/ws/chat");
    let (call, ..) = world.next_call();
    world.cut(id);
    assert_eq!(world.removed[&id], 1);
    world.answer(call, Answer::Admission(Admission::accept()));
    assert!(world.client(id).accepted.is_none() && world.calls.is_empty());
}

#[test]
fn a_failed_connect_tells_and_closes_with_1011() {
    let mut world = world(RouteSettings::default(), Hooks { connect: true, close: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.answer_next(Answer::Failed { error: "boom".into() });
    assert_eq!(world.received(id), [r#"{"type":"error","message":"boom"}"#, "<close 1011 Internal error>"]);
    world.close(id, 1011, "");
    assert!(matches!(world.answer_next(Answer::Done), Hook::Close { cause: CloseCause::Server, .. }));
}

#[test]
fn a_failed_connect_tells_on_error_before_it_closes() {
    let mut world = world(RouteSettings::default(), all_hooks());
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
    let mut world = world(RouteSettings::default(), Hooks { message: true, ..Hooks::default() });
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
    let mut world = world(RouteSettings::default(), Hooks { message: true, error: true, ..Hooks::default() });
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
fn a_code_that_cannot_be_sent_leaves_the_connection_as_it_was() {
    let mut world = world(RouteSettings::default(), Hooks::default());
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
    let mut world = world(RouteSettings::default(), Hooks { close: true, ..Hooks::default() });
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
    let mut world = world(RouteSettings::default(), Hooks { error: true, close: true, ..Hooks::default() });
    let id = world.connect("/ws/chat");
    world.violate(id, CloseCode::PROTOCOL_ERROR, "reserved opcode");
    assert_eq!(world.received(id), ["<close 1002 reserved opcode>"]);
    assert_eq!(world.answer_next(Answer::Done), Hook::Error { error: "reserved opcode".into() });
    assert!(matches!(world.answer_next(Answer::Done), Hook::Close { .. }));
    assert_eq!(world.removed[&id], 1);
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
fn a_shutdown_says_goodbye_rejects_newcomers_and_ends() {
    let mut world = world(RouteSettings::default(), Hooks::default());
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
    let mut world = world(RouteSettings::default(), Hooks { connect: true, ..Hooks::default() });
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
    let mut world = world(asking(), Hooks { authenticate: true, ..Hooks::default() });
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

#[test]
fn the_users_code_can_guard_any_handler() {
    let settings = RouteSettings { authentication: Authentication::Hook, ..RouteSettings::default() };
    let mut world = World::new(vec![route("/", settings, Deferred::new(Hooks::default()))]);
    let id = world.upgrade("/");
    world.answer_next(Answer::Admission(Admission::Accept { data: serde_json::json!({ "user": "alice" }) }));
    world.open(id);
    assert_eq!(world.engine.connection(id).unwrap().auth_data()["user"], "alice");
}

#[test]
fn a_host_that_never_opens_what_it_accepted_is_told_to_drop_it() {
    let mut world = world(RouteSettings::default(), all_hooks());
    let id = world.upgrade("/ws/chat");
    world.advance(10_000);
    assert_eq!(world.received(id), ["<end>"]);
    assert_eq!((world.removed[&id], world.calls.len()), (1, 0));
}

#[test]
fn what_came_before_a_violation_is_answered_before_the_close() {
    let mut world = world(RouteSettings::default(), Hooks { message: true, error: true, ..Hooks::default() });
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

/// Handlers that have a client wait for a admission, or should.
struct Undecided {
    /// What to ask of the host's code before returning `None`.
    asked: Option<Hook>,
}

impl Handler for Undecided {
    fn authenticate(&mut self, cx: &mut Context<'_>) -> Option<Admission> {
        if let Some(hook) = self.asked.clone() {
            cx.call(hook);
        }
        None
    }

    fn message(&mut self, _: &mut Context<'_>, _: Message) -> HandlerResult {
        Ok(())
    }
}

#[test]
fn an_authentication_without_a_verdict_and_without_a_hook_is_500_at_once() {
    let mut world = World::new(vec![route("/ws/chat", asking(), Undecided { asked: None })]);
    for _ in 0..100 {
        let id = world.upgrade("/ws/chat");
        assert_eq!(world.client(id).rejected, Some(500));
    }
    assert_eq!((world.engine.connections(), world.engine.poll_timeout()), (0, None));
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    let line = &world.log[0].1;
    assert!(
        line.contains("/ws/chat") && line.contains("Admission") && line.contains("Context::call"),
        "{line}"
    );
}

#[test]
fn an_authentication_that_called_a_hook_waits_for_it() {
    let asked = Some(Hook::Authenticate { params: Params::default() });
    let mut world = World::new(vec![route("/ws/chat", asking(), Undecided { asked })]);
    let id = world.upgrade("/ws/chat");
    assert_eq!(world.client(id).rejected, None);
    world.answer_next(Answer::Admission(Admission::accept()));
    assert!(world.client(id).accepted.is_some());
}
