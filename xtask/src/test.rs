//! `cargo xtask test`: everything that can be run to prove that this works.

use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;
use xshell::cmd;

use crate::hostile::{self, Extent};
use crate::project::Project;
use crate::steps::{Outcome, Steps};
use crate::{
    browser, clients, copied, examples, installed, native, npm, purity, python, schemas, tarball, types, wasm,
};

/// Which part to run; without any option: all of them.
#[derive(Args)]
pub(crate) struct Options {
    /// The Rust tests and documentation examples, and the proof that the core imports nothing
    #[arg(long)]
    rust: bool,
    /// The plugin's tests in real Vite servers, and the packed tarball in an empty project
    #[arg(long)]
    npm: bool,
    /// The clients ws, websockets (Python) and tungstenite against both hosts
    #[arg(long)]
    clients: bool,
    /// The same handler files in Vite and in the native server
    #[arg(long)]
    hosts: bool,
    /// That the examples and the documentation's code compile
    #[arg(long)]
    types: bool,
    /// The official test suite of JSON Schema against the validator of contracts
    #[arg(long)]
    schemas: bool,
    /// Each example, copied out of the repository, with the packed tarball
    #[arg(long)]
    examples: bool,
    /// The packed program in an empty folder, native and on Node
    #[arg(long)]
    pack: bool,
    /// Hostile clients against both hosts
    #[arg(long)]
    hostile: bool,
    /// The examples in a real Chromium, served by Vite and by the native server
    #[arg(long)]
    browser: bool,
}

/// Runs the chosen parts, stopping at the first failure.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let everything = !(options.rust
        || options.npm
        || options.clients
        || options.hosts
        || options.types
        || options.schemas
        || options.examples
        || options.pack
        || options.hostile
        || options.browser);
    let mut steps = Steps::default();
    if everything || options.rust {
        rust(project, &mut steps)?;
    }
    if everything || options.schemas {
        steps.run_or_skip("the test suite of JSON Schema", || schemas::run(project))?;
    }
    let needs_plugin = [
        options.npm,
        options.clients,
        options.hosts,
        options.types,
        options.examples,
        options.pack,
        options.hostile,
        options.browser,
    ];
    if everything || needs_plugin.contains(&true) {
        plugin(project, &mut steps)?;
    }
    if everything || options.npm {
        steps.run("plugin types", || npm::script(project, "typecheck"))?;
        steps.run("plugin tests", || npm::script(project, "test"))?;
        steps.run("the example of tests, in Vitest", || {
            examples::link_packages(project)?;
            example_of_tests(project, &["vitest", "run"], None)
        })?;
        steps.run("packed tarball in an empty Vite project", || tarball::run(project))?;
    }
    if everything || options.examples {
        steps.run("examples copied out of the repository", || copied::run(project))?;
    }
    if everything || options.pack {
        steps.run("the packed program in an empty folder", || installed::run(project))?;
    }
    if everything || options.npm || options.types {
        steps.run("types of examples and documentation", || types::run(project))?;
    }
    if everything || options.clients {
        steps.run_or_skip("clients of other libraries", || clients::run(project))?;
    }
    if everything || options.hosts {
        steps.run("handler files on both hosts", || both_hosts(project))?;
    }
    if everything || options.hostile {
        steps.run("hostile clients of the native server", || hostile::native(project, Extent::default()))?;
        steps.run("hostile clients of the plugin in Vite", || hostile::plugin(project, Extent::default()))?;
    }
    if everything || options.browser {
        steps.run_or_skip("browser tests", || browser_tests(project))?;
    }
    steps.finish();
    Ok(())
}

/// What property tests draw their inputs from, so that a change is refused for what it does and not for what was drawn. The
/// workflow `properties.yml` draws others every night.
const SEED: &str = "20261122";

fn rust(project: &Project, steps: &mut Steps) -> Result<()> {
    // The tests of clusters look for redis-server themselves.
    let nats_server = python::nats_server(project)?;
    steps.run("Rust tests", || {
        let tests = project.cargo().args(["test", "--locked", "--workspace"]);
        let tests = match &nats_server {
            Some(program) => tests.env("NATS_SERVER", program),
            None => tests,
        };
        let seed = std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| SEED.to_owned());
        let tests = tests.env("PROPTEST_RNG_SEED", seed);
        Ok(tests.run()?)
    })?;
    steps.run("the core on wasm32 imports nothing", || {
        wasm::ensure_target(project)?;
        purity::check_core(project)
    })
}

/// The plugin as it is shipped: what the other parts test.
fn plugin(project: &Project, steps: &mut Steps) -> Result<()> {
    steps.run("npm packages", || npm::install(project))?;
    steps.run("wasm module", || wasm::run(project, &wasm::Options { release: true }))?;
    steps.run("plugin build", || npm::build(project))
}

fn both_hosts(project: &Project) -> Result<()> {
    let server = native::build(project)?;
    let _here = project.shell.push_dir(project.npm());
    let npm = npm::program("npm")?;
    let tests = cmd!(project.shell, "{npm} run --silent test:hosts").env("SWITCHBOARD_NATIVE", server);
    Ok(tests.run()?)
}

fn browser_tests(project: &Project) -> Result<Outcome> {
    let Some(chromium) = browser::find()? else {
        if project.is_ci() {
            bail!(browser::HOW_TO_GET_ONE);
        }
        return Ok(Outcome::Skipped(browser::HOW_TO_GET_ONE.into()));
    };
    let server = native::build(project)?;
    examples::link_packages(project)?;
    let _here = project.shell.push_dir(project.npm());
    let npm = npm::program("npm")?;
    let tests = cmd!(project.shell, "{npm} run --silent test:browser");
    let tests = tests.env("CHROMIUM", &chromium).env("SWITCHBOARD_NATIVE", server);
    match python::interpreter(project)? {
        Some(python) => tests.env("SWITCHBOARD_PYTHON", python).run()?,
        None => tests.run()?,
    }
    example_of_tests(project, &["playwright", "test"], Some(&chromium))?;
    Ok(Outcome::Passed)
}

/// Runs a program in `examples/testing`, as its `package.json` does.
fn example_of_tests(project: &Project, program: &[&str], chromium: Option<&Path>) -> Result<()> {
    let folder = examples::find(project, "testing")?;
    let _here = project.shell.push_dir(folder);
    let npx = npm::program("npx")?;
    let command = cmd!(project.shell, "{npx} --no-install {program...}");
    match chromium {
        Some(chromium) => command.env("CHROMIUM", chromium).run()?,
        None => command.run()?,
    }
    Ok(())
}
