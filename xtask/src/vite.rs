//! Vite dev servers that tasks start.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::npm;
use crate::process::Server;
use crate::project::Project;

/// Vite's development server for one folder, on a port of the system's choice.
pub(crate) struct Vite {
    /// Where it listens, on 127.0.0.1.
    pub(crate) port: u16,
    pub(crate) server: Server,
}

impl Vite {
    /// Starts the Vite found in `modules` (a `node_modules` folder) with `folder` as the project's root.
    pub(crate) fn start(modules: &Path, folder: &Path) -> Result<Self> {
        Self::start_with(modules, folder, &[], &[], &[])
    }

    /// As [`Vite::start`], with further options of Node's and of Vite's, and variables of the environment.
    pub(crate) fn start_with(
        modules: &Path,
        folder: &Path,
        node: &[&str],
        vite: &[&str],
        variables: &[(&str, String)],
    ) -> Result<Self> {
        let port = free_port()?;
        // Not through npx or an npm script: those would stay between us and the process to end.
        let mut command = Command::new(npm::program("node")?);
        command
            .args(node)
            .arg(modules.join("vite/bin/vite.js"))
            .args(vite)
            .args(["--host", "127.0.0.1", "--strictPort", "--port", &port.to_string()])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder);
        let mut server = Server::start(&mut command)?;
        let port = server.wait_for_port("127.0.0.1").context("Vite does not start")?;
        Ok(Self { port, server })
    }
}

/// The version of Vite that the plugin is developed with.
pub(crate) fn version(project: &Project) -> Result<String> {
    let file = project.npm().join("node_modules/vite/package.json");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let package: serde_json::Value = serde_json::from_str(&text)?;
    Ok(package["version"].as_str().context("Vite has no version")?.to_owned())
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
