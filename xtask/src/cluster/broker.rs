//! The Redis that the servers share.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::node::free_port;
use crate::process::Server;
use crate::project::find_program;

/// What to do where there is none.
pub(crate) const HOW_TO_GET_ONE: &str = "redis-server is missing: apt-get install redis-server";

const PROGRAM: &str = "redis-server";

/// Whether there is one.
pub(crate) fn is_there() -> bool {
    find_program(&[PROGRAM]).is_some()
}

/// A Redis that can be killed, and started again at the same port with nothing that it knew.
pub(crate) struct Broker {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    process: Option<Server>,
}

impl Broker {
    /// Starts it on a free port.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let program = find_program(&[PROGRAM]).context(HOW_TO_GET_ONE)?;
        let mut broker = Self { program, folder: folder.to_owned(), port: free_port()?, process: None };
        broker.run()?;
        Ok(broker)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Kills it at once.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it, empty.
    pub(crate) fn run(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
        command.arg(self.port.to_string()).arg("--dir").arg(&self.folder);
        let mut process = Server::start(&mut command)?;
        process.wait_for_line("Ready to accept connections")?;
        self.process = Some(process);
        Ok(())
    }
}
