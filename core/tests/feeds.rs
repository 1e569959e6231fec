//! Feeds that fill themselves: by POST, in intervals, from a recording, from another server.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::World;
use switchboard_core::{CloseCode, CloseFrame, Config, ConnectionId, Input, UpstreamEvent};

const SUB: &str = r#"{"action":"sub","channel":"kills"}"#;

/// A server whose feed `killmails` has these settings, and a subscriber who gets its values.
fn world(feed: &str) -> (World, ConnectionId) {
    let channels = r#"[{ name = "kills", feed = "killmails" }]"#;
    let route =
        format!("[[routes]]\npattern = '/'\ndialect = 'actions'\nactions = {{ channels = {channels} }}");
    let config = Config::from_toml(&format!("[[feeds]]\nname = 'killmails'\n{feed}\n{route}")).unwrap();
    let mut world = World::with_engine(config.engine([7; 32]).unwrap());
    let id = world.connect("/");
    world.text(id, SUB);
    (world, id)
}

fn upstream(world: &mut World, event: UpstreamEvent) {
    let upstream = world.dials.last().unwrap().0;
    world.input(Input::Upstream { upstream, event });
}

#[test]
fn posted_values_are_published_in_order_or_not_at_all() {
    let (mut world, id) = world("post = { maxBody = 40 }");
    for (body, status, answer) in [
        (r#"{"n":1}"#, 202, r#"{"accepted":1}"#),
        ("[2,3]", 202, r#"{"accepted":2}"#),
        ("4\n\n5\n", 202, r#"{"accepted":2}"#),
        ("[]", 202, r#"{"accepted":0}"#),
        ("6\nx", 400, r#"{"error":"line 2 is not JSON: expected value at line 1 column 1"}"#),
    ] {
        assert_eq!(world.http("POST", "/feeds/killmails", body), (status, answer.to_owned()), "{body}");
    }
    assert_eq!(world.http("POST", "/feeds/killmails", &"1".repeat(41)).0, 413);
    assert_eq!(world.http("GET", "/feeds/killmails", "").0, 404);
    assert_eq!(world.received(id), [r#"{"n":1}"#, "2", "3", "4", "5"]);
}

#[test]
fn a_token_guards_the_endpoint() {
    let (mut world, id) = world("post = { path = '/publish', token = 'secret' }");
    assert_eq!(
        world.http("POST", "/publish", "1"),
        (401, r#"{"error":"send the token as Authorization: Bearer <token>"}"#.to_owned())
    );
    assert_eq!(world.received(id), [""; 0]);
}

#[test]
fn an_interval_publishes_its_values_in_turn() {
    let (mut world, id) = world("interval = { every = 50, values = [{ n = '{counter.n 1 1}' }, 'x'] }");
    world.advance(49);
    assert_eq!(world.received(id), [""; 0]);
    world.advance(101);
    assert_eq!(world.received(id), [r#"{"n":1}"#, r#""x""#, r#"{"n":2}"#]);
}

#[test]
fn a_recording_is_replayed_once_its_file_was_read() {
    let (mut world, id) = world("replay = { file = 'kills.jsonl', every = 1, batch = 100 }");
    world.timeout();
    assert_eq!(world.files, [("killmails".to_owned(), "kills.jsonl".to_owned())]);
    let lines: String = (0..10_000).map(|number| format!("{number}\n")).collect();
    world.input(Input::File {
        feed: "killmails".into(),
        file: "kills.jsonl".into(),
        content: Ok(lines.into()),
    });
    world.advance(1_000);
    let expected: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    assert_eq!(world.received(id), expected);
    assert_eq!(world.log.last().unwrap().1, "replay of kills.jsonl into \"killmails\": all 10000 values");
    world.advance(100_000);
    assert_eq!(world.received(id), [""; 0]);
}

#[test]
fn a_long_replay_says_how_far_it_is() {
    let (mut world, _) = world("replay = { file = 'x', timestamp = 'at', speed = 2 }");
    world.timeout();
    let lines: String = (0..100).map(|second| format!("{{\"at\":{}}}\n", 1_700_000_000 + second)).collect();
    world.input(Input::File { feed: "killmails".into(), file: "x".into(), content: Ok(lines.into()) });
    world.advance(60_000);
    let said: Vec<&str> = world.log.iter().map(|(_, text)| text.rsplit(": ").next().unwrap()).collect();
    assert_eq!(
        said,
        [
            "21 of 100 values (21 %)",
            "41 of 100 values (41 %)",
            "61 of 100 values (61 %)",
            "81 of 100 values (81 %)",
            "all 100 values"
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let (mut world, _) = world("replay = { file = 'x.jsonl' }");
    world.timeout();
    let content = Err("No such file or directory".to_owned());
    world.input(Input::File { feed: "killmails".into(), file: "x.jsonl".into(), content });
    assert_eq!(world.log.last().unwrap().1, "x.jsonl cannot be replayed: No such file or directory");
    assert_eq!(world.engine.poll_timeout(), None);
}

#[test]
fn an_upstream_is_greeted_and_dialled_again_with_longer_pauses() {
    let (mut world, id) = world(
        "upstream = { url = 'wss://feed.example/?key=secret', send = [{ action = 'sub' }, 'hi'], field = 'data', retry = 1000 }",
    );
    world.timeout();
    assert_eq!(world.dials[0].1.url, "wss://feed.example/?key=secret");
    upstream(&mut world, UpstreamEvent::Opened { protocol: None });
    let said: Vec<_> = world.upstream.iter().map(|(_, said)| said.as_str()).collect();
    assert_eq!(said, [r#"{"action":"sub"}"#, "hi"]);
    for text in [r#"{"data":{"n":1}}"#, r#"{"type":"ping"}"#, "no JSON", r#"{"data":2}"#] {
        upstream(&mut world, UpstreamEvent::Message(text.into()));
    }
    assert_eq!(world.received(id), [r#"{"n":1}"#, "2"]);
    let goodbye = CloseFrame::new(CloseCode::GOING_AWAY, "");
    upstream(&mut world, UpstreamEvent::Closed(Some(goodbye)));
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let (before, dials) = (world.now().instant, world.dials.len());
        world.advance(world.engine.poll_timeout().unwrap().ms_since(before));
        pauses.push(world.now().instant.ms_since(before));
        assert_eq!(world.dials.len(), dials + 1);
        upstream(&mut world, UpstreamEvent::Failed { message: "connection refused".into() });
    }
    for (pause, most) in pauses.iter().zip([1_000, 2_000, 4_000, 8_000]) {
        assert!((most / 2..=most).contains(pause), "{pauses:?}");
    }
    assert!(world.log.iter().all(|(_, text)| !text.contains("secret")), "{:?}", world.log);
    assert!(
        world.log[1]
            .1
            .starts_with("wss://feed.example/ no longer feeds \"killmails\": closed with 1001; again in ")
    );
}

#[test]
fn a_shutdown_stops_the_sources() {
    let feed = "upstream = { url = 'ws://x' }\ninterval = { every = 5, values = [1] }";
    let (mut world, id) = world(feed);
    world.timeout();
    upstream(&mut world, UpstreamEvent::Opened { protocol: None });
    world.input(Input::Shutdown {
        frame: CloseFrame::new(CloseCode::GOING_AWAY, ""),
        grace: Duration::from_millis(100),
    });
    assert_eq!(world.upstream.last().unwrap().1, "<close>");
    world.advance(1_000);
    assert_eq!(world.received(id), ["<close 1001>", "<end>"]);
}

#[test]
fn a_value_for_nobody_is_no_value_of_a_feed() {
    let (mut world, id) = world("");
    world.input(Input::Publish { feed: "kills".into(), value: Value::Null });
    assert_eq!(world.log.last().unwrap().1, "nothing is published: there is no feed \"kills\"");
    assert_eq!(world.received(id), [""; 0]);
}
