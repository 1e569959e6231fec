//! The server under load, and what it costs.

use std::cell::RefCell;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Host;
use super::peer::{PATIENCE, dial};
use crate::process;
use crate::project::Project;
use crate::vite::Vite;
use crate::{native, npm};

/// How much more memory the end may show than the start: an allocator gives back late, and in pieces.
const MEMORY_GROWTH: f64 = 1.3;
const MEMORY_SLACK: u64 = 16 * 1024 * 1024;

/// A running server.
pub(super) struct Server {
    process: RefCell<process::Server>,
    port: u16,
}

/// What the server held with nobody connected.
pub(super) struct Reading {
    memory: Option<u64>,
    files: Option<usize>,
}

impl Server {
    pub(super) fn start(project: &Project, host: Host) -> Result<Self> {
        let (server, port) = match host {
            Host::Native => {
                native::start(&native::build_release(project)?, &project.path("xtask/soak/switchboard.toml"))?
            }
            Host::Plugin => {
                npm::run(project, &npm::Options { release: true })?;
                let npm = project.npm();
                let vite = Vite::start(&npm.join("node_modules"), &npm.join("conformance"))?;
                (vite.server, vite.port)
            }
        };
        Ok(Self { process: RefCell::new(server), port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn printed(&self) -> String {
        self.process.borrow_mut().printed()
    }

    /// Waits until nothing of the clients is left, then takes a reading.
    pub(super) async fn drained(&self, end: Instant) -> Result<Reading> {
        loop {
            let health = self.health().await?;
            let left = ["connections", "rooms", "timers"].map(|what| health[what].as_u64());
            if left == [Some(0); 3] {
                break;
            }
            if Instant::now() > end {
                bail!("all clients have left, and the server still holds {health}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // The request that asked has a connection as well, and it closes after its answer.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let id = self.process.borrow().id();
        Ok(Reading { memory: resident_memory(id), files: open_files(id) })
    }

    async fn health(&self) -> Result<Value> {
        let mut stream = dial(self.port, false).await?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer))
            .await
            .context("the server says nothing about its health")??;
        let answer = String::from_utf8_lossy(&answer);
        let body = answer.split_once("\r\n\r\n").context("no HTTP")?.1;
        let (from, to) = (body.find('{').context("no JSON")?, body.rfind('}').context("no JSON")?);
        Ok(serde_json::from_str(&body[from..=to])?)
    }
}

impl Reading {
    /// Whether it is about what it was.
    pub(super) fn check_against(&self, first: &Self) -> Result<()> {
        if let (Some(first), Some(last)) = (first.memory, self.memory)
            && last > (first as f64 * MEMORY_GROWTH) as u64 + MEMORY_SLACK
        {
            bail!("memory grew from {} to {} MiB", first >> 20, last >> 20);
        }
        if let (Some(first), Some(last)) = (first.files, self.files)
            && last > first + 2
        {
            bail!("open files grew from {first} to {last}");
        }
        Ok(())
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection, room or timer")?;
        match (self.memory, self.files) {
            (Some(memory), Some(files)) => {
                write!(f, "; {:.1} MiB of memory, {files} open files", memory as f64 / f64::from(1 << 20))
            }
            _ => write!(f, "; memory and files are known on Linux only"),
        }
    }
}

/// Bytes of memory that the process has in use.
fn resident_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

fn open_files(process: u32) -> Option<usize> {
    Some(std::fs::read_dir(format!("/proc/{process}/fd")).ok()?.count())
}
