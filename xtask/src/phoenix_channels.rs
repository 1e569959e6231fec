//! The integration tests of phoenix_channels_client, a client of Phoenix Channels in Rust, as its authors wrote them.
//!
//! They come with the published crate and are compiled below the target folder, with the versions that
//! `xtask/clients/phoenix_channels_client` has locked.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Project;

const PACKAGE: &str = "phoenix_channels_client";

/// What they compile into, and their text, which names the port of the server.
pub(crate) struct IntegrationTests {
    folder: PathBuf,
    text: String,
}

impl IntegrationTests {
    /// The port that they expect a server on.
    const PORT: &str = "{HOST}:9002";

    /// Fetches them.
    pub(crate) fn fetch(project: &Project) -> Result<Self> {
        let folder = project.target().join("clients").join(PACKAGE);
        let shell = &project.shell;
        shell.create_dir(&folder)?;
        for file in ["Cargo.toml", "Cargo.lock"] {
            shell.copy_file(project.path("xtask/clients").join(PACKAGE).join(file), &folder)?;
        }
        shell.write_file(folder.join("lib.rs"), "")?;
        let source = source(project, &folder.join("Cargo.toml"))?;
        let text = shell.read_file(source.join("tests/integration_test.rs"))?;
        if !text.contains(Self::PORT) {
            bail!("the tests of {PACKAGE} no longer say {} where their server is", Self::PORT);
        }
        Ok(Self { folder, text })
    }

    /// Runs them against the server on this port.
    pub(crate) fn run(&self, project: &Project, port: u16) -> Result<()> {
        let text = self.text.replace(Self::PORT, &format!("{{HOST}}:{port}"));
        project.shell.write_file(self.folder.join("tests/integration_test.rs"), text)?;
        let manifest = self.folder.join("Cargo.toml");
        // Their warnings are not ours to mend.
        let cargo = project.cargo().args(["test", "--locked", "--quiet", "--test", "integration_test"]);
        Ok(cargo.arg("--manifest-path").arg(manifest).env("RUSTFLAGS", "--cap-lints allow").run()?)
    }
}

/// Where Cargo has unpacked the crate.
fn source(project: &Project, manifest: &Path) -> Result<PathBuf> {
    let metadata = project.cargo().args(["metadata", "--locked", "--format-version", "1"]);
    let metadata = metadata.arg("--manifest-path").arg(manifest).quiet().read()?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let found = packages.iter().find(|package| package["name"] == PACKAGE);
    let manifest = found.and_then(|package| package["manifest_path"].as_str());
    let manifest = manifest.with_context(|| format!("{PACKAGE} is not among its own dependencies"))?;
    Ok(Path::new(manifest).parent().context("a manifest lies in a folder")?.to_owned())
}
