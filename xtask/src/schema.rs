//! `cargo xtask schema`: the JSON Schema of the configuration, for editors.

use anyhow::{Result, bail};
use clap::Args;

use crate::project::Project;

/// What to do with the schema.
#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail if the file is not what the Rust types say
    #[arg(long)]
    pub(crate) check: bool,
}

/// Writes `npm/schema.json` or checks it.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let file = project.npm().join("schema.json");
    let program = ["run", "--locked", "--quiet", "--package", "switchboard-core", "--example", "schema"];
    let schema = project.cargo().args(program).read()? + "\n";
    if !options.check {
        std::fs::write(&file, schema)?;
        println!("{} written", file.display());
        return Ok(());
    }
    if std::fs::read_to_string(&file).ok().as_deref() != Some(schema.as_str()) {
        bail!("npm/schema.json is not what the configuration's types say: run `cargo xtask schema`");
    }
    println!("npm/schema.json is up to date");
    Ok(())
}
