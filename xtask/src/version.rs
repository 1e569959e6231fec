//! `cargo xtask version`: one version for all crates and packages.

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::examples;
use crate::project::Project;

const PLUGIN: &str = "vite-plugin-switchboard";

/// Which version.
#[derive(Args)]
pub(crate) struct Options {
    /// Such as 1.2.3, or 1.2.3-beta.1; without one it is checked that all have the same
    #[arg(value_name = "VERSION")]
    version: Option<String>,
}

/// Sets all versions, or checks that they are the same.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    match &options.version {
        Some(version) => set(project, version),
        None => check(project),
    }
}

/// A file, and how its text is with another version.
struct Place {
    file: String,
    change: fn(&str, &str) -> Result<String>,
}

fn places(project: &Project) -> Result<Vec<Place>> {
    let mut places = vec![
        Place { file: "Cargo.toml".into(), change: workspace },
        Place { file: "npm/package.json".into(), change: package },
        Place { file: "npm/package-lock.json".into(), change: lock },
    ];
    for name in examples::names(project)? {
        places.push(Place { file: format!("examples/{name}/package.json"), change: dependency });
    }
    Ok(places)
}

fn set(project: &Project, version: &str) -> Result<()> {
    ensure!(is_version(version), "{version} is no version; write it like 1.2.3");
    for Place { file, change } in places(project)? {
        let path = project.path(&file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
        let changed = change(&text, version).with_context(|| file.clone())?;
        if changed != text {
            std::fs::write(&path, changed)?;
            println!("{file}: {version}");
        }
    }
    // Writes it into Cargo.lock.
    project.cargo().args(["update", "--workspace", "--offline", "--quiet"]).run()?;
    println!("CHANGELOG.md: give what is unreleased its number and date");
    Ok(())
}

/// Fails where a version is another one than the workspace's.
pub(crate) fn check(project: &Project) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    for Place { file, change } in places(project)? {
        let text = std::fs::read_to_string(project.path(&file))?;
        if change(&text, version).with_context(|| file.clone())? != text {
            bail!("{file} has another version than {version}: cargo xtask version {version}");
        }
    }
    Ok(())
}

fn is_version(text: &str) -> bool {
    let (numbers, rest) = text.split_once('-').unwrap_or((text, "0"));
    let numbers: Vec<&str> = numbers.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|digit| digit.is_ascii_digit());
    let is_rest = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
    numbers.len() == 3 && numbers.iter().all(is_number) && !rest.is_empty() && rest.chars().all(is_rest)
}

/// The workspace's own, and that of the crate which another one depends on.
fn workspace(text: &str, version: &str) -> Result<String> {
    let text = replaced(text, "[workspace.package]\nversion = \"", version)?;
    replaced(&text, "switchboard-core = { path = \"core\", version = \"", version)
}

fn package(text: &str, version: &str) -> Result<String> {
    replaced(text, "\"version\": \"", version)
}

/// The root's, which stands there twice.
fn lock(text: &str, version: &str) -> Result<String> {
    let root = text.find("\"packages\": {").context("it has no packages")?;
    let (before, after) = text.split_at(root);
    Ok(replaced(before, "\"version\": \"", version)? + &replaced(after, "\"version\": \"", version)?)
}

/// Of an example, if it depends on the plugin.
fn dependency(text: &str, version: &str) -> Result<String> {
    let manifest: Value = serde_json::from_str(text)?;
    let has = |key: &str| manifest[key][PLUGIN].is_string();
    if !has("dependencies") && !has("devDependencies") {
        return Ok(text.to_owned());
    }
    replaced(text, &format!("\"{PLUGIN}\": \"^"), version)
}

/// The text with what stands between this and the next quote replaced.
fn replaced(text: &str, before: &str, by: &str) -> Result<String> {
    let start = text.find(before).with_context(|| format!("it has no {before:?}"))? + before.len();
    let end = start + text[start..].find('"').context("it has no end of a text")?;
    Ok(format!("{}{by}{}", &text[..start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_the_version_of_this_workspace() {
        check(&Project::find().unwrap()).unwrap();
    }

    #[test]
    fn places() {
        let text = "[workspace.package]\nversion = \"1.0.0\"\nx = 1\n[workspace.dependencies]\nswitchboard-core = { path = \
                    \"core\", version = \"1.0.0\" }\nother = \"1.0.0\"";
        assert_eq!(workspace(text, "2.0.0").unwrap().matches("2.0.0").count(), 2);
        let text = r#"{"name":"a","version": "1.0.0","packages": {"": {"version": "1.0.0"},"b": {"version": "1.0.0"}}}"#;
        assert_eq!(lock(text, "2.0.0").unwrap().matches("2.0.0").count(), 2);
        let text = r#"{"devDependencies": {"vite": "^8.0.0", "vite-plugin-switchboard": "^1.0.0"}}"#;
        assert!(dependency(text, "2.0.0").unwrap().ends_with(r#""vite-plugin-switchboard": "^2.0.0"}}"#));
        assert_eq!(dependency(r#"{"a":1}"#, "2.0.0").unwrap(), r#"{"a":1}"#);
        assert!(is_version("1.2.3") && is_version("1.2.3-beta.1"));
        assert!(!is_version("1.2") && !is_version("v1.2.3") && !is_version("1.2.3-"));
    }
}
