//! The servers under test, started when they are needed.

use anyhow::Result;

use super::Host;
use crate::process::Server;
use crate::project::Project;
use crate::vite::Vite;
use crate::{native, npm};

/// The servers that run. They end with this.
pub(super) struct Hosts<'p> {
    project: &'p Project,
    /// Whether the native server is the one that ships; otherwise it is the one of the development profile.
    is_release: bool,
    native: Option<(Server, u16)>,
    vite: Option<Vite>,
}

impl<'p> Hosts<'p> {
    /// None yet.
    pub(super) fn new(project: &'p Project, is_release: bool) -> Self {
        Self { project, is_release, native: None, vite: None }
    }

    /// Where the testsuite finds this host.
    pub(super) fn url(&mut self, host: Host) -> Result<String> {
        let (port, path) = match host {
            Host::Native => (self.native()?, "/echo"),
            Host::Plugin => (self.vite()?, "/echo"),
            Host::PluginCallback => (self.vite()?, "/callback"),
        };
        Ok(format!("ws://127.0.0.1:{port}{path}"))
    }

    fn native(&mut self) -> Result<u16> {
        if let Some((_, port)) = &self.native {
            return Ok(*port);
        }
        let build = if self.is_release { native::build_release } else { native::build };
        let program = build(self.project)?;
        let (server, port) = native::start_embedded(&program)?;
        self.native = Some((server, port));
        Ok(port)
    }

    /// Vite with `npm/conformance`, the plugin as it is shipped.
    fn vite(&mut self) -> Result<u16> {
        if let Some(vite) = &self.vite {
            return Ok(vite.port);
        }
        npm::run(self.project, &npm::Options { release: true })?;
        let npm = self.project.npm();
        let vite = Vite::start(&npm.join("node_modules"), &npm.join("conformance"))?;
        let port = vite.port;
        self.vite = Some(vite);
        Ok(port)
    }
}
