//! Where things are, and what this machine can do.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Cmd, Shell, cmd};

/// The target of the npm plugin's engine.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The checked-out repository and a shell that stands in its root.
pub(crate) struct Project {
    pub(crate) shell: Shell,
    root: PathBuf,
}

impl Project {
    /// The repository that this program was built from, whatever the current directory is.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?;
        let shell = Shell::new()?;
        shell.change_dir(root);
        Ok(Self { shell, root: root.to_owned() })
    }

    /// The npm package's folder.
    pub(crate) fn npm(&self) -> PathBuf {
        self.root.join("npm")
    }

    /// Where the wasm module and its glue go; the npm build takes them from there.
    pub(crate) fn generated(&self) -> PathBuf {
        self.npm().join("generated")
    }

    /// The folder that holds one folder per example.
    pub(crate) fn examples(&self) -> PathBuf {
        self.root.join("examples")
    }

    /// This folder's path below the repository's root.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// Cargo's output folder, `CARGO_TARGET_DIR` respected.
    pub(crate) fn target(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => self.root.join(folder),
            None => self.root.join("target"),
        }
    }

    /// The same Cargo that runs this program, in the repository's root.
    pub(crate) fn cargo(&self) -> Cmd<'_> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // Set for this process by `cargo run`; a child that builds another package must not see them.
        cmd!(self.shell, "{cargo}").env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH")
    }

    /// Builds an example of a crate with the development profile, and returns its path.
    ///
    /// Cargo joins the features of all crates that it builds at once, and compiles a dependency again for other features. So this
    /// builds with those of the whole workspace, as its tests do.
    pub(crate) fn example(&self, name: &str) -> Result<PathBuf> {
        self.cargo().args(["build", "--locked", "--quiet", "--workspace", "--example", name]).run()?;
        Ok(self.target().join("debug/examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
    }

    /// Whether what is missing is an error (continuous integration) or may be skipped (a developer's machine).
    pub(crate) fn is_ci(&self) -> bool {
        std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
    }
}

/// The first of `names` that is an executable file on the `PATH`.
pub(crate) fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        folders.iter().map(|folder| folder.join(&file)).find(|program| program.is_file())
    })
}
