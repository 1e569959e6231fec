//! What waits for a target.

use super::*;

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
