//! The server under load, and the memory that it takes.

use std::cell::RefCell;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Host;
use super::peer::{PATIENCE, dial};
use super::target::Target;
use crate::process;
use crate::project::Project;
use crate::targets::Targets;
use crate::vite::Vite;
use crate::{native, npm};

/// How much more memory the end may show than the start: an allocator gives back late, and in pieces, and WASM never.
const MEMORY_GROWTH: f64 = 1.3;
const MEMORY_SLACK: u64 = 16 * 1024 * 1024;

/// How much more the heap may hold without garbage: compiled code, and tables that have found their size.
const HEAP_SLACK: u64 = 4 * 1024 * 1024;

/// How much more Node may hold outside of it, beside the engine: buffers that are reused.
const EXTERNAL_SLACK: u64 = 4 * 1024 * 1024;

/// How much more the engine may have in use: tables that have found their size.
const ALLOCATED_SLACK: u64 = 512 * 1024;

/// How much larger the engine's memory may get, which never shrinks: as much as is ever needed at once.
const ENGINE_SLACK: u64 = 32 * 1024 * 1024;

/// A running server.
pub(super) struct Server {
    process: RefCell<process::Server>,
    target: Target,
}

/// What the server held with nobody connected.
pub(super) struct Reading {
    memory: Option<u64>,
    /// Of JavaScript, without garbage.
    heap: Option<u64>,
    /// Of buffers, outside of that heap and of the engine.
    external: Option<u64>,
    /// Of the engine, which is WASM.
    engine: Option<u64>,
    /// What the engine has in use of it.
    allocated: Option<u64>,
    files: Option<usize>,
}

impl Server {
    pub(super) fn start(project: &Project, host: Host, is_built: bool) -> Result<Self> {
        let variables = [("SOAK_TARGETS", Targets::start()?.port().to_string())];
        let (server, port) = match host {
            Host::Native => native::start_with(
                &match is_built {
                    true => native::release(project),
                    false => native::build_release(project)?,
                },
                &project.path("xtask/soak/switchboard.toml"),
                &variables,
            )?,
            Host::Plugin => {
                if !is_built {
                    npm::run(project, &npm::Options { release: true })?;
                }
                let npm = project.npm();
                // So that it can be asked for memory without garbage.
                let node = ["--expose-gc"];
                let config = ["--config", "soak.config.js"];
                let vite = Vite::start_with(
                    &npm.join("node_modules"),
                    &npm.join("conformance"),
                    &node,
                    &config,
                    &variables,
                )?;
                (vite.server, vite.port)
            }
        };
        Ok(Self { process: RefCell::new(server), target: Target::new(host, port) })
    }

    pub(super) fn target(&self) -> Target {
        self.target
    }

    pub(super) fn printed(&self) -> String {
        self.process.borrow_mut().printed()
    }

    /// Waits until nothing of the clients is left, then takes a reading.
    pub(super) async fn drained(&self, end: Instant) -> Result<Reading> {
        loop {
            let health = self.health().await?;
            if is_idle(&health) {
                break;
            }
            if Instant::now() > end {
                bail!("all clients have left, and the server still holds {health}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // The request that asked has a connection as well, and it closes after its answer.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let health = self.health().await?;
        if !is_idle(&health) {
            bail!("all had left, and now the server holds {health}");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let id = self.process.borrow().id();
        Ok(Reading {
            heap: health["heap"].as_u64(),
            external: health["external"].as_u64(),
            engine: health["engine"].as_u64(),
            allocated: health["allocated"].as_u64(),
            memory: resident_memory(id),
            files: open_files(id),
        })
    }

    async fn health(&self) -> Result<Value> {
        let mut stream = dial(self.target.port, false).await?;
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
    /// Whether it is about as large as it was.
    pub(super) fn check_against(&self, first: &Self) -> Result<()> {
        if let (Some(first), Some(last)) = (first.memory, self.memory)
            && last > (first as f64 * MEMORY_GROWTH) as u64 + MEMORY_SLACK
        {
            bail!("memory grew from {} to {} MiB", first >> 20, last >> 20);
        }
        for (what, first, last, slack) in [
            ("the heap", first.heap, self.heap, HEAP_SLACK),
            ("memory outside of the heap", first.external, self.external, EXTERNAL_SLACK),
            ("what the engine has in use", first.allocated, self.allocated, ALLOCATED_SLACK),
            ("the engine's memory", first.engine, self.engine, ENGINE_SLACK),
        ] {
            if let (Some(first), Some(last)) = (first, last)
                && last > first + slack
            {
                bail!("{what} grew from {} to {} KiB", first >> 10, last >> 10);
            }
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
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(f, "no connection, room, timer or call")?;
        match (self.memory, self.files) {
            (Some(memory), Some(files)) => {
                write!(f, "; {:.1} MiB of memory, {files} open files", mebibytes(memory))?;
            }
            _ => write!(f, "; memory and files are known on Linux only")?,
        }
        if let (Some(heap), Some(external)) = (self.heap, self.external) {
            let (heap, external) = (mebibytes(heap), mebibytes(external));
            write!(f, ", {heap:.2} MiB of heap without garbage and {external:.2} MiB beside it")?;
        }
        if let (Some(engine), Some(allocated)) = (self.engine, self.allocated) {
            let (engine, allocated) = (mebibytes(engine), mebibytes(allocated));
            write!(f, "; the engine has {allocated:.2} MiB in use, of {engine:.2}")?;
        }
        Ok(())
    }
}

/// Whether nothing of the clients is left.
fn is_idle(health: &Value) -> bool {
    let left = ["connections", "rooms", "timers", "calls", "upstreams"].map(|what| health[what].as_u64());
    // Only hosts with functions count their clients on their own.
    left == [Some(0); 5] && matches!(health["clients"].as_i64(), None | Some(0))
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
