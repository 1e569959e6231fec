//! Proves by machine that the engine does no input or output of its own.
//!
//! Whatever a wasm module wants from outside stands in its import section, so that section is the
//! proof. Two modules are looked at:
//!
//! - The core alone, linked as a module of its own with nothing thrown away: it must import nothing
//!   at all. A dependency that reaches for randomness, a clock or the system would show up here.
//! - What the npm package ships: it may import wasm-bindgen's glue and nothing else, and in that
//!   glue no function for clocks, randomness, timers or the network.
//!
//! A clock from `std` would not show, since on this target it panics instead of importing anything;
//! `core/clippy.toml` forbids it, and [`crate::check`] runs that.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wasmparser::{Parser, Payload};

use crate::project::{Project, WASM_TARGET};

/// Module names that wasm-bindgen gives its glue.
const GLUE_MODULES: [&str; 3] = ["wbg", "__wbindgen_placeholder__", "./switchboard_wasm_bg.js"];

/// Parts of imported names that would mean the engine acts on its own.
const FORBIDDEN_IN_GLUE: [&str; 8] =
    ["random", "crypto", "performance", "_now_", "settimeout", "setinterval", "fetch", "websocket"];

/// Fewer than these are not the core with all that it uses, and then a module without imports proves nothing.
const FEWEST_FUNCTIONS: u32 = 2_000;

/// Builds `switchboard-core` as a module by itself and checks that it imports nothing.
pub(crate) fn check_core(project: &Project) -> Result<()> {
    project
        .cargo()
        .args(["rustc", "--locked", "--package", "switchboard-core", "--lib", "--crate-type", "cdylib"])
        // A module without exports needs nothing: link-time optimisation, which the development profile has not, and a
        // linker without these arguments would drop everything.
        .args(["--target", WASM_TARGET])
        .args(["--", "-C", "link-dead-code", "-C", "link-arg=--no-gc-sections"])
        .run()?;
    let module = project.target().join(WASM_TARGET).join("debug/switchboard_core.wasm");
    let Needs { imports, functions } = needs(&module)?;
    if functions < FEWEST_FUNCTIONS {
        bail!("the linker has thrown the core away: {functions} functions in {}", module.display());
    }
    if !imports.is_empty() {
        bail!("switchboard-core must import nothing, but imports {}", list(&imports));
    }
    println!("switchboard-core: {functions} functions, no import");
    Ok(())
}

/// Checks that a module bound by wasm-bindgen imports its glue only.
pub(crate) fn check_bound_module(module: &Path) -> Result<()> {
    let Needs { imports, .. } = needs(module)?;
    let stray: Vec<Import> = imports.iter().filter(|import| !is_glue(import)).cloned().collect();
    if !stray.is_empty() {
        bail!("the engine must leave the outside world to its host, but imports {}", list(&stray));
    }
    println!("imports: {}, all of them glue", imports.len());
    Ok(())
}

/// Module and name of one import.
type Import = (String, String);

fn is_glue((module, name): &Import) -> bool {
    let name = name.to_lowercase();
    GLUE_MODULES.contains(&module.as_str())
        && name.starts_with("__wb")
        && !FORBIDDEN_IN_GLUE.iter().any(|word| name.contains(word))
}

/// What a module wants from outside, and how many functions of its own it has.
struct Needs {
    imports: Vec<Import>,
    functions: u32,
}

fn needs(module: &Path) -> Result<Needs> {
    let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let mut needs = Needs { imports: Vec::new(), functions: 0 };
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    needs.imports.push((import.module.to_owned(), import.name.to_owned()));
                }
            }
            Payload::FunctionSection(section) => needs.functions = section.count(),
            _ => {}
        }
    }
    Ok(needs)
}

fn list(imports: &[Import]) -> String {
    let names: Vec<String> = imports.iter().map(|(module, name)| format!("{module}::{name}")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(module: &str, name: &str) -> Import {
        (module.to_owned(), name.to_owned())
    }

    #[test]
    fn only_plain_glue_is_allowed() {
        assert!(is_glue(&import("./switchboard_wasm_bg.js", "__wbindgen_throw")));
        assert!(is_glue(&import("wbg", "__wbg_new_4f9fafbb3909af72")));
        assert!(!is_glue(&import("env", "memory")));
        assert!(!is_glue(&import("wasi_snapshot_preview1", "fd_write")));
        assert!(!is_glue(&import("wbg", "__wbg_now_2c95c9de01293173")));
        assert!(!is_glue(&import("wbg", "__wbg_getRandomValues_3c3e3e4e")));
    }
}
