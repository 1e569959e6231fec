//! `cargo xtask contract`: the numbers that cross between the core and JavaScript, for TypeScript.

use anyhow::{Result, bail};
use clap::Args;
use xshell::cmd;

use crate::project::Project;

/// What to do with the contract.
#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail if the file is not what Rust says
    #[arg(long)]
    pub(crate) check: bool,
}

/// Writes the numbers and the golden batch, or checks both.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    for (name, argument) in [("src/engine/contract.ts", "numbers"), ("test/golden/batch.json", "batch")] {
        let file = project.npm().join(name);
        let program = project.example("contract")?;
        let text = cmd!(project.shell, "{program} {argument}").read()? + "\n";
        if !options.check {
            std::fs::write(&file, text)?;
            println!("{} written", file.display());
        } else if std::fs::read_to_string(&file).ok().as_deref() == Some(text.as_str()) {
            println!("npm/{name} is up to date");
        } else {
            bail!("npm/{name} is not what wasm/src says: run `cargo xtask contract`");
        }
    }
    Ok(())
}
