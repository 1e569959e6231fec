//! `cargo xtask schema`: the JSON Schema of the configuration, for editors, and the same for TypeScript.

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::project::Project;

mod typescript;

/// What to do with the schema.
#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is not what the Rust types say
    #[arg(long)]
    pub(crate) check: bool,
}

/// Writes `npm/schema.json` and the TypeScript types for it, or checks both.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let program = ["run", "--locked", "--quiet", "--package", "switchboard-core", "--example", "schema"];
    let schema = project.cargo().args(program).read()? + "\n";
    let parsed = serde_json::from_str(&schema).context("the schema is no JSON")?;
    let types = typescript::declarations(&parsed)?;
    for (name, text) in [("schema.json", &schema), ("src/interface/configuration.ts", &types)] {
        let file = project.npm().join(name);
        if !options.check {
            std::fs::write(&file, text)?;
            println!("{} written", file.display());
        } else if std::fs::read_to_string(&file).ok().as_ref() == Some(text) {
            println!("npm/{name} is up to date");
        } else {
            bail!("npm/{name} is not what the configuration's types say: run `cargo xtask schema`");
        }
    }
    Ok(())
}
