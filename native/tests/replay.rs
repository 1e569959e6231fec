//! A recording of 10,000 killmails for 200 subscribers over real sockets.
#![cfg(unix)]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::{Client, start, within};
use switchboard::{Config, Server};

const KILLS: u64 = 10_000;
const SUBSCRIBERS: u64 = 200;
const SYSTEMS: u64 = 50;

/// The system of a kill; all have about as many.
fn system_of(kill: u64) -> u64 {
    30_000_100 + kill.wrapping_mul(2_654_435_761) / 7 % SYSTEMS
}

/// The systems that a subscriber wants, each once.
fn wanted(subscriber: u64) -> Vec<u64> {
    (0..3).map(|step| 30_000_100 + (subscriber + step * 17) % SYSTEMS).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_subscriber_gets_the_kills_of_its_systems_once_and_in_order() {
    // Reading a pipe waits for its writer, so the replay begins when everyone has joined.
    let folder = std::env::temp_dir().join(format!("switchboard-replay-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let pipe = folder.join("kills.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let server = start(Server::builder().config(config(&pipe))).await;

    let mut subscribers = Vec::new();
    for subscriber in 0..SUBSCRIBERS {
        let mut client = server.connect("/socket/websocket?vsn=2.0.0").await;
        let payload = json!({ "systems": wanted(subscriber) });
        client.send_json(json!(["1", "1", "killmails:lobby", "phx_join", payload])).await;
        assert_eq!(client.json().await[4]["status"], "ok");
        subscribers.push(tokio::spawn(kills_for(client, subscriber)));
    }
    let mut lines = String::new();
    for kill in 0..KILLS {
        let kill =
            json!({ "killmail_id": kill, "system_id": system_of(kill), "victim": { "character_id": 1 } });
        writeln!(lines, "{kill}").expect("text");
    }
    tokio::task::spawn_blocking(move || std::fs::write(pipe, lines))
        .await
        .expect("a thread")
        .expect("written");

    for (subscriber, kills) in (0..).zip(subscribers) {
        let systems = wanted(subscriber);
        let expected: Vec<u64> = (0..KILLS).filter(|kill| systems.contains(&system_of(*kill))).collect();
        assert_eq!(within("all kills", kills).await.expect("a subscriber"), expected, "{systems:?}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

fn config(recording: &Path) -> Config {
    let text = format!(
        r#"
        [[feeds]]
        name = "killmails"
        key = ["system_id"]
        replay = {{ file = {recording:?}, every = 1, batch = 50 }}

        [[routes]]
        pattern = "/socket/websocket"
        dialect = "phoenix"
        phoenix = {{ killmails = true }}
        "#
    );
    Config::from_toml(&text).expect("a configuration")
}

/// The ids of all kills that come, up to a status that is asked for after as many as there have to be; so one too
/// many is seen as well.
async fn kills_for(mut client: Client, subscriber: u64) -> Vec<u64> {
    let systems = wanted(subscriber);
    let number = (0..KILLS).filter(|kill| systems.contains(&system_of(*kill))).count();
    let mut kills = Vec::new();
    loop {
        let message = client.json().await;
        match message[3].as_str() {
            Some("killmail_update") => {
                let killmails = message[4]["killmails"].as_array().expect("killmails");
                kills.extend(killmails.iter().filter_map(|kill| kill["killmail_id"].as_u64()));
                if kills.len() == number {
                    let status: Value = json!(["1", "2", "killmails:lobby", "get_status", {}]);
                    client.send_json(status).await;
                }
            }
            Some("phx_reply") => return kills,
            _ => {}
        }
    }
}
