//! `cargo xtask script`: the plugin's TypeScript that runs the functions of handlers, for the native server.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::project::Project;

/// What to do with the copies.
#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a copy is not what npm/src has
    #[arg(long)]
    pub(crate) check: bool,
}

/// Where they are.
const COPIES: &str = "native/src/script/plugin";

/// What the native server uses of the plugin; what these import comes along.
const USED: [&str; 5] =
    ["callbacks/hooks", "config/setup", "connection/connection", "define", "files/exports"];

/// Copies the modules, or checks the copies. The crate has to hold all that it is compiled from.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let (from, to) = (project.npm().join("src"), project.path(COPIES));
    let modules = modules(&from)?;
    let mut files = vec![("mod.rs".to_owned(), table(&modules))];
    for module in &modules {
        let name = format!("{module}.ts");
        let text = std::fs::read_to_string(from.join(&name)).with_context(|| name.clone())?;
        files.push((name, text));
    }
    if !options.check && to.exists() {
        std::fs::remove_dir_all(&to)?;
    }
    for (name, text) in files {
        let file = to.join(&name);
        if !options.check {
            std::fs::create_dir_all(file.parent().context("a folder")?)?;
            std::fs::write(&file, text)?;
        } else if std::fs::read_to_string(&file).ok().as_deref() != Some(text.as_str()) {
            bail!("{COPIES}/{name} is not what npm/src has: run `cargo xtask script`");
        }
    }
    println!("{COPIES} {}", if options.check { "is up to date" } else { "written" });
    Ok(())
}

fn modules(folder: &Path) -> Result<BTreeSet<String>> {
    let mut modules = BTreeSet::new();
    let mut next: Vec<String> = USED.map(str::to_owned).to_vec();
    while let Some(module) = next.pop() {
        if !modules.insert(module.clone()) {
            continue;
        }
        let text =
            std::fs::read_to_string(folder.join(format!("{module}.ts"))).with_context(|| module.clone())?;
        next.extend(imports(&text).filter_map(|specifier| resolve(&module, specifier)));
    }
    Ok(modules)
}

/// What a module imports that is not a type.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let statements = text.split("\nimport ").skip(1).chain(text.strip_prefix("import "));
    let values = statements.filter(|statement| !statement.starts_with("type "));
    values.filter_map(|statement| statement.split(" from '").nth(1)?.split('\'').next())
}

/// The module that a relative specifier means.
fn resolve(module: &str, specifier: &str) -> Option<String> {
    let mut parts: Vec<&str> = module.split('/').collect();
    parts.pop();
    if !specifier.starts_with('.') {
        return None;
    }
    for part in specifier.trim_end_matches(".js").split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn table(modules: &BTreeSet<String>) -> String {
    let mut text = String::from(
        "//! The plugin's modules that run the functions of handlers. Written by `cargo xtask script`.\n\n\
         /// Their names and their text.\n\
         pub(super) const MODULES: &[(&str, &str)] = &[\n",
    );
    for module in modules {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    (\"{module}.ts\", include_str!(\"{module}.ts\")),");
    }
    text + "];\n"
}
