//! Checks the workflows of GitHub Actions as far as that can be done without running them.

use anyhow::{Context, Result, bail, ensure};
use clap::CommandFactory;
use serde_json::Value;
use xshell::cmd;

use crate::pack::platforms::{PLATFORMS, Platform};
use crate::project::Project;
use crate::{Arguments, npm};

/// Fails if a workflow is no YAML, uses an action that is not pinned by its hash, or names a command of this house that does
/// not exist.
pub(crate) fn check(project: &Project) -> Result<()> {
    npm::install(project)?;
    let folder = project.path(".github/workflows");
    for entry in std::fs::read_dir(&folder).context("there are no workflows")? {
        let file = entry?.path();
        let text = std::fs::read_to_string(&file)?;
        one(project, &text).with_context(|| file.display().to_string())?;
    }
    builds_every_platform(&std::fs::read_to_string(folder.join("release.yml"))?)
}

/// Each package of a platform needs its program.
fn builds_every_platform(release: &str) -> Result<()> {
    for Platform { name, target, .. } in PLATFORMS {
        let entry = format!("{{ platform: {name}, target: {target}, ");
        ensure!(release.contains(&entry), "release.yml does not build {name}: it lacks {entry:?}");
    }
    Ok(())
}

fn one(project: &Project, text: &str) -> Result<()> {
    let _here = project.shell.push_dir(project.npm());
    let node = npm::program("node")?;
    let script = "import { parse } from 'yaml'; import { readFileSync } from 'node:fs'; \
                  console.log(JSON.stringify(parse(readFileSync(0, 'utf8'), { strict: true })))";
    let workflow = cmd!(project.shell, "{node} --input-type=module --eval {script}").stdin(text).quiet();
    let workflow: Value = serde_json::from_str(&workflow.read().context("it is no YAML")?)?;
    let jobs = workflow["jobs"].as_object().context("it has no jobs")?;
    for (name, job) in jobs {
        let steps = job["steps"].as_array().with_context(|| format!("{name} has no steps"))?;
        for step in steps {
            action(step["uses"].as_str()).with_context(|| name.clone())?;
            commands(step["run"].as_str().unwrap_or_default()).with_context(|| name.clone())?;
        }
        for needed in [&job["needs"]].into_iter().flat_map(names) {
            ensure!(jobs.contains_key(&needed), "{name} needs {needed}, which is no job");
        }
    }
    Ok(())
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn action(uses: Option<&str>) -> Result<()> {
    let Some(uses) = uses else { return Ok(()) };
    let (_, hash) = uses.split_once('@').with_context(|| format!("{uses} has no hash"))?;
    let is_hash = hash.len() == 40 && hash.chars().all(|digit| digit.is_ascii_hexdigit());
    ensure!(is_hash, "{uses} is not pinned by its hash");
    Ok(())
}

/// The commands `cargo xtask NAME` in a script, with their options.
fn commands(script: &str) -> Result<()> {
    for line in script.lines() {
        let Some((_, words)) =
            line.split_once("cargo xtask ").or_else(|| line.split_once("cargo --locked xtask "))
        else {
            continue;
        };
        let words = words.split(['|', '&', ';', '>']).next().unwrap_or_default();
        let mut words = words.split_whitespace();
        let name = words.next().unwrap_or_default();
        let program = Arguments::command();
        let Some(command) = program.find_subcommand(name) else {
            bail!("there is no cargo xtask {name}");
        };
        for option in words.filter_map(|word| word.strip_prefix("--")) {
            let known = command.get_arguments().any(|argument| argument.get_long() == Some(option));
            ensure!(known, "cargo xtask {name} has no --{option}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_found() {
        assert!(commands("cargo xtask pack --programs built\ncargo --locked xtask test --rust").is_ok());
        assert!(commands("cargo xtask pcak").is_err());
        assert!(commands("cargo xtask pack --everything").is_err());
        assert!(action(Some("actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8")).is_ok());
        assert!(action(Some("actions/checkout@v5")).is_err());
    }
}
