//! Who is kept out, and what is too much.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::collections::HashSet;

use support::{World, route};
use switchboard_core::config::{Assembly, Config, RouteCallbacks};
use switchboard_core::protocol::Refusal;
use switchboard_core::{Command, Context, Handler, HandlerResult, Input, Message, RouteSettings};

fn world(config: &str) -> World {
    let config = Config::from_toml(config).unwrap();
    let mut assembly = Assembly::default();
    assembly.configured(&config, |_, _| RouteCallbacks::default());
    let router = assembly.router().unwrap();
    World::with_engine(assembly.engine(router, config.engine_limits(), [1; 32]))
}

#[test]
fn the_connection_that_holds_the_most_of_incomplete_messages_is_closed() {
    let mut world = world(
        "routes = [{ pattern = '/', dialect = 'echo' }]
         limits = { inboundBytes = 100_000 }",
    );
    let [a, b, c] = [world.connect("/"), world.connect("/"), world.connect("/")];
    let hold = |world: &mut World, id, bytes| world.input(Input::Buffered { id, bytes });
    hold(&mut world, a, 60_000);
    hold(&mut world, b, 40_000);
    assert!(world.log.is_empty(), "as much as is allowed");
    hold(&mut world, c, 20_000);
    assert_eq!(world.received(a), ["<close 1013 Too many incomplete messages>"]);
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    // What a connection says that is being closed does not count.
    hold(&mut world, a, 80_000);
    hold(&mut world, b, 0);
    hold(&mut world, b, 80_000);
    hold(&mut world, b, 100_001);
    assert_eq!(world.received(b), ["<close 1009 Message too big>"]);
    world.text(c, "here");
    assert_eq!(world.received(c), ["here"]);
    world.cut(c);
    let d = world.connect("/");
    hold(&mut world, d, 100_000);
    world.text(d, "here too");
    assert_eq!(world.received(d), ["here too"], "who has gone holds nothing");
}

#[test]
fn dropped_messages_are_counted_by_route_and_logged_once_a_burst() {
    let mut world = world(
        "prefix = '/api'
         routes = [
            { pattern = '/idle', dialect = 'echo' },
            { pattern = '/ticker/{symbol}', dialect = 'relay', outbound = { maxBytes = 100, overflow = 'drop-oldest' } },
         ]",
    );
    let counted = |world: &World| world.engine.stats().dropped_messages.into_iter().collect::<Vec<_>>();
    let id = world.connect("/api/ticker/gold");
    assert_eq!(counted(&world), []);
    for messages in [1, 2, 3] {
        world.input(Input::Dropped { id, messages });
        world.advance(999);
    }
    assert_eq!(counted(&world), [("/api/ticker/{symbol}".to_owned(), 6)]);
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    let name = world.engine.connection(id).unwrap().public_id().to_string();
    assert!(
        world.log[0].1.contains("/api/ticker/{symbol}") && world.log[0].1.contains(&name),
        "{:?}",
        world.log
    );
    world.advance(1);
    world.input(Input::Dropped { id, messages: 1 });
    assert_eq!(world.log.len(), 2, "a second without any ends the burst");
    world.command(id, Command::Close { code: None, reason: String::new() }).unwrap();
    world.input(Input::Dropped { id, messages: 1 });
    assert_eq!(counted(&world)[0].1, 8, "what was dropped before the close frame counts too");
    world.cut(id);
    world.input(Input::Dropped { id, messages: 1 });
    assert_eq!(counted(&world)[0].1, 8, "of a connection that is gone nothing is known");
}

#[test]
fn foreign_pages_are_refused_with_403_and_one_line() {
    let mut world = world("[[routes]]\npattern = '/echo'\ndialect = 'echo'");
    for _ in 0..100 {
        let id = world.upgrade_with("/echo", &[("origin", "https://evil.example")]);
        assert_eq!(world.client(id).rejected, Some(403));
    }
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    assert!(world.log[0].1.contains("https://evil.example") && world.log[0].1.contains("origins"));
    for origin in ["http://localhost:5173", "http://127.0.0.1", "https://localhost"] {
        let id = world.upgrade_with("/echo", &[("origin", origin)]);
        assert!(world.client(id).accepted.is_some(), "{origin}");
    }
    world.connect("/echo");
}

#[test]
fn origins_are_the_servers_or_the_routes() {
    let mut world = world(
        "origins = ['https://*.example.com']
         allowedHosts = ['phone.test']
         routes = [
            { pattern = '/all', dialect = 'echo', origins = '*' },
            { pattern = '/some', dialect = 'echo' },
            { pattern = '/listed', dialect = 'echo', origins = 'http://only.test' },
         ]",
    );
    let mut status = |path: &str, origin: &str| {
        let id = world.upgrade_with(path, &[("origin", origin)]);
        world.client(id).rejected
    };
    assert_eq!(status("/all", "https://evil.example"), None);
    assert_eq!(status("/some", "https://a.example.com"), None);
    assert_eq!(status("/some", "http://localhost"), Some(403));
    assert_eq!(status("/listed", "http://only.test"), None);
    assert_eq!(status("/listed", "https://a.example.com"), Some(403));
}

#[test]
fn an_origin_that_is_none_stops_the_start() {
    let error = Config::from_toml("origins = ['example.com']").unwrap_err();
    assert_eq!(
        error.to_string(),
        "origins: \"example.com\" is no origin; write for example \"https://example.com\""
    );
}

#[test]
fn too_many_messages_close_with_1008() {
    let mut world = world(
        "limits = { messageRate = { perSecond = 10, burst = 3 } }
         routes = [{ pattern = '/echo', dialect = 'echo' }]",
    );
    let (fast, slow) = (world.connect("/echo"), world.connect("/echo"));
    for _ in 0..5 {
        world.text(fast, "x");
    }
    assert_eq!(world.received(fast), ["x", "x", "x", "<close 1008 Too many messages>"]);
    for _ in 0..20 {
        world.advance(100);
        world.text(slow, "y");
    }
    assert_eq!(world.received(slow).into_iter().collect::<HashSet<_>>(), HashSet::from(["y".to_owned()]));
    assert_eq!(world.log.len(), 1);
}

#[test]
fn long_requests_are_refused_with_431() {
    let mut world = world(
        "limits = { handshakeBytes = 8192 }
         routes = [{ pattern = '/**', dialect = 'echo' }]",
    );
    let mut status = |path: &str, cookie: usize| {
        let id = world.upgrade_with(path, &[("cookie", &"c".repeat(cookie))]);
        world.client(id).rejected
    };
    assert_eq!(status("/echo", 7000), None);
    assert_eq!(status("/echo", 8192), Some(431));
    assert_eq!(status(&format!("/echo?{}", "q".repeat(5000)), 5000), Some(431));
    let error = Config::from_toml("limits = { handshakeBytes = 8191 }").unwrap_err();
    assert_eq!(error.to_string(), "limits.handshakeBytes: browsers send long cookies; write at least 8192");
}

/// Its `admit` panics for some paths.
struct Doorkeeper;

impl Handler for Doorkeeper {
    fn admit(&self, _: &RouteSettings, request: &http::Request<()>) -> Result<(), Refusal> {
        match request.uri().query() {
            Some("panic") => panic!("on purpose"),
            Some("refuse") => Err(Refusal::bad_request("not like this")),
            _ => Ok(()),
        }
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        cx.send(message);
        Ok(())
    }
}

#[test]
fn an_admit_that_panics_costs_one_client() {
    let mut world = World::new(vec![route("/", RouteSettings::default(), Doorkeeper)]);
    for (path, status) in [("/?panic", 500), ("/?refuse", 400), ("/?panic", 500)] {
        let id = world.upgrade_with(path, &[]);
        assert_eq!(world.client(id).rejected, Some(status), "{path}");
    }
    assert_eq!(world.log.len(), 2, "{:?}", world.log);
    assert_eq!(world.log[1].1, "an opening handshake for / is refused with HTTP 400: not like this");
    assert_eq!(world.log[0].1, "admitting a client to / failed: the handler panicked: on purpose");
    let id = world.connect("/");
    world.text(id, "still here");
    assert_eq!(world.received(id), ["still here"]);
}
