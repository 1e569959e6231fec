//! `cargo xtask check`: what can be said about the code without running it.

use anyhow::Result;

use crate::project::{Project, WASM_TARGET};
use crate::steps::Steps;
use crate::{contract, dependencies, features, schema, script, version, wasm, workflows};

/// Formatting, lints of every target, of every feature alone and on wasm32, the documentation, the files that are written by
/// commands, the versions, the workflows and the dependencies. Every warning is an error.
pub(crate) fn run(project: &Project) -> Result<()> {
    let mut steps = Steps::default();
    steps.run("format", || Ok(project.cargo().args(["fmt", "--all", "--check"]).run()?))?;
    steps.run("lints", || clippy(project, &["--workspace", "--all-targets"]))?;
    steps.run("lints of each feature alone", || features::check(project))?;
    steps.run("lints on wasm32", || {
        wasm::ensure_target(project)?;
        clippy(project, &["-p", "switchboard-core", "-p", "switchboard-wasm", "--target", WASM_TARGET])
    })?;
    steps.run("documentation", || {
        let documentation = project.cargo().args(["doc", "--locked", "--workspace", "--no-deps"]);
        Ok(documentation.env("RUSTDOCFLAGS", "-D warnings").run()?)
    })?;
    steps.run("contract", || contract::run(project, &contract::Options { check: true }))?;
    steps.run("schema", || schema::run(project, &schema::Options { check: true }))?;
    steps.run("versions", || version::check(project))?;
    steps.run("workflows", || workflows::check(project))?;
    steps.run("script", || script::run(project, &script::Options { check: true }))?;
    dependencies::check(project, &mut steps)?;
    steps.finish();
    Ok(())
}

fn clippy(project: &Project, selection: &[&str]) -> Result<()> {
    let clippy = project.cargo().args(["clippy", "--locked"]).args(selection);
    Ok(clippy.args(["--", "-D", "warnings"]).run()?)
}
