//! The Redis, or the NATS, that the servers share.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::node::free_port;
use crate::process::Server;
use crate::project::{Project, find_program};
use crate::python;

/// What to do where there is none.
pub(crate) const HOW_TO_GET_ONE: &str = "redis-server is missing: apt-get install redis-server";

const PROGRAM: &str = "redis-server";

/// Whether there is one.
pub(crate) fn is_there() -> bool {
    find_program(&[PROGRAM]).is_some()
}

/// A broker that can be killed, and started again at the same port with nothing that it knew.
pub(crate) struct Broker {
    program: PathBuf,
    is_nats: bool,
    folder: PathBuf,
    port: u16,
    process: Option<Server>,
}

impl Broker {
    /// Starts a Redis on a free port.
    pub(crate) fn redis(folder: &Path) -> Result<Self> {
        Self::start(find_program(&[PROGRAM]).context(HOW_TO_GET_ONE)?, false, folder)
    }

    /// Starts a NATS on a free port.
    pub(crate) fn nats(project: &Project, folder: &Path) -> Result<Self> {
        let program = python::nats_server(project)?
            .context("nats-server is missing, and so is Python 3 to install it")?;
        Self::start(program, true, folder)
    }

    fn start(program: PathBuf, is_nats: bool, folder: &Path) -> Result<Self> {
        let mut broker =
            Self { program, is_nats, folder: folder.to_owned(), port: free_port()?, process: None };
        broker.run()?;
        Ok(broker)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_nats { "nats" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Kills it at once.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it, empty.
    pub(crate) fn run(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("--port").arg(self.port.to_string());
        let ready = match self.is_nats {
            true => {
                command.args(["--addr", "127.0.0.1", "--jetstream", "--store_dir"]).arg(&self.folder);
                "Server is ready"
            }
            false => {
                command
                    .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
                    .arg(&self.folder);
                "Ready to accept connections"
            }
        };
        let mut process = Server::start(&mut command)?;
        process.wait_for_line(ready)?;
        self.process = Some(process);
        Ok(())
    }
}
