//! The dialect `commands` on the wire: broadcast, private, channels, commands, presence, both profiles.

#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod support;

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::{Value, json};
use support::{World, route};
use switchboard_core::dialect::commands::{
    Commands, CommandsAudience, CommandsOptions, PresenceFormat, Profile, ServerEvent, ServerEventKind,
    SessionOptions, WhoMayCommand,
};
use switchboard_core::{Answer, Authentication, ConnectionId, Hook, Hooks, RouteSettings, WithCallbacks};

fn world(options: CommandsOptions) -> World {
    World::new(vec![route("/**", RouteSettings::default(), Commands::new(options))])
}

fn compat() -> CommandsOptions {
    CommandsOptions { profile: Profile::Compat, ..Default::default() }
}

/// Two clients that have read what their coming brought about, with their ids.
fn pair(world: &mut World) -> [(ConnectionId, String); 2] {
    let (a, b) = (world.connect("/"), world.connect("/chat"));
    let presence = world.received(b).pop().unwrap();
    world.received(a);
    let users = users(&presence);
    [(a, users[0].clone()), (b, users[1].clone())]
}

/// The ids in a presence, in either format.
fn users(presence: &str) -> Vec<String> {
    let presence: Value = serde_json::from_str(presence).unwrap();
    assert_eq!(presence["type"], "presence");
    match &presence["users"] {
        Value::Array(users) => users.iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect(),
        Value::Object(users) => users.keys().cloned().collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn the_log_says_at_the_start_where_every_client_may_close_the_connections_of_others() {
    let token = || RouteSettings {
        authentication: Authentication::authorization_header(),
        ..RouteSettings::default()
    };
    let (everyone, known) = (WhoMayCommand::Everyone, WhoMayCommand::Authenticated);
    for (settings, commands, disconnect, is_open) in [
        (RouteSettings::default(), everyone, everyone, true),
        (RouteSettings::default(), everyone, known, false),
        (RouteSettings::default(), known, everyone, false),
        (RouteSettings::default(), WhoMayCommand::Nobody, everyone, false),
        (token(), everyone, everyone, false),
    ] {
        let options = CommandsOptions { commands, disconnect, ..CommandsOptions::default() };
        let handler = WithCallbacks::new(Box::new(Commands::new(options)), Hooks::default(), false);
        let mut world = World::new(vec![route("/rakit/**", settings, handler)]);
        world.timeout();
        world.timeout();
        let lines: Vec<&str> = world.log.iter().map(|(_, text)| text.as_str()).collect();
        let expected = "/rakit/**: every client may close the connections of others (commands.disconnect); \
                        \"authenticated\" lets only those that are known";
        assert_eq!(lines, if is_open { vec![expected] } else { vec![] });
    }
}

#[test]
fn who_comes_and_goes_is_told_in_json() {
    let mut world = world(CommandsOptions::default());
    let a = world.connect("/");
    let [presence] = &world.received(a)[..] else { panic!() };
    let [id] = &users(presence)[..] else { panic!() };
    assert_eq!((id.len(), id.chars().all(|c| c.is_ascii_alphanumeric())), (8, true));
    let expected = format!(
        r#"{{"type":"presence","users":[{{"id":"{id}","name":"Guest","connected_at":1795168800}}]}}"#
    );
    assert_eq!(*presence, expected);
    world.advance(2_000);
    let b = world.connect("/");
    assert_eq!(world.received(a), world.received(b));
    world.close(a, 1000, "");
    let [presence] = &world.received(b)[..] else { panic!() };
    assert!(presence.ends_with(r#","connected_at":1795168802}]}"#), "{presence}");
    assert!(!presence.contains(id.as_str()));
}

#[test]
fn compat_has_text_notices_and_presence_by_id() {
    let mut world = world(compat());
    let a = world.connect("/");
    let [notice, presence] = &world.received(a)[..] else { panic!() };
    let id = users(presence).remove(0);
    assert_eq!(*notice, format!("Client #{id} connected"));
    let user = format!(r#""{id}":{{"id":"{id}","name":"Guest","connected_at":1795168800}}"#);
    assert_eq!(*presence, format!(r#"{{"type":"presence","users":{{{user}}}}}"#));
    world.advance(5_000);
    let b = world.connect("/");
    let [_, presence] = &world.received(b)[..] else { panic!() };
    assert_eq!(presence.matches(r#""connected_at":1795168805"#).count(), 2, "the time of sending");
    world.cut(a);
    assert_eq!(world.received(b)[0], format!("Client #{id} disconnected"));
}

#[test]
fn everything_without_another_meaning_is_for_everyone() {
    for options in [CommandsOptions::default(), compat()] {
        let mut world = world(options);
        let [(a, id), (b, _)] = pair(&mut world);
        for (frame, raw) in [
            (r#"{"message":"Hi"}"#, r#"{\"message\":\"Hi\"}"#),
            (" Hi \r\n", "Hi"),
            ("null", "null"),
            ("{}", "{}"),
            (r#"{"command":"dance"}"#, r#"{\"command\":\"dance\"}"#),
            (r#"{"command":"broadcast"}"#, r#"{\"command\":\"broadcast\"}"#),
            (r#"{"to":"x","message":1}"#, r#"{\"to\":\"x\",\"message\":1}"#),
        ] {
            world.text(a, frame);
            let expected = format!(r#"{{"client_id":"{id}","message":"{raw}"}}"#);
            assert_eq!(world.received(a), [expected.as_str()], "{frame}");
            assert_eq!(world.received(b), [expected], "{frame}");
        }
        for frame in [r#"{"ping":1}"#, r#"{"event":"dance"}"#, r#"{"event":"subscribe"}"#] {
            world.text(a, frame);
        }
        world.message(a, Bytes::from_static(b"Hi"));
        assert_eq!((world.received(a), world.received(b)), (vec![], vec![]));
    }
}

#[test]
fn a_private_message_reaches_one() {
    let mut world = world(CommandsOptions::default());
    let [(a, id), (b, to)] = pair(&mut world);
    world.text(a, &json!({ "to": to, "message": " psst " }).to_string());
    world.text(a, r#"{"to":"nobody","message":"psst"}"#);
    assert_eq!(world.received(a), [""; 0]);
    assert_eq!(world.received(b), [format!(r#"{{"client_id":"{id}","message":"psst"}}"#)]);
}

#[test]
fn a_channel_reaches_its_subscribers_once() {
    let mut world = world(CommandsOptions::default());
    let [(a, id), (b, _)] = pair(&mut world);
    for _ in 0..2 {
        world.text(b, r#"{"event":"subscribe","channel":"chat"}"#);
    }
    world.text(a, r#"{"event":"message","channel":"chat","data":"Hello channel!"}"#);
    world.text(a, r#"{"event":"message","channel":"chat","data":{"n":1}}"#);
    world.text(a, r#"{"event":"message","channel":"other","data":1}"#);
    world.text(a, r#"{"command":"broadcast_to_channel","channel":"chat","message":"text"}"#);
    assert_eq!(world.received(a), [""; 0], "the sender has not subscribed");
    assert_eq!(
        world.received(b),
        [
            format!(r#"{{"channel":"chat","data":"Hello channel!","client_id":"{id}"}}"#),
            format!(r#"{{"channel":"chat","data":{{"n":1}},"client_id":"{id}"}}"#),
            format!(r#"{{"client_id":"{id}","message":"text"}}"#),
        ]
    );
}

#[test]
fn commands_speak_json_or_bare_text() {
    let wrapped = |id: &str| format!(r#"{{"client_id":"{id}","message":" text "}}"#);
    for (options, is_bare) in [(CommandsOptions::default(), false), (compat(), true)] {
        let mut world = world(options);
        let [(a, id), (b, to)] = pair(&mut world);
        let expected = if is_bare { " text ".to_owned() } else { wrapped(&id) };
        world.text(a, r#"{"command":"broadcast","message":" text "}"#);
        assert_eq!(world.received(a), [expected.as_str()]);
        assert_eq!(world.received(b), [expected.as_str()]);
        world.text(a, &json!({ "command": "private_message", "to": to, "message": " text " }).to_string());
        assert_eq!((world.received(a), world.received(b)), (vec![], vec![expected]));
        world.text(b, r#"{"command":"presence"}"#);
        assert_eq!(users(&world.received(a)[0]), [id, to]);
    }
}

#[test]
fn disconnect_closes_its_target_and_tells_the_rest() {
    let mut world = world(CommandsOptions { disconnect: WhoMayCommand::Everyone, ..compat() });
    let [(a, id), (b, target)] = pair(&mut world);
    world.text(a, r#"{"command":"disconnect","client_id":"nobody"}"#);
    assert_eq!((world.received(a), world.received(b)), (vec![], vec![]));
    world.text(a, &json!({ "command": "disconnect", "client_id": target }).to_string());
    assert_eq!(world.received(b), ["<close 1000 Disconnected>"]);
    world.text(a, r#"{"command":"presence"}"#);
    assert_eq!(users(&world.received(a)[0]), [id.as_str()], "who is being closed is not present");
    world.close(b, 1000, "");
    let received = world.received(a);
    assert_eq!(received[0], format!("Client #{target} disconnected"));
    assert_eq!((received.len(), users(&received[1])), (2, vec![id]));
}

#[test]
fn guests_close_no_connection_but_their_own() {
    let mut world = world(CommandsOptions::default());
    let [(a, id), (b, target)] = pair(&mut world);
    world.text(a, &json!({ "command": "disconnect", "client_id": target }).to_string());
    assert!(world.received(b).is_empty(), "a guest cannot close others");
    world.text(a, &json!({ "command": "disconnect", "client_id": id }).to_string());
    assert_eq!(world.received(a), ["<close 1000 Disconnected>"]);
}

#[test]
fn commands_can_be_for_nobody_or_for_the_authenticated() {
    let session = SessionOptions {
        cookie: "rakit_session".into(),
        users: IndexMap::from_iter([("a1".into(), json!({ "name": "Alice", "email": "alice@example.com" }))]),
    };
    let options =
        |commands| CommandsOptions { commands, session: Some(session.clone()), ..Default::default() };
    for (commands, guests, users) in
        [(WhoMayCommand::Everyone, 1, 1), (WhoMayCommand::Nobody, 0, 0), (WhoMayCommand::Authenticated, 0, 1)]
    {
        let mut world = world(options(commands));
        let guest = world.connect("/");
        let alice = world.upgrade_with("/", &[("cookie", "rakit_session=a1")]);
        world.open(alice);
        let presence = world.received(alice).remove(0);
        assert!(
            presence.contains(r#""name":"Alice","email":"alice@example.com","connected_at""#),
            "{presence}"
        );
        for (id, expected) in [(guest, guests), (alice, users)] {
            world.text(id, r#"{"command":"broadcast","message":"m"}"#);
            assert_eq!(world.received(alice).len(), expected, "{commands:?}");
        }
        world.text(guest, r#"{"message":"Hi"}"#);
        assert_eq!(world.received(alice).len(), 1, "talking is no command");
    }
}

#[test]
fn presence_can_have_either_format_in_either_profile() {
    let mut world = world(CommandsOptions { presence: Some(PresenceFormat::Map), ..Default::default() });
    let id = world.connect("/");
    let presence: Value = serde_json::from_str(&world.received(id)[0]).unwrap();
    assert!(presence["users"].is_object());
}

#[test]
fn silence_ends_after_the_ping_timeout_and_zero_is_never() {
    let mut patient = world(CommandsOptions::default());
    let id = patient.connect("/");
    patient.received(id);
    patient.advance(3_600_000);
    assert_eq!(patient.received(id), [""; 0]);
    let mut world = world(CommandsOptions { ping_timeout: 5, ..Default::default() });
    let id = world.connect("/");
    world.received(id);
    world.advance(4_000);
    world.text(id, r#"{"ping":1}"#);
    world.advance(4_000);
    world.pong(id, b"");
    world.advance(4_999);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["<close 1000 Inactivity timeout>"]);
}

#[test]
fn handshakes_that_lack_something_are_refused() {
    let options = CommandsOptions {
        origin_required: true,
        allowed_hosts: vec!["localhost".into()],
        ..Default::default()
    };
    let mut world = world(options);
    let id = world.upgrade("/");
    assert_eq!(world.client(id).rejected, Some(403));
    let id = world.upgrade_with("/", &[("origin", "http://localhost")]);
    assert!(world.client(id).accepted.is_some());
}

#[test]
fn user_code_is_told_of_the_servers_events() {
    use ServerEventKind::{Connect, Crash, Disconnect, Receive, Send};
    let events = vec![Connect, Disconnect, Receive, Send, Crash];
    let mut world = world(CommandsOptions { events, ..Default::default() });
    let told = |world: &mut World| match world.answer_next(Answer::Done) {
        Hook::ServerEvent(event) => *event,
        other => panic!("{other:?}"),
    };
    let sent = |message: String, audience: CommandsAudience| ServerEvent::Send {
        message: message.as_str().into(),
        audience,
    };
    let id = world.connect("/");
    let ServerEvent::Connect(client) = told(&mut world) else { panic!("somebody came") };
    let (me, everyone) = (client.id, CommandsAudience::default());
    assert_eq!((&*client.name, client.email), ("Guest", None));
    let presence = world.received(id).remove(0);
    assert_eq!(told(&mut world), sent(presence, everyone.clone()));
    world.text(id, "Hi");
    assert_eq!(told(&mut world), ServerEvent::Receive { client_id: me.clone(), message: "Hi".into() });
    let message = world.received(id).remove(0);
    assert_eq!(told(&mut world), sent(message, everyone));

    world.text(id, &json!({ "to": me, "message": "to me" }).to_string());
    told(&mut world);
    let message = world.received(id).remove(0);
    assert_eq!(told(&mut world), sent(message, CommandsAudience { to: Some(me.clone()), channel: None }));

    world.text(id, r#"{"to":"nobody","message":"Hi"}"#);
    world.answer_next(Answer::Failed { error: "broken".into() });
    let (call, _, crash) = world.next_call();
    let broken = ServerEvent::Crash { client_id: me.clone(), error: "broken".into() };
    assert_eq!(crash, Hook::ServerEvent(Box::new(broken)));
    world.answer(call, Answer::Failed { error: "broken again".into() });
    assert!(world.calls.is_empty(), "nobody is told for ever");
    world.cut(id);
    assert_eq!(told(&mut world), ServerEvent::Disconnect { client_id: me });
    told(&mut world);
    assert_eq!(world.removed[&id], 1);
}
