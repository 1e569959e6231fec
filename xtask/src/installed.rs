//! Checks that the packed program runs in a folder that has nothing else: as the native one, and on Node.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use xshell::cmd;

use crate::client::Client;
use crate::pack::platforms::{Built, Platform};
use crate::process::Server;
use crate::project::Project;
use crate::{native, npm, pack};

/// Packs what has been built, with the native program of the development profile, and installs it twice: with the package of
/// this platform, and without it.
pub(crate) fn run(project: &Project) -> Result<()> {
    let built = Built { platform: Platform::here()?, program: native::build(project)? };
    let tarballs = pack::with_platforms(project, &[built])?;
    let [plugin, platform] = &tarballs[..] else { bail!("expected two tarballs, got {tarballs:?}") };
    one(project, &[plugin, platform], true).context("with the package of the platform")?;
    one(project, &[plugin], false).context("without the package of the platform")
}

/// Installs these tarballs in an empty folder, and talks to the program there.
fn one(project: &Project, tarballs: &[&Path], is_native: bool) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("switchboard-installed-").tempdir()?;
    std::fs::write(folder.path().join("package.json"), r#"{ "name": "empty", "private": true }"#)?;
    let _here = project.shell.push_dir(folder.path());
    let (npm, node) = (npm::program("npm")?, npm::program("node")?);
    let omitted: &[&str] = if is_native { &[] } else { &["--omit=optional"] };
    let install = cmd!(project.shell, "{npm} install --no-audit --no-fund --prefer-offline --silent");
    install.args(omitted).args(tarballs).run()?;
    let package = folder.path().join("node_modules/vite-plugin-switchboard");
    let launcher = package.join("dist/command/native.js");
    let script =
        format!("import {{ nativeProgram }} from '{}'; console.log(nativeProgram())", launcher.display());
    let program = cmd!(project.shell, "{node} --input-type=module --eval {script}").read()?;
    ensure!((program != "undefined") == is_native, "the program is {program}");
    let version = cmd!(project.shell, "{npm} exec --offline -- switchboard --version").read()?;
    ensure!(version.starts_with("switchboard "), "the version is {version}");
    talk(folder.path(), &node)?;
    println!("{version}: {}", if is_native { program.as_str() } else { "on Node" });
    Ok(())
}

/// Serves, echoes, and ends when it is asked to.
fn talk(folder: &Path, node: &Path) -> Result<()> {
    let mut command = Command::new(node);
    command
        .arg(folder.join("node_modules/.bin/switchboard"))
        .args(["serve", "--port", "0"])
        .current_dir(folder);
    let mut server = Server::start(&mut command)?;
    let port = server.wait_for_port("127.0.0.1")?;
    server.wait_for_line("Try them all")?;
    let mut client = Client::connect(port, "/echo")?;
    client.send("hello")?;
    let answer = client.receive()?;
    ensure!(answer == "hello", "the echo is {answer}");
    client.close()?;
    #[cfg(unix)]
    {
        server.terminate()?;
        let status = server.wait(std::time::Duration::from_secs(20))?;
        ensure!(status.success(), "it ended with {status}: {}", server.printed());
    }
    Ok(())
}
