//! `cargo xtask schema`: the JSON Schemas of the configuration and of recordings and the OpenAPI document of the control API,
//! for editors and clients, and the same for TypeScript.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use xshell::cmd;

use crate::project::Project;

mod typescript;

/// What to do with the schema.
#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is not what the Rust types say
    #[arg(long)]
    pub(crate) check: bool,
}

/// Writes `npm/schema.json`, `npm/recording.schema.json`, `npm/openapi.json` and the TypeScript types for them, or checks all of them.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let (schema, configuration) = printed(project, "schema")?;
    let (openapi, api) = printed(project, "openapi")?;
    let (recording, _) = printed(project, "recording_schema")?;
    let types = typescript::declarations(&configuration)?;
    let api_types = typescript::api_declarations(&api, &types)?;
    for (name, text) in [
        ("schema.json", &schema),
        ("src/interface/configuration.ts", &types),
        ("recording.schema.json", &recording),
        ("openapi.json", &openapi),
        ("src/interface/control-api.ts", &api_types),
    ] {
        let file = project.npm().join(name);
        if !options.check {
            std::fs::write(&file, text)?;
            println!("{} written", file.display());
        } else if std::fs::read_to_string(&file).ok().as_ref() == Some(text) {
            println!("npm/{name} is up to date");
        } else {
            bail!("npm/{name} is not what the types in Rust say: run `cargo xtask schema`");
        }
    }
    Ok(())
}

/// What an example of the core prints, as it is and parsed.
fn printed(project: &Project, example: &str) -> Result<(String, Value)> {
    let program = project.example(example)?;
    let text = cmd!(project.shell, "{program}").read()? + "\n";
    let parsed = serde_json::from_str(&text).with_context(|| format!("the {example} is no JSON"))?;
    Ok((text, parsed))
}
