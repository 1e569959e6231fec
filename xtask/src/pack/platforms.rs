//! The native program as npm packages, one for each platform.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use xshell::cmd;

use crate::npm;
use crate::project::Project;

/// What the packages' names begin with: `npm/src/command/native.ts` knows them too.
pub(crate) const SCOPE: &str = "@switchboard-dev/cli-";

/// A platform that has a package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Platform {
    /// What the package's name ends with.
    pub(crate) name: &'static str,
    os: &'static str,
    cpu: &'static str,
    libc: Option<&'static str>,
    /// What Rust calls it.
    pub(crate) target: &'static str,
}

/// All platforms that a release has packages for.
pub(crate) const PLATFORMS: [Platform; 7] = [
    Platform::new("darwin-arm64", "darwin", "arm64", None, "aarch64-apple-darwin"),
    Platform::new("darwin-x64", "darwin", "x64", None, "x86_64-apple-darwin"),
    Platform::new("linux-arm64-gnu", "linux", "arm64", Some("glibc"), "aarch64-unknown-linux-gnu"),
    Platform::new("linux-arm64-musl", "linux", "arm64", Some("musl"), "aarch64-unknown-linux-musl"),
    Platform::new("linux-x64-gnu", "linux", "x64", Some("glibc"), "x86_64-unknown-linux-gnu"),
    Platform::new("linux-x64-musl", "linux", "x64", Some("musl"), "x86_64-unknown-linux-musl"),
    Platform::new("win32-x64", "win32", "x64", None, "x86_64-pc-windows-msvc"),
];

impl Platform {
    const fn new(
        name: &'static str,
        os: &'static str,
        cpu: &'static str,
        libc: Option<&'static str>,
        target: &'static str,
    ) -> Self {
        Self { name, os, cpu, libc, target }
    }

    /// The package's name.
    pub(crate) fn package(&self) -> String {
        format!("{SCOPE}{}", self.name)
    }

    /// The program's file.
    pub(crate) fn file(&self) -> &'static str {
        if self.os == "win32" { "switchboard.exe" } else { "switchboard" }
    }

    /// That of this machine, as far as this program was built for it.
    pub(crate) fn here() -> Result<Self> {
        let libc = if cfg!(target_env = "musl") { "musl" } else { "glibc" };
        let found = PLATFORMS.into_iter().find(|platform| {
            let os = if platform.os == "darwin" { "macos" } else { platform.os };
            let os = if os == "win32" { "windows" } else { os };
            let cpu = if platform.cpu == "x64" { "x86_64" } else { "aarch64" };
            os == std::env::consts::OS
                && cpu == std::env::consts::ARCH
                && platform.libc.is_none_or(|one| one == libc)
        });
        found.context("there is no package for this platform")
    }

    /// The package's `package.json`, from what the plugin's says of all.
    fn manifest(&self, plugin: &Value) -> Value {
        let mut manifest = json!({
            "name": self.package(),
            "version": plugin["version"],
            "description": format!("The native program of Switchboard for {}", self.name),
            "license": plugin["license"],
            "author": plugin["author"],
            "homepage": plugin["homepage"],
            "repository": plugin["repository"],
            "bugs": plugin["bugs"],
            "type": "module",
            "preferUnplugged": true,
            "files": ["bin"],
            "engines": plugin["engines"],
            "os": [self.os],
            "cpu": [self.cpu],
        });
        if let Some(libc) = self.libc {
            manifest["libc"] = json!([libc]);
        }
        manifest
    }
}

/// A platform with the program that has been built for it.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) platform: Platform,
    pub(crate) program: PathBuf,
}

/// The programs of a folder, which has one for each platform: `linux-x64-gnu/switchboard`.
pub(crate) fn in_folder(folder: &Path) -> Result<Vec<Built>> {
    let all = PLATFORMS
        .map(|platform| Built { program: folder.join(platform.name).join(platform.file()), platform });
    let built: Vec<Built> = all.into_iter().filter(|built| built.program.is_file()).collect();
    if built.is_empty() {
        bail!(
            "{} has no program; put each at PLATFORM/switchboard, such as linux-x64-gnu/switchboard",
            folder.display()
        );
    }
    Ok(built)
}

/// Packs one program, and returns the tarball's path.
pub(crate) fn pack(project: &Project, plugin: &Value, built: &Built) -> Result<PathBuf> {
    let staged = tempfile::Builder::new().prefix("switchboard-platform-").tempdir()?;
    let (platform, folder) = (built.platform, staged.path());
    std::fs::create_dir(folder.join("bin"))?;
    let program = folder.join("bin").join(platform.file());
    std::fs::copy(&built.program, &program)
        .with_context(|| format!("cannot copy {}", built.program.display()))?;
    executable(&program)?;
    std::fs::copy(project.path("LICENSE"), folder.join("LICENSE"))?;
    let name = platform.package();
    let readme = format!(
        "# {name}\n\nThe native program of [Switchboard](https://www.npmjs.com/package/vite-plugin-switchboard) for \
         {}. It is installed with `vite-plugin-switchboard`, which runs it: `npx switchboard serve`.\n",
        platform.name
    );
    std::fs::write(folder.join("README.md"), readme)?;
    std::fs::write(folder.join("package.json"), format!("{:#}\n", platform.manifest(plugin)))?;
    let _here = project.shell.push_dir(folder);
    let (npm, destination) = (npm::program("npm")?, project.npm());
    let report = cmd!(project.shell, "{npm} pack --json --ignore-scripts --pack-destination {destination}");
    super::packed(&report.read()?, &destination).map(|(tarball, _)| tarball)
}

#[cfg(unix)]
fn executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_launcher_knows_every_package() {
        let launcher = std::fs::read_to_string(Project::find().unwrap().npm().join("src/command/native.ts"));
        let launcher = launcher.unwrap();
        for platform in PLATFORMS {
            assert!(launcher.contains(&format!("'{}'", platform.package())), "{}", platform.name);
        }
        assert_eq!(launcher.matches(SCOPE).count(), PLATFORMS.len());
    }

    #[test]
    fn a_package_is_for_its_platform_alone() {
        let plugin = json!({ "version": "1.2.3", "license": "MIT" });
        let manifest = PLATFORMS[5].manifest(&plugin);
        assert_eq!(manifest["name"], "@switchboard-dev/cli-linux-x64-musl");
        assert_eq!(
            (&manifest["os"], &manifest["cpu"], &manifest["libc"], &manifest["version"]),
            (&json!(["linux"]), &json!(["x64"]), &json!(["musl"]), &json!("1.2.3"))
        );
        assert_eq!(PLATFORMS[0].manifest(&plugin).get("libc"), None);
    }
}
