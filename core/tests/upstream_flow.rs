//! Who waits for whom between a client and the other side of its outgoing connection, and for how long.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use support::world::{World, route};
use switchboard_core::dialect::proxy::{Proxy, ProxyHandshake, ProxyHooks, ProxyOptions};
use switchboard_core::protocol::{Overflow, Pushed};
use switchboard_core::{
    Answer, CloseCode, CloseFrame, ConnectionId, Context, Dial, Handler, HandlerResult, Input, Limits,
    Message, RouteSettings, Stats, UpstreamEvent, UpstreamId,
};

const KIB: usize = 1024;

fn opened() -> UpstreamEvent {
    UpstreamEvent::Opened { protocol: None }
}

fn options() -> ProxyOptions {
    let mut options = ProxyOptions::to("ws://h");
    options.handshake = Some(ProxyHandshake::Proxy);
    options.max_waiting = 64 * KIB;
    options.send_timeout = Duration::from_secs(5);
    options
}

fn proxy(proxy: Proxy) -> World {
    let settings = RouteSettings { overflow: Overflow::Pause, ..RouteSettings::default() };
    let limits = Limits { pending_messages: 4, close_timeout: Duration::from_secs(1), ..Limits::default() };
    World::with_limits(vec![route("/", settings, proxy)], limits)
}

/// A client whose target has answered, and takes nothing.
fn stalled() -> (World, ConnectionId) {
    let mut world = proxy(Proxy::new(options()));
    let id = world.connect("/");
    world.target(opened());
    world.are_targets_stalled = true;
    (world, id)
}

fn kibibytes(count: usize) -> Message {
    Bytes::from(vec![0; count * KIB]).into()
}

fn number(number: usize) -> Message {
    number.to_string().into()
}

#[test]
fn a_target_that_takes_nothing_pauses_its_client() {
    let (mut world, id) = stalled();
    for _ in 0..3 {
        world.message(id, kibibytes(32));
    }
    // The second one reached the bound, the third waits before its handler.
    assert_eq!(world.told_targets().len(), 2);
    assert!(!world.client(id).paused, "a close frame or a pong can still be read");
    let stats = world.engine.stats();
    assert_eq!((stats.client_bytes.waiting, stats.upstream_bytes.queued), (32 * 1024, 64 * 1024 + 2 * 64));
    for text in 0..3 {
        world.message(id, number(text));
    }
    assert!(world.client(id).paused, "limits.pendingMessages");
    assert!(world.told_targets().is_empty());
    world.target_takes(1);
    assert!(world.told_targets().is_empty(), "more than half is left");
    world.target_takes(1);
    assert_eq!(world.told_targets().len(), 4);
    assert!(!world.client(id).paused);
    world.target_takes(4);
    let stats = world.engine.stats();
    assert_eq!((stats.client_bytes.waiting, stats.upstream_bytes.queued), (0, 0));
    assert_eq!(
        (stats.client_bytes.received, stats.upstream_bytes.sent),
        (3 * 32 * 1024 + 3, 3 * 32 * 1024 + 3)
    );
}

#[test]
fn small_messages_count_more_than_their_bytes() {
    let (mut world, id) = stalled();
    for _ in 0..2_000 {
        world.message(id, "");
    }
    assert_eq!(world.told_targets().len(), 64 * KIB / 64);
    assert!(world.client(id).paused);
}

#[test]
fn a_large_message_goes_while_less_than_the_bound_waits() {
    let (mut world, id) = stalled();
    world.message(id, kibibytes(63));
    world.message(id, kibibytes(1024));
    world.message(id, "waits");
    assert_eq!(world.told_targets().len(), 2);
    world.target_takes(2);
    assert_eq!(world.told_targets(), ["waits"]);
}

#[test]
fn neither_direction_waits_for_the_other() {
    let (mut world, id) = stalled();
    for _ in 0..10 {
        world.message(id, kibibytes(32));
    }
    world.told_targets();
    for index in 0..100 {
        world.target(UpstreamEvent::Message(number(index)));
    }
    assert_eq!(world.received(id).len(), 100, "the target is heard while it takes nothing");
    world.input(Input::Full { id });
    assert!(world.is_target_paused());
    world.target_takes(2);
    assert_eq!(world.told_targets().len(), 2, "the client is heard while it does not read");
}

#[test]
fn a_target_that_takes_nothing_in_time_is_given_up() {
    let (mut world, id) = stalled();
    world.message(id, kibibytes(32));
    world.advance(3_000);
    world.message(id, kibibytes(32));
    world.message(id, "waits");
    world.target_takes(1);
    world.told_targets();
    // Counted from the last message that was taken.
    world.advance(4_999);
    assert!(world.received(id).is_empty());
    world.advance(1);
    assert_eq!(world.told_targets(), ["<end>"]);
    assert_eq!(world.received(id), ["<close 1011 Proxy error>"]);
    assert_eq!(world.log.last().unwrap().1, "the proxy /: no message was taken within 5000 ms");
    let stats = world.engine.stats();
    assert_eq!((stats.upstreams, stats.upstream_bytes.queued, stats.client_bytes.waiting), (0, 0, 0));
    // Without anything that waits there is no time for it.
    let id = world.connect("/");
    world.target(opened());
    world.message(id, "taken");
    world.target_takes(1);
    world.advance(60_000);
    assert!(world.received(id).is_empty());
}

#[test]
fn a_target_that_we_do_not_read_has_all_the_time() {
    let (mut world, id) = stalled();
    world.message(id, "waits");
    world.input(Input::Full { id });
    world.advance(60_000);
    assert!(world.received(id).is_empty(), "it may be waiting for us");
    world.input(Input::Drained { id });
    world.advance(4_999);
    assert!(world.received(id).is_empty());
    world.advance(1);
    assert_eq!(world.received(id), ["<close 1011 Proxy error>"]);
}

#[test]
fn a_client_that_does_not_read_pauses_its_target() {
    let mut world = proxy(Proxy::new(options()));
    let id = world.connect("/");
    world.target(opened());
    world.target(UpstreamEvent::Message(number(0)));
    world.input(Input::Full { id });
    assert!(world.is_target_paused() && !world.client(id).paused);
    // What was read before the host stopped.
    for index in 1..4 {
        world.target(UpstreamEvent::Message(number(index)));
    }
    world.target(UpstreamEvent::Closed(Some(CloseFrame::new(CloseCode(4000), "bye"))));
    assert_eq!(world.received(id), ["0"]);
    assert_eq!(world.engine.stats().upstream_bytes.waiting, 4 * 64 + 3);
    world.input(Input::Drained { id });
    assert_eq!(world.received(id), ["1", "2", "3", "<close 4000 bye>"]);
    assert_eq!(world.engine.stats().upstreams, 0);
}

#[test]
fn reading_goes_on_when_the_client_has_read() {
    let mut world = proxy(Proxy::new(options()));
    let id = world.connect("/");
    world.target(opened());
    for round in 0..3 {
        world.input(Input::Full { id });
        assert!(world.is_target_paused(), "{round}");
        world.target(UpstreamEvent::Message(number(round)));
        world.input(Input::Drained { id });
        assert!(!world.is_target_paused(), "{round}");
        assert_eq!(world.received(id), [round.to_string()]);
    }
    // Without a target it is the client itself that is not read.
    world.target(UpstreamEvent::Closed(None));
    world.close(id, 1000, "");
}

/// More than an outbox takes came before the client could be sent anything: whatever goes out beyond its bound before the
/// host can say that it is full would be dropped.
#[test]
fn what_came_before_a_client_has_opened_goes_out_as_its_outbox_takes_it() {
    let settings =
        RouteSettings { overflow: Overflow::Pause, max_outbound: 8 * KIB, ..RouteSettings::default() };
    let proxy = Proxy::new(ProxyOptions { handshake: Some(ProxyHandshake::Target), ..options() });
    let mut world = World::new(vec![route("/", settings, proxy)]);
    let id = world.upgrade("/");
    world.target(opened());
    for index in 0..32_usize {
        world.target(UpstreamEvent::Message(format!("{index:04}{}", "x".repeat(KIB - 4)).into()));
    }
    let mut heard = 0;
    let mut hear = |world: &mut World| {
        let received = world.received(id);
        for text in &received {
            assert_eq!(text[..4].parse(), Ok(heard));
            heard += 1;
        }
        received.len()
    };
    world.open(id);
    assert_eq!(hear(&mut world), 8);
    // Nothing that happens in the meantime changes that.
    world.ping(id, b"");
    world.target(UpstreamEvent::Sent { messages: 0 });
    world.received(id);
    world.input(Input::Full { id });
    world.advance(1_000);
    assert_eq!(hear(&mut world), 0);
    world.input(Input::Drained { id });
    assert_eq!(hear(&mut world), 8);
    // The host has written that: nothing was full.
    world.advance(1);
    assert_eq!(hear(&mut world), 8);
    world.advance(1);
    assert_eq!(hear(&mut world), 8);
    assert_eq!(world.engine.stats().upstream_bytes.waiting, 0);
    world.target(UpstreamEvent::Message("0032".into()));
    world.target(UpstreamEvent::Closed(Some(CloseFrame::new(CloseCode(4000), ""))));
    assert_eq!(world.received(id), ["0032", "<close 4000>"]);
}

#[test]
fn without_an_upstream_a_full_outbox_pauses_its_client() {
    let settings = RouteSettings { overflow: Overflow::Pause, ..RouteSettings::default() };
    let mut world = World::new(vec![route("/", settings, switchboard_core::dialect::Echo)]);
    let id = world.connect("/");
    world.input(Input::Full { id });
    assert!(world.client(id).paused);
    world.input(Input::Drained { id });
    assert!(!world.client(id).paused);
    world.input(Input::Full { id });
    world.command(id, switchboard_core::Command::Close { code: None, reason: String::new() }).unwrap();
    assert!(!world.client(id).paused, "the client's close frame has to be read");
}

#[test]
fn a_client_waits_for_its_target_to_answer() {
    let mut world = proxy(Proxy::new(options()));
    let id = world.connect("/");
    for index in 0..6 {
        world.message(id, number(index));
    }
    assert!(world.client(id).paused && world.told_targets().is_empty());
    world.target(opened());
    assert_eq!(world.told_targets(), ["0", "1", "2", "3", "4", "5"]);
    assert!(!world.client(id).paused);
}

#[test]
fn what_a_client_said_before_it_left_is_sent_whatever_waits() {
    let (mut world, id) = stalled();
    for _ in 0..3 {
        world.message(id, kibibytes(64));
    }
    world.message(id, "the last");
    assert_eq!(world.told_targets().len(), 1);
    world.close(id, 1000, "bye");
    world.cut(id);
    let told = world.told_targets();
    assert_eq!((told.len(), &told[2..]), (4, &["the last".to_owned(), "<close 1000 bye>".to_owned()][..]));
    assert_eq!(world.removed[&id], 1, "the close hook does not wait for the target");
    // As long as something is taken the close frame has its time; then the connection is dropped.
    for _ in 0..2 {
        world.advance(999);
        world.target_takes(1);
    }
    world.advance(999);
    assert_eq!(world.engine.stats().upstreams, 1);
    world.advance(1);
    assert_eq!(world.told_targets(), ["<end>"]);
    assert_eq!((world.engine.stats().upstreams, world.engine.poll_timeout()), (0, None));
}

#[test]
fn a_target_that_is_closed_has_six_timeouts_however_steadily_it_reads() {
    let (mut world, id) = stalled();
    for _ in 0..20 {
        world.message(id, "x");
    }
    world.close(id, 1000, "");
    world.cut(id);
    world.told_targets();
    for _ in 0..6 {
        world.advance(900);
        world.target_takes(1);
    }
    world.advance(599);
    assert_eq!(world.engine.stats().upstreams, 1);
    world.advance(1);
    assert_eq!(world.told_targets(), ["<end>"]);
    assert_eq!((world.engine.stats().upstreams, world.engine.poll_timeout()), (0, None));
}

#[test]
fn a_closed_target_is_forgotten_with_its_end() {
    let (mut world, id) = stalled();
    world.close(id, 1000, "");
    world.cut(id);
    assert_eq!(world.engine.stats().upstreams, 1);
    world.target(UpstreamEvent::Message("nobody hears this".into()));
    world.target(UpstreamEvent::Closed(None));
    let Stats { upstreams, timers, .. } = world.engine.stats();
    assert_eq!((upstreams, timers), (0, 0));
}

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

/// Sends more than its client does.
struct Careless;

impl Handler for Careless {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let mut dial = Dial::new("ws://h");
        dial.max_queued = 1000;
        let upstream = cx.dial(dial).ok_or("one is allowed")?;
        assert_eq!(cx.send_upstream(upstream, "too early".into()), Pushed::Dropped(1));
        Ok(())
    }

    fn message(&mut self, _: &mut Context<'_>, _: Message) -> HandlerResult {
        Ok(())
    }

    fn upstream(
        &mut self,
        cx: &mut Context<'_>,
        upstream: UpstreamId,
        event: UpstreamEvent,
    ) -> HandlerResult {
        if let UpstreamEvent::Opened { .. } = event {
            let pushed: Vec<_> =
                (0..4).map(|_| cx.send_upstream(upstream, Bytes::from(vec![0; 500]).into())).collect();
            cx.send(format!("{pushed:?}"));
        }
        Ok(())
    }
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
