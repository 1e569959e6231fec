//! The native server's program, for the tasks that talk to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::Server;
use crate::project::Project;

/// Builds the `switchboard` program with the development profile and returns its path.
///
/// With the features that the tests of the workspace have, for the reason that [`Project::example`] gives. Cargo only adds those
/// of development dependencies where a target needs them: `--example`.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    let build = ["build", "--locked", "--workspace", "--bin", "switchboard", "--example", "contract"];
    project.cargo().args(build).run()?;
    Ok(debug(project))
}

/// Where it then is.
pub(crate) fn debug(project: &Project) -> PathBuf {
    project.target().join("debug").join(format!("switchboard{}", std::env::consts::EXE_SUFFIX))
}

/// Builds it with the release profile: what is measured or put under load.
pub(crate) fn build_release(project: &Project) -> Result<PathBuf> {
    project.cargo().args(["build", "--locked", "--release", "--package", "switchboard"]).run()?;
    Ok(release(project))
}

/// Where it then is.
pub(crate) fn release(project: &Project) -> PathBuf {
    project.target().join("release").join(format!("switchboard{}", std::env::consts::EXE_SUFFIX))
}

/// Starts it on a port of the system's choice, and returns that port.
pub(crate) fn start(program: &Path, configuration: &Path) -> Result<(Server, u16)> {
    start_with(program, configuration, &[])
}

/// The same with variables of the environment.
pub(crate) fn start_with(
    program: &Path,
    configuration: &Path,
    variables: &[(&str, String)],
) -> Result<(Server, u16)> {
    let mut command = Command::new(program);
    command.arg("--config").arg(configuration);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    listen(command)
}

/// The same with a file of handlers in JavaScript, which are served below `/api`.
pub(crate) fn serve_files(program: &Path, configuration: &Path, file: &Path) -> Result<(Server, u16)> {
    let (folder, name) = (file.parent().context("no file")?, file.file_name().context("no file")?);
    let mut command = Command::new(program);
    command.current_dir(folder).arg("serve").arg(name).arg("--config").arg(configuration);
    listen(command)
}

/// The same with the control API, and this token for it.
pub(crate) fn start_controlled(program: &Path, configuration: &Path, token: &str) -> Result<(Server, u16)> {
    let mut command = Command::new(program);
    command.arg("--config").arg(configuration).arg("--control").env("SWITCHBOARD_CONTROL_TOKEN", token);
    listen(command)
}

/// The same with the configuration that is built in.
pub(crate) fn start_embedded(program: &Path) -> Result<(Server, u16)> {
    listen(Command::new(program))
}

fn listen(mut command: Command) -> Result<(Server, u16)> {
    let mut server = Server::start(command.args(["--port", "0"]))?;
    let port = server.wait_for_port("127.0.0.1").context("the native server does not start")?;
    Ok((server, port))
}
