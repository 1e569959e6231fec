//! One server of the cluster.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::Server;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What all servers serve.
pub(crate) fn configuration(broker: &str) -> String {
    format!(
        r#"
        [[feeds]]
        name = "values"

        [[routes]]
        pattern = "/room/{{room}}"
        dialect = "relay"

        [[routes]]
        pattern = "/kept/{{room}}"
        dialect = "relay"
        history = {{ size = 5000, ttl = 120000 }}

        [[routes]]
        pattern = "/socket/websocket"
        dialect = "phoenix"
        phoenix = {{ timeout = 0, channels = [{{ topic = "room:*", presence = {{ key = "name" }} }}] }}

        [[routes]]
        pattern = "/counted"
        dialect = "topics"
        topics = {{ generation = "g1", feed = "values", statsPath = "/counted/stats" }}

        [cluster]
        url = "{broker}"
        name = "${{NODE}}"
        lease = 3000
        "#
    )
}

/// A server in a process of its own.
pub(crate) struct Node {
    name: &'static str,
    port: u16,
    process: RefCell<Server>,
}

impl Node {
    pub(crate) fn start(program: &Path, configuration: &Path, name: &'static str) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(program);
        command.env("NODE", name).arg("--config").arg(configuration).arg("--port").arg(port.to_string());
        let mut process = Server::start(&mut command)?;
        process.wait_for_line(&format!("http://127.0.0.1:{port}"))?;
        Ok(Self { name, port, process: RefCell::new(process) })
    }

    pub(crate) fn name(&self) -> &str {
        self.name
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn printed(&self) -> String {
        format!("{}:\n{}", self.name, self.process.borrow_mut().printed())
    }

    /// What `/health` says.
    pub(crate) fn health(&self) -> Result<Value> {
        self.get("/health")
    }

    /// How many clients of all servers it counts.
    pub(crate) fn counted(&self) -> Result<usize> {
        let connections = self.get("/counted/stats")?["connections"].as_u64().context("no number")?;
        Ok(usize::try_from(connections)?)
    }

    fn get(&self, path: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).context("nobody listens")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\r\n", self.port)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no HTTP")?;
        serde_json::from_str(body).with_context(|| format!("no JSON at {path}: {body}"))
    }
}

/// A port that nobody listens on, for programs that have to have the same one again.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
