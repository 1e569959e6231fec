//! What waits for a client.

use super::*;

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
