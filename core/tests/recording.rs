//! What is recorded, when, and what is left out.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use bytes::Bytes;
use serde_json::{Value, json};
use support::proxy::{closes, opened, says, world};
use support::world::World;
use switchboard_core::recording::{Line, Lines, RecordSettings};
use switchboard_core::{Config, ConfigError, Input, Level, RecordingId, UpstreamEvent};

const FILE: &str = "session.jsonl";

/// The lines of the file without the headers of opening handshakes, which are the same in all of these tests.
fn lines(world: &World) -> Vec<Value> {
    let lines = world.file(FILE).lines().map(|line| serde_json::from_str(line).unwrap());
    let mut lines: Vec<Value> = lines.collect();
    for line in &mut lines {
        for key in ["headers", "responseHeaders"] {
            line.as_object_mut().unwrap().remove(key);
        }
    }
    lines
}

/// What every reader of recordings makes of the file.
fn read(world: &World) -> Vec<Line> {
    let mut lines = Lines::default();
    lines.push(world.file(FILE).as_bytes());
    let read = std::iter::from_fn(|| lines.next_line().unwrap()).map(|placed| placed.line).collect();
    assert_eq!(lines.finish().unwrap(), None);
    read
}

fn start(
    world: &mut World,
    settings: &RecordSettings,
    pattern: Option<&str>,
) -> Result<RecordingId, ConfigError> {
    let mut effects = Vec::new();
    let started = world.engine.start_recording(world.now(), settings, pattern, &mut effects);
    world.carry_out(effects);
    started
}

fn stop(world: &mut World, id: RecordingId) -> Option<String> {
    let mut effects = Vec::new();
    let file = world.engine.stop_recording(world.now(), id, &mut effects);
    world.carry_out(effects);
    file.map(|file| file.to_string())
}

#[test]
fn a_route_is_recorded_from_opening_to_close() {
    let mut world = world(json!([
        { "pattern": "/echo", "dialect": "echo", "record": FILE, "subprotocols": ["v1"] },
        { "pattern": "/other", "dialect": "echo" },
    ]));
    world.advance(500);
    assert_eq!(world.file(FILE), "", "nothing has happened");
    let other = world.connect("/other");
    let a = world.upgrade_with("/echo?room=1", &[("sec-websocket-protocol", "v1")]);
    world.open(a);
    world.advance(12);
    world.text(a, r#"{"a": 1}"#);
    world.text(other, "not recorded");
    let b = world.connect("/echo");
    world.message(a, Bytes::from_static(&[0, 1]));
    world.advance(1);
    world.close(b, 4001, "bye");
    world.cut(b);
    world.cut(a);
    let expected = [
        json!({"switchboard": "recording", "version": 1, "startedAt": "2026-11-20T10:00:00.500Z", "source": "/echo"}),
        json!({"at": 0, "connection": 1, "type": "open", "path": "/echo?room=1", "status": 101, "subprotocol": "v1"}),
        json!({"at": 12, "connection": 1, "type": "message", "from": "client", "json": {"a": 1}}),
        json!({"at": 12, "connection": 1, "type": "message", "from": "server", "json": {"a": 1}}),
        json!({"at": 12, "connection": 2, "type": "open", "path": "/echo", "status": 101}),
        json!({"at": 12, "connection": 1, "type": "message", "from": "client", "binary": "AAE="}),
        json!({"at": 12, "connection": 1, "type": "message", "from": "server", "binary": "AAE="}),
        json!({"at": 13, "connection": 2, "type": "close", "by": "client", "code": 4001, "reason": "bye"}),
        json!({"at": 13, "connection": 1, "type": "close", "by": "lost", "code": 1006, "reason": ""}),
    ];
    assert_eq!(lines(&world), expected);
    assert_eq!(read(&world).len(), expected.len());
    let open = world.file(FILE).lines().nth(1).unwrap().to_owned();
    for header in [r#"["host","localhost"]"#, r#"["sec-websocket-protocol","v1"]"#, r#""responseHeaders":[["#]
    {
        assert!(open.contains(header), "{open}");
    }
    assert_eq!(world.engine.stats().recording_bytes, 0);
}

#[test]
fn a_broadcast_is_recorded_for_each_of_its_receivers() {
    let mut world = world(json!([{ "pattern": "/chat", "dialect": "relay", "record": FILE }]));
    let (a, _b, _c) = (world.connect("/chat"), world.connect("/chat"), world.connect("/chat"));
    world.text(a, "hello");
    let said: Vec<_> =
        lines(&world)[4..].iter().map(|line| (line["connection"].clone(), line["from"].clone())).collect();
    let of = |connection: u64, from: &str| (json!(connection), json!(from));
    assert_eq!(said, [of(1, "client"), of(2, "server"), of(3, "server")]);
}

#[test]
fn a_proxy_is_recorded_with_its_refusals_and_names_its_target() {
    let proxy = json!({ "url": "wss://example.com/feed?key=s3cret", "handshake": "target" });
    let mut world = world(json!([{ "pattern": "/live", "proxy": proxy, "record": { "file": FILE } }]));
    let a = world.upgrade("/live");
    world.target(opened());
    world.open(a);
    world.text(a, "hi");
    world.target(says("hello"));
    world.target(closes(4000, "done"));
    let _refused = world.upgrade("/live?token=s3cret");
    world.target(UpstreamEvent::Refused { status: 401 });
    let lines = lines(&world);
    assert_eq!(lines[0]["source"], "wss://example.com/feed?key=***");
    let rest: Vec<_> = lines[1..]
        .iter()
        .map(|line| (line["type"].as_str().unwrap(), line["connection"].as_u64().unwrap()))
        .collect();
    assert_eq!(rest, [("open", 1), ("message", 1), ("message", 1), ("close", 1), ("refuse", 2)]);
    assert_eq!(lines[4]["by"], "server");
    assert_eq!((&lines[5]["path"], &lines[5]["status"]), (&json!("/live?token=***"), &json!(401)));
}

#[test]
fn refusals_are_recorded_by_status_and_by_code() {
    let token = |missing: Value| json!({ "token": { "query": "ticket", "values": ["s3cret-ticket"] }, "missing": missing });
    let mut world = world(json!([
        { "pattern": "/a", "dialect": "echo", "record": FILE, "authenticate": token(json!({})) },
        { "pattern": "/b", "dialect": "echo", "record": FILE, "authenticate": token(json!({ "code": 4401, "reason": "who?" })) },
    ]));
    world.upgrade("/a");
    let b = world.upgrade("/b?x=1");
    world.open(b);
    let c = world.connect("/a?ticket=s3cret-ticket");
    world.text(c, "my ticket is s3cret-ticket");
    world.upgrade("/nowhere");
    assert_eq!(
        lines(&world)[1..],
        [
            json!({"at": 0, "connection": 1, "type": "refuse", "path": "/a", "status": 401, "reason": "Unauthorized"}),
            json!({"at": 0, "connection": 2, "type": "open", "path": "/b?x=1", "status": 101}),
            json!({"at": 0, "connection": 2, "type": "close", "by": "server", "code": 4401, "reason": "who?"}),
            json!({"at": 0, "connection": 3, "type": "open", "path": "/a?ticket=***", "status": 101}),
            json!({"at": 0, "connection": 3, "type": "message", "from": "client", "text": "my ticket is ***"}),
            json!({"at": 0, "connection": 3, "type": "message", "from": "server", "text": "my ticket is ***"}),
        ]
    );
}

#[test]
fn nothing_is_kept_of_a_client_that_leaves_before_it_has_opened() {
    let mut world = world(json!([{ "pattern": "/echo", "dialect": "echo", "record": FILE }]));
    let a = world.upgrade("/echo");
    world.cut(a);
    assert_eq!(world.file(FILE), "");
    let b = world.connect("/echo");
    world.cut(b);
    assert_eq!(lines(&world).len(), 3);
}

#[test]
fn secrets_of_every_place_stay_out_of_the_file() {
    let mut world = world(
        json!([{ "pattern": "/echo", "dialect": "echo", "record": { "file": FILE, "mask": ["card \\d+"] }, "subprotocols": ["*"] }]),
    );
    let headers = [
        ("authorization", "Bearer s3cr3t"),
        ("cookie", "sid=s3cr3t"),
        ("x-api-key", "s3cr3t"),
        ("sec-websocket-protocol", "base64url.bearer.phx.s3cr3t"),
    ];
    let a = world.upgrade_with("/echo?access_token=s3cr3t", &headers);
    world.open(a);
    world.text(a, r#"{"login":{"password":"s3cr3t"}}"#);
    world.text(a, "Bearer s3cr3t");
    world.text(a, "card 12345");
    world.close(a, 4000, "token=s3cr3t");
    let file = world.file(FILE);
    assert!(!file.contains("s3cr3t") && !file.contains("12345"), "{file}");
    assert_eq!(file.matches("***").count(), 14, "{file}");
    assert_eq!(world.received(a)[..3], [r#"{"login":{"password":"s3cr3t"}}"#, "Bearer s3cr3t", "card 12345"]);
}

#[test]
fn what_the_disk_cannot_take_is_left_out_and_counted() {
    let mut world = world(json!([{ "pattern": "/in", "dialect": "relay", "record": FILE }]));
    let a = world.connect("/in");
    world.is_disk_stalled = true;
    let large = "x".repeat(1 << 20);
    for _ in 0..20 {
        world.text(a, &large);
    }
    let waiting = world.engine.stats().recording_bytes;
    assert!(waiting <= 16 << 20 && waiting > 15 << 20, "{waiting}");
    // What is small still has room. The next large one has not.
    let b = world.connect("/in");
    world.text(b, &large);
    world.is_disk_stalled = false;
    world.advance(30);
    world.write();
    world.text(b, "late");
    let kept: Vec<_> = lines(&world)
        .into_iter()
        .map(|line| (line["type"].clone(), line["missed"].clone(), line["at"].clone()))
        .collect();
    let none = Value::Null;
    let messages =
        kept.iter().take_while(|(kind, ..)| *kind != "gap").filter(|(kind, ..)| kind == "message").count();
    assert_eq!(
        kept[messages + 2..],
        [
            (json!("gap"), json!(20 - messages), json!(0)),
            (json!("open"), none.clone(), json!(0)),
            // To a, and from b.
            (json!("gap"), json!(2), json!(30)),
            (json!("message"), none.clone(), json!(30)),
            (json!("message"), none, json!(30)),
        ]
    );
    assert_eq!(world.engine.stats().recording_bytes, 0);
}

#[test]
fn an_error_ends_the_recording_and_nothing_else() {
    let mut world = world(json!([{ "pattern": "/echo", "dialect": "echo", "record": FILE }]));
    world.is_disk_stalled = true;
    let a = world.connect("/echo");
    let bytes = world.file(FILE).len();
    world.unwritten.clear();
    world.input(Input::Appended { file: FILE.into(), bytes, result: Err("no space left".to_owned()) });
    assert_eq!(world.log, [(Level::Error, "the recording session.jsonl ends: no space left".to_owned())]);
    world.text(a, "goes on");
    assert_eq!(world.received(a), ["goes on"]);
    assert_eq!((world.file(FILE).len(), world.engine.stats().recording_bytes), (bytes, 0));
    assert!(world.unwritten.is_empty());
}

#[test]
fn recordings_start_and_stop_while_the_server_runs() {
    let mut world = world(json!([
        { "pattern": "/a/{id}", "dialect": "echo" },
        { "pattern": "/b", "dialect": "echo" },
    ]));
    let (a, b) = (world.connect("/a/1"), world.connect("/b"));
    let id = start(&mut world, &RecordSettings::new(FILE), Some("/a/{id}")).unwrap();
    assert_eq!(lines(&world).len(), 1, "the header is there at once");
    let twice = start(&mut world, &RecordSettings::new(FILE), None).unwrap_err();
    assert_eq!(twice.to_string(), "file: session.jsonl is being recorded already; write another file");
    world.advance(5);
    world.text(b, "not recorded");
    // It was open before.
    world.text(a, "1");
    assert_eq!(stop(&mut world, id).as_deref(), Some(FILE));
    assert_eq!(stop(&mut world, id), None);
    world.text(a, "not recorded");
    assert_eq!(
        lines(&world)[1..],
        [
            json!({"at": 5, "connection": 1, "type": "open", "path": "/a/1", "status": 101}),
            json!({"at": 5, "connection": 1, "type": "message", "from": "client", "json": 1}),
            json!({"at": 5, "connection": 1, "type": "message", "from": "server", "json": 1}),
        ]
    );
    // Another run in the same file begins with another header, and counts anew.
    let id = start(&mut world, &RecordSettings::new(FILE), None).unwrap();
    world.text(b, "2");
    world.cut(b);
    stop(&mut world, id);
    let lines = lines(&world);
    assert_eq!(lines[4]["switchboard"], "recording");
    assert_eq!(
        (&lines[5]["path"], &lines[5]["connection"], &lines[5]["at"]),
        (&json!("/b"), &json!(1), &json!(0))
    );
    assert_eq!(lines.len(), 9);
    assert_eq!(read(&world).len(), 9);
}

#[test]
fn mistakes_of_a_recording_are_told() {
    let mut world = world(json!([{ "pattern": "/a", "dialect": "echo" }]));
    let with = |mask: &str| {
        let mut settings = RecordSettings::new(FILE);
        settings.mask = vec![mask.to_owned()];
        settings
    };
    for (settings, pattern, expected) in [
        (RecordSettings::new(""), None, "file: expected a file's name, such as \"session.jsonl\""),
        (with("("), None, "mask[0]: not a regular expression: unclosed group"),
        (RecordSettings::new(FILE), Some("/a/{"), "route: "),
    ] {
        let error = start(&mut world, &settings, pattern).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    for number in 0..100 {
        start(&mut world, &RecordSettings::new(format!("{number}.jsonl")), None).unwrap();
    }
    let error = start(&mut world, &RecordSettings::new(FILE), None).unwrap_err();
    assert_eq!(error.to_string(), "there are 100 recordings already; stop one first");
}

#[test]
fn a_configuration_says_what_is_wrong_with_record() {
    for (record, expected) in [
        (json!(5), "routes[0].record: expected a file's name or an object, got the number 5"),
        (json!(""), "routes[0].record.file: expected a file's name, such as \"session.jsonl\""),
        (json!({ "fil": "a" }), "routes[0].record.fil: unknown key; did you mean \"file\"?"),
        (
            json!({ "file": "a", "mask": ["("] }),
            "routes[0].record.mask[0]: not a regular expression: unclosed group",
        ),
    ] {
        let error =
            Config::from_value(json!({ "routes": [{ "pattern": "/a", "record": record }] })).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let mut config =
        Config::from_value(json!({ "routes": [{ "pattern": "/a", "record": "b/c.jsonl" }] })).unwrap();
    config.anchor("/srv/app".as_ref());
    assert_eq!(config.routes[0].record.as_ref().unwrap().file, "/srv/app/b/c.jsonl");
    assert_eq!(config.recordings, "/srv/app/recordings");
}

#[test]
fn another_configuration_goes_on_with_the_same_file() {
    let routes = |record: Value, delay: u64| {
        let value = json!({ "routes": [{ "pattern": "/echo", "dialect": "echo", "record": record, "delay": delay }] });
        Config::from_value(value).unwrap().configuration()
    };
    let mut world = world(json!([{ "pattern": "/echo", "dialect": "echo", "record": FILE }]));
    let a = world.connect("/echo");
    world.reconfigure(routes(json!(FILE), 1));
    world.text(a, "1");
    world.advance(1);
    assert_eq!(lines(&world).len(), 4, "no second header");
    world.reconfigure(routes(Value::Null, 0));
    world.text(a, "2");
    assert_eq!(lines(&world).len(), 4);
    assert_eq!(world.received(a), ["1", "2"]);
    world.reconfigure(routes(json!({ "file": FILE, "mask": ["3"] }), 0));
    world.text(a, "3");
    let lines = lines(&world);
    assert_eq!(
        (&lines[4]["version"], &lines[5]["type"], &lines[6]["text"]),
        (&json!(1), &json!("open"), &json!("***"))
    );
}

#[test]
fn faults_are_recorded_where_they_end_a_connection() {
    let faults = json!([{ "close": 4000, "after": { "messages": 1 } }]);
    let mut world =
        world(json!([{ "pattern": "/echo", "dialect": "echo", "record": FILE, "faults": faults }]));
    let a = world.connect("/echo");
    world.text(a, "hello");
    world.advance(100);
    let kinds: Vec<_> =
        lines(&world)[1..].iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["open", "message", "message", "fault", "close"], "{}", world.file(FILE));
}
