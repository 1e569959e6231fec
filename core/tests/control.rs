//! The control API: who may ask, what it shows and does, and what subscribers of live events are told.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use support::World;
use switchboard_core::control::{ControlSettings, EVENTS_PATH, MAX_BODY, PATH};
use switchboard_core::{Asker, Config, ConnectionId, Input};

const CONFIG: &str = "
    feeds = [{ name = 'news' }]
    [[routes]]
    pattern = '/chat/{room}'
    dialect = 'relay'
    room = '{connection.params.room}'
    [[routes]]
    pattern = '/echo'
    dialect = 'echo'
    [[routes]]
    pattern = '/guarded'
    dialect = 'echo'
    authenticate = { token = { query = 'token', values = { s3cret = { user = 'ada' } } } }
";

struct Control {
    world: World,
}

impl Control {
    fn new() -> Self {
        Self::of(CONFIG)
    }

    fn of(config: &str) -> Self {
        let mut world = World::with_engine(Config::from_toml(config).unwrap().engine([1; 32]).unwrap());
        world.engine.set_control(ControlSettings::new("t0p"));
        world.address = Some([127, 0, 0, 1].into());
        Self { world }
    }

    /// Status and body of a request with the token.
    fn ask(&mut self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let headers = [("host", "localhost"), ("authorization", "Bearer t0p")];
        self.ask_with(method, path, body, &headers)
    }

    fn ask_with(&mut self, method: Method, path: &str, body: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(format!("{PATH}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let response = self.world.request(&request).unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!response.headers().contains_key("access-control-allow-origin"), "CORS is closed");
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, "");
        assert_eq!(status, 200, "{body}");
        body
    }

    fn post(&mut self, path: &str, body: Value) -> Value {
        let (status, body) = self.ask(Method::POST, path, &body.to_string());
        assert_eq!(status, 200, "{body}");
        body
    }

    fn error(&mut self, method: Method, path: &str, body: &str) -> (u16, String) {
        let (status, body) = self.ask(method, path, body);
        (status, body["error"].as_str().unwrap().to_owned())
    }

    fn subscribe(&mut self, query: &str) -> ConnectionId {
        let id = self.world.connect(&format!("{EVENTS_PATH}?token=t0p{query}"));
        assert_eq!(self.told(id)[0]["type"], "subscribed");
        id
    }

    /// What a subscriber was told since the last look.
    fn told(&mut self, id: ConnectionId) -> Vec<Value> {
        self.world.received(id).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    fn public_id(&self, id: ConnectionId) -> String {
        self.world.engine.connection(id).unwrap().public_id().to_string()
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn it_is_off_by_default() {
    let mut world = World::with_engine(Config::from_toml(CONFIG).unwrap().engine([1; 32]).unwrap());
    assert_eq!(world.http("GET", PATH, ""), (404, String::new()));
    let id = world.upgrade(EVENTS_PATH);
    assert_eq!(world.client(id).rejected, Some(404));
    assert!(!world.engine.serves(EVENTS_PATH));
}

#[test]
fn only_who_knows_the_token_may_ask_and_pages_of_the_own_origin_alone() {
    let mut control = Control::new();
    let token = ("authorization", "Bearer t0p");
    for (headers, expected) in [
        (&[("host", "localhost"), token][..], 200),
        (&[("host", "localhost")], 401),
        (&[("host", "localhost"), ("authorization", "Bearer no")], 401),
        (&[("host", "localhost"), token, ("origin", "http://localhost")], 200),
        (&[("host", "localhost"), token, ("origin", "http://localhost:1")], 403),
        (&[("host", "evil.example"), token], 403),
        (&[("host", "evil.example"), token, ("origin", "http://evil.example")], 403),
    ] {
        let (status, body) = control.ask_with(Method::GET, "/routes", "", headers);
        assert_eq!((status, body.get("error").is_some()), (expected, expected != 200), "{headers:?}: {body}");
        let id = control.world.upgrade_with(EVENTS_PATH, headers);
        let opened = control.world.client(id).rejected.unwrap_or(200);
        assert_eq!(opened, expected, "{headers:?}");
    }
    let id = control.world.upgrade(&format!("{EVENTS_PATH}?token=no"));
    assert_eq!(control.world.client(id).rejected, Some(401));
    control.world.address = Some([192, 168, 0, 7].into());
    let id = control.world.upgrade(&format!("{EVENTS_PATH}?token=t0p"));
    assert_eq!(control.world.client(id).rejected, Some(403));
    let request = Request::get(PATH).header("host", "localhost").header(token.0, token.1);
    let asker = Asker { address: control.world.address, ..Asker::default() };
    let now = control.world.now();
    let request = request.body(Bytes::new()).unwrap();
    let response = control.world.engine.request_from(now, &request, asker, &mut Vec::new()).unwrap();
    assert_eq!(response.status(), 403);
}

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
    let stats = control.get("/stats");
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
fn a_mistake_is_answered_with_what_to_write() {
    let mut control = Control::new();
    let large = "x".repeat(MAX_BODY + 1);
    for (method, path, body, status, part) in [
        (Method::GET, "/conections", "", 404, "did you mean /__switchboard/api/v1/connections?"),
        (Method::DELETE, "/connections", "", 405, "is asked with GET, not DELETE"),
        (Method::GET, "/connections/x", "", 404, "there is no connection \"x\""),
        (Method::GET, "/connections?route=/ecoh", "", 404, "did you mean \"/echo\"?"),
        (Method::GET, "/connections?room=x", "", 400, "write route too"),
        (Method::GET, "/connections?after=x", "", 400, "`next`"),
        (Method::GET, "/connections?limit=1001", "", 400, "from 1 to 1000"),
        (Method::GET, "/feeds/new", "", 404, "there is no feed \"new\"; there are news"),
        (Method::GET, "/events", "", 426, "ws://"),
        (Method::POST, "/send", "{", 400, "not JSON"),
        (Method::POST, "/send", "{}", 400, "\"connection\" is missing"),
        (Method::POST, "/broadcast", "{\"route\":\"/echo\"}", 400, "write text, json or binary"),
        (Method::POST, "/close", "{}", 400, "who is meant?"),
        (Method::POST, "/feeds/news", "{}", 400, "\"value\" is missing"),
        (Method::POST, "/reset", "{\"code\":1006}", 400, "1006 cannot be sent"),
        (Method::POST, "/send", &large, 413, "at most 1048576"),
    ] {
        let (got, text) = control.error(method.clone(), path, body);
        assert_eq!(got, status, "{method} {path}: {text}");
        assert!(text.contains(part), "{method} {path}: {text}");
    }
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
        "opened", "joined", "opened", "joined", "message", "message", "closed", "refused", "refused",
        "closed",
    ];
    assert_eq!(types(&told), expected, "{told:#?}");
    let at = told[0]["at"].clone();
    let (connection, route, path) = (name.as_str(), "/chat/{room}", "/chat/x");
    assert_eq!(
        told[0],
        json!({"type": "opened", "at": at, "connection": connection, "route": route, "path": path,
            "address": "127.0.0.1"})
    );
    assert_eq!(
        told[1],
        json!({"type": "joined", "at": at, "connection": connection, "route": route, "room": "x"})
    );
    assert_eq!(
        told[4],
        json!({"type": "message", "at": at, "direction": "in", "connection": connection, "route": route, "path": path,
            "receivers": 1, "size": 5, "text": "hello", "isCut": false})
    );
    assert_eq!((&told[5]["direction"], &told[5]["text"]), (&json!("out"), &json!("hello")));
    assert_eq!(
        told[6],
        json!({"type": "closed", "at": at, "connection": connection, "route": route, "path": path, "code": 4000,
            "reason": "bye", "cause": "client"})
    );
    assert_eq!(
        (&told[7]["status"], &told[7]["path"], &told[7]["route"]),
        (&json!(401), &json!("/guarded"), &json!("/guarded"))
    );
    assert_eq!((&told[8]["status"], told[8].get("route")), (&json!(404), None));
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
