//! One server of a cluster, and what its `/health` says.

use std::time::Duration;

use serde_json::Value;
use switchboard::{Config, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{BOUND, Running, start};

/// A lease in ms that is over soon, and long enough for a busy machine.
pub(crate) const LEASE: u64 = 3_000;

/// The configuration of a node with a room and a Phoenix socket.
pub(crate) fn configuration(name: &str, url: &str) -> String {
    format!(
        r#"
        [[routes]]
        pattern = "/room/{{room}}"
        dialect = "relay"

        [[routes]]
        pattern = "/socket/websocket"
        dialect = "phoenix"
        phoenix = {{ channels = [{{ topic = "room:*", echo = true, presence = true }}] }}

        [cluster]
        url = "{url}"
        name = "{name}"
        lease = {LEASE}
        "#
    )
}

/// A node in this process.
pub(crate) async fn node(name: &str, url: &str) -> Running {
    let config = Config::from_toml(&configuration(name, url)).expect("a configuration");
    start(Server::builder().config(config)).await
}

/// What `/health` says.
pub(crate) async fn health(address: &str) -> Value {
    let mut stream = TcpStream::connect(address).await.expect("a server");
    let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("an open connection");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("UTF-8");
    let (_, body) = response.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

/// Asks for `/health` until it is as it has to become.
pub(crate) async fn becomes(what: &str, address: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let becoming = async {
        loop {
            last = health(address).await;
            if is_so(&last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let is_in_time = tokio::time::timeout(BOUND, becoming).await.is_ok();
    assert!(is_in_time, "{what}: not within {BOUND:?}: {last}");
    last
}

/// Waits until a node sees exactly these others.
pub(crate) async fn sees(address: &str, others: &[&str]) -> Value {
    let what = format!("{address} sees {others:?}");
    becomes(&what, address, |health| health["cluster"]["others"] == Value::from(others)).await
}
