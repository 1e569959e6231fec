//! Callbacks and handlers of one's own.

use serde_json::json;
use switchboard_core::{
    Answer, Command, Context, Deferred, Handler, HandlerResult, Hook, Hooks, Message, Predecessor,
    ResponseAudience, RouteSettings,
};

use crate::support::{World, route};
use crate::{echo, says, with_hooks, world};

#[test]
fn a_call_under_way_ends_as_it_began() {
    let responses = |room: &str| Hooks {
        responses: vec![ResponseAudience::Broadcast { room: Some(room.into()), include_self: true }],
        ..Hooks::default()
    };
    let options = json!({ "routes": [{ "pattern": "/" }] });
    let mut world = World::new(Vec::new());
    world.reconfigure(with_hooks(options.clone(), responses("old")));
    let [a, b] = [world.connect("/"), world.connect("/")];
    world.command(a, Command::Join("old".into())).unwrap();
    world.command(b, Command::Join("new".into())).unwrap();
    world.text(a, "first");
    world.text(a, "second");
    world.reconfigure(with_hooks(options.clone(), responses("new")));
    world.reconfigure(with_hooks(options, responses("new")));
    let matched = |text: &str| Answer::Response { index: 0, message: Some(text.into()) };
    world.answer_next(matched("first"));
    assert_eq!((world.received(a), world.received(b)), (vec!["first".to_owned()], vec![]));
    world.answer_next(matched("second"));
    assert_eq!((world.received(a), world.received(b)), (vec![], vec!["second".to_owned()]));
}

#[test]
fn callbacks_come_and_go() {
    let options = json!({ "routes": [echo("/")] });
    let mut world = world(options.clone());
    let id = world.connect("/");
    let watched = Hooks { message: true, close: true, ..Hooks::default() };
    world.reconfigure(with_hooks(options.clone(), watched));
    assert_eq!(says(&mut world, id), ["hi"]);
    assert!(matches!(world.answer_next(Answer::Done), Hook::Message { .. }));
    world.reconfigure(with_hooks(options, Hooks::default()));
    assert_eq!(says(&mut world, id), ["hi"]);
    assert!(world.calls.is_empty());
}

/// Remembers by itself how many messages came.
#[derive(Default)]
struct Counter(usize);

impl Handler for Counter {
    fn message(&mut self, cx: &mut Context<'_>, _: Message) -> HandlerResult {
        self.0 += 1;
        cx.send(self.0.to_string());
        Ok(())
    }

    fn succeed(&mut self, _: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        predecessor.get::<Self>().map(|predecessor| self.0 = predecessor.0).is_some()
    }
}

/// Has no idea of succession.
struct Plain;

impl Handler for Plain {
    fn message(&mut self, _: &mut Context<'_>, _: Message) -> HandlerResult {
        Ok(())
    }
}

/// Breaks down when it takes over.
struct Clumsy;

impl Handler for Clumsy {
    fn message(&mut self, _: &mut Context<'_>, _: Message) -> HandlerResult {
        Ok(())
    }

    fn succeed(&mut self, _: &mut Context<'_>, _: &mut Predecessor<'_>) -> bool {
        panic!("not today")
    }
}

#[test]
fn a_handler_of_ones_own_takes_over_or_its_clients_are_closed() {
    let settings = RouteSettings::default;
    let mut world = World::new(vec![route("/", settings(), Counter::default())]);
    let id = world.connect("/");
    assert_eq!(says(&mut world, id), ["1"]);
    world.reroute(vec![route("/", settings(), Counter::default())]);
    assert_eq!(says(&mut world, id), ["2"]);
    world.reroute(vec![route("/", settings(), Plain)]);
    assert_eq!(world.received(id), ["<close 1012 The route has changed>"]);
    let id = world.connect("/");
    let done = world.reroute(vec![route("/", settings(), Clumsy)]);
    assert_eq!((done.changed, done.closed), (1, 1));
    assert_eq!(world.received(id), ["<close 1012 The route has changed>"]);
    let panicked = "the new handler of / panicked when it took over";
    assert!(world.log.iter().any(|(_, text)| text == panicked), "{:?}", world.log);
}

#[test]
fn the_close_of_a_removed_route_is_its_own() {
    let hooks = Hooks { close: true, ..Hooks::default() };
    let mut world = World::new(vec![route("/old", RouteSettings::default(), Deferred::new(hooks))]);
    let id = world.connect("/old");
    let done = world.reroute(vec![route("/new", RouteSettings::default(), Plain)]);
    assert_eq!(done.indices, [1], "the old index is not free yet");
    world.close(id, 1012, "");
    let (call, of, hook) = world.next_call();
    assert!(of == id && matches!(hook, Hook::Close { .. }));
    world.answer(call, Answer::Done);
    assert_eq!(world.removed[&id], 1);
    let done = world.reroute(vec![
        route("/new", RouteSettings::default(), Plain),
        route("/newer", RouteSettings::default(), Plain),
    ]);
    assert_eq!(done.indices.iter().filter(|index| **index == 0).count(), 1, "now it is");
}
