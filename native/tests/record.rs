//! `switchboard record`: a proxy in front of a server, whose recording says the same again.

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::program::{started, switchboard};
use support::{Client, within};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

/// The program with these arguments, and its address.
async fn listening(arguments: &[&str]) -> (Child, String) {
    let mut child = switchboard().args(arguments).spawn().expect("the program");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let line = within("a line", lines.next_line()).await.expect("UTF-8").expect("the address");
    let (_, address) = line.split_once("http://").expect("an address");
    (child, address.to_owned())
}

/// The events of a recording, when there are so many.
async fn events(file: &Path, count: usize) -> Vec<Value> {
    let read = async {
        loop {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if lines.len() > count {
                return lines;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    within("the recording", read).await
}

#[tokio::test]
async fn what_a_server_says_is_written_and_can_be_said_again() {
    let folder = std::env::temp_dir().join(format!("switchboard-record-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("made/session.jsonl");
    let (_target, target, _) = started(&[]).await;
    let (_recorder, recorder) = listening(&[
        "record",
        &format!("ws://{target}/echo"),
        "--listen",
        "0",
        "--mask",
        "card [0-9]+",
        "--out",
        file.to_str().expect("UTF-8"),
    ])
    .await;

    let mut client = Client::connect(format!("ws://{recorder}/echo?token=opensesame")).await;
    for text in [r#"{"id": 1, "password": "opensesame"}"#, "card 1234"] {
        client.send(text).await;
        assert_eq!(client.text().await, text);
    }
    client.close().await;

    let lines = events(&file, 6).await;
    assert_eq!(lines[0]["source"], format!("ws://{target}/echo"));
    let event = |line: &Value| {
        (line["type"].clone(), line["from"].clone(), line["json"].clone(), line["text"].clone())
    };
    let said = json!({ "id": 1, "password": "***" });
    let message = |from: &str, json: Value, text: Value| (json!("message"), json!(from), json, text);
    assert_eq!((&lines[1]["type"], &lines[1]["path"]), (&json!("open"), &json!("/echo?token=***")));
    assert_eq!(
        lines[2..6].iter().map(event).collect::<Vec<_>>(),
        [
            message("client", said.clone(), Value::Null),
            message("server", said, Value::Null),
            message("client", Value::Null, json!("***")),
            message("server", Value::Null, json!("***")),
        ]
    );
    assert_eq!((&lines[6]["type"], &lines[6]["by"]), (&json!("close"), &json!("client")));

    let config = folder.join("switchboard.toml");
    let route =
        "[[routes]]\npattern = '/echo'\nreplay = { file = 'made/session.jsonl', speed = 'instant' }\n";
    std::fs::write(&config, route).expect("a file");
    let (_replay, address) = listening(&["--config", config.to_str().expect("UTF-8"), "--port", "0"]).await;
    let mut client = Client::connect(format!("ws://{address}/echo")).await;
    client.send_json(json!({ "id": 7, "password": "another" })).await;
    assert_eq!(client.json().await["id"], 7);
    std::fs::remove_dir_all(&folder).expect("it was there");
}

#[tokio::test]
async fn mistakes() {
    for (url, expected) in [
        ("localhost:4004", "url: "),
        ("https://example.com", "url: "),
        ("ws://exa mple.com", "no URL; write one such as wss://example.com/feed"),
        ("ws://example.com/{a}", ""),
    ] {
        let output = within("the end", switchboard().args(["record", url, "--out", "never.jsonl"]).output())
            .await
            .expect("the program");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.starts_with(&format!("error: {url}: ")) && error.contains(expected), "{error}");
    }
}

/// Without a configuration, and at once.
#[tokio::test]
async fn a_recording_is_replayed_by_a_command() {
    let file = std::env::temp_dir().join(format!("switchboard-replay-{}.jsonl", std::process::id()));
    let lines = [
        json!({ "switchboard": "recording", "version": 1, "startedAt": "2026-11-22T08:00:00.000Z" }),
        json!({ "at": 0, "connection": 1, "type": "open", "path": "/feed" }),
        json!({ "at": 5, "connection": 1, "type": "message", "from": "server", "text": "welcome" }),
    ];
    std::fs::write(&file, lines.map(|line| format!("{line}\n")).concat()).expect("a file");
    let file_name = file.to_str().expect("UTF-8");
    let (_server, address) = listening(&["replay", file_name, "--listen", "0", "--speed", "instant"]).await;
    let mut client = Client::connect(format!("ws://{address}/feed")).await;
    assert_eq!(client.text().await, "welcome");
    let output = switchboard().args(["replay", file_name, "--match", "most"]).output().await.expect("an end");
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("replay.match: "), "{error}");
    std::fs::remove_file(file).expect("it is there");
}
