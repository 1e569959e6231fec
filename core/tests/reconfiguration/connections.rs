//! What connections keep: rooms, data, timers, messages that wait.

use std::time::Duration;

use serde_json::json;
use switchboard_core::{Admission, Answer, Command, Hooks};

use crate::support::World;
use crate::{config, replies, with_hooks};

#[test]
fn a_connection_keeps_its_rooms_and_its_data() {
    let hooks = Hooks { message: true, authenticate: true, ..Hooks::default() };
    let options = json!({ "routes": [{ "pattern": "/a", "defaultRoom": "lobby" }] });
    let mut world = World::new(Vec::new());
    world.reconfigure(with_hooks(options.clone(), hooks.clone()));
    let id = world.upgrade("/a");
    world.answer_next(Answer::Admission(Admission::Accept { data: json!({ "name": "Ada" }) }));
    world.open(id);
    world.command(id, Command::Join("x".into())).unwrap();
    let public_id = world.engine.connection(id).unwrap().public_id().clone();
    let other = json!({ "routes": [{ "pattern": "/a", "defaultRoom": "hall", "maxPayload": 9 }] });
    world.reconfigure(with_hooks(other, hooks));
    let connection = world.engine.connection(id).unwrap();
    assert_eq!(connection.public_id(), &public_id);
    assert_eq!(connection.auth_data(), &json!({ "name": "Ada" }));
    assert_eq!(connection.rooms().map(|room| &**room).collect::<Vec<_>>(), ["lobby", "x"]);
    let index = world.engine.route_of("/a").unwrap();
    assert_eq!(world.engine.audience(index, Some("lobby")), [id]);
    let newcomer = world.upgrade("/a");
    world.answer_next(Answer::Admission(Admission::accept()));
    world.open(newcomer);
    assert_eq!(world.engine.audience(index, Some("hall")), [newcomer], "this counts for newcomers");
}

#[test]
fn a_heartbeat_counts_from_the_ping_before() {
    let options = |heartbeat: u64| {
        config(json!({ "routes": [{ "pattern": "/", "dialect": "echo", "heartbeat": heartbeat }] }))
    };
    let mut world = World::with_engine(options(1_000).engine([7; 32]).unwrap());
    let id = world.connect("/");
    let own = world.connect("/");
    world.command(own, Command::Heartbeat(Some(Duration::from_millis(5_000)))).unwrap();
    world.advance(300);
    world.reconfigure(options(400).configuration());
    world.advance(99);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["<ping heartbeat>"], "400 ms after it has connected");
    world.reconfigure(options(10_000).configuration());
    world.advance(4_599);
    assert_eq!((world.received(id).len(), world.received(own).len()), (0, 0));
    world.advance(1);
    assert_eq!(world.received(own), ["<ping heartbeat>"], "what user code has set stays");
    world.advance(5_400);
    assert_eq!(world.received(id), ["<ping heartbeat>"]);
    world.reconfigure(options(0).configuration());
    world.advance(60_000);
    assert_eq!(world.received(id), [""; 0]);
    world.reconfigure(options(100).configuration());
    world.advance(100);
    assert_eq!(world.received(id), ["<ping heartbeat>"]);
}

#[test]
fn the_silence_so_far_counts() {
    let options = |timeout: u64| {
        config(json!({ "routes": [{ "pattern": "/", "dialect": "echo", "inactivityTimeout": timeout }] }))
    };
    let mut world = World::with_engine(options(0).engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.advance(300);
    world.reconfigure(options(1_000).configuration());
    world.advance(699);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(1);
    assert_eq!(world.received(id), ["<close 1000 Inactivity timeout>"]);
    let id = world.connect("/");
    world.advance(500);
    world.reconfigure(options(100).configuration());
    world.timeout();
    assert_eq!(world.received(id), ["<close 1000 Inactivity timeout>"]);
}

#[test]
fn waiting_messages_keep_their_order() {
    let options = |delay: u64, reply: &str| {
        let mut route = replies("/", &format!("{reply} {{message}}"));
        route["delay"] = delay.into();
        config(json!({ "routes": [route] }))
    };
    let mut world = World::with_engine(options(100, "old").engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.text(id, "1");
    world.text(id, "2");
    world.reconfigure(options(0, "new").configuration());
    world.text(id, "3");
    assert_eq!(world.received(id), [""; 0]);
    world.advance(100);
    assert_eq!(world.received(id), ["new 1", "new 2", "new 3"]);
}
