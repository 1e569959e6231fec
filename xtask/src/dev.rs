//! `cargo xtask dev`: an example, running.

use std::path::Path;
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::project::Project;
use crate::{examples, native, npm};

/// Where the native server listens by default.
const NATIVE_ADDRESS: &str = "127.0.0.1:4004";

/// Which example, and on which host.
#[derive(Args)]
pub(crate) struct Options {
    /// A folder of examples/
    #[arg(default_value = "chat")]
    example: String,
    /// Serve the sockets from the native server with the example's switchboard.toml; Vite serves the page
    #[arg(long)]
    native: bool,
}

/// Builds what the example needs and runs it until Ctrl-C.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let folder = examples::find(project, &options.example)?;
    let configuration =
        options.native.then(|| examples::native_configuration(project, &options.example)).transpose()?;
    npm::run(project, &npm::Options { release: false })?;
    examples::link_packages(project)?;
    let server = match configuration {
        Some(configuration) => Some(start_native(project, &configuration)?),
        None => None,
    };
    let mut command = Command::new(npm::program("node")?);
    command.arg(project.npm().join("node_modules/vite/bin/vite.js")).current_dir(folder);
    let status = command.status();
    if let Some(mut server) = server {
        println!("ending the native server");
        // Both fail only if Ctrl-C, which reaches it too, was faster.
        let _ = server.kill();
        let _ = server.wait();
    }
    let status = status.context("cannot start Vite")?;
    if !status.success() {
        bail!("Vite ended with {status}");
    }
    Ok(())
}

fn start_native(project: &Project, configuration: &Path) -> Result<Child> {
    let program = native::build(project)?;
    println!("add ?server={NATIVE_ADDRESS} to Vite's URL to talk to the native server");
    Command::new(program).arg("--config").arg(configuration).spawn().context("cannot start the native server")
}
