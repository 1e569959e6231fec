//! What is kept for those who look afterwards.

use switchboard_core::control::SocketCounts;
use switchboard_core::protocol::Traffic;

use super::*;

fn texts(events: &Value) -> Vec<&str> {
    events.as_array().unwrap().iter().map(|event| event["text"].as_str().unwrap()).collect()
}

#[test]
fn who_subscribes_afterwards_is_told_why_a_client_was_refused() {
    let mut control = Control::new();
    control.world.upgrade("/guarded?token=wrong");
    let echo = control.world.connect("/echo");
    control.world.text(echo, "hello");
    control.world.close(echo, 4000, "bye");
    let subscriber = control.world.connect(&format!("{EVENTS_PATH}?token=t0p&recent=10&payloadBytes=2"));
    let told = control.told(subscriber);
    let expected = ["subscribed", "refused", "log", "opened", "message", "message", "closed"];
    let mut kinds = types(&told);
    // A refusal and its line in the log come in one turn.
    kinds[1..3].sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(kinds, expected, "{told:#?}");
    assert_eq!(told[0]["recent"], 6);
    let refused = told.iter().find(|event| event["type"] == "refused").unwrap();
    assert_eq!((&refused["path"], &refused["status"]), (&json!("/guarded"), &json!(401)));
    assert_eq!((&told[4]["text"], &told[4]["isCut"]), (&json!("he"), &json!(true)));
    let sequences: Vec<u64> = told[1..].iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");

    control.world.connect("/echo");
    let live = control.told(subscriber);
    assert_eq!(types(&live), ["opened"]);
    assert_eq!(live[0]["sequence"], json!(sequences[5] + 1), "they follow one another");
}

#[test]
fn kept_events_are_narrowed_like_live_ones() {
    let mut control = Control::new();
    let [a, b] = ["/chat/x", "/chat/x"].map(|path| control.world.connect(path));
    let [mine, other] = [a, b].map(|id| control.public_id(id));
    control.world.text(a, "from a");
    control.post("/broadcast", json!({"route": "/chat/{room}", "room": "x", "text": "to both"}));
    control.world.cut(a);
    let mut recent = |query: &str| {
        let id = control.world.connect(&format!("{EVENTS_PATH}?token=t0p&recent=1000{query}"));
        control.told(id).split_off(1)
    };
    let told = recent(&format!("&kinds=message&connection={mine}"));
    assert_eq!(texts(&json!(told)), ["from a", "to both"], "also when it has ended");
    assert_eq!((&told[1]["room"], &told[1]["receivers"]), (&json!("x"), &json!(2)));
    let told = recent(&format!("&kinds=message,closed&connection={other}"));
    assert_eq!(texts(&json!(told)), ["from a", "to both"]);
    assert_eq!(
        (&told[0]["direction"], &told[0]["room"]),
        (&json!("out"), &json!("x")),
        "it was the only one"
    );
    assert_eq!(recent("&kinds=message&route=/echo"), Vec::<Value>::new());
    assert_eq!(types(&recent("&kinds=closed")), ["closed"]);
    let both: Vec<_> = recent("&kinds=message").iter().map(|event| event["sequence"].clone()).collect();
    assert_eq!(both.len(), 3, "{both:?}");
}

#[test]
fn the_messages_of_a_connection_are_shown_while_it_is_there_and_afterwards() {
    let mut control = Control::new();
    let [a, b] = ["/chat/x", "/chat/x"].map(|path| control.world.connect(path));
    let [mine, other] = [a, b].map(|id| control.public_id(id));
    control.world.text(a, "1");
    control.post("/broadcast", json!({"route": "/chat/{room}", "text": "2"}));
    control.post("/send", json!({"connection": mine, "text": "3"}));
    control.world.text(b, "4");
    let shown = control.get(&format!("/connections/{mine}/messages"));
    assert_eq!(texts(&shown["messages"]), ["1", "2", "3", "4"]);
    assert_eq!(shown["messages"][0]["direction"], "in");
    assert_eq!(
        texts(&control.get(&format!("/connections/{other}/messages?limit=2"))["messages"]),
        ["2", "4"]
    );
    control.world.close(a, 1000, "");
    control.world.text(b, "5");
    assert_eq!(
        texts(&control.get(&format!("/connections/{mine}/messages"))["messages"]),
        ["1", "2", "3", "4"]
    );
    let (status, text) = control.error(Method::GET, "/connections/nobody/messages", "");
    assert_eq!((status, text.as_str()), (404, "there is no connection \"nobody\"; it may have closed"));
}

#[test]
fn long_messages_are_kept_in_part() {
    let mut control = Control::new();
    let echo = control.world.connect("/echo");
    control.world.text(echo, &"é".repeat(20_000));
    let name = control.public_id(echo);
    let message = &control.get(&format!("/connections/{name}/messages"))["messages"][0];
    assert_eq!((&message["size"], &message["isCut"]), (&json!(40_000), &json!(true)));
    assert_eq!(message["text"].as_str().unwrap().len(), 4_096);
    let subscriber =
        control.world.connect(&format!("{EVENTS_PATH}?token=t0p&recent=9&payloadBytes=65536&kinds=message"));
    let told = control.told(subscriber);
    assert_eq!(told[1]["text"].as_str().unwrap().len(), 16_384, "no more is kept");
    assert_eq!((&told[1]["size"], &told[1]["isCut"]), (&json!(40_000), &json!(true)));
}

#[test]
fn connections_that_have_ended_are_shown_with_what_passed_and_why() {
    let mut control = Control::new();
    control.world.advance(10_000);
    let first = control.world.connect("/echo?secret=1");
    let name = control.public_id(first);
    let open = control.get(&format!("/connections/{name}"));
    let opened_at = open["openedAt"].as_u64().unwrap();
    assert!(opened_at >= 10_000);
    assert_eq!(
        (&open["state"], open.get("closedAt"), open.get("closeCode"), &open["compression"]),
        (&json!("open"), None, None, &json!(false))
    );
    control.world.advance(500);
    let counts = SocketCounts {
        received: Traffic { messages: 2, bytes: 30, wire_bytes: 42 },
        sent: Traffic { messages: 1, bytes: 7, wire_bytes: 9 },
        dropped_messages: 3,
        ..SocketCounts::default()
    };
    control.world.input(Input::Counted { id: first, counts: Box::new(counts) });
    control.world.close(first, 4001, "enough");
    let second = control.world.connect("/chat/x");
    control.world.cut(second);
    control.world.upgrade("/guarded?token=wrong");

    let ended = control.get("/connections?state=closed");
    assert_eq!((&ended["total"], &ended["next"]), (&json!(2), &Value::Null), "{ended:#?}");
    let (latest, earlier) = (&ended["connections"][0], &ended["connections"][1]);
    assert_eq!(
        (&latest["path"], &latest["state"], &latest["closeCode"], &latest["closeCause"], &latest["rooms"]),
        (&json!("/chat/x"), &json!("closed"), &json!(1006), &json!("lost"), &json!(["x"]))
    );
    for (key, expected) in [
        ("id", json!(name)),
        ("openedAt", json!(opened_at)),
        ("closedAt", json!(opened_at + 500)),
        ("closeCode", json!(4001)),
        ("closeReason", json!("enough")),
        ("closeCause", json!("client")),
        ("messagesIn", json!(2)),
        ("bytesIn", json!(30)),
        ("wireBytesIn", json!(42)),
        ("messagesOut", json!(1)),
        ("bytesOut", json!(7)),
        ("wireBytesOut", json!(9)),
        ("droppedMessages", json!(3)),
    ] {
        assert_eq!(earlier[key], expected, "{key}");
    }
    assert_eq!(earlier.get("query"), None);
    assert_eq!(control.get(&format!("/connections/{name}")), *earlier);
    let of_route = control.get("/connections?state=closed&route=/echo");
    assert_eq!((&of_route["total"], &of_route["connections"][0]["id"]), (&json!(1), &json!(name)));
    assert_eq!(control.get("/connections")["total"], 0, "they are not among those that are there");
    for (query, expected) in
        [("state=close", "state: expected open or closed"), ("state=closed&room=x", "leave it out")]
    {
        let (status, text) = control.error(Method::GET, &format!("/connections?{query}"), "");
        assert!(status == 400 && text.contains(expected), "{status} {text}");
    }
    control.post("/reset", json!({}));
    assert_eq!(control.get("/connections?state=closed")["total"], 0, "a fresh server knows none");
}

#[test]
fn the_latest_200_that_have_ended_are_kept() {
    let mut control = Control::new();
    for n in 0..205 {
        let id = control.world.connect(&format!("/chat/{n}"));
        control.world.text(id, "x");
        control.world.cut(id);
    }
    let ended = control.get("/connections?state=closed&limit=1000");
    let paths: Vec<_> =
        ended["connections"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
    assert_eq!((paths.len(), &paths[0], &paths[199]), (200, &json!("/chat/204"), &json!("/chat/5")));
}

#[test]
fn a_query_with_secrets_is_not_kept_for_a_time_when_they_are_shown() {
    let mut control = Control::new();
    let id = control.world.connect("/guarded?token=s3cret");
    control.world.cut(id);
    let settings = ControlSettings { reveal: true, ..ControlSettings::new("t0p") };
    control.world.engine.set_control(settings);
    assert!(!control.get("/connections?state=closed").to_string().contains("s3cret"));
    let id = control.world.connect("/guarded?token=s3cret");
    control.world.cut(id);
    assert!(control.get("/connections?state=closed").to_string().contains("token=s3cret"));
    control.world.engine.set_control(ControlSettings::new("t0p"));
    assert!(!control.get("/connections?state=closed").to_string().contains("s3cret"));
}

#[test]
fn without_the_api_nothing_is_kept() {
    let mut world = World::with_engine(Config::from_toml(CONFIG).unwrap().engine([1; 32]).unwrap());
    let before = world.connect("/echo");
    world.text(before, "before");
    world.engine.set_control(ControlSettings::new("t0p"));
    let mut control = Control { world };
    control.world.address = Some([127, 0, 0, 1].into());
    let name = control.public_id(before);
    assert_eq!(control.get(&format!("/connections/{name}/messages")), json!({"messages": []}));
    assert_eq!(control.get(&format!("/connections/{name}"))["openedAt"], Value::Null);
    control.world.text(before, "after");
    assert_eq!(texts(&control.get(&format!("/connections/{name}/messages"))["messages"]), ["after", "after"]);
}
