//! `cargo xtask wasm`: the core as a WebAssembly module with JavaScript glue and types.

use std::path::PathBuf;

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
fn generate_glue(project: &Project, module: PathBuf) -> Result<PathBuf> {
    let folder = project.generated();
    Bindgen::new()
        .input_path(&module)
        .web(true)?
        .typescript(true)
        .out_name(NAME)
        .generate(&folder)
        .with_context(|| format!("wasm-bindgen cannot bind {}", module.display()))?;
    Ok(folder.join(format!("{NAME}_bg.wasm")))
}
