//! `cargo xtask npm`: the plugin, built.

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use xshell::cmd;

use crate::project::{Project, find_program};
use crate::wasm;

/// The oldest Node of each supported line, as (major, minor); a later major is fine.
const OLDEST_NODE: [(u32, u32); 2] = [(20, 19), (22, 12)];

/// How the plugin's engine is built.
#[derive(Args)]
pub(crate) struct Options {
    /// Build the engine as it is shipped
    #[arg(long)]
    pub(crate) release: bool,
}

/// Installs the development dependencies where needed, then builds engine and plugin.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    install(project)?;
    wasm::run(project, &wasm::Options { release: options.release })?;
    build(project)
}

/// `npm ci`, unless the installed packages match `package-lock.json`.
pub(crate) fn install(project: &Project) -> Result<()> {
    check_node(project)?;
    let folder = project.npm();
    if is_installed(&folder)? {
        return Ok(());
    }
    let _here = project.shell.push_dir(&folder);
    let npm = program("npm")?;
    cmd!(project.shell, "{npm} ci --no-audit --no-fund").run()?;
    std::fs::copy(folder.join("package-lock.json"), folder.join("node_modules/.installed-lock.json"))?;
    Ok(())
}

/// Compiles the TypeScript into `npm/dist`, and copies the engine from `npm/generated` there.
pub(crate) fn build(project: &Project) -> Result<()> {
    script(project, "build")
}

/// Runs a script of `npm/package.json`.
pub(crate) fn script(project: &Project, name: &str) -> Result<()> {
    let _here = project.shell.push_dir(project.npm());
    let npm = program("npm")?;
    Ok(cmd!(project.shell, "{npm} run --silent {name}").run()?)
}

/// A program of Node's: `node`, `npm` or `npx`.
pub(crate) fn program(name: &str) -> Result<std::path::PathBuf> {
    let scripted = format!("{name}.cmd");
    find_program(&[name, &scripted])
        .with_context(|| format!("there is no {name} on the PATH: install Node.js 20.19, 22.12 or newer"))
}

/// npm leaves no trustworthy trace of which lock file it installed, so `install` keeps a copy of its own.
fn is_installed(folder: &Path) -> Result<bool> {
    let wanted =
        std::fs::read(folder.join("package-lock.json")).context("npm/package-lock.json is missing")?;
    let installed = std::fs::read(folder.join("node_modules/.installed-lock.json"));
    Ok(installed.is_ok_and(|installed| installed == wanted))
}

fn check_node(project: &Project) -> Result<()> {
    let node = program("node")?;
    program("npm")?;
    let version = cmd!(project.shell, "{node} --version").quiet().read()?;
    if !is_supported(&version) {
        bail!("Node.js {version} is too old: Vite 8 needs 20.19, 22.12 or newer");
    }
    Ok(())
}

fn is_supported(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return false;
    };
    match OLDEST_NODE.iter().find(|(line, _)| *line == major) {
        Some((_, oldest)) => minor >= *oldest,
        None => OLDEST_NODE.iter().all(|(line, _)| major > *line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions() {
        for supported in ["v20.19.0", "v20.20.2", "v22.12.0", "v24.1.0", "v25.0.0"] {
            assert!(is_supported(supported), "{supported}");
        }
        for old in ["v18.20.0", "v20.18.9", "v21.9.0", "v22.11.0", "nonsense"] {
            assert!(!is_supported(old), "{old}");
        }
    }
}
