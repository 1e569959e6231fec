//! Recordings and scenarios, played by the engine with exact time.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

mod support;

use std::fmt::Write;

use support::World;
use switchboard_core::{Config, ConnectionId, Input, Level};

const HEADER: &str =
    "{\"switchboard\":\"recording\",\"version\":1,\"startedAt\":\"2026-11-22T05:00:00.000Z\"}\n";

fn world(toml: &str) -> World {
    World::with_engine(Config::from_toml(toml).unwrap().engine([7; 32]).unwrap())
}

fn route(options: &str) -> String {
    format!("[[routes]]\npattern = '/**'\nreplay = {{ file = 'a.jsonl', {options} }}\n")
}

/// A world that replays these lines of the server and the client, of one connection on `/a`.
fn replaying(options: &str, lines: &[(f64, &str, &str)]) -> World {
    let mut world = world(&route(options));
    let mut text = format!("{HEADER}{{\"at\":0,\"connection\":1,\"type\":\"open\",\"path\":\"/a\"}}\n");
    for (at, from, message) in lines {
        writeln!(text, r#"{{"at":{at},"connection":1,"type":"message","from":"{from}","json":{message}}}"#)
            .unwrap();
    }
    world.disk.insert("a.jsonl".to_owned(), text.into_bytes());
    world
}

/// The ms that pass until the next message, with it.
fn next(world: &mut World, id: ConnectionId) -> (u64, String) {
    let mut passed = 0;
    loop {
        if let Some(text) = world.next_received(id) {
            return (passed, text);
        }
        passed += world.run_next().expect("something that is due");
    }
}

#[test]
fn the_pace_is_that_of_the_recording_or_another() {
    let lines =
        [(10.0, "server", "1"), (10.4, "server", "2"), (10.8, "client", "{}"), (1_010.8, "server", "3")];
    for (options, expected) in
        [("", [10, 1, 1_000]), ("speed = 10", [1, 1, 100]), ("speed = 'instant'", [0, 0, 0])]
    {
        let mut world = replaying(options, &lines);
        let id = world.connect("/a");
        let mut heard = world.received(id);
        for (place, expected) in expected.into_iter().enumerate() {
            if place == 2 {
                world.advance(77);
                world.text(id, "{}");
                heard.extend(world.received(id));
            }
            let mut passed = 0;
            while heard.is_empty() {
                passed += world.run_next().expect("something that is due");
                heard.extend(world.received(id));
            }
            assert_eq!((passed, heard.remove(0)), (expected, (place + 1).to_string()), "{options}");
        }
    }
}

#[test]
fn a_repeated_recording_begins_again_and_starts_where_it_is_told() {
    let lines = [(10.0, "server", "1"), (20.0, "server", "2"), (50.0, "server", "3")];
    let mut world = replaying("loop = true, startAt = { event = 2 }", &lines);
    let id = world.connect("/a");
    let heard: Vec<_> = (0..4).map(|_| next(&mut world, id)).collect();
    let expected = [(0, "2"), (30, "3"), (1, "2"), (30, "3")].map(|(ms, text)| (ms, text.to_owned()));
    assert_eq!(heard, expected);
    let mut world = replaying("startAt = 15", &lines);
    let id = world.connect("/a");
    assert_eq!(next(&mut world, id), (5, "2".to_owned()));
}

#[test]
fn clients_get_the_recorded_connections_of_their_path_in_turn() {
    let mut text = HEADER.to_owned();
    for (connection, path) in [(1, "/a"), (2, "/b?x=1"), (3, "/a")] {
        writeln!(text, r#"{{"at":0,"connection":{connection},"type":"open","path":"{path}"}}"#).unwrap();
        let line = format!(
            r#"{{"at":0,"connection":{connection},"type":"message","from":"server","json":{connection}}}"#
        );
        writeln!(text, "{line}").unwrap();
    }
    let heard = |options: &str, path: &str, clients: usize| {
        let mut world = world(&route(options));
        world.disk.insert("a.jsonl".to_owned(), text.clone().into_bytes());
        let clients = (0..clients).map(|_| {
            let id = world.connect(path);
            world.received(id).concat()
        });
        clients.collect::<Vec<_>>()
    };
    assert_eq!(heard("", "/a", 3), ["1", "3", "1"]);
    assert_eq!(heard("", "/b", 2), ["2", "2"]);
    assert_eq!(heard("", "/c", 4), ["1", "2", "3", "1"]);
    assert_eq!(heard("connection = 2", "/a", 2), ["2", "2"]);
}

#[test]
fn a_large_recording_waits_for_a_client_that_reads_slowly() {
    let message = format!("\"{}\"", "x".repeat(10_000));
    let lines: Vec<_> = (0..200).map(|_| (0.0, "server", message.as_str())).collect();
    let mut world = replaying("speed = 'instant'", &lines);
    world.is_disk_stalled = true;
    let id = world.upgrade("/a");
    // Its places are read in parts of 1 MiB; the opening handshake waits for the last one.
    assert_eq!(world.read_part(), Some(1 << 20));
    assert!(world.client(id).accepted.is_none());
    while world.read_part().is_some() {}
    world.open(id);
    assert_eq!(world.read_part(), Some(128 << 10));
    let mut heard = world.received(id).len();
    assert_eq!(heard, 13);
    world.input(Input::Full { id });
    assert_eq!(world.read_part(), Some(128 << 10));
    world.advance(1_000);
    assert_eq!(
        (world.read_part(), world.received(id).len()),
        (None, 0),
        "the client has to take something first"
    );
    world.input(Input::Drained { id });
    heard += world.received(id).len();
    while world.read_part().is_some() {
        heard += world.received(id).len();
    }
    assert_eq!(heard, 200);
}

/// Who leaves while the file is read is forgotten, and so is who leaves while it is played.
#[test]
fn clients_may_leave_at_any_time() {
    let mut world = replaying("", &[(0.0, "server", "1"), (1.0, "server", "2")]);
    world.is_disk_stalled = true;
    let first = world.upgrade("/a");
    world.input(Input::Disconnected { id: first });
    let second = world.upgrade("/a");
    while world.read_part().is_some() {}
    assert!(world.client(first).accepted.is_none() && world.client(second).accepted.is_some());
    world.open(second);
    world.cut(second);
    while world.read_part().is_some() {}
    world.advance(10);
    assert_eq!((world.engine.connections(), world.engine.stats().timers), (0, 0));
}

#[test]
fn the_recorded_subprotocol_is_chosen_where_it_is_offered() {
    let mut world = world(&route("speed = 'instant'"));
    let open = r#"{"at":0,"connection":1,"type":"open","path":"/a","subprotocol":"v2"}"#;
    world.disk.insert("a.jsonl".to_owned(), format!("{HEADER}{open}\n").into_bytes());
    for (offered, chosen) in [(Some("v1, v2"), Some("v2")), (Some("v1"), None), (None, None)] {
        let headers: Vec<_> = offered.map(|names| ("sec-websocket-protocol", names)).into_iter().collect();
        let id = world.upgrade_with("/a", &headers);
        let accepted = world.client(id).accepted.as_ref().unwrap();
        assert_eq!(accepted.subprotocol.as_deref(), chosen, "{offered:?}");
    }
}

#[test]
fn mistakes_in_a_file_are_told_at_the_start_and_clients_are_refused() {
    let mut world = world(&route(""));
    let text = format!("{HEADER}{{\"at\":0,\"connection\":1,\"type\":\"opn\",\"path\":\"/a\"}}\n");
    world.disk.insert("a.jsonl".to_owned(), text.into_bytes());
    world.advance(1);
    let told = (
        Level::Error,
        "/**: a.jsonl cannot be replayed, clients are answered 503: line 2: type: expected \"open\" or \"refuse\" or \
         \"message\" or \"close\" or \"fault\" or \"gap\", got \"opn\"; did you mean \"open\"?"
            .to_owned(),
    );
    assert_eq!(world.log, [told]);
    let id = world.upgrade("/a");
    assert_eq!(world.client(id).rejected, Some(503));
}

#[test]
fn conversations_go_on_when_the_route_plays_something_else() {
    let mut world = replaying("", &[(10.0, "server", "1"), (20.0, "client", "{}"), (30.0, "server", "2")]);
    let before = world.connect("/a");
    world.advance(10);
    assert_eq!(world.received(before), ["1"]);
    let other = format!(
        "{HEADER}{{\"at\":0,\"connection\":1,\"type\":\"open\",\"path\":\"/a\"}}\n\
         {{\"at\":0,\"connection\":1,\"type\":\"message\",\"from\":\"server\",\"json\":9}}\n"
    );
    world.disk.insert("b.jsonl".to_owned(), other.into_bytes());
    let config = Config::from_toml(&route("").replace("a.jsonl", "b.jsonl")).unwrap();
    let summary = world.reconfigure(config.configuration());
    assert_eq!((summary.changed, summary.kept, summary.closed), (1, 1, 0));
    let after = world.connect("/a");
    assert_eq!(world.received(after), ["9"]);
    world.text(before, "{}");
    world.advance(10);
    assert_eq!(world.received(before), ["2"]);
    let scenario = Config::from_toml("[[routes]]\npattern = '/**'\nscenario = [{ send = 'x' }]\n").unwrap();
    let summary = world.reconfigure(scenario.configuration());
    assert_eq!((summary.kept, summary.closed), (0, 2));
}

#[test]
fn mismatches_are_logged_with_what_differs_and_counted() {
    let mut world = replaying("", &[(0.0, "client", r#"{"type":"a"}"#)]);
    let id = world.connect("/a");
    world.text(id, r#"{"type":"b"}"#);
    let told = r#"/a: {"type":"b"} came from the client, where a.jsonl line 3 expects {"type":"a"}: type: recorded "a", got "b""#;
    assert_eq!(world.log, [(Level::Warn, told.to_owned())]);
    assert_eq!(world.received(id), [""; 0]);
}

#[test]
fn wrong_options_name_their_key() {
    let steps = |steps: &str| format!("[[routes]]\npattern = '/a'\nscenario = {steps}\n");
    for (toml, expected) in [
        (
            route("speed = 0"),
            "routes[0].replay.speed: expected a number from 0.001 to 1000000, or \"instant\", got 0",
        ),
        (
            route("speed = 'fast'"),
            "routes[0].replay.speed: expected a number such as 10, or \"instant\", got text \"fast\"",
        ),
        (route("mach = 'any'"), "routes[0].replay.mach: unknown key; did you mean \"match\"?"),
        (
            route("match = 'all'"),
            "routes[0].replay.match: expected \"exact\" or \"shape\" or \"any\", got \"all\"",
        ),
        (
            route("startAt = { event = 0 }"),
            "routes[0].replay.startAt: expected a number of ms, or { event: n } with n from 1, got an object",
        ),
        (
            "[[routes]]\npattern = '/a'\ndialect = 'replay'\n".to_owned(),
            "routes[0].replay: write the recording, such as { file = \"session.jsonl\" }",
        ),
        (steps("'a.yaml'"), "routes[0].scenario: \"a.yaml\" is neither a .toml nor a .json file"),
        (steps("[{ sned = 1 }]"), "routes[0].scenario[0].sned: unknown key; did you mean \"send\"?"),
        (
            steps("[{ loop = { steps = [{ wait = 'x' }] } }]"),
            "routes[0].scenario[0].loop.steps[0].wait: expected a whole number that is not negative, got text \"x\"",
        ),
        (
            steps("[{ send = 1, wait = 1 }]"),
            "routes[0].scenario[0]: one step does one thing; write send and wait as two steps",
        ),
        (
            steps("[{ goto = 'edn' }, { label = 'end' }]"),
            "routes[0].scenario[0].goto: no step has the label \"edn\"; did you mean \"end\"?",
        ),
        (steps("[{ label = 'a' }, { label = 'a' }]"), "routes[0].scenario[1].label: \"a\" stands here twice"),
        (steps("[{ send = '{let.x}' }]"), "routes[0].scenario[0].send: no step and no variable sets \"x\""),
        (
            steps("[{ expect = {}, within = 5 }]"),
            "routes[0].scenario[0]: \"within\" needs \"otherwise\", the label to go to",
        ),
        (
            steps("[{ close = { code = 1006 } }]"),
            "routes[0].scenario[0]: close.code: 1006 cannot be sent; use 1000-1003, 1007-1014, 3000-4999, or 1005 for none",
        ),
    ] {
        let error = Config::from_toml(&toml).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{toml}");
    }
}

#[test]
fn a_har_file_is_a_recording() {
    let toml = "[[routes]]\npattern = '/**'\nreplay = { file = 'a.HAR' }\n";
    let entry = |response: &str, messages: &str| {
        format!(
            r#"{{"startedDateTime":"2026-11-22T05:00:00Z","request":{{"url":"wss://example.com/a?x=1"}},
            "response":{{"status":101{response}}},"_resourceType":"websocket"{messages}}}"#
        )
    };
    let messages = r#", "_webSocketMessages":[
        {"type":"receive","time":1795323600.125,"opcode":1,"data":"hello"},
        {"type":"send","time":1795323601,"opcode":1,"data":"{\"id\":1}"},
        {"type":"receive","time":1795323601.25,"opcode":1,"data":"{\"id\":1}"}]"#;
    let file = |entry: String| format!(r#"{{"log":{{"entries":[{{}},{entry}]}}}}"#).into_bytes();

    let mut replayed = world(toml);
    replayed.disk.insert("a.HAR".to_owned(), file(entry("", messages)));
    let id = replayed.connect("/a");
    assert_eq!(next(&mut replayed, id), (125, "hello".to_owned()));
    replayed.text(id, r#"{"id":7}"#);
    assert_eq!(next(&mut replayed, id), (250, r#"{"id":7}"#.to_owned()));

    for (damaged, expected) in [
        (
            entry("", &messages.replace("\"opcode\":1", "\"opcode\":3")),
            "line 3: log.entries[1]._webSocketMessages[0].opcode: expected 1",
        ),
        (
            entry(r#","content":{"_file":"b.jsonl"}"#, ""),
            "a.HAR cannot be replayed, clients are answered 503: b.jsonl, which belongs to it: no such file",
        ),
    ] {
        let mut refused = world(toml);
        refused.disk.insert("a.HAR".to_owned(), file(damaged));
        let id = refused.upgrade("/a");
        assert_eq!(refused.client(id).rejected, Some(503));
        assert!(refused.log.iter().any(|(_, line)| line.contains(expected)), "{:?}", refused.log);
    }
}

/// As Playwright writes them, with the messages in the file and in another one beside it.
#[test]
fn a_har_file_is_replayed_with_the_files_beside_it() {
    let har = |messages: &str| {
        format!(
            r#"{{"log":{{"version":"1.2","creator":{{"name":"Playwright","version":"1.65.0"}},"entries":[{{
            "startedDateTime":"2026-11-22T05:00:00.000Z","time":5,"_resourceType":"websocket",
            "request":{{"method":"GET","url":"ws://example.com/a","httpVersion":"HTTP/1.1","headers":[]}},
            "response":{{"status":101,"statusText":"","headers":[]{messages}
            }}]}}}}"#
        )
    };
    let message = r#"{"type":"receive","time":1795323600.010,"opcode":1,"data":"hello"}"#;
    for (file, beside) in [
        (har(&format!(r#"}},"_webSocketMessages":[{message}]"#)), None),
        (har(r#","content":{"size":1,"_file":"1.jsonl"}}"#), Some(format!("{message}\n"))),
    ] {
        let mut world =
            world("[[routes]]\npattern = '/**'\nreplay = { file = 'x/a.har', speed = 'instant' }\n");
        world.disk.insert("x/a.har".to_owned(), file.into_bytes());
        if let Some(beside) = beside {
            world.disk.insert("x/1.jsonl".to_owned(), beside.into_bytes());
        }
        let id = world.upgrade("/a");
        assert!(world.client(id).accepted.is_some(), "{:?}", world.log);
        world.open(id);
        world.advance(5);
        assert_eq!(world.received(id), ["hello"]);
    }
    let mut world = world("[[routes]]\npattern = '/**'\nreplay = { file = 'a.har' }\n");
    let file = har(r#","content":{"size":1,"_file":"../secret"}}"#);
    world.disk.insert("a.har".to_owned(), file.into_bytes());
    let id = world.upgrade("/a");
    assert_eq!(world.client(id).rejected, Some(503));
    assert!(world.log[0].1.ends_with(r#"below it, got "../secret""#), "{:?}", world.log);
}
