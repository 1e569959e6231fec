//! Who may come in: what `authenticate` answers, fails with, or never says.

mod support;

use support::{World, all_hooks, chat, route};
use switchboard_core::{
    Admission, Answer, Authentication, Context, Deferred, Handler, HandlerResult, Hook, Hooks, Level,
    Message, Params, RouteSettings,
};

fn asking() -> RouteSettings {
    RouteSettings { authentication: Authentication::Handler, ..RouteSettings::default() }
}

#[test]
fn an_admission_can_refuse_with_a_status_or_a_close_code_and_no_hook_runs() {
    let hooks = Hooks { authenticate: true, ..all_hooks() };
    let admissions = [
        (Answer::Admission(Admission::refuse(None, "")), Some(401)),
        (Answer::Admission(Admission::refuse(Some(4001), "No token provided")), None),
        (Answer::Failed { error: "boom".into() }, Some(500)),
    ];
    for (answer, status) in admissions {
        let mut world = chat(asking(), hooks.clone());
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
fn an_answer_that_is_no_admission_refuses_and_is_logged_once() {
    let mut world = chat(asking(), Hooks { authenticate: true, ..all_hooks() });
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
        let mut world = chat(asking(), Hooks { authenticate: true, ..all_hooks() });
        let id = world.upgrade("/ws/chat");
        let status = http::StatusCode::from_u16(status).expect("a status");
        world.answer_next(Answer::Admission(Admission::refuse_with(status)));
        assert_eq!(world.client(id).rejected, Some(answered));
        let level = if status.as_u16() == answered { Level::Info } else { Level::Error };
        assert!(matches!(&world.log[..], [(only, _)] if *only == level), "{status}: {:?}", world.log);
        assert_eq!((world.engine.connections(), world.engine.poll_timeout()), (0, None));
    }
}

#[test]
fn an_authentication_that_always_fails_is_logged_once() {
    let mut world = chat(asking(), Hooks { authenticate: true, ..Hooks::default() });
    for _ in 0..100 {
        let id = world.upgrade("/ws/chat");
        world.answer_next(Answer::Failed { error: "boom".into() });
        assert_eq!(world.client(id).rejected, Some(500));
    }
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    assert!(world.log[0].1.contains("/ws/chat failed: boom"), "{}", world.log[0].1);
}

#[test]
fn an_authentication_that_does_not_settle_is_503() {
    let mut world = chat(asking(), Hooks { authenticate: true, ..Hooks::default() });
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
    let mut world = chat(asking(), Hooks { authenticate: true, ..all_hooks() });
    let id = world.upgrade("/ws/chat");
    let (call, ..) = world.next_call();
    world.cut(id);
    assert_eq!(world.removed[&id], 1);
    world.answer(call, Answer::Admission(Admission::accept()));
    assert!(world.client(id).accepted.is_none() && world.calls.is_empty());
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

/// A handler whose `authenticate` decides nothing itself.
struct Undecided {
    /// The hook to call before returning `None`.
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
fn an_authentication_without_an_admission_and_without_a_hook_is_500_at_once() {
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
