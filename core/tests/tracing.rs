//! What the log is told of connections: refusals always, everything else for a debug log.

mod support;

use support::{World, chat, route};
use switchboard_core::config::Config;
use switchboard_core::dialect::Echo;
use switchboard_core::time::Now;
use switchboard_core::{
    Authentication, CloseCode, Command, Deferred, Hooks, Level, RouteCommand, RouteSettings,
};

fn lines(world: &mut World) -> Vec<String> {
    std::mem::take(&mut world.log).into_iter().map(|(_, text)| text).collect()
}

/// The lines with `*` for the beginnings of ids, all of them at the level of a debug log.
fn traced(world: &mut World) -> Vec<String> {
    let log = std::mem::take(&mut world.log);
    assert!(log.iter().all(|(level, _)| *level == Level::Debug), "{log:?}");
    let is_id = |word: &&str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let without_ids = |text: String| {
        text.split(' ').map(|word| if is_id(&word) { "*" } else { word }).collect::<Vec<_>>().join(" ")
    };
    log.into_iter().map(|(_, text)| without_ids(text)).collect()
}

#[test]
fn a_debug_log_is_told_who_connects_what_passes_and_how_it_ends() {
    let settings = RouteSettings { subprotocols: vec!["chat".to_owned()], ..RouteSettings::default() };
    let mut world = World::new(vec![route("/echo", settings, Echo)]);
    world.engine.set_trace(true);
    let first = world.upgrade_with("/echo?token=t0p", &[("sec-websocket-protocol", "other, chat")]);
    world.open(first);
    let second = world.connect("/echo");
    assert_eq!(
        traced(&mut world),
        ["/echo * connects: chat, no compression", "/echo * connects: no subprotocol, no compression"]
    );
    world.text(first, "hello");
    world.message(second, bytes::Bytes::from_static(&[1, 2]));
    assert_eq!(
        traced(&mut world),
        [
            "/echo * ← text, 5 bytes: hello",
            "/echo * → text, 5 bytes: hello",
            "/echo * ← binary, 2 bytes",
            "/echo * → binary, 2 bytes"
        ]
    );
    let now = world.now();
    let everyone = RouteCommand::Send { message: "to all".into(), room: None };
    let mut effects = Vec::new();
    world.engine.route_command(now, 0, everyone, &mut effects).expect("sent");
    let told = format!("{:?}", effects.last());
    assert!(told.contains("/echo to 2 connections → text, 6 bytes: to all"), "{told}");
    world.close(first, 4000, "bye");
    world.command(second, Command::Close { code: Some(4001), reason: String::new() }).expect("closed");
    let third = world.connect("/echo");
    world.cut(third);
    let fourth = world.connect("/echo");
    world.violate(fourth, CloseCode::PROTOCOL_ERROR, "reserved bits");
    assert_eq!(
        traced(&mut world).iter().filter(|line| line.contains("closed")).collect::<Vec<_>>(),
        [
            "/echo * closed by the client, code 4000, reason \"bye\"",
            "/echo * closed by the server, code 4001",
            "/echo * closed without a close frame: the transport is gone, code 1006",
            "/echo * closed by the server, code 1002, reason \"reserved bits\"",
        ]
    );
}

#[test]
fn a_debug_log_has_every_refusal_and_no_secret() {
    let settings =
        RouteSettings { authentication: Authentication::authorization_header(), ..RouteSettings::default() };
    let mut world = chat(settings, Hooks::default());
    world.engine.set_trace(true);
    for _ in 0..2 {
        world.upgrade("/ws/chat?token=t0p");
    }
    let id = world.upgrade_with("/ws/chat", &[("authorization", "Bearer t0p")]);
    world.open(id);
    world.text(id, r#"{"token":"t0p"}"#);
    let refused = "an opening handshake for /ws/chat is refused with HTTP 401: Unauthorized";
    let shown = "/ws/chat * ← text, 15 bytes: (not shown: it may hold a secret)";
    assert_eq!(
        traced(&mut world),
        [refused, refused, "/ws/chat * connects: no subprotocol, no compression", shown]
    );
}

#[test]
fn refused_handshakes_and_authentication_that_failed_are_told_once_a_second() {
    let settings =
        RouteSettings { authentication: Authentication::authorization_header(), ..RouteSettings::default() };
    let mut world = chat(settings, Hooks::default());
    for _ in 0..100 {
        world.upgrade("/ws/chat?token=t0p");
    }
    let refused = "an opening handshake for /ws/chat is refused with HTTP 401: Unauthorized";
    assert_eq!(std::mem::take(&mut world.log), [(Level::Info, refused.to_owned())]);
    world.advance(1_000);
    world.upgrade_with("/ws/chat", &[("sec-websocket-version", "12")]);
    let [line] = &lines(&mut world)[..] else { panic!("one line") };
    assert!(line.starts_with("an opening handshake for /ws/chat is refused with HTTP 4"), "{line}");
    assert!(line.ends_with("(and 99 times more since)"), "{line}");
}

#[test]
fn the_log_says_at_the_start_which_patterns_do_not_serve_what_they_seem_to() {
    let two = || route("/ws", RouteSettings::default(), Deferred::new(Hooks::default()));
    let mut world = World::new(vec![two(), two()]);
    world.advance(1);
    assert_eq!(
        world.log,
        [(Level::Warn, "two routes have the pattern /ws: only the first one serves it".to_owned())]
    );
}

#[test]
fn a_new_configuration_is_warned_of_what_the_old_one_was_not() {
    let config = |text: &str| Config::from_toml(text).expect("a configuration");
    let old = config("routes = [{ pattern = '/ws' }, { pattern = '/ws' }]");
    let new =
        config("routes = [{ pattern = '/ws' }, { pattern = '/ws' }, { pattern = '/a' }, { pattern = '/a' }]");
    let mut engine = old.engine([0; 32]).expect("an engine");
    let mut effects = Vec::new();
    engine.reconfigure(Now::default(), new.configuration(), &mut effects).expect("taken");
    let lines: Vec<String> = effects.iter().map(|effect| format!("{effect:?}")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("two routes have the pattern /a: only the first one serves it"), "{lines:?}");
}

#[test]
fn a_path_that_nothing_serves_is_told_with_what_is_nearest() {
    let (mut key, echo) = route("/ws/chat/{room}", RouteSettings::default(), Echo);
    key.prefixes.push("/api".to_owned());
    let mut world = World::new(vec![(key, echo)]);
    let id = world.upgrade("/api/ws/caht/general");
    assert_eq!(world.client(id).rejected, Some(404));
    assert_eq!(
        lines(&mut world),
        [
            "no WebSocket handler matches /api/ws/caht/general; did you mean /api/ws/chat/{room}? Known patterns: \
             /api/ws/chat/{room}"
        ]
    );
}
