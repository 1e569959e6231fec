//! What subscribers of live events are told.

use super::*;

#[test]
fn subscribers_are_told_what_happens_in_its_order() {
    let mut control = Control::new();
    let subscriber = control.subscribe("");
    let a = control.world.connect("/chat/x");
    let name = control.public_id(a);
    let b = control.world.connect("/chat/x");
    control.world.text(a, "hello");
    control.world.close(a, 4000, "bye");
    let refused = control.world.upgrade("/guarded?token=s3cre");
    assert_eq!(control.world.client(refused).rejected, Some(401));
    control.world.upgrade("/nowhere");
    control.world.cut(b);
    let mut told = control.told(subscriber);
    told.retain(|event| event["type"] != "log");
    let expected = [
        "opened",
        "joined",
        "opened",
        "joined",
        "message",
        "message",
        "closed",
        "refused",
        "unclaimed",
        "closed",
    ];
    assert_eq!(types(&told), expected, "{told:#?}");
    let at = told[0]["at"].clone();
    let (connection, route, path) = (name.as_str(), "/chat/{room}", "/chat/x");
    let first = told[0]["sequence"].as_u64().unwrap();
    assert_eq!(
        told[0],
        json!({"type": "opened", "at": at, "sequence": first, "connection": connection, "route": route, "path": path,
            "address": "127.0.0.1"})
    );
    assert_eq!(
        told[1],
        json!({"type": "joined", "at": at, "sequence": first + 1, "connection": connection, "route": route, "room": "x"})
    );
    assert_eq!(
        told[4],
        json!({"type": "message", "at": at, "sequence": first + 4, "direction": "in", "connection": connection, "route": route, "path": path,
            "receivers": 1, "size": 5, "text": "hello", "isCut": false})
    );
    assert_eq!((&told[5]["direction"], &told[5]["text"]), (&json!("out"), &json!("hello")));
    assert_eq!(
        told[6],
        json!({"type": "closed", "at": at, "sequence": first + 6, "connection": connection, "route": route, "path": path, "code": 4000,
            "reason": "bye", "cause": "client"})
    );
    assert_eq!(
        (&told[7]["status"], &told[7]["path"], &told[7]["route"]),
        (&json!(401), &json!("/guarded"), &json!("/guarded"))
    );
    assert_eq!((&told[8]["status"], told[8].get("route")), (&json!(404), None));
    let reason = "no route serves /nowhere; there are /chat/{room}, /echo, /guarded";
    assert_eq!((&told[8]["path"], &told[8]["reason"]), (&json!("/nowhere"), &json!(reason)));
    assert_eq!((&told[9]["cause"], &told[9]["code"]), (&json!("lost"), &json!(1006)));
    let all = format!("{told:?}");
    assert!(!all.contains("s3cre") && !all.contains("t0p"), "{all}");
}

#[test]
fn a_subscription_narrows_what_is_told_and_can_be_changed() {
    let mut control = Control::new();
    let [a, b, c] = ["/chat/x", "/chat/x", "/chat/x"].map(|path| control.world.connect(path));
    let name = control.public_id(b);
    let subscriber = control.subscribe(&format!("&kinds=message&connection={name}&payloadBytes=3"));
    control.world.text(a, "grüße");
    let told = control.told(subscriber);
    assert_eq!(told.len(), 1, "the broadcast alone: {told:?}");
    assert_eq!(
        (&told[0]["receivers"], &told[0]["text"], &told[0]["isCut"]),
        (&json!(2), &json!("gr"), &json!(true))
    );
    assert_eq!((&told[0]["size"], told[0].get("connection")), (&json!(7), None));
    control.world.text(subscriber, "{\"type\":\"subscribe\",\"kind\":[]}");
    let told = control.told(subscriber);
    assert!(told[0]["error"].as_str().unwrap().contains("did you mean \"kinds\"?"), "{told:?}");
    control.world.text(subscriber, "{\"type\":\"subscribe\",\"kinds\":[\"closed\"],\"route\":\"/echo\"}");
    let told = control.told(subscriber);
    assert_eq!(
        told[0],
        json!({"type": "subscribed", "kinds": ["closed"], "route": "/echo", "payloadBytes": 4096})
    );
    control.world.cut(c);
    let echo = control.world.connect("/echo");
    control.world.cut(echo);
    assert_eq!(types(&control.told(subscriber)), ["closed"]);
}

#[test]
fn a_wrong_query_is_told_and_closed_and_nobody_is_one_too_many() {
    let mut control = Control::new();
    let id = control.world.connect(&format!("{EVENTS_PATH}?token=t0p&kinds=opend"));
    let received = control.world.received(id);
    assert!(received[0].contains("did you mean \\\"opened\\\"?"), "{received:?}");
    assert_eq!(received[1], "<close 1008 The query is wrong>");
    control.world.close(id, 1008, "");
    let all: Vec<_> = (0..16).map(|_| control.subscribe("")).collect();
    let one_more = control.world.upgrade(&format!("{EVENTS_PATH}?token=t0p"));
    assert_eq!(control.world.client(one_more).rejected, Some(503));
    all.into_iter().for_each(|id| control.world.cut(id));
    control.subscribe("");
}

#[test]
fn who_reads_too_slowly_misses_events_and_learns_how_many() {
    let mut control = Control::new();
    let subscriber = control.subscribe("&kinds=message");
    let echo = control.world.connect("/echo");
    control.world.input(Input::Full { id: subscriber });
    for _ in 0..10 {
        control.world.text(echo, "x");
    }
    assert_eq!(control.told(subscriber), Vec::<Value>::new());
    control.world.input(Input::Drained { id: subscriber });
    assert_eq!(control.told(subscriber), [json!({"type": "missed", "count": 20})]);
    control.world.text(echo, "x");
    assert_eq!(types(&control.told(subscriber)), ["message", "message"]);
}

#[test]
fn what_one_moment_brings_is_bounded() {
    let mut control = Control::new();
    let subscriber = control.subscribe("&kinds=message&payloadBytes=65536");
    let echo = control.world.connect("/echo");
    let text = "x".repeat(60_000);
    for _ in 0..1_000 {
        control.world.text(echo, &text);
    }
    let bytes: usize = control.world.client(subscriber).received.iter().map(String::len).sum();
    assert!(bytes < 1_200_000, "{bytes}");
    control.told(subscriber);
    control.world.advance(1);
    control.world.text(echo, "y");
    let told = control.told(subscriber);
    assert_eq!(types(&told), ["missed", "message", "message"]);
    assert!(told[0]["count"].as_u64().unwrap() > 1_900, "{}", told[0]);
}

#[test]
fn a_debug_log_is_as_before_beside_subscribers() {
    let mut control = Control::new();
    control.world.engine.set_trace(true);
    let subscriber = control.subscribe("&kinds=message");
    let echo = control.world.connect("/echo");
    control.world.text(echo, "x");
    control.world.cut(subscriber);
    control.world.text(echo, "y");
    let lines: Vec<_> = control.world.log.iter().filter(|(_, text)| text.contains(" bytes: ")).collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(!control.world.log.iter().any(|(_, text)| text.contains("events ") && text.contains("message")));
    control.world.engine.set_trace(false);
    let before = control.world.log.len();
    control.world.text(echo, "z");
    assert_eq!(control.world.log.len(), before);
}

#[test]
fn public_ids_are_the_same_with_subscribers_and_without() {
    let ids = |with: bool| {
        let mut control = Control::new();
        if with {
            control.subscribe("");
        }
        let id = control.world.connect("/echo");
        control.public_id(id)
    };
    assert_eq!(ids(true), ids(false));
}

#[test]
fn a_reconfiguration_and_a_stop_reach_subscribers_as_they_should() {
    let mut control = Control::new();
    let subscriber = control.subscribe("&kinds=closed");
    let echo = control.world.connect("/echo");
    let configuration = Config::from_toml("routes = [{ pattern = '/new', dialect = 'echo' }]").unwrap();
    let done = control.world.reconfigure(configuration.configuration());
    assert_eq!((done.closed, done.kept), (1, 0), "the subscriber is not counted");
    control.world.close(echo, 1012, "");
    assert_eq!(types(&control.told(subscriber)), ["closed"]);
    assert_eq!(control.get("/routes")["routes"][0]["route"], "/new");
    let frame = switchboard_core::CloseFrame::new(switchboard_core::CloseCode::GOING_AWAY, "");
    control.world.input(Input::Shutdown { frame, grace: std::time::Duration::from_secs(1) });
    assert_eq!(control.world.received(subscriber), ["<close 1001>"]);
    assert_eq!(control.world.engine.connections(), 1, "while it stops, all count");
}

#[test]
fn control_frames_are_told_to_those_who_ask_for_them() {
    let mut control = Control::new();
    let echo = control.world.connect("/echo");
    let name = control.public_id(echo);
    let (all, some) = (control.subscribe(""), control.subscribe("&kinds=control"));
    control.world.input(Input::Ping { id: echo, payload: "are you there?".into() });
    control.world.input(Input::Pong { id: echo, payload: vec![0xff].into() });
    control.world.close(echo, 4000, "bye");
    let told = control.told(some);
    let shown: Vec<_> = told
        .iter()
        .map(|event| {
            let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
            let parts = ["direction", "opcode", "text", "binary", "reason"].map(text);
            format!("{} {}", parts.join(" "), event.get("code").unwrap_or(&Value::Null))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "in ping are you there? - - null",
            "out pong are you there? - - null",
            "in pong - /w== - null",
            "in close - - bye 4000",
            "out close - - bye 4000",
        ]
    );
    assert!(told.iter().all(|event| event["connection"] == json!(name)));
    assert_eq!(types(&control.told(all)), ["closed"], "others are not told of them");
    let mut late = control.world.connect(&format!("{EVENTS_PATH}?token=t0p&recent=100&kinds=control"));
    assert_eq!(control.told(late).len(), 1, "they are not kept");
    late = control.world.connect("/echo");
    control.world.input(Input::Ping { id: late, payload: "".into() });
    assert!(types(&control.told(some)).contains(&"control"));
}
