//! Checks that the package works in a project that has nothing else.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::client::Client;
use crate::project::Project;
use crate::vite::{self, Vite};
use crate::{npm, pack, types};

const PACKAGE: &str = r#"{ "name": "empty", "private": true, "type": "module" }"#;

const PAGE: &str = "<!doctype html><title>empty</title>";

const CONFIG: &str = "
import { defineConfig } from 'vite'
import switchboard from 'vite-plugin-switchboard'

export default defineConfig({
  plugins: [
    switchboard({
      endpointPrefix: '/api',
      enableWs: true,
      wsHandlers: [{ pattern: '/ws/double', onMessage: (conn, data) => conn.send({ doubled: data.number * 2 }) }],
    }),
  ],
})
";

/// Packs what has been built, installs the tarball into an empty Vite project, starts that project
/// and talks to a handler of its own.
pub(crate) fn run(project: &Project) -> Result<()> {
    let tarball = pack::pack(project)?;
    lint(project, &tarball)?;
    let vite_version = vite::version(project)?;
    let folder = tempfile::Builder::new().prefix("switchboard-tarball-").tempdir()?;
    for (name, text) in [("package.json", PACKAGE), ("index.html", PAGE), ("vite.config.js", CONFIG)] {
        std::fs::write(folder.path().join(name), text)?;
    }
    install(project, folder.path(), &tarball, &vite_version)?;
    compile_the_first_example(project, folder.path())?;
    call_the_program(project, folder.path())?;
    let mut vite = Vite::start(&folder.path().join("node_modules"), folder.path())?;
    let answer = ask(vite.port).with_context(|| format!("Vite printed:\n{}", vite.server.printed()))?;
    if answer != r#"{"doubled":42}"# {
        bail!("the handler answered {answer}");
    }
    println!("Vite {vite_version} with the packed plugin: the handler answered {answer}");
    Ok(())
}

/// Lets programs that know what others expect of a package look at it: at its `package.json`, and at how its types are found.
fn lint(project: &Project, tarball: &Path) -> Result<()> {
    let _here = project.shell.push_dir(project.npm());
    let npx = npm::program("npx")?;
    cmd!(project.shell, "{npx} --no-install publint run --strict {tarball}").run()?;
    // There is no CommonJS.
    Ok(cmd!(project.shell, "{npx} --no-install attw --profile esm-only --format table-flipped {tarball}")
        .run()?)
}

fn install(project: &Project, folder: &Path, tarball: &Path, vite_version: &str) -> Result<()> {
    let _here = project.shell.push_dir(folder);
    let npm = npm::program("npm")?;
    let install = cmd!(project.shell, "{npm} install --no-audit --no-fund --prefer-offline --silent");
    Ok(install.arg(tarball).arg(format!("vite@{vite_version}")).arg("@types/node@20").run()?)
}

/// The program that the package brings, by its name.
fn call_the_program(project: &Project, folder: &Path) -> Result<()> {
    let _here = project.shell.push_dir(folder);
    let npm = npm::program("npm")?;
    let help = cmd!(project.shell, "{npm} exec --offline -- vite-plugin-switchboard --help").read()?;
    if !help.contains("Usage: switchboard [OPTIONS]") {
        bail!("vite-plugin-switchboard --help printed: {help}");
    }
    Ok(())
}

/// What a new user copies first, in a project that has nothing but what that user installed.
fn compile_the_first_example(project: &Project, folder: &Path) -> Result<()> {
    let readme = std::fs::read_to_string(project.path("README.md"))?;
    let blocks = types::blocks(&readme);
    let first = blocks.iter().find(|block| block.language == "ts").context("the README has no TypeScript")?;
    std::fs::write(folder.join("first-example.ts"), &first.code)?;
    types::check(project, folder, &["first-example.ts"])
}

fn ask(port: u16) -> Result<String> {
    let mut client = Client::connect(port, "/api/ws/double")?;
    client.send(r#"{"number":21}"#)?;
    let answer = client.receive()?;
    client.close()?;
    Ok(answer)
}
