//! `cargo xtask pack`: the npm packages as tarballs.

mod links;
pub(crate) mod platforms;
mod size;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use xshell::cmd;

use crate::project::Project;
use crate::{native, npm};
use platforms::{Built, Platform};

/// Files of the repository's root that the package carries too; npm takes files from its own folder only.
const FROM_THE_ROOT: [&str; 2] = ["LICENSE", "README.md"];

/// What is packed.
#[derive(Args)]
pub(crate) struct Options {
    /// Take the native programs of this folder, one for each platform as linux-x64-gnu/switchboard, instead of building the
    /// one of this machine
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// Pack the plugin alone
    #[arg(long, conflicts_with = "programs")]
    plugin: bool,
}

/// Builds everything as it is shipped, then packs and checks it.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    npm::run(project, &npm::Options { release: true })?;
    let built = match &options.programs {
        _ if options.plugin => Vec::new(),
        Some(folder) => platforms::in_folder(folder)?,
        None => vec![Built { platform: Platform::here()?, program: native::build_release(project)? }],
    };
    for tarball in with_platforms(project, &built)? {
        let size = std::fs::metadata(&tarball)?.len();
        println!("{}: {} kB", tarball.display(), size / 1000);
    }
    Ok(())
}

/// Packs what has been built, and returns the tarball's path. It knows no package of a platform.
pub(crate) fn pack(project: &Project) -> Result<PathBuf> {
    let tarballs = with_platforms(project, &[])?;
    tarballs.into_iter().next().context("npm pack packed nothing")
}

/// Packs the plugin, and a package for each of these platforms, which are the plugin's optional dependencies: a package that is
/// not published with it must not be among them. Returns the tarballs' paths, the plugin's first.
pub(crate) fn with_platforms(project: &Project, built: &[Built]) -> Result<Vec<PathBuf>> {
    size::check(&project.generated().join("switchboard_wasm_bg.wasm"))?;
    let folder = project.npm();
    for name in FROM_THE_ROOT {
        if !folder.join(name).exists() || is_copy(project, name) {
            std::fs::copy(project.path(name), folder.join(name))
                .with_context(|| format!("cannot copy {name}"))?;
        }
    }
    let readme = std::fs::read_to_string(project.path("README.md"))?;
    let mut manifest: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("package.json"))?)?;
    let mut tarballs = Vec::new();
    for one in built {
        tarballs.push(platforms::pack(project, &manifest, one)?);
    }
    let version = manifest["version"].clone();
    let optional = built.iter().map(|built| (built.platform.package(), version.clone()));
    if !built.is_empty() {
        manifest["optionalDependencies"] = optional.collect::<serde_json::Map<_, _>>().into();
    }
    // Staged, as npm knows no other package.json than the folder's own.
    let staged = tempfile::Builder::new().prefix("switchboard-package-").tempdir()?;
    let repository = manifest["homepage"].as_str().unwrap_or_default().trim_end_matches("#readme").to_owned();
    for name in manifest["files"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        copy(&folder.join(name), &staged.path().join(name))?;
    }
    std::fs::copy(folder.join("LICENSE"), staged.path().join("LICENSE"))?;
    std::fs::write(staged.path().join("README.md"), links::absolute(&readme, &repository))?;
    for key in ["devDependencies", "overrides", "scripts"] {
        manifest.as_object_mut().map(|manifest| manifest.shift_remove(key));
    }
    std::fs::write(staged.path().join("package.json"), format!("{manifest:#}\n"))?;
    let _here = project.shell.push_dir(staged.path());
    let npm = npm::program("npm")?;
    let report =
        cmd!(project.shell, "{npm} pack --json --ignore-scripts --pack-destination {folder}").read()?;
    let (tarball, files) = packed(&report, &folder)?;
    check_files(&files)?;
    tarballs.insert(0, tarball);
    Ok(tarballs)
}

/// The tarball of what `npm pack` has reported, and the files in it.
fn packed(report: &str, destination: &Path) -> Result<(PathBuf, Vec<String>)> {
    let report: Value = serde_json::from_str(report).context("npm pack printed something unexpected")?;
    let package = first(&report).context("npm pack packed nothing")?;
    let name = package["filename"].as_str().context("npm pack names no file")?;
    // Older ones of npm name a scoped package's file with its slash.
    let name = name.trim_start_matches('@').replace('/', "-");
    Ok((destination.join(name), file_names(package)))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        std::fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
        return Ok(());
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// npm 11 and older report a list of packages, newer ones an object with the packages' names as keys.
fn first(report: &Value) -> Option<&Value> {
    match report {
        Value::Array(packages) => packages.first(),
        Value::Object(packages) => packages.values().next(),
        _ => None,
    }
}

fn file_names(package: &Value) -> Vec<String> {
    let files = package["files"].as_array().into_iter().flatten();
    files.filter_map(|file| file["path"].as_str().map(str::to_owned)).collect()
}

/// The README may be the package's own; only our copies of the root's files are refreshed.
fn is_copy(project: &Project, name: &str) -> bool {
    let ignored = cmd!(project.shell, "git check-ignore --quiet npm/{name}").quiet().ignore_stderr();
    ignored.run().is_ok()
}

/// What must be in the package and what must not.
fn check_files(files: &[String]) -> Result<()> {
    let has = |wanted: &dyn Fn(&str) -> bool| files.iter().any(|file| wanted(file));
    let wanted: [(&str, bool); 11] = [
        ("dist/index.js", has(&|file| file == "dist/index.js")),
        ("dist/index.d.ts", has(&|file| file == "dist/index.d.ts")),
        ("dist/*.wasm", has(&|file| file.starts_with("dist/") && file.ends_with(".wasm"))),
        // What `bin` names.
        ("dist/command.js", has(&|file| file == "dist/command.js")),
        ("dist/inspector/page/index.html", has(&|file| file == "dist/inspector/page/index.html")),
        ("schema.json", has(&|file| file == "schema.json")),
        ("recording.schema.json", has(&|file| file == "recording.schema.json")),
        // The MCP server reads it.
        ("openapi.json", has(&|file| file == "openapi.json")),
        ("package.json", has(&|file| file == "package.json")),
        ("README.md", has(&|file| file == "README.md")),
        ("LICENSE", has(&|file| file == "LICENSE")),
    ];
    let missing: Vec<&str> = wanted.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        bail!("the package lacks {}; it holds {}", missing.join(", "), files.join(", "));
    }
    let stray: Vec<&str> = files.iter().map(String::as_str).filter(|file| is_stray(file)).collect();
    if !stray.is_empty() {
        bail!("the package must not hold {}", stray.join(", "));
    }
    Ok(())
}

fn is_stray(file: &str) -> bool {
    let is_source = file.ends_with(".ts") && !file.ends_with(".d.ts");
    let outside =
        ["src/", "test", "generated/", "node_modules/"].iter().any(|folder| file.starts_with(folder));
    is_source || outside || file.contains(".test.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    const GOOD: [&str; 11] = [
        "dist/index.js",
        "dist/index.d.ts",
        "dist/switchboard_wasm_bg.wasm",
        "dist/command.js",
        "dist/inspector/page/index.html",
        "schema.json",
        "recording.schema.json",
        "openapi.json",
        "package.json",
        "README.md",
        "LICENSE",
    ];

    #[test]
    fn a_whole_package_passes() {
        check_files(&files(&GOOD)).unwrap();
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = check_files(&files(&GOOD[..10])).unwrap_err();
        assert!(error.to_string().starts_with("the package lacks LICENSE;"), "{error}");
    }

    #[test]
    fn sources_and_tests_do_not_belong() {
        for stray in ["src/index.ts", "test/plugin.test.ts", "dist/socket.test.js", "dist/wasm.ts"] {
            let mut names = GOOD.to_vec();
            names.push(stray);
            let error = check_files(&files(&names)).unwrap_err();
            assert_eq!(error.to_string(), format!("the package must not hold {stray}"));
        }
    }
}
