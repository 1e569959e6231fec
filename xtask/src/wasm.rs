//! `cargo xtask wasm`: the core as a WebAssembly module with JavaScript glue and types.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use wasm_bindgen_cli_support::Bindgen;
use xshell::cmd;

use crate::project::{Project, WASM_TARGET, find_program};
use crate::purity;

/// The glue's file name: `switchboard_wasm.js`, `.d.ts` and `_bg.wasm`.
const NAME: &str = "switchboard_wasm";

/// How the module is built.
#[derive(Args)]
pub(crate) struct Options {
    /// Build what is shipped: whole-program optimised and stripped, in about a minute instead of seconds
    #[arg(long)]
    pub(crate) release: bool,
}

/// Builds the module into `npm/generated` and checks its imports.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    ensure_target(project)?;
    let profile = if options.release { "wasm" } else { "wasm-dev" };
    project
        .cargo()
        .args(["build", "--locked", "--package", "switchboard-wasm", "--lib"])
        .args(["--target", WASM_TARGET, "--profile", profile])
        .run()?;
    let module = project.target().join(WASM_TARGET).join(profile).join(format!("{NAME}.wasm"));
    let bound = generate_glue(project, module)?;
    purity::check_bound_module(&bound)?;
    let size = std::fs::metadata(&bound)?.len();
    println!("{}: {} kB", bound.display(), size / 1000);
    Ok(())
}

/// Makes sure that the wasm standard library is there: `rust-toolchain.toml` asks for it, but
/// rustup does not always install what that file asks for (`RUSTUP_AUTO_INSTALL=0`).
pub(crate) fn ensure_target(project: &Project) -> Result<()> {
    let sysroot = cmd!(project.shell, "rustc --print sysroot").quiet().read()?;
    if PathBuf::from(sysroot).join("lib/rustlib").join(WASM_TARGET).join("lib").is_dir() {
        return Ok(());
    }
    if find_program(&["rustup"]).is_none() {
        bail!(
            "this Rust has no standard library for {WASM_TARGET}, and there is no rustup to add it: \
             install Rust through rustup, or your system's package of that library"
        );
    }
    cmd!(project.shell, "rustup target add {WASM_TARGET}").run().context("cannot add the wasm target")
}

/// Runs wasm-bindgen over the compiled module and returns the path of the bound one.
///
/// Its glue is made for one instance of a module in a process. A server that failed has to get another, and servers
/// beside each other must not share their memory, so the glue goes into a function that makes one instance each time.
fn generate_glue(project: &Project, module: PathBuf) -> Result<PathBuf> {
    let folder = project.generated();
    let types = tempfile::Builder::new().prefix("switchboard-types-").tempdir()?;
    bind(&module, types.path(), |bindgen| bindgen.web(true)?.typescript(true).generate(types.path()))?;
    bind(&module, &folder, |bindgen| bindgen.no_modules(true)?.typescript(false).generate(&folder))?;
    let glue = folder.join(format!("{NAME}.js"));
    std::fs::write(&glue, wrap(&std::fs::read_to_string(&glue)?)?)?;
    let types = std::fs::read_to_string(types.path().join(format!("{NAME}.d.ts")))?;
    std::fs::write(folder.join(format!("{NAME}.d.ts")), types + INSTANCE_TYPES)?;
    Ok(folder.join(format!("{NAME}_bg.wasm")))
}

fn bind(module: &Path, folder: &Path, generate: impl FnOnce(&mut Bindgen) -> Result<()>) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(NAME);
    generate(&mut bindgen)
        .with_context(|| format!("wasm-bindgen cannot bind {} into {}", module.display(), folder.display()))
}

/// What `wrap` adds, for TypeScript.
const INSTANCE_TYPES: &str = "
/** One instance of the module: its classes and functions, and its memory. */
export interface Instance {
  Switchboard: typeof Switchboard
  Conversion: typeof Conversion
  last_panic: typeof last_panic
  memory: { readonly buffer: ArrayBuffer }
}

/** Makes an instance of the compiled module. */
export function instantiate(module: object): Instance
";

/// Glue that is a script with one global variable, as a module with one function.
fn wrap(script: &str) -> Result<String> {
    if !script.contains("let wasm_bindgen") {
        bail!("wasm-bindgen's glue does not define `wasm_bindgen` any more");
    }
    Ok(format!(
        "export function instantiate(module) {{\n{script}\nconst {{ memory }} = wasm_bindgen.initSync({{ module }})\n\
         const {{ Switchboard, Conversion, last_panic }} = wasm_bindgen\n\
         return {{ Switchboard, Conversion, last_panic, memory }}\n}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_glue_of_the_known_form_is_wrapped() {
        let wrapped = wrap("let wasm_bindgen = {};").unwrap();
        assert!(
            wrapped.starts_with("export function instantiate(module) {\nlet wasm_bindgen = {};"),
            "{wrapped}"
        );
        assert!(wrap("export class Switchboard {}").is_err());
    }
}
