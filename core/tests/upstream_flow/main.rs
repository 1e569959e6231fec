//! Who waits for whom between a client and the other side of its outgoing connection, and for how long.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod clients;
mod handlers;
#[path = "../support/mod.rs"]
mod support;
mod targets;

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
