//! Bounds that hold whatever callbacks and handlers do.

use super::*;

#[test]
fn callbacks_take_turns_and_pause_a_target_that_floods() {
    let hooks = ProxyHooks { client: true, target: true };
    let mut world = proxy(Proxy::new(options()).with_hooks(hooks));
    let id = world.connect("/");
    world.target(opened());
    for index in 0..300 {
        if !world.client(id).paused {
            world.message(id, number(index));
        }
        if !world.is_target_paused() {
            world.target(UpstreamEvent::Message(number(index)));
        }
    }
    assert!(world.client(id).paused && world.is_target_paused());
    assert!(world.engine.stats().upstream_bytes.waiting < 300 * 70);
    for _ in 0..10 {
        world.answer_next(Answer::Json(json!(true)));
    }
    let (to_client, to_target) = (world.received(id).len(), world.told_targets().len());
    assert!(to_client.abs_diff(to_target) <= 2, "{to_client} to the client, {to_target} to the target");
    while !world.calls.is_empty() {
        world.answer_next(Answer::Json(json!(true)));
    }
    assert!(!world.client(id).paused && !world.is_target_paused());
}

#[test]
fn a_handler_that_sends_without_measure_is_refused_at_twice_the_bound() {
    let mut world = World::new(vec![route("/", RouteSettings::default(), Careless)]);
    let id = world.connect("/");
    world.are_targets_stalled = true;
    world.target(opened());
    assert_eq!(world.received(id), ["[Queued, Full, Full, Full]"]);
    world.target(opened());
    assert_eq!(world.received(id), ["[Dropped(1), Dropped(1), Dropped(1), Dropped(1)]"]);
    assert_eq!(world.engine.stats().upstream_bytes.dropped, 2000);
}

#[test]
fn a_client_has_a_bounded_number_of_outgoing_connections() {
    struct Greedy;
    impl Handler for Greedy {
        fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
            let dialled = (0..300).filter(|_| cx.dial(Dial::new("ws://h")).is_some()).count();
            cx.send(dialled.to_string());
            Ok(())
        }

        fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
            cx.send(message);
            Ok(())
        }
    }
    let mut world = World::new(vec![route("/", RouteSettings::default(), Greedy)]);
    let id = world.connect("/");
    assert_eq!(world.received(id), ["100"]);
    world.text(id, "held until all have answered");
    world.advance(9_999);
    assert!(world.received(id).is_empty());
    world.advance(1);
    assert_eq!(world.received(id), ["held until all have answered"]);
    world.cut(id);
    let Stats { connections, upstreams, timers, .. } = world.engine.stats();
    assert_eq!((connections, upstreams, timers), (0, 0, 0));
}
