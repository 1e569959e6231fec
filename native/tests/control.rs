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
