//! Breakpoints: what they hold, for how long, and what becomes of what waits behind it.

use super::*;

const ONE: &str = "
    limits = { closeTimeout = 5000 }
    [[routes]]
    pattern = '/echo'
    dialect = 'echo'
    [[routes]]
    pattern = '/chat'
    dialect = 'relay'
    defaultRoom = 'lobby'
    heartbeat = 20000
    inactivityTimeout = 30000
    outbound = { maxBytes = 100 }
";

pub(super) fn control() -> Control {
    Control::of(ONE)
}

impl Control {
    /// Adds a breakpoint that stays, and gives its number.
    pub(super) fn hold(&mut self, mut breakpoint: Value) -> u64 {
        breakpoint["persist"] = json!(true);
        self.post("/breakpoints", breakpoint)["id"].as_u64().unwrap()
    }

    /// The numbers of what is held, and their texts.
    pub(super) fn held(&mut self) -> Vec<(u64, String)> {
        let all = self.get("/breakpoints");
        let held = all["held"].as_array().unwrap().iter();
        held.map(|held| (held["id"].as_u64().unwrap(), held["text"].as_str().unwrap_or("bytes").to_owned()))
            .collect()
    }

    pub(super) fn texts(&mut self) -> Vec<String> {
        self.held().into_iter().map(|(_, text)| text).collect()
    }

    pub(super) fn decide(&mut self, id: u64, decision: Value) {
        assert_eq!(self.post(&format!("/held/{id}"), decision), json!({"count": 1}));
    }

    pub(super) fn pass_all(&mut self) -> u64 {
        self.post("/held", json!({"action": "pass"}))["count"].as_u64().unwrap()
    }

    /// What became of messages that were held.
    pub(super) fn released(&mut self, subscriber: ConnectionId) -> Vec<String> {
        let told = self.told(subscriber).into_iter().filter(|event| event["type"] == "released");
        told.map(|event| event["how"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_message_that_matches_is_held_until_somebody_decides() {
    let mut control = control();
    let subscriber = control.subscribe("&kinds=held,released");
    let id = control.world.connect("/echo");
    let (name, other) = (control.public_id(id), control.world.connect("/echo"));
    let breakpoint = control.hold(json!({"connection": name, "direction": "in", "contains": "bid"}));
    for text in ["first", "bid 1", "second", "bid 2", "bid 3", "third"] {
        control.world.text(id, text);
    }
    control.world.text(other, "bid");
    assert_eq!(
        (control.world.received(id), control.world.received(other)),
        (vec!["first".into()], vec!["bid".into()])
    );
    let held = control.held();
    assert_eq!(control.texts(), ["bid 1", "bid 2", "bid 3"]);
    let all = control.get("/breakpoints");
    let at = all["held"][0]["at"].as_u64().unwrap();
    assert_eq!(
        all["held"][0],
        json!({"id": held[0].0, "breakpoint": breakpoint, "connection": name, "route": "/echo", "path": "/echo",
            "direction": "in", "at": at, "until": at + 60_000, "size": 5, "text": "bid 1", "isCut": false})
    );
    assert_eq!(control.get(&format!("/connections/{name}"))["heldMessages"], 3);
    control.decide(held[0].0, json!({"action": "pass"}));
    assert_eq!(control.world.received(id), ["bid 1", "second"]);
    // What stands further behind can be decided first, and keeps its place.
    control.decide(held[2].0, json!({"action": "pass", "json": {"bid": 4}}));
    assert_eq!(control.world.received(id), [""; 0]);
    control.decide(held[1].0, json!({"action": "drop"}));
    assert_eq!(control.world.received(id), ["{\"bid\":4}", "third"]);
    let told = control.told(subscriber);
    assert_eq!(types(&told), ["held", "held", "held", "released", "released", "released"]);
    let (at, until) = (told[0]["at"].clone(), told[0]["until"].clone());
    assert_eq!(
        told[0],
        json!({"type": "held", "at": at, "sequence": told[0]["sequence"], "id": held[0].0, "breakpoint": breakpoint, "connection": name, "route": "/echo",
            "path": "/echo", "direction": "in", "until": until, "size": 5, "text": "bid 1", "isCut": false})
    );
    let how: Vec<&Value> = told[3..].iter().map(|event| &event["how"]).collect();
    assert_eq!(how, ["passed", "edited", "dropped"]);
    assert_eq!(
        (&told[4]["text"], &told[4]["size"], told[3].get("text")),
        (&json!("{\"bid\":4}"), &json!(9), None)
    );
    let shown = &control.get("/breakpoints")["breakpoints"][0];
    assert_eq!(
        *shown,
        json!({"id": breakpoint, "connection": name, "direction": "in", "contains": "bid", "timeout": 60_000,
            "persist": true, "caught": 3, "missed": 0})
    );
    assert_eq!(control.error(Method::POST, &format!("/held/{}", held[0].0), "{\"action\":\"pass\"}").0, 404);
}

#[test]
fn messages_to_clients_are_held_for_those_alone_who_match() {
    let mut control = control();
    let [a, b, c] = ["/chat"; 3].map(|path| control.world.connect(path));
    let name = control.public_id(b);
    control.hold(json!({"connection": name, "direction": "out", "expression": "^h.llo$"}));
    control.world.text(a, "hello");
    control.world.text(a, "more");
    assert_eq!((control.world.received(b), control.world.received(c).len()), (vec![], 2));
    let id = control.held()[0].0;
    assert_eq!(control.get(&format!("/held/{id}"))["direction"], "out");
    control.decide(id, json!({"action": "pass", "binary": "AQI="}));
    assert_eq!(control.world.received(b), ["<binary b\"\\x01\\x02\">", "more"]);
}

#[test]
fn a_room_a_route_and_a_kind_narrow_what_is_held() {
    let mut control = control();
    let (chat, echo) = (control.world.connect("/chat"), control.world.connect("/echo"));
    for (breakpoint, held) in [
        (json!({"everyone": true, "direction": "in"}), [true, true, true]),
        (json!({"route": "/echo", "direction": "in"}), [false, true, true]),
        (json!({"route": "/chat", "room": "lobby", "direction": "in"}), [true, false, false]),
        (json!({"route": "/chat", "room": "attic", "direction": "in"}), [false, false, false]),
        (json!({"everyone": true, "direction": "in", "kind": "binary"}), [false, false, true]),
        (json!({"route": "/ec*", "direction": "both", "kind": "text"}), [false, true, false]),
    ] {
        let id = control.hold(breakpoint.clone());
        control.world.text(chat, "x");
        control.world.text(echo, "y");
        control
            .world
            .input(Input::Message { id: echo, message: switchboard_core::Message::Binary(vec![1].into()) });
        let texts = control.texts();
        assert_eq!(
            ["x", "y", "bytes"].map(|text| texts.iter().any(|held| held == text)),
            held,
            "{breakpoint}"
        );
        assert_eq!(control.ask(Method::DELETE, &format!("/breakpoints/{id}"), "").0, 200);
        control.pass_all();
        assert_eq!(control.world.received(echo).len(), 2, "{breakpoint}");
    }
    assert_eq!(control.world.engine.stats().timers, 2, "those of the chat");
}

#[test]
fn what_is_held_goes_on_after_its_timeout_and_a_breakpoint_ends_after_its_limit() {
    let mut control = control();
    let subscriber = control.subscribe("&kinds=released");
    let id = control.world.connect("/echo");
    control.hold(json!({"route": "/echo", "direction": "in", "limit": 2, "timeout": 500}));
    for text in ["a", "b", "c"] {
        control.world.text(id, text);
        control.world.advance(100);
    }
    assert_eq!(control.texts(), ["a", "b"]);
    assert_eq!(control.get("/breakpoints")["breakpoints"], json!([]), "it has held two");
    control.world.advance(199);
    assert_eq!(control.world.received(id), [""; 0]);
    control.world.advance(1);
    assert_eq!(control.world.received(id), ["a"]);
    control.world.advance(100);
    assert_eq!(control.world.received(id), ["b", "c"]);
    assert_eq!(control.released(subscriber), ["timeout", "timeout"]);
    assert_eq!(control.world.engine.stats().timers, 0);
    control.world.text(id, "d");
    assert_eq!(control.world.received(id), ["d"]);
}

#[test]
fn what_an_ended_breakpoint_holds_goes_on_when_it_is_taken_back_or_nobody_looks() {
    let mut control = control();
    let id = control.world.connect("/echo");
    for path in ["", "/1"] {
        let breakpoint = control.hold(json!({"route": "/echo", "limit": 1}));
        control.world.text(id, "held");
        let path = if path.is_empty() { String::new() } else { format!("/{breakpoint}") };
        assert_eq!(
            control.ask(Method::DELETE, &format!("/breakpoints{path}"), ""),
            (200, json!({"count": 1}))
        );
        assert_eq!(control.world.received(id), ["held"]);
    }
    control.post("/breakpoints", json!({"route": "/echo", "limit": 1}));
    control.world.text(id, "held");
    control.world.advance(10_000);
    assert_eq!(control.world.received(id), ["held"]);
    assert_eq!(control.world.engine.stats().timers, 0);
}

#[test]
fn pings_and_pongs_go_on_and_neither_silence_nor_heartbeat_closes_who_is_held() {
    let mut control = control();
    let (id, other) = (control.world.connect("/chat"), control.world.connect("/chat"));
    control.hold(json!({"connection": control.public_id(id), "timeout": 600_000}));
    control.world.text(id, "in");
    control.world.text(other, "out");
    control.world.ping(id, b"x");
    assert_eq!(control.world.received(id), ["<pong x>"]);
    for _ in 0..6 {
        control.world.text(other, "alive");
        control.world.advance(20_000);
        control.world.input(Input::Pong { id, payload: "heartbeat".into() });
        control.world.input(Input::Pong { id: other, payload: "heartbeat".into() });
        assert_eq!(control.world.received(id), ["<ping heartbeat>"]);
    }
    assert_eq!(control.pass_all(), 2 + 6);
    assert_eq!(control.world.received(id).len(), 7);
    control.world.advance(29_999);
    control.world.received(id);
    assert!(!control.world.client(id).gone);
    control.world.advance(1);
    assert_eq!(control.world.received(id), ["<close 1000 Inactivity timeout>"], "it counts from the release");
}

#[test]
fn a_close_frame_of_the_client_waits_for_what_came_before_it() {
    let mut control = control();
    let subscriber = control.subscribe("&kinds=released");
    let id = control.world.connect("/echo");
    control.hold(json!({"route": "/echo", "direction": "in", "timeout": 1_000}));
    control.world.text(id, "last words");
    control.world.close(id, 1000, "");
    assert_eq!(control.world.received(id), [""; 0]);
    control.world.advance(1_000);
    assert_eq!(control.world.received(id), ["last words", "<close 1000>"]);
    assert_eq!(control.released(subscriber), ["timeout"]);
}

#[test]
fn what_is_held_for_a_client_that_closes_is_dropped() {
    let mut control = control();
    let subscriber = control.subscribe("&kinds=released");
    let id = control.world.connect("/echo");
    control.hold(json!({"route": "/echo", "direction": "out"}));
    control.world.text(id, "unheard");
    control.world.close(id, 1000, "");
    assert_eq!(control.world.received(id), ["<close 1000>"]);
    assert_eq!(control.released(subscriber), ["ended"]);
    assert_eq!((control.texts().len(), control.world.engine.stats().connections), (0, 0));
}

#[test]
fn a_close_frame_of_the_server_waits_longer_than_the_close_timeout() {
    let mut control = control();
    let subscriber = control.subscribe("&kinds=released");
    let id = control.world.connect("/echo");
    let name = control.public_id(id);
    control.hold(json!({"connection": name}));
    control.world.text(id, "unhandled");
    control.post("/send", json!({"connection": name, "text": "last words"}));
    control.post("/close", json!({"connection": name}));
    assert_eq!(control.released(subscriber), ["ended"], "its handler listens no more");
    control.world.advance(30_000);
    assert!(!control.world.client(id).gone);
    control.pass_all();
    assert_eq!(control.world.received(id), ["last words", "<close 1000>"]);
    control.world.advance(4_999);
    assert!(!control.world.client(id).gone);
    control.world.advance(1);
    assert_eq!(control.world.received(id), ["<end>"]);
    assert_eq!(control.world.engine.stats().timers, 0);
}

#[test]
fn what_is_held_of_a_connection_that_is_lost_or_dropped_is_dropped() {
    for is_lost in [true, false] {
        let mut control = control();
        let subscriber = control.subscribe("&kinds=released");
        let id = control.world.connect("/echo");
        let name = control.public_id(id);
        control.hold(json!({"connection": name}));
        control.world.text(id, "in");
        control.post("/send", json!({"connection": name, "text": "out"}));
        match is_lost {
            true => control.world.cut(id),
            false => drop(control.post("/terminate", json!({"connection": name}))),
        }
        assert_eq!(control.released(subscriber), ["ended", "ended"], "{is_lost}");
        assert_eq!(control.get("/breakpoints"), json!({"breakpoints": [], "held": []}), "{is_lost}");
        assert_eq!(control.world.engine.stats().timers, 0);
        assert_eq!(control.world.removed[&id], 1);
    }
}

#[test]
fn more_behind_it_than_may_wait_stops_reading_or_follows_the_overflow_policy() {
    let mut control = control();
    let (id, slow) = (control.world.connect("/echo"), control.world.connect("/chat"));
    control.hold(json!({"connection": control.public_id(id), "direction": "in", "limit": 1}));
    (0..1_000).for_each(|number| {
        if !control.world.client(id).paused {
            control.world.text(id, &number.to_string());
        }
    });
    assert!(control.world.client(id).paused);
    let name = control.public_id(id);
    assert_eq!(control.get(&format!("/connections/{name}"))["isReadingPaused"], true);
    control.pass_all();
    assert!(!control.world.client(id).paused);
    let heard = control.world.received(id);
    assert_eq!((heard[0].as_str(), heard[heard.len() - 1].parse().ok()), ("0", Some(heard.len() - 1)));

    let talker = control.world.connect("/chat");
    control.hold(json!({"connection": control.public_id(slow), "direction": "out", "limit": 1}));
    for _ in 0..3 {
        control.world.text(talker, &"x".repeat(60));
    }
    assert_eq!(control.world.received(slow), [""; 0], "the close frame waits too");
    control.pass_all();
    let heard = control.world.received(slow);
    assert_eq!((heard.len(), heard[2].as_str()), (3, "<close 1013 Reading too slowly>"));
}

#[test]
fn faults_happen_before_a_breakpoint_holds() {
    let mut control = control();
    let id = control.world.connect("/echo");
    control.hold(json!({"route": "/echo", "direction": "out"}));
    control.post("/faults", json!({"everyone": true, "faults": {"on": "send", "latency": 300}}));
    control.world.text(id, "late");
    let held = control.held()[0].0;
    control.decide(held, json!({"action": "pass"}));
    control.world.advance(299);
    assert_eq!(control.world.received(id), [""; 0]);
    control.world.advance(1);
    assert_eq!(control.world.received(id), ["late"]);
    control.post("/faults", json!({"everyone": true, "faults": {"on": "send", "duplicate": 1}}));
    control.world.text(id, "twice");
    assert_eq!(control.texts(), ["twice", "twice"]);
    control.ask(Method::DELETE, "/breakpoints", "");
    control.world.advance(300);
    assert_eq!(control.world.received(id), ["twice", "twice"]);
}

#[test]
fn what_is_no_breakpoint_is_explained() {
    let mut control = control();
    for (body, expected) in [
        ("{}", "who is meant? Write connection, route (and room), or everyone: true"),
        (r#"{"everyone":true,"timeout":0}"#, "timeout: expected 1 to 600000 ms, got 0"),
        (r#"{"everyone":true,"timeout":600001}"#, "timeout: expected 1 to 600000 ms, got 600001"),
        (r#"{"everyone":true,"limit":0}"#, "limit: expected 1 or more, got 0"),
        (
            r#"{"everyone":true,"expression":"["}"#,
            "expression: not a usable regular expression: unclosed character class",
        ),
        (r#"{"everyone":true,"contain":"x"}"#, "contain: unknown key; did you mean \"contains\"?"),
        (r#"{"route":"x"}"#, "pattern: "),
    ] {
        let (status, error) = control.error(Method::POST, "/breakpoints", body);
        assert!(status == 400 && error.starts_with(expected), "{body}: {status} {error}");
    }
    for (method, path, body, status, expected) in [
        (Method::DELETE, "/breakpoints/7", "", 404, "there is no breakpoint \"7\""),
        (Method::GET, "/held/x", "", 404, "no message \"x\" is held"),
        (Method::POST, "/held/1", r#"{"action":"pass"}"#, 404, "no message \"1\" is held"),
        (
            Method::POST,
            "/held/1",
            r#"{"action":"drop","text":"x"}"#,
            400,
            "what is dropped has no other message",
        ),
        (Method::POST, "/held/1", r#"{"action":"hold"}"#, 400, "action: "),
        (Method::POST, "/pause", r#"{"everyone":true,"timeout":0}"#, 400, "timeout: expected 1 to 600000 ms"),
        (Method::POST, "/resume", "{}", 400, "who is meant?"),
    ] {
        let (found, error) = control.error(method, path, body);
        assert!(found == status && error.starts_with(expected), "{path} {body}: {found} {error}");
    }
    for _ in 0..64 {
        control.hold(json!({"everyone": true}));
    }
    let (status, error) = control.error(Method::POST, "/breakpoints", r#"{"everyone":true}"#);
    assert_eq!((status, error.as_str()), (400, "there are 64 breakpoints already; take one back first"));
}

#[test]
fn a_breakpoint_of_a_route_that_is_gone_is_not_another_routes() {
    let options = |patterns: &[&str]| {
        let routes: Vec<Value> =
            patterns.iter().map(|pattern| json!({"pattern": pattern, "dialect": "echo"})).collect();
        Config::from_value(json!({ "routes": routes })).unwrap().configuration()
    };
    let mut control = Control::of("[[routes]]\npattern = '/a'\ndialect = 'echo'");
    control.hold(json!({"route": "/a", "direction": "in"}));
    control.post("/faults", json!({"route": "/a", "faults": {"on": "send", "loss": 1}}));
    control.world.reconfigure(options(&["/b"]));
    control.world.reconfigure(options(&["/b", "/c"]));
    for path in ["/b", "/c"] {
        let id = control.world.connect(path);
        control.world.text(id, "free");
        assert_eq!(control.world.received(id), ["free"], "{path}");
    }
    control.world.reconfigure(options(&["/b", "/a"]));
    let id = control.world.connect("/a");
    control.world.text(id, "held");
    assert_eq!(control.texts(), ["held"]);
}
