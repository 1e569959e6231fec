//! What it shows and does.

use super::*;

#[test]
fn it_shows_routes_connections_rooms_and_statistics() {
    let mut control = Control::new();
    let ids: Vec<_> = ["/chat/b", "/chat/a", "/echo?x=1", "/guarded?token=s3cret"]
        .map(|path| control.world.connect(path))
        .into_iter()
        .collect();
    control.subscribe("");
    let routes = control.get("/routes");
    let route = &routes["routes"][0];
    assert_eq!((&route["route"], &route["dialect"]), (&json!("/chat/{room}"), &json!("relay")));
    assert_eq!(
        (&route["connections"], &route["rooms"], &route["authentication"]),
        (&json!(2), &json!(2), &json!("everyone"))
    );
    assert_eq!(routes["routes"][2]["authentication"], "token");
    assert_eq!(routes["routes"].as_array().unwrap().len(), 3, "its own route is not one of them");

    let all = control.get("/connections");
    assert_eq!((&all["total"], &all["next"]), (&json!(4), &Value::Null));
    let first = &all["connections"][0];
    assert_eq!(
        (&first["params"], &first["state"], &first["rooms"]),
        (&json!({"room": "b"}), &json!("open"), &json!(["b"]))
    );
    let guarded = &all["connections"][3];
    assert_eq!(
        (&guarded["hasAuthData"], guarded.get("authData"), guarded.get("query")),
        (&json!(true), None, None)
    );
    assert!(!all.to_string().contains("s3cret") && !all.to_string().contains("ada"));

    let mut paths = Vec::new();
    let mut after = String::new();
    loop {
        let page = control.get(&format!("/connections?limit=3{after}"));
        paths.extend(page["connections"].as_array().unwrap().iter().map(|one| one["path"].to_string()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(paths, ["\"/chat/b\"", "\"/chat/a\"", "\"/echo\"", "\"/guarded\""]);

    let members = control.get("/connections?route=/chat/%7Broom%7D&room=a");
    assert_eq!((&members["total"], &members["connections"][0]["path"]), (&json!(1), &json!("/chat/a")));
    let name = control.public_id(ids[2]);
    assert_eq!(control.get(&format!("/connections/{name}"))["id"], json!(name));
    let rooms = control.get("/rooms?limit=1");
    assert_eq!(rooms["rooms"], json!([{"route": "/chat/{room}", "room": "a", "members": 1}]));
    let rest = control.get(&format!("/rooms?after={}", rooms["next"].as_str().unwrap()));
    assert_eq!(
        (&rest["rooms"][0]["room"], &rest["total"], &rest["next"]),
        (&json!("b"), &json!(2), &Value::Null)
    );
    assert_eq!(
        routes["routes"][0]["example"],
        json!({"path": "/chat/lobby", "messages": ["Hello", "{\"hello\":\"world\"}"]})
    );
    let stats = control.get("/stats");
    assert_eq!(stats["handlerTime"], json!({"count": 0, "median": 0.0, "p99": 0.0, "max": 0.0}));
    assert_eq!((&stats["connections"], &stats["timers"]), (&json!(4), &json!(0)), "subscribers do not count");
    assert_eq!(control.get("")["api"], 1);

    let settings = ControlSettings { reveal: true, ..ControlSettings::new("t0p") };
    control.world.engine.set_control(settings);
    let guarded = &control.get("/connections?route=/guarded")["connections"][0];
    assert_eq!((&guarded["authData"], &guarded["query"]), (&json!({"user": "ada"}), &json!("token=s3cret")));
}

#[test]
fn it_sends_closes_and_terminates() {
    let mut control = Control::new();
    let [a, b, c] = ["/chat/x", "/chat/x", "/chat/y"].map(|path| control.world.connect(path));
    let name = control.public_id(a);
    assert_eq!(control.post("/send", json!({"connection": name, "json": {"n": 1}})), json!({"count": 1}));
    assert_eq!(control.world.received(a), ["{\"n\":1}"]);
    let everyone = json!({"route": "/chat/{room}", "binary": "AQI="});
    assert_eq!(control.post("/broadcast", everyone), json!({"count": 3}));
    assert_eq!(control.world.received(c), ["<binary b\"\\x01\\x02\">"]);
    let room = json!({"route": "/chat/{room}", "room": "x", "text": "hi"});
    assert_eq!(control.post("/broadcast", room), json!({"count": 2}));
    assert_eq!(control.world.received(c), [""; 0]);
    control.world.received(a);
    let close = json!({"connection": name, "code": 4001, "reason": "bye"});
    assert_eq!(control.post("/close", close), json!({"count": 1}));
    assert_eq!(control.world.received(a), ["<close 4001 bye>"]);
    let send = json!({"connection": name, "text": "late"}).to_string();
    assert_eq!(control.error(Method::POST, "/send", &send), (409, "the connection is closed".to_owned()));
    let terminate = json!({"route": "/chat/{room}", "room": "x"});
    assert_eq!(control.post("/terminate", terminate), json!({"count": 1}));
    assert!(control.world.client(b).gone && !control.world.client(c).gone);
    assert_eq!(control.post("/terminate", json!({"everyone": true}))["count"], 2, "one is closing");
    assert!(control.world.client(c).gone);
}

#[test]
fn feeds_are_shown_and_published_on_and_a_reset_makes_the_server_fresh() {
    let mut control = Control::of(
        "
        feeds = [{ name = 'news', key = ['topic'] }]
        [[routes]]
        pattern = '/topics'
        dialect = 'topics'
        topics.feed = 'news'
        [[routes]]
        pattern = '/echo'
        dialect = 'echo'
        defaultRoom = 'all'
    ",
    );
    let echo = control.world.connect("/echo");
    control.world.text(echo, "hello");
    let subscriber = control.subscribe("&kinds=closed");
    for n in 1..=3 {
        assert_eq!(control.post("/feeds/news", json!({"value": {"n": n}}))["count"], 1);
        control.world.advance(1);
    }
    let feed = control.get("/feeds/news?limit=2");
    let values =
        feed["values"].as_array().unwrap().iter().map(|kept| &kept["value"]["n"]).collect::<Vec<_>>();
    assert_eq!(
        (values, &feed["published"], &feed["kept"]),
        (vec![&json!(3), &json!(2)], &json!(3), &json!(3))
    );
    assert_ne!(control.get("/stats")["clientBytes"]["received"], 0);
    control.world.received(echo);
    assert_eq!(control.post("/reset", json!({})), json!({"count": 1}));
    assert_eq!(control.world.received(echo), ["<close 1012 The server was reset>"]);
    assert_eq!(control.get("/rooms")["total"], 0);
    assert_eq!(control.get("/feeds")["feeds"], json!([{"name": "news", "published": 0, "kept": 0}]));
    control.world.close(echo, 1012, "");
    assert_eq!(control.get("/connections")["total"], 0);
    assert_eq!(control.get("/stats")["clientBytes"]["received"], 0);
    let told = control.told(subscriber);
    assert_eq!((types(&told), &told[0]["cause"]), (vec!["closed"], &json!("server")), "the subscriber stays");
}

#[test]
fn faults_are_added_listed_and_taken_back_and_leave_subscribers_alone() {
    let mut control = Control::new();
    let echo = control.world.connect("/echo");
    let subscriber = control.subscribe("&kinds=refused,closed");
    let name = control.public_id(echo);
    let lossy = json!({"on": "send", "loss": 1});
    let added = control.post("/faults", json!({"connection": name, "faults": lossy}));
    assert_eq!(added, json!({"id": added["id"], "connection": name, "faults": lossy}));
    control.world.text(echo, "lost");
    assert_eq!(control.world.received(echo), [""; 0]);
    assert_eq!(control.get("/faults"), json!({"faults": [added], "added": 1}));
    let (status, done) = control.ask(Method::DELETE, &format!("/faults/{}", added["id"]), "");
    assert_eq!((status, done), (200, json!({"count": 1})));
    control.world.text(echo, "heard");
    assert_eq!(control.world.received(echo), ["heard"]);
    let down = json!({"everyone": true, "faults": [{"on": "open", "refuse": 503}, {"terminate": true}]});
    control.post("/faults", down);
    assert!(control.world.client(echo).gone);
    let refused = control.world.upgrade("/echo");
    assert_eq!(control.world.client(refused).rejected, Some(503));
    let another = control.subscribe("");
    let told = control.told(subscriber);
    assert_eq!(types(&told), ["closed", "refused"], "faults are not for those who are told of them");
    assert!(!control.world.client(another).gone);
    for (method, path, body, expected) in [
        (
            Method::POST,
            "/faults",
            r#"{"everyone":true,"faults":{"on":"send","los":1}}"#,
            "did you mean \"loss\"?",
        ),
        (Method::POST, "/faults", r#"{"faults":"flaky"}"#, "who is meant?"),
        (Method::DELETE, "/faults/7000", "", "there are no faults \"7000\""),
    ] {
        let (status, text) = control.error(method, path, body);
        assert!(status >= 400 && text.contains(expected), "{status} {text}");
    }
    control.post("/reset", json!({}));
    assert_eq!(control.get("/faults"), json!({"faults": [], "added": 0}));
    control.world.connect("/echo");
}

#[test]
fn presence_is_shown_by_topic() {
    let mut control = Control::of(
        "
        [[routes]]
        pattern = '/socket/websocket'
        dialect = 'phoenix'
        phoenix = { realtime = true }
    ",
    );
    let id = control.world.connect("/socket/websocket?vsn=2.0.0");
    let join = json!(["1", "1", "realtime:x", "phx_join", {"config": {"presence": {"key": "ada", "enabled": true}}}]);
    control.world.text(id, &join.to_string());
    let track = json!(["1", "2", "realtime:x", "presence", {"type": "presence", "event": "track", "payload": {"on": 1}}]);
    control.world.text(id, &track.to_string());
    let presence = control.get("/presence");
    assert_eq!(presence["total"], 1, "{presence} {:?}", control.world.received(id));
    assert_eq!(presence["presences"][0]["topic"], "realtime:x");
    assert_eq!(presence["presences"][0]["state"]["ada"]["metas"][0]["on"], 1);
}
