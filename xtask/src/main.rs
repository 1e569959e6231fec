//! The commands of this house: `cargo xtask --help`.
//!
//! One file per command; [`project`] knows where things are and [`steps`] runs a command's steps
//! one after another with a name and a time for each.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod autobahn;
#[cfg(target_os = "linux")]
mod bench;
mod browser;
mod check;
mod client;
mod clients;
mod cluster;
mod contract;
mod copied;
mod dependencies;
mod dev;
mod examples;
mod features;
mod fuzz;
mod hostile;
mod installed;
mod instructions;
mod native;
mod npm;
mod pack;
mod phoenix_channels;
mod process;
mod project;
mod purity;
mod python;
mod replayed;
mod schema;
mod schemas;
mod script;
mod soak;
mod steps;
mod tarball;
mod targets;
mod test;
mod types;
mod version;
mod vite;
mod wasm;
mod workflows;

use project::Project;

/// Builds, tests and packs Switchboard. Every command does its own set-up, so each works in a clean clone.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compile the core to WebAssembly with its JavaScript glue into npm/generated, and check that
    /// it imports nothing but that glue
    Wasm(wasm::Options),
    /// Build the npm plugin: npm ci where needed, the wasm, then npm run build
    Npm(npm::Options),
    /// Run every test: Rust, wasm, plugin in real Vite, packed tarball, other languages' clients, browser
    Test(test::Options),
    /// Let hostile clients loose on both hosts
    Hostile(hostile::Options),
    /// Leave the npm packages, the plugin's and those of platforms, as tarballs in npm/ and check what they hold
    Pack(pack::Options),
    /// Build the plugin and start an example in Vite; with --native, against the native server
    Dev(dev::Options),
    /// Play Autobahn|Testsuite against the native server and the plugin in Vite, and check every case
    Autobahn(autobahn::Options),
    /// Give the core arbitrary input: the targets of core/fuzz, with cargo-fuzz on the nightly toolchain
    Fuzz(fuzz::Options),
    /// Let hundreds of clients come and go, check all they hear, and look for what they leave behind
    Soak(soak::Options),
    /// Measure what messages, connections and memory cost, and compare it with other servers (Linux)
    #[cfg(target_os = "linux")]
    Bench(bench::Options),
    /// Count the instructions that the core takes, with Valgrind, and compare them with their budgets
    Instructions(instructions::Options),
    /// Check formatting, lints (all warnings are errors), documentation, and the core on wasm32
    Check,
    /// Look for known weaknesses, licences and sources of crates and npm packages that the project does not accept
    Dependencies,
    /// Write npm/src/engine/contract.ts, the numbers that cross between the core and JavaScript, from Rust
    Contract(contract::Options),
    /// Write npm/schema.json, the JSON Schema of the configuration, from the Rust types
    Schema(schema::Options),
    /// Set the version of all crates and packages, or check that it is the same everywhere
    Version(version::Options),
    /// Copy the TypeScript that runs the functions of handlers from npm/src to native/src/script/plugin
    Script(script::Options),
}

fn main() -> ExitCode {
    let outcome = Project::find().and_then(|project| match Arguments::parse().task {
        Task::Wasm(options) => wasm::run(&project, &options),
        Task::Npm(options) => npm::run(&project, &options),
        Task::Test(options) => test::run(&project, &options),
        Task::Hostile(options) => hostile::run(&project, &options),
        Task::Pack(options) => pack::run(&project, &options),
        Task::Dev(options) => dev::run(&project, &options),
        Task::Autobahn(options) => autobahn::run(&project, &options),
        Task::Fuzz(options) => fuzz::run(&project, &options),
        Task::Soak(options) => soak::run(&project, &options),
        #[cfg(target_os = "linux")]
        Task::Bench(options) => bench::run(&project, &options),
        Task::Instructions(options) => instructions::run(&project, &options),
        Task::Check => check::run(&project),
        Task::Dependencies => dependencies::run(&project),
        Task::Contract(options) => contract::run(&project, &options),
        Task::Schema(options) => schema::run(&project, &options),
        Task::Version(options) => version::run(&project, &options),
        Task::Script(options) => script::run(&project, &options),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
