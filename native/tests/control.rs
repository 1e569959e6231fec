//! The control API over real sockets: what a program sees and does, and what a subscriber of live events is told.

mod support;

use serde_json::{Value, json};
use support::program::started;
use support::raw::{Raw, upgrade_request};
use support::{Client, Running, start, within};
use switchboard::control::{EVENTS_PATH, PATH};
use switchboard::{Config, ControlSettings, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

const CONFIG: &str = "
    feeds = [{ name = 'news' }]
    routes = [{ pattern = '/echo', dialect = 'echo', defaultRoom = 'all' }, { pattern = '/relay/{room}', dialect = 'relay' }]
";

async fn server(settings: ControlSettings) -> Running {
    let config = Config::from_toml(CONFIG).expect("a configuration");
    start(Server::builder().config(config).control(settings)).await
}

/// Status and body of a request on a connection of its own.
async fn ask(address: impl ToString, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address.to_string()).await.expect("a connection");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
        address.to_string()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut response = String::new();
    within("the response", stream.read_to_string(&mut response)).await.expect("UTF-8");
    let (head, body) = response.split_once("\r\n\r\n").expect("a response");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_default())
}

async fn with_token(server: &Running, method: &str, path: &str, body: Value) -> Value {
    let headers = "Authorization: Bearer t0p\r\n";
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = ask(server.address, method, &format!("{PATH}{path}"), headers, &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn a_program_sees_sends_and_closes() {
    let server = server(ControlSettings::new("t0p")).await;
    let mut echo = server.connect("/echo").await;
    echo.send("hello").await;
    assert_eq!(echo.text().await, "hello");
    let all = with_token(&server, "GET", "/connections", Value::Null).await;
    let one = &all["connections"][0];
    assert_eq!(
        (&one["state"], &one["address"], &one["rooms"]),
        (&json!("open"), &json!("127.0.0.1"), &json!(["all"]))
    );
    let stats = with_token(&server, "GET", "/stats", Value::Null).await;
    assert_eq!((&stats["connections"], &stats["clientBytes"]["received"]), (&json!(1), &json!(5)));
    with_token(&server, "POST", "/send", json!({ "connection": one["id"], "text": "from the server" })).await;
    assert_eq!(echo.text().await, "from the server");
    with_token(&server, "POST", "/broadcast", json!({ "route": "/echo", "room": "all", "json": [1] })).await;
    assert_eq!(echo.text().await, "[1]");
    let closed =
        with_token(&server, "POST", "/close", json!({ "route": "/echo", "code": 4001, "reason": "bye" }))
            .await;
    assert_eq!(closed, json!({ "count": 1 }));
    assert_eq!(echo.closed().await, (4001, "bye".to_owned()));
    let (first, second) = (server.connect("/relay/a").await, server.connect("/relay/b").await);
    assert_eq!(with_token(&server, "POST", "/reset", json!({})).await, json!({ "count": 2 }));
    for mut client in [first, second] {
        assert_eq!(client.closed().await, (1012, "The server was reset".to_owned()));
        client.close().await;
    }
    echo.close().await;
    server.emptied().await;
}

#[tokio::test]
async fn a_recording_is_read_as_far_as_it_is_written() {
    let folder = std::env::temp_dir().join(format!("switchboard-{}-control", std::process::id()));
    std::fs::create_dir_all(folder.join("folder.jsonl")).expect("a folder");
    let config = format!("recordings = '{}'\n{CONFIG}", folder.display());
    let config = Config::from_toml(&config).expect("a configuration");
    let server = start(Server::builder().config(config).control(ControlSettings::new("t0p"))).await;
    let headers = "Authorization: Bearer t0p\r\n";
    let read = async |name: &str| {
        let path = format!("{PATH}/recordings/{name}");
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", server.address);
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut response = String::new();
        within("the response", stream.read_to_string(&mut response)).await.expect("UTF-8");
        response
            .split_once("\r\n\r\n")
            .map(|(head, body)| (head.to_owned(), body.to_owned()))
            .expect("a response")
    };
    with_token(&server, "POST", "/recordings", json!({ "name": "a.jsonl" })).await;
    let mut echo = server.connect("/echo").await;
    // Longer than what is read at once.
    let long = "x".repeat(300_000);
    echo.send(&*long).await;
    assert_eq!(echo.text().await, long);
    let (head, body) = read("a.jsonl").await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains("content-type: application/x-ndjson"),
        "{head}"
    );
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    let messages = body.lines().filter(|line| line.contains(&long)).count();
    assert_eq!((messages, body.ends_with('\n')), (2, true));
    with_token(&server, "DELETE", "/recordings/a.jsonl", Value::Null).await;
    assert_eq!(read("a.jsonl").await.1, body);
    for name in ["nothing.jsonl", "folder.jsonl"] {
        let (head, body) = read(name).await;
        assert!(
            head.starts_with("HTTP/1.1 404 ") && body.contains("no recording of this name"),
            "{head} {body}"
        );
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[tokio::test]
async fn what_passed_is_counted_and_kept_also_after_the_end() {
    let server = server(ControlSettings::new("t0p")).await;
    let mut echo = server.connect("/echo").await;
    echo.send("hello").await;
    echo.text().await;
    let all = with_token(&server, "GET", "/connections", Value::Null).await;
    let open = all["connections"][0].clone();
    // A client's frame has a header of 6 bytes, a server's of 2.
    let counts = |connection: &Value| {
        ["messagesIn", "bytesIn", "wireBytesIn", "messagesOut", "bytesOut", "wireBytesOut", "droppedMessages"]
            .map(|name| connection[name].as_u64().expect(name))
    };
    assert_eq!(counts(&open), [1, 5, 11, 1, 5, 7, 0]);
    assert_eq!((&open["compression"], open["openedAt"].is_number()), (&json!(false), true));
    echo.close().await;
    server.emptied().await;
    let ended = with_token(&server, "GET", "/connections?state=closed", Value::Null).await;
    let ended = &ended["connections"][0];
    assert_eq!(
        (&ended["id"], &ended["state"], &ended["closeCause"]),
        (&open["id"], &json!("closed"), &json!("client"))
    );
    let after = counts(ended);
    assert_eq!((after[0], after[3]), (1, 1));
    assert!(after[2] > 11 && after[5] > 7, "the close frames count: {after:?}");
    let id = ended["id"].as_str().expect("an id");
    let kept = with_token(&server, "GET", &format!("/connections/{id}/messages"), Value::Null).await;
    assert_eq!(
        (&kept["messages"][0]["text"], &kept["messages"][1]["direction"]),
        (&json!("hello"), &json!("out"))
    );
    let mut subscriber = server.connect(&format!("{EVENTS_PATH}?token=t0p&kinds=closed&recent=5")).await;
    assert_eq!(subscriber.json().await["recent"], 1);
    assert_eq!(subscriber.json().await["type"], "closed");
}

#[tokio::test]
async fn who_may_not_ask_learns_why_and_without_the_option_there_is_nothing() {
    let open = server(ControlSettings::new("t0p")).await;
    let own = format!("Origin: http://{}\r\n", open.address);
    let token = "Authorization: Bearer t0p\r\n";
    for (headers, expected) in [
        (String::new(), 401),
        (token.replace("t0p", "no"), 401),
        (format!("{token}{own}"), 200),
        (format!("{token}Origin: http://localhost:1\r\n"), 403),
    ] {
        let (status, body) = ask(open.address, "GET", &format!("{PATH}/routes"), &headers, "").await;
        assert_eq!((status, body["error"].is_string()), (expected, expected != 200), "{headers}: {body}");
    }
    let config = Config::from_toml(CONFIG).expect("a configuration");
    let closed = start(Server::builder().config(config)).await;
    let (status, _) = ask(closed.address, "GET", PATH, token, "").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_subscriber_is_told_live_and_one_that_does_not_read_misses_events_and_slows_nobody() {
    let server = server(ControlSettings::new("t0p")).await;
    let path = format!("{EVENTS_PATH}?token=t0p&kinds=message,closed&payloadBytes=65536");
    let mut subscriber = server.connect(&path).await;
    assert_eq!(subscriber.json().await["type"], "subscribed");
    let mut stalled = Raw::with_small_buffer(server.address).await;
    stalled.write(upgrade_request(&path, "").as_bytes()).await;
    let mut echo = server.connect("/echo").await;
    let text = "x".repeat(60_000);
    for _ in 0..400 {
        echo.send(text.as_str()).await;
        assert_eq!(echo.text().await.len(), text.len());
    }
    echo.send("the last").await;
    echo.text().await;
    echo.close().await;
    // 401 messages in each direction, and the end.
    let mut seen = 0;
    while seen < 803 {
        let event = subscriber.json().await;
        seen += event["count"].as_u64().unwrap_or(1);
    }
    assert_eq!(seen, 803, "told or counted");
    stalled.head().await;
    loop {
        let event: Value = serde_json::from_slice(&stalled.frame().await.payload).expect("JSON");
        if event["type"] == "missed" {
            assert!(event["count"].as_u64().is_some_and(|count| count > 100), "{event}");
            break;
        }
    }
}

#[tokio::test]
async fn the_program_prints_the_token_once_and_asks_for_it() {
    let (_child, address, table) = started(&["--control"]).await;
    let line =
        table.lines().find(|line| line.contains("Authorization: Bearer ")).expect("a line with the token");
    let token = line.split("Bearer ").nth(1).and_then(|rest| rest.split('\'').next()).expect("a token");
    assert_eq!(token.len(), 32, "{token}");
    let headers = format!("Authorization: Bearer {token}\r\n");
    let (status, routes) = ask(&address, "GET", &format!("{PATH}/routes"), &headers, "").await;
    assert_eq!(status, 200, "{routes}");
    let mut events = Client::connect(format!("ws://{address}{EVENTS_PATH}?token={token}")).await;
    assert_eq!(events.json().await["type"], "subscribed");
}

#[tokio::test]
async fn messages_are_held_and_clients_are_not_read() {
    let server = server(ControlSettings::new("t0p")).await;
    let mut echo = server.connect("/echo").await;
    let breakpoint = json!({ "route": "/echo", "direction": "in", "contains": "bid", "persist": true });
    let breakpoint = with_token(&server, "POST", "/breakpoints", breakpoint).await["id"].clone();
    for text in ["first", "bid", "last"] {
        echo.send(text).await;
    }
    assert_eq!(echo.text().await, "first");
    // Pings do not wait for what is held.
    echo.send(Message::Ping("alive".into())).await;
    assert_eq!(echo.next().await, Message::Pong("alive".into()));
    let all = with_token(&server, "GET", "/breakpoints", Value::Null).await;
    let held = &all["held"][0];
    assert_eq!(
        (&held["text"], &held["path"], &all["held"][1]),
        (&json!("bid"), &json!("/echo"), &Value::Null)
    );
    let edited = json!({ "action": "pass", "text": "edited" });
    with_token(&server, "POST", &format!("/held/{}", held["id"]), edited).await;
    assert_eq!((echo.text().await, echo.text().await), ("edited".to_owned(), "last".to_owned()));
    with_token(&server, "DELETE", &format!("/breakpoints/{breakpoint}"), Value::Null).await;

    with_token(&server, "POST", "/pause", json!({ "route": "/echo" })).await;
    let one = &with_token(&server, "GET", "/connections", Value::Null).await["connections"][0];
    assert_eq!(one["isReadingPaused"], true);
    echo.send("unread").await;
    // The other direction goes on.
    with_token(&server, "POST", "/send", json!({ "connection": one["id"], "text": "from the server" })).await;
    assert_eq!(echo.text().await, "from the server");
    with_token(&server, "POST", "/resume", json!({ "everyone": true })).await;
    assert_eq!(echo.text().await, "unread");
}
