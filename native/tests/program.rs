//! The program as `cargo run` starts it, and how it ends.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::json;
use support::program::{listening, started, switchboard};
use support::{Client, within};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::ClientRequestBuilder;

async fn ended(command: &mut Command) -> Output {
    within("the end", command.output()).await.expect("the program")
}

/// As the shell's `kill` does.
async fn signal(child: &Child, name: &str) {
    let id = child.id().expect("it runs").to_string();
    let status = Command::new("kill").args(["-s", name, &id]).status().await.expect("kill");
    assert!(status.success());
}

#[tokio::test]
async fn two_clients_chat_echo_and_relay() {
    let (_child, address, table) = started(&[]).await;
    for line in ["/api/ws/chat", "/echo", "/relay/{room}"] {
        assert!(table.contains(&format!("ws://{address}{line} ")) || table.contains(line), "{table}");
    }
    let url = |path: &str| format!("ws://{address}{path}");
    let (mut alice, mut bob) =
        (Client::connect(url("/api/ws/chat")).await, Client::connect(url("/api/ws/chat")).await);
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.json().await["type"], "connected");
    }
    alice.send_json(json!({ "type": "join-room", "room": "r", "username": "Alice" })).await;
    alice.send_json(json!({ "type": "message", "room": "r", "username": "Alice", "text": "hi" })).await;
    assert_eq!(alice.json().await["text"], "hi", "Alice is in the room");
    bob.send_json(json!({ "type": "join-room", "room": "r", "username": "Bob" })).await;
    let joined = json!({ "type": "user-joined", "username": "Bob", "room": "r" });
    assert_eq!(alice.json().await, joined);
    bob.send_json(json!({ "type": "message", "room": "r", "username": "Bob", "text": "hello" })).await;
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.json().await, json!({ "type": "chat-message", "from": "Bob", "text": "hello" }));
    }

    let mut echo = Client::connect(url("/echo")).await;
    echo.send("{ \"as\":  \"it is\" }").await;
    assert_eq!(echo.text().await, "{ \"as\":  \"it is\" }");

    let (mut left, mut right) =
        (Client::connect(url("/relay/one")).await, Client::connect(url("/relay/one")).await);
    right.send("x").await;
    assert_eq!(left.text().await, "x");
}

#[tokio::test]
async fn sigterm_drains() {
    let (mut child, address, _) = started(&[]).await;
    let mut client = Client::connect(format!("ws://{address}/echo?token=secret")).await;
    signal(&child, "TERM").await;
    assert_eq!(client.closed().await, (1001, "Server shutting down".to_owned()));
    client.close().await;
    let status = within("the end", child.wait()).await.expect("a status");
    assert_eq!(status.code(), Some(0));
    let mut log = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    within("the log", stderr.read_to_string(&mut log)).await.expect("UTF-8");
    assert!(log.contains("stopped") && !log.contains("secret"), "{log}");
}

/// A harness that died, or `2>&1 | head -3`: what is printed and logged goes nowhere, and nothing else changes.
#[tokio::test]
async fn output_that_nobody_reads_stops_nothing() {
    let (mut child, address, _) = started(&[]).await;
    // The pipes break with this: standard output's reader is gone since its lines were read.
    drop(child.stderr.take());
    for path in ["/nowhere", "/health"] {
        let mut raw = support::raw::Raw::connect(address.parse().expect("an address")).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        raw.write(request.as_bytes()).await;
        let expected = if path == "/health" { "HTTP/1.1 200" } else { "HTTP/1.1 404" };
        let head = raw.head().await;
        assert!(head.starts_with(expected), "{path}: {head}");
    }
    assert_eq!(support::refused(format!("ws://{address}/nowhere")).await, 404);
    let mut client = Client::connect(format!("ws://{address}/echo")).await;
    signal(&child, "TERM").await;
    assert_eq!(client.closed().await, (1001, "Server shutting down".to_owned()));
    client.close().await;
    let status = within("the end", child.wait()).await.expect("a status");
    assert_eq!(status.code(), Some(0));
}

/// The same from the first line on, with a full disk behind both, and with filters that cannot be read.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn output_that_cannot_be_written_stops_nothing() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
    let port = free_port();
    let mut command = switchboard();
    command.args(["--port", &port.to_string()]).stdout(full()).stderr(full()).env("RUST_LOG", "=====");
    let mut child = command.spawn().expect("the program");
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    within("a listener", async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(child.try_wait().expect("a status").is_none(), "the program has ended");
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(support::refused(format!("ws://{address}/nowhere")).await, 404);
    signal(&child, "INT").await;
    let status = within("the end", child.wait()).await.expect("a status");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let (mut child, address, _) = started(&[]).await;
    // It answers no close frame, so the server would wait for it.
    let (mut raw, _) = support::raw::Raw::open(address.parse().expect("an address"), "/echo", "").await;
    signal(&child, "INT").await;
    assert_eq!(support::raw::close_payload(&raw.frame().await).0, 1001);
    // Those of the first half second count as the first.
    let ending = async {
        loop {
            signal(&child, "INT").await;
            if let Some(status) = child.try_wait().expect("a status") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let status = tokio::time::timeout(Duration::from_secs(3), ending).await;
    assert_eq!(status.expect("at once").code(), Some(130));
}

#[tokio::test]
async fn a_wrong_key_is_named_with_a_suggestion() {
    let mut file = tempfile("toml");
    write!(file.1, "[[routes]]\npattern = '/ws'\nheartbaet = 30000").expect("a file");
    let output = ended(switchboard().arg("--config").arg(&file.0)).await;
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("routes[0].heartbaet: unknown key; did you mean \"heartbeat\"?"), "{error}");
    assert!(error.contains(&file.0.display().to_string()), "{error}");
}

#[tokio::test]
async fn a_route_that_needs_code_is_refused() {
    let mut file = tempfile("json");
    write!(file.1, r#"{{"routes":[{{"pattern":"/ws"}}]}}"#).expect("a file");
    let output = ended(switchboard().arg("--config").arg(&file.0)).await;
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("the route /ws has the dialect \"handlers\""), "{error}");
}

#[tokio::test]
async fn a_file_that_is_not_there() {
    let output = ended(switchboard().args(["--config", "/nowhere/at/all.toml"])).await;
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("/nowhere/at/all.toml: cannot be read"), "{error}");
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let output = ended(switchboard().args(["--port", &port])).await;
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{error}");
    assert!(error.contains("--port"), "{error}");
}

#[tokio::test]
async fn the_inspector_is_whole() {
    let (_child, address, table) = started(&[]).await;
    let page = got(&address, "/__switchboard/", "text/html").await;
    assert!(page.ends_with("</html>\n"));
    for part in ["style.css", "main.js", "try.js", "presets.js"] {
        let kind = if part.ends_with("css") { "text/css" } else { "text/javascript" };
        let text = got(&address, &format!("/__switchboard/{part}"), kind).await;
        assert!(!text.contains("https://"), "nothing from elsewhere");
    }
    let endpoints = got(&address, "/__switchboard/start.json", "application/json").await;
    let endpoints: serde_json::Value = serde_json::from_str(&endpoints).expect("JSON");
    let example = |pattern: &str| {
        let all = endpoints["endpoints"].as_array().expect("a list");
        let found = all.iter().find(|endpoint| endpoint["pattern"] == pattern).expect(pattern);
        found["example"].as_str().expect("a path").to_owned()
    };
    assert_eq!(example("/socket/websocket"), "/socket/websocket?vsn=2.0.0");
    assert_eq!(example("/ws/proxy/**"), "/ws/proxy/echo");
    assert!(table.contains("npx wscat -c"), "{table}");
}

/// All five systems at once, each with the first words of its documentation.
#[tokio::test]
async fn the_five_systems_answer() {
    let (_child, address, _) = started(&[]).await;
    let url = |path: &str| format!("ws://{address}{path}");

    let mut phoenix = Client::connect(url("/socket/websocket?vsn=2.0.0")).await;
    phoenix
        .send_json(json!({ "topic": "killmails:lobby", "event": "phx_join", "payload": {}, "ref": 1 }))
        .await;
    assert_eq!(phoenix.json().await["payload"]["status"], "ok");

    let mut events = Client::connect(url("/ws")).await;
    assert_eq!(events.json().await["type"], "connected");
    events.send_json(json!({ "type": "request", "event": "ticker" })).await;
    assert_eq!(events.json().await["data"]["symbol"], "MOCK");

    let mut rakit = Client::connect(url("/rakit")).await;
    assert_eq!(rakit.json().await["type"], "presence");
    rakit.send_json(json!({ "event": "subscribe", "channel": "chat" })).await;
    rakit.send_json(json!({ "event": "message", "channel": "chat", "data": "Hello channel!" })).await;
    assert_eq!(rakit.json().await["data"], "Hello channel!");

    for path in ["/", "/evekill", "/evekill/ws"] {
        let mut kills = Client::connect(url(path)).await;
        kills.send_json(json!({ "action": "sub", "channel": "kills" })).await;
    }
    let mut killmails = Client::connect(url("/killmails")).await;
    assert_eq!(killmails.json().await["type"], "info");
}

/// The environment's endpoints come first, and hide those of the same path.
#[tokio::test]
async fn an_endpoint_is_listed_once() {
    let mut command = switchboard();
    command
        .env("WEBSOCKET_ENABLED", "true")
        .env("WEBSOCKET_MOCK_EVENTS", r#"[{"name":"mine","data":{"n":1}}]"#);
    let (_child, address, table) = listening(command, &[]).await;
    for end in ["/ws ", "/health", "/feeds/killmails"] {
        let line = format!("://{address}{end}");
        let lines = table.lines().map(|listed| format!("{listed} "));
        let lines = lines.filter(|listed| listed.contains(&line) && !listed.contains("wscat")).count();
        assert_eq!(lines, 1, "{end}: {table}");
    }
}

/// A recording beside the configuration is found wherever the program is started.
#[tokio::test]
async fn files_begin_in_the_folder_of_the_configuration() {
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("beside-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("recordings")).expect("a folder");
    std::fs::write(folder.join("recordings/kills.jsonl"), "{\"n\":1}\n").expect("a file");
    let config = r#"
        routes = [{ pattern = "/", dialect = "actions" }]
        feeds = [{ name = "killmails", replay = { file = "recordings/kills.jsonl", every = 20, loop = true } }]
    "#;
    let file = folder.join("switchboard.toml");
    std::fs::write(&file, config).expect("a file");
    let (_child, address, _) = started(&["--config", &file.to_string_lossy()]).await;
    let mut client = Client::connect(format!("ws://{address}/")).await;
    client.send_json(json!({ "action": "sub", "channel": "kills" })).await;
    assert_eq!(client.json().await, json!({ "action": "kill", "data": { "n": 1 } }));
}

/// The environment is asked for by whoever starts the program, so it counts before any file.
#[tokio::test]
async fn every_configuration_of_the_repository_starts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let files = configurations(root);
    assert!(files.iter().any(|file| file.ends_with("native/switchboard.toml")), "{files:?}");
    assert!(files.iter().any(|file| file.ends_with("examples/chat/switchboard.toml")), "{files:?}");
    for file in files {
        // The configuration of the soak is told where its targets are.
        let mut command = switchboard();
        command.env("SOAK_TARGETS", "9");
        let (_child, address, table) = listening(command, &["--config", &file.to_string_lossy()]).await;
        assert!(
            table.contains(&format!("ws://{address}/")) || table.contains("  /"),
            "{}: {table}",
            file.display()
        );
    }
}

/// All files named `switchboard.toml` below a folder, without what others made.
fn configurations(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !["node_modules", "target", "dist", "generated", ".git"].contains(&name) {
            found.extend(configurations(&path));
        } else if name == "switchboard.toml" {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn variables_come_before_the_configuration_and_ask_for_tokens() {
    let mut command = switchboard();
    command
        .env("WEBSOCKET_ENABLED", "true")
        .env("WEBSOCKET_MOCK_EVENTS", r#"[{"name":"mine","data":{"n":1}}]"#)
        .env("AUTH_ENABLED", "true")
        .env("WEBSOCKET_AUTH_TOKENS", "s3cret, other");
    let (_child, address, _) = listening(command, &[]).await;
    let url = |query: &str| format!("ws://{address}/ws{query}");
    for query in ["", "?token=wrong"] {
        assert_eq!(support::refused(url(query)).await, 401, "{query}");
    }
    let mut events = Client::connect(url("?token=s3cret")).await;
    assert_eq!(events.json().await["type"], "connected");
    events.send_json(json!({ "type": "request", "event": "mine" })).await;
    assert_eq!(events.json().await["data"], json!({ "n": 1 }));
    let builder = ClientRequestBuilder::new(url("").parse().expect("a URL"));
    let mut events = Client::connect(builder.with_header("authorization", "Bearer other")).await;
    assert_eq!(events.json().await["type"], "connected");

    let output = ended(switchboard().env("WEBSOCKET_ENABLED", "true").env("AUTH_ENABLED", "true")).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("the environment: AUTH_ENABLED: ") && output.status.code() == Some(2), "{error}");
}

/// The body of what GET answers, which is of this type.
async fn got(address: &str, path: &str, kind: &str) -> String {
    let mut raw = support::raw::Raw::connect(address.parse().expect("an address")).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    raw.write(request.as_bytes()).await;
    let head = raw.head().await.to_lowercase();
    assert!(
        head.starts_with("http/1.1 200") && head.contains(&format!("content-type: {kind}")),
        "{path}: {head}"
    );
    String::from_utf8(raw.rest().await).expect("UTF-8")
}

/// A port that was free a moment ago.
#[cfg(target_os = "linux")]
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A new file that goes with the test's folder.
fn tempfile(extension: &str) -> (std::path::PathBuf, std::fs::File) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("config-{}-{extension}.{extension}", std::process::id()));
    let file = std::fs::File::create(&path).expect("a file");
    (path, file)
}

#[tokio::test]
async fn debug_shows_connections_and_messages_but_no_secret() {
    let mut command = switchboard();
    command.env("DEBUG", "switchboard");
    let (mut child, address, _) = listening(command, &[]).await;
    let mut echo = Client::connect(format!("ws://{address}/echo?token=t0p")).await;
    echo.send("hello").await;
    assert_eq!(echo.text().await, "hello");
    let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut seen = String::new();
    for expected in [
        "/echo ",
        "connects from 127.0.0.1: no subprotocol",
        "← text, 5 bytes: hello",
        "→ text, 5 bytes: hello",
    ] {
        while !seen.contains(expected) {
            seen += &within("a line", log.next_line()).await.expect("UTF-8").expect("a log");
        }
    }
    assert!(!seen.contains("t0p"), "{seen}");
}
