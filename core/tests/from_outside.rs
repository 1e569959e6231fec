//! What user code does with a route without being in a callback: send, look, close.

mod support;

use serde_json::json;
use support::{World, route};
use switchboard_core::{
    Answer, Command, CommandError, Context, Deferred, Handler, HandlerResult, Hook, Hooks, Message,
    RouteCommand, RouteSettings,
};

/// Joins whatever room is named.
struct Joiner;

impl Handler for Joiner {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        Ok(cx.join(message.as_text().unwrap_or_default())?)
    }
}

fn world() -> World {
    World::new(vec![
        route("/a", RouteSettings::default(), Joiner),
        route("/b", RouteSettings::default(), Joiner),
    ])
}

fn send(text: &str, room: Option<&str>) -> RouteCommand {
    RouteCommand::Send { message: text.into(), room: room.map(str::to_owned) }
}

fn close(code: u16, room: Option<&str>) -> RouteCommand {
    RouteCommand::Close { code, reason: "bye".to_owned(), room: room.map(str::to_owned) }
}

#[test]
fn a_message_reaches_the_route_or_one_of_its_rooms() {
    let mut world = world();
    let [a, b, other] = ["/a", "/a", "/b"].map(|path| world.connect(path));
    world.text(a, "x");
    world.text(other, "x");
    assert_eq!(world.route_command(0, send("to all", None)), Ok(2));
    assert_eq!(world.route_command(0, send("to x", Some("x"))), Ok(1));
    assert_eq!(world.route_command(0, send("to nobody", Some("y"))), Ok(0));
    assert_eq!(world.received(a), ["to all", "to x"]);
    assert_eq!(world.received(b), ["to all"]);
    assert_eq!(world.received(other), [""; 0]);
    assert_eq!(world.route_command(7, send("there is no such route", None)), Ok(0));
}

#[test]
fn who_is_not_open_is_not_counted() {
    let mut world = world();
    let [opening, closing, open] = [world.upgrade("/a"), world.connect("/a"), world.connect("/a")];
    world.command(closing, Command::Close { code: Some(4000), reason: String::new() }).unwrap();
    world.received(closing);
    assert_eq!(world.route_command(0, send("hello", None)), Ok(1));
    assert_eq!((world.received(open), world.received(closing)), (vec!["hello".to_owned()], vec![]));
    assert_eq!((world.engine.audience_len(0, None), world.engine.audience(0, None)), (1, vec![open]));
    world.open(opening);
    assert_eq!(world.engine.audience_len(0, None), 2);
}

#[test]
fn closing_a_room_closes_its_members_like_a_handler_would() {
    let hooks = Hooks { close: true, ..Hooks::default() };
    let mut world = World::new(vec![route("/", RouteSettings::default(), Deferred::new(hooks))]);
    let [member, other] = [world.connect("/"), world.connect("/")];
    world.command(member, Command::Join("x".to_owned())).unwrap();
    assert_eq!(world.route_command(0, close(4001, Some("x"))), Ok(1));
    assert_eq!(world.route_command(0, close(4001, Some("x"))), Ok(0), "it is closing already");
    assert_eq!(world.received(member), ["<close 4001 bye>"]);
    world.close(member, 4001, "");
    let hook = world.answer_next(Answer::Done);
    assert!(matches!(hook, Hook::Close { frame, .. } if frame.code.0 == 4001), "the hook is told as always");
    assert_eq!(world.removed[&member], 1);
    assert_eq!(world.received(other), [""; 0]);
    assert_eq!(world.route_command(0, close(1000, None)), Ok(1));
    assert_eq!(world.received(other), ["<close 1000 bye>"]);
}

#[test]
fn a_code_that_cannot_be_sent_closes_nobody() {
    let mut world = world();
    let client = world.connect("/a");
    assert_eq!(world.route_command(0, close(1006, None)), Err(CommandError::CloseCode(1006)));
    assert_eq!(world.received(client), [""; 0]);
    assert_eq!(world.engine.audience_len(0, None), 1);
}

#[test]
fn rooms_and_connections_can_be_looked_at() {
    let mut world = world();
    let [a, b] = [world.connect("/a"), world.connect("/a")];
    world.text(a, "x");
    world.text(b, "x");
    assert_eq!(world.engine.rooms(0).collect::<Vec<_>>(), ["x"]);
    assert_eq!(
        (world.engine.audience_len(0, Some("x")), world.engine.audience(0, Some("x"))),
        (2, vec![a, b])
    );
    let name = world.engine.connection(b).unwrap().public_id().clone();
    assert_eq!(world.engine.connection_by_public_id(0, &name), Some(b));
    assert_eq!(world.engine.connection_by_public_id(1, &name), None, "it is on another route");
    world.cut(b);
    assert_eq!(world.engine.connection_by_public_id(0, &name), None);
    assert_eq!((world.engine.audience_len(7, None), world.engine.connection_by_public_id(7, "x")), (0, None));
}

#[test]
fn a_send_says_whether_the_connection_is_gone() {
    let mut world = world();
    let client = world.connect("/a");
    let send = || Command::Send("hello".into());
    assert_eq!(world.command(client, send()), Ok(()));
    world.command(client, Command::Close { code: None, reason: String::new() }).unwrap();
    assert_eq!(world.command(client, send()), Err(CommandError::Closed));
    assert_eq!(world.command(client, Command::Join("x".to_owned())), Ok(()), "only messages are asked for");
    world.cut(client);
    assert_eq!(world.command(client, send()), Err(CommandError::Closed));
    assert_eq!(world.received(client), ["hello", "<close>"]);
}

#[test]
fn a_route_is_found_by_its_pattern_with_or_without_a_prefix() {
    let text = json!({ "prefix": ["/api", "/v2"], "routes": [
        { "pattern": "/a/{b}", "dialect": "echo" },
        { "pattern": "/off", "dialect": "echo", "disabled": true },
        { "pattern": "/a/{b}", "dialect": "relay" },
    ] });
    let config = switchboard_core::Config::from_value(text).unwrap();
    let router = switchboard_core::Router::new(config.route_keys()).unwrap();
    for (pattern, index) in [
        ("/a/{b}", Some(0)),
        ("/api/a/{b}", Some(0)),
        ("/v2/a/{b}", Some(0)),
        ("/off", Some(1)),
        ("/a/x", None),
        ("/v3/a/{b}", None),
        ("", None),
    ] {
        assert_eq!(router.index_of(pattern), index, "{pattern}");
    }
}
