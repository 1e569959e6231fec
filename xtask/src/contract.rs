//! `cargo xtask contract`: the numbers that cross between the core and JavaScript, for TypeScript.

use anyhow::{Result, bail};
use clap::Args;

use crate::project::Project;

/// What to do with the contract.
#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail if the file is not what Rust says
    #[arg(long)]
    pub(crate) check: bool,
}

/// Writes `npm/src/host/contract.ts` or checks it.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let file = project.npm().join("src/host/contract.ts");
    let program = ["run", "--locked", "--quiet", "--package", "switchboard-wasm", "--example", "contract"];
    let contract = project.cargo().args(program).read()? + "\n";
    if !options.check {
        std::fs::write(&file, contract)?;
        println!("{} written", file.display());
        return Ok(());
    }
    if std::fs::read_to_string(&file).ok().as_deref() != Some(contract.as_str()) {
        bail!("npm/src/host/contract.ts is not what wasm/src/contract.rs says: run `cargo xtask contract`");
    }
    println!("npm/src/host/contract.ts is up to date");
    Ok(())
}
