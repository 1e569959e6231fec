//! Clients that come back to a route that keeps what was said in its rooms.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::World;
use switchboard_core::{Command, CommandError, Config, ConnectionId, Input, RouteCommand};

const RELAY: &str = "
    [[routes]]
    pattern = '/room/{room}'
    dialect = 'relay'
    history = { size = 3, ttl = 60000 }
";

fn world(config: &str) -> World {
    World::with_engine(Config::from_toml(config).unwrap().engine([7; 32]).unwrap())
}

/// What came, as JSON, without the positions; and the last of them.
fn heard(world: &mut World, id: ConnectionId) -> (Vec<Value>, String) {
    let mut last = String::new();
    let mut heard = Vec::new();
    for text in world.received(id) {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        if let Some(head) = value.get_mut("history").and_then(Value::as_object_mut) {
            last = head.remove("position").unwrap().as_str().unwrap().to_owned();
        }
        heard.push(value);
    }
    (heard, last)
}

fn said(room: &str, text: &str) -> Value {
    json!({ "history": { "rooms": [room] }, "text": text })
}

fn recovered(room: &str, recovered: bool) -> Value {
    json!({ "history": { "rooms": [room], "recovered": recovered } })
}

#[test]
fn a_client_that_comes_back_to_a_relay_gets_what_it_missed() {
    let mut world = world(RELAY);
    let ann = world.connect("/room/a?switchboard-history");
    // How far the route and the room are.
    let (start, _) = heard(&mut world, ann);
    assert_eq!(
        start,
        [json!({ "history": { "rooms": [] } }), json!({ "history": { "rooms": ["/room/a"] } })]
    );
    let bob = world.connect("/room/a");
    world.text(bob, "one");
    let (first, position) = heard(&mut world, ann);
    assert_eq!(first, [said("/room/a", "one")]);
    world.cut(ann);
    // While nobody is there too: the room is kept.
    world.text(bob, "two");
    world.cut(bob);
    let again = format!("/room/a?switchboard-history=/room/a@{position}");
    let ann = world.connect(&again);
    let (missed, position) = heard(&mut world, ann);
    assert_eq!(missed[1..], [recovered("/room/a", true), said("/room/a", "two")]);
    // Others hear what was said as it is.
    let bob = world.connect("/room/a");
    world.text(ann, "three");
    assert_eq!(world.received(bob), ["three"]);
    // And its own message is none that it misses.
    let (own, after) = heard(&mut world, ann);
    assert_eq!(own, [json!({ "history": { "rooms": ["/room/a"] } })]);
    assert_ne!(position, after);
    world.cut(ann);
    let ann = world.connect(&format!("/room/a?switchboard-history=%2Froom%2Fa%40{after}"));
    assert_eq!(heard(&mut world, ann).0[1..], [recovered("/room/a", true)]);
}

#[test]
fn what_cannot_be_recovered_is_said() {
    let mut world = world(RELAY);
    let ann = world.connect("/room/a?switchboard-history");
    let bob = world.connect("/room/a");
    world.text(bob, "zero");
    let (_, position) = heard(&mut world, ann);
    world.cut(ann);
    for text in ["one", "two", "three", "four"] {
        world.text(bob, text);
    }
    let again = format!("/room/a?switchboard-history=/room/a@{position}");
    let ann = world.connect(&again);
    let (missed, now) = heard(&mut world, ann);
    assert_eq!(missed[1..], [recovered("/room/a", false)]);
    world.text(bob, "five");
    world.advance(60_001);
    let late = world.connect(&format!("/room/a?switchboard-history=/room/a@{now}"));
    assert_eq!(heard(&mut world, late).0[1..], [recovered("/room/a", false)]);
}

#[test]
fn everyone_on_a_route_and_its_rooms_are_apart() {
    let mut world = world(
        "
        [[routes]]
        pattern = '/live'
        history = {}
        defaultRoom = 'lobby'
    ",
    );
    let ann = world.connect("/live?switchboard-history");
    let bob = world.connect("/live");
    let broadcast = |message: &str, rooms: Option<Vec<String>>| Command::Broadcast {
        message: message.into(),
        rooms,
        include_self: false,
    };
    world.command(bob, broadcast("to all", None)).unwrap();
    let (_, everyone) = heard(&mut world, ann);
    world.command(bob, broadcast("to the lobby", Some(vec!["lobby".into()]))).unwrap();
    let (_, lobby) = heard(&mut world, ann);
    world.cut(ann);
    world.command(bob, broadcast("to all again", None)).unwrap();
    let outside = RouteCommand::Send { message: "from outside".into(), room: Some("lobby".into()) };
    assert_eq!(world.route_command(0, outside), Ok(1));
    // To no room at all is to nobody, now and later.
    world.command(bob, broadcast("to nobody", Some(Vec::new()))).unwrap();
    let ann =
        world.connect(&format!("/live?switchboard-history=@{everyone}&switchboard-history=lobby@{lobby}"));
    assert_eq!(
        heard(&mut world, ann).0,
        [
            json!({ "history": { "rooms": [], "recovered": true } }),
            json!({ "history": { "rooms": [] }, "text": "to all again" }),
            recovered("lobby", true),
            said("lobby", "from outside"),
        ]
    );
}

#[test]
fn a_topic_that_nobody_listens_to_is_kept() {
    let mut world = world(
        "
        feeds = [{ name = 'killmails' }]
        [[routes]]
        pattern = '/kills'
        dialect = 'actions'
        history = { size = 10 }
    ",
    );
    let sub = r#"{"action":"sub","channel":"kills"}"#;
    let ann = world.connect("/kills?switchboard-history");
    world.text(ann, sub);
    let (_, position) = heard(&mut world, ann);
    world.cut(ann);
    world.input(Input::Publish { feed: "killmails".into(), value: json!({ "killmail_id": 1 }) });
    let ann = world.connect(&format!("/kills?switchboard-history=kills@{position}"));
    world.text(ann, sub);
    let (heard, _) = heard(&mut world, ann);
    let kill = r#"{"action":"kill","data":{"killmail_id":1}}"#;
    assert_eq!(heard[1..], [recovered("kills", true), said("kills", kill)]);
}

#[test]
fn dialects_without_rooms_have_no_history() {
    let error = |dialect: &str| {
        let config = format!("routes = [{{ pattern = '/', dialect = '{dialect}', history = {{}} }}]");
        Config::from_toml(&config).unwrap_err().to_string()
    };
    let text = error("echo");
    assert!(
        text.contains(
            "routes[0].history: the dialect \"echo\" keeps none; those that can are handlers, relay"
        ),
        "{text}"
    );
    let config = "routes = [{ pattern = '/', dialect = 'relay', history = { size = 0 } }]";
    let text = Config::from_toml(config).unwrap_err().to_string();
    assert!(text.contains("routes[0].history.size: expected a number from 1 to 10000, got 0"), "{text}");
}

const LIVE: &str = "
    limits = { roomsPerConnection = 2, roomNameBytes = 8 }
    [[routes]]
    pattern = '/live'
    history = { size = 3 }
    [[routes]]
    pattern = '/other'
";

fn recover(room: &str, position: Option<&str>) -> Command {
    Command::Recover { room: room.into(), position: position.map(Into::into) }
}

fn to_rooms(rooms: &[&str], message: &str) -> Command {
    let rooms = Some(rooms.iter().map(|&room| room.to_owned()).collect());
    Command::Broadcast { message: message.into(), rooms, include_self: false }
}

#[test]
fn a_client_that_asks_by_words_of_its_own_gets_what_it_missed() {
    let mut world = world(LIVE);
    let (ann, bob) = (world.connect("/live"), world.connect("/live"));
    world.command(bob, Command::Join("a".into())).unwrap();
    world.command(bob, to_rooms(&["a"], "zero")).unwrap();
    assert!(world.received(ann).is_empty());
    // It joins, and is told where the room is.
    world.command(ann, recover("a", None)).unwrap();
    let (told, _) = heard(&mut world, ann);
    assert_eq!(told, [json!({ "history": { "rooms": ["a"] } })]);
    world.command(bob, to_rooms(&["a"], "one")).unwrap();
    let (told, position) = heard(&mut world, ann);
    assert_eq!(told, [said("a", "one")]);
    world.cut(ann);
    world.command(bob, to_rooms(&["a"], "two")).unwrap();
    world.command(bob, to_rooms(&["a", "b"], "three")).unwrap();
    let ann = world.connect("/live");
    world.command(ann, recover("a", Some(&position))).unwrap();
    let three = json!({ "history": { "rooms": ["a", "b"] }, "text": "three" });
    let missed = [recovered("a", true), said("a", "two"), three.clone()];
    assert_eq!(heard(&mut world, ann).0, missed);
    // What went to both rooms has come for the other one already. The position of one room is good for all.
    world.command(ann, recover("b", Some(&position))).unwrap();
    assert_eq!(heard(&mut world, ann).0, [recovered("b", true)]);
    // Who asks once more gets it once more.
    world.command(ann, recover("a", Some(&position))).unwrap();
    assert_eq!(heard(&mut world, ann).0, missed);
    world.command(bob, to_rooms(&["a"], "four")).unwrap();
    assert_eq!(heard(&mut world, ann).0, [said("a", "four")]);
    world.command(bob, to_rooms(&["a"], "five")).unwrap();
    world.received(ann);
    world.command(ann, recover("a", Some(&position))).unwrap();
    assert_eq!(heard(&mut world, ann).0, [recovered("a", false)], "only three are kept");
    for nonsense in ["x", "6921a3f09f3a61c2:1"] {
        world.command(ann, recover("a", Some(nonsense))).unwrap();
        assert_eq!(heard(&mut world, ann).0, [recovered("a", false)], "{nonsense}");
    }
}

#[test]
fn without_a_room_it_takes_part_in_what_is_for_everyone() {
    let mut world = world(LIVE);
    let (ann, bob) = (world.connect("/live"), world.connect("/live"));
    let everyone = |text: &str| Command::Broadcast { message: text.into(), rooms: None, include_self: false };
    world.command(ann, recover("", Some(""))).unwrap();
    let (told, position) = heard(&mut world, ann);
    assert_eq!(told, [json!({ "history": { "rooms": [] } })]);
    assert_eq!(world.engine.connection(ann).unwrap().rooms().count(), 0);
    world.cut(ann);
    world.command(bob, everyone("one")).unwrap();
    let ann = world.connect("/live");
    world.command(ann, recover("", Some(&position))).unwrap();
    assert_eq!(
        heard(&mut world, ann).0,
        [
            json!({ "history": { "rooms": [], "recovered": true } }),
            json!({ "history": { "rooms": [] }, "text": "one" })
        ]
    );
}

#[test]
fn recovery_joins_within_the_limits_and_needs_a_history() {
    let mut world = world(LIVE);
    let ann = world.connect("/live");
    world.command(ann, Command::Join("a".into())).unwrap();
    world.command(ann, recover("b", None)).unwrap();
    world.received(ann);
    assert_eq!(world.command(ann, recover("c", None)), Err(CommandError::TooManyRooms(2)));
    let error = CommandError::RoomName { length: 9, limit: 8 };
    assert_eq!(world.command(ann, recover("123456789", None)), Err(error));
    assert!(world.received(ann).is_empty());
    // The rooms that it is in are none too many.
    world.command(ann, recover("a", None)).unwrap();
    assert_eq!(heard(&mut world, ann).0, [json!({ "history": { "rooms": ["a"] } })]);
    let other = world.connect("/other");
    let error = world.command(other, recover("a", None)).unwrap_err();
    assert_eq!(error, CommandError::NoHistory);
    assert!(error.to_string().contains("history: {}"), "{error}");
    assert_eq!(world.engine.connection(other).unwrap().rooms().count(), 0);
    world.cut(other);
    assert_eq!(world.command(other, recover("a", None)), Ok(()), "nothing happens");
}
