//! Starts servers to attack.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use super::config;
use super::target::{HostKind, Target};
use crate::project::Project;
use crate::targets::Targets;
use crate::vite::Vite;
use crate::{examples, native};

/// Makes servers of one kind, each with a folder of its own.
pub(super) struct Hosts {
    pub(super) kind: HostKind,
    /// The native server's program, or npm's `node_modules`.
    program: PathBuf,
    targets: Targets,
    /// Holds the folders, and the packages that they import.
    folder: TempDir,
}

impl Hosts {
    /// Builds the native server's program.
    pub(super) fn native(project: &Project) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("switchboard-hostile-").tempdir()?;
        Ok(Self {
            kind: HostKind::Native,
            program: native::build(project)?,
            targets: Targets::start()?,
            folder,
        })
    }

    /// Uses the plugin as it is built.
    pub(super) fn plugin(project: &Project) -> Result<Self> {
        let modules = project.npm().join("node_modules");
        let folder = tempfile::Builder::new().prefix("switchboard-hostile-").tempdir()?;
        examples::link_packages_into(project, &folder.path().join("node_modules"))?;
        Ok(Self { kind: HostKind::Plugin, program: modules, targets: Targets::start()?, folder })
    }

    /// Starts a server with these limits.
    pub(super) fn start(&self, limits: &Value) -> Result<Target> {
        let folder = tempfile::Builder::new().prefix("server-").tempdir_in(self.folder.path())?.keep();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).context("cannot write");
        write("switchboard.json", &config::file(limits, self.targets.port()).to_string())?;
        match self.kind {
            HostKind::Native => {
                let (server, port) = native::start_controlled(
                    &self.program,
                    &folder.join("switchboard.json"),
                    config::CONTROL_TOKEN,
                )?;
                Ok(Target::new(self.kind, port, server, self.targets.clone()))
            }
            HostKind::Plugin => {
                write("package.json", r#"{ "name": "hostile", "private": true, "type": "module" }"#)?;
                write("vite.config.js", &config::vite_config(limits))?;
                write("handlers.js", config::HANDLERS)?;
                write("index.html", config::PAGE)?;
                let vite = Vite::start(&self.program, &folder)?;
                Ok(Target::new(self.kind, vite.port, vite.server, self.targets.clone()))
            }
        }
    }
}
