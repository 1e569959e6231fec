//! Rooms, broadcasts and who hears them.

mod support;

use support::{World, route};
use switchboard_core::{
    Answer, Command, CommandError, ConnectionId, Deferred, Hook, Hooks, Limits, ResponseAudience,
    RouteSettings,
};

fn world() -> World {
    let chat = RouteSettings { default_room: Some("lobby".into()), ..RouteSettings::default() };
    World::new(vec![
        route("/chat", chat, Deferred::new(Hooks::default())),
        route("/other", RouteSettings::default(), Deferred::new(Hooks::default())),
    ])
}

fn broadcast(rooms: Option<&[&str]>, include_self: bool) -> Command {
    let rooms = rooms.map(|rooms| rooms.iter().map(|room| (*room).to_owned()).collect());
    Command::Broadcast { message: "hi".into(), rooms, include_self }
}

fn hearers(world: &mut World, all: &[ConnectionId]) -> Vec<usize> {
    (0..all.len()).filter(|index| world.received(all[*index]) == ["hi"]).collect()
}

#[test]
fn everyone_means_everyone_on_the_route() {
    let mut world = world();
    let all = [world.connect("/chat"), world.connect("/chat"), world.connect("/other")];
    world.command(all[0], broadcast(None, false)).unwrap();
    assert_eq!(hearers(&mut world, &all), [1]);
    world.command(all[0], broadcast(None, true)).unwrap();
    assert_eq!(hearers(&mut world, &all), [0, 1]);
}

#[test]
fn rooms_are_a_union_and_the_sender_need_not_be_in_them() {
    let mut world = world();
    let all = [(); 4].map(|()| world.connect("/chat"));
    for (index, room) in [(1, "a"), (2, "a"), (2, "b"), (3, "b")] {
        world.command(all[index], Command::Join(room.into())).unwrap();
    }
    world.command(all[0], broadcast(Some(&["a", "b"]), true)).unwrap();
    assert_eq!(hearers(&mut world, &all), [1, 2, 3]);
    world.command(all[2], broadcast(Some(&["a", "b"]), false)).unwrap();
    assert_eq!(hearers(&mut world, &all), [1, 3]);
    world.command(all[2], broadcast(Some(&[]), true)).unwrap();
    assert!(hearers(&mut world, &all).is_empty());
    world.command(all[1], Command::Leave("a".into())).unwrap();
    world.command(all[0], broadcast(Some(&["a"]), true)).unwrap();
    assert_eq!(hearers(&mut world, &all), [2]);
}

#[test]
fn all_rooms_are_the_senders_own_or_the_route() {
    let mut world = world();
    let all = [(); 3].map(|()| world.connect("/chat"));
    let everywhere = |include_self| Command::BroadcastAllRooms { message: "hi".into(), include_self };
    world.command(all[0], everywhere(false)).unwrap();
    assert_eq!(hearers(&mut world, &all), [1, 2]);
    world.command(all[0], Command::Leave("lobby".into())).unwrap();
    world.command(all[0], Command::Join("a".into())).unwrap();
    world.command(all[1], Command::Join("a".into())).unwrap();
    world.command(all[0], everywhere(true)).unwrap();
    assert_eq!(hearers(&mut world, &all), [0, 1]);
}

#[test]
fn in_the_close_hook_the_rooms_are_still_there_to_say_goodbye_to() {
    let hooks = Hooks { close: true, ..Hooks::default() };
    let mut world = World::new(vec![route("/", RouteSettings::default(), Deferred::new(hooks))]);
    let (a, b, c) = (world.connect("/"), world.connect("/"), world.connect("/"));
    for id in [a, b] {
        world.command(id, Command::Join("x".into())).unwrap();
    }
    world.cut(a);
    assert_eq!(world.engine.audience(0, Some("x")), [b]);
    let (call, ..) = world.next_call();
    world.command(a, Command::BroadcastAllRooms { message: "hi".into(), include_self: true }).unwrap();
    world.answer(call, Answer::Done);
    assert_eq!(hearers(&mut world, &[a, b, c]), [1]);
    world.command(a, broadcast(None, true)).unwrap();
    assert!(hearers(&mut world, &[a, b, c]).is_empty());
}

#[test]
fn rooms_have_limits() {
    let limits = Limits { rooms_per_connection: 2, room_name_bytes: 3, ..Limits::default() };
    let handler = Deferred::new(Hooks::default());
    let mut world = World::with_limits(vec![route("/", RouteSettings::default(), handler)], limits);
    let id = world.connect("/");
    let mut join = |room: &str| world.command(id, Command::Join(room.into()));
    assert_eq!(join("four"), Err(CommandError::RoomName { length: 4, limit: 3 }));
    assert_eq!((join("a"), join("a"), join("b")), (Ok(()), Ok(()), Ok(())));
    assert_eq!(join("c"), Err(CommandError::TooManyRooms(2)));
}

#[test]
fn responses_go_where_they_are_told() {
    let audience = |room: Option<&str>, include_self| ResponseAudience::Broadcast {
        room: room.map(str::to_owned),
        include_self,
    };
    let cases = [
        (ResponseAudience::Sender, vec![0]),
        (ResponseAudience::AllRooms, vec![1]),
        (audience(None, false), vec![1, 2]),
        (audience(None, true), vec![0, 1, 2]),
        (audience(Some("a"), false), vec![1]),
        (audience(Some("a"), true), vec![0, 1]),
    ];
    for (audience, expected) in cases {
        let hooks = Hooks { responses: vec![audience], message: true, ..Hooks::default() };
        let mut world = World::new(vec![route("/", RouteSettings::default(), Deferred::new(hooks))]);
        let all = [(); 3].map(|()| world.connect("/"));
        for id in &all[..2] {
            world.command(*id, Command::Join("a".into())).unwrap();
        }
        world.text(all[0], "?");
        let response = Answer::Response { index: 0, message: Some("hi".into()) };
        assert_eq!(world.answer_next(response), Hook::Respond { message: Some("?".into()) });
        assert!(world.calls.is_empty(), "a match suppresses onMessage");
        assert_eq!(hearers(&mut world, &all), expected);
    }
}

#[test]
fn without_a_match_the_message_goes_on() {
    let hooks = Hooks {
        transform: true,
        responses: vec![ResponseAudience::Sender],
        message: true,
        ..Hooks::default()
    };
    let mut world = World::new(vec![route("/", RouteSettings::default(), Deferred::new(hooks))]);
    let id = world.connect("/");
    world.text(id, "x");
    assert_eq!(world.answer_next(Answer::Done), Hook::Transform { message: "x".into() });
    assert_eq!(world.answer_next(Answer::NoMatch), Hook::Respond { message: None });
    assert_eq!(world.answer_next(Answer::Done), Hook::Message { message: None });
    world.text(id, "y");
    world.answer_next(Answer::Failed { error: "not a frame of ours".into() });
    assert!(world.calls.is_empty(), "a failed transform drops the message");
}

/// Found by fuzzing: a connection whose 101 was not written yet was heard.
#[test]
fn who_has_not_opened_is_not_heard_and_a_close_hook_still_is() {
    let hooks = Hooks { close: true, ..Hooks::default() };
    let mut world = World::new(vec![route("/chat", RouteSettings::default(), Deferred::new(hooks))]);
    let listener = world.connect("/chat");
    let sender = world.upgrade("/chat");
    world.command(sender, broadcast(None, true)).unwrap();
    assert!(world.received(listener).is_empty());
    world.open(sender);
    world.cut(sender);
    world.command(sender, broadcast(None, true)).unwrap();
    assert_eq!(world.received(listener), ["hi"]);
    assert!(matches!(world.answer_next(Answer::Done), Hook::Close { .. }));
    world.command(sender, broadcast(None, true)).unwrap();
    assert!(world.received(listener).is_empty());
}
