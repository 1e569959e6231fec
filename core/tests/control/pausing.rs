//! Clients that are not read for a while.

use super::breakpoints::control;
use super::*;

#[test]
fn clients_are_not_read_until_they_are_resumed_or_for_a_time() {
    let mut control = control();
    let [a, b] = ["/chat"; 2].map(|path| control.world.connect(path));
    let name = control.public_id(a);
    assert_eq!(control.post("/pause", json!({"connection": name})), json!({"count": 1}));
    assert!(control.world.client(a).paused && !control.world.client(b).paused);
    assert_eq!(control.get(&format!("/connections/{name}"))["isReadingPaused"], true);
    // It cannot answer, and is not closed for that.
    for _ in 0..5 {
        control.world.input(Input::Pong { id: b, payload: "heartbeat".into() });
        control.world.text(b, "alive");
        control.world.advance(10_000);
    }
    assert!(!control.world.client(a).gone && control.world.client(a).paused);
    assert_eq!(control.post("/resume", json!({"everyone": true})), json!({"count": 1}));
    assert!(!control.world.client(a).paused);
    assert_eq!(control.post("/resume", json!({"connection": name})), json!({"count": 0}));

    let room = json!({"route": "/chat", "room": "lobby", "timeout": 1_500});
    assert_eq!(control.post("/pause", room), json!({"count": 2}));
    control.world.advance(1_499);
    assert!(control.world.client(b).paused);
    control.world.advance(1);
    assert!(!control.world.client(a).paused && !control.world.client(b).paused);
    assert_eq!(control.get(&format!("/connections/{name}"))["isReadingPaused"], false);

    // The client's own close frame has to be read.
    control.post("/pause", json!({"connection": name}));
    control.post("/close", json!({"connection": name}));
    assert!(!control.world.client(a).paused);
    control.post("/pause", json!({"everyone": true}));
    control.world.cut(b);
    assert_eq!(control.world.removed[&b], 1);
}

#[test]
fn neither_the_engine_nor_the_api_resumes_the_other() {
    let mut control = Control::of(
        "[[routes]]\npattern = '/echo'\ndialect = 'echo'\noutbound = { maxBytes = 100, overflow = 'pause' }",
    );
    let id = control.world.connect("/echo");
    let pause = |control: &mut Control| control.post("/pause", json!({"everyone": true}));
    let resume = |control: &mut Control| control.post("/resume", json!({"everyone": true}));
    pause(&mut control);
    control.world.input(Input::Full { id });
    resume(&mut control);
    assert!(control.world.client(id).paused, "its outbox is full");
    pause(&mut control);
    control.world.input(Input::Drained { id });
    assert!(control.world.client(id).paused, "somebody has paused it");
    resume(&mut control);
    assert!(!control.world.client(id).paused);
    // The engine was first.
    control.world.input(Input::Full { id });
    pause(&mut control);
    resume(&mut control);
    assert!(control.world.client(id).paused);
    control.world.input(Input::Drained { id });
    assert!(!control.world.client(id).paused);
}
