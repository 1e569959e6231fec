//! `cargo xtask fuzz`: the targets of `core/fuzz`, one after another.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use xshell::cmd;

use crate::project::Project;
use crate::steps::Steps;

/// Which target, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// A file of core/fuzz/targets without its ending; without it, all of them
    target: Option<String>,
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
}

/// Longer than any input takes, even on a busy machine: one that takes longer is a finding.
const SECONDS_PER_INPUT: u32 = 20;

/// Runs the targets. The first finding ends the run; its input is left in `core/fuzz/artifacts`.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let folder = project.path("core/fuzz");
    let known = targets(&folder)?;
    let chosen = match &options.target {
        None => known,
        Some(name) if known.contains(name) => vec![name.clone()],
        Some(name) => bail!("there is no fuzz target {name}; there are {}", known.join(", ")),
    };
    let tool = cmd!(project.shell, "rustup run nightly cargo fuzz --version");
    if tool.quiet().ignore_stdout().ignore_stderr().run().is_err() {
        bail!(
            "fuzzing needs the nightly toolchain and cargo-fuzz:\n  rustup toolchain install nightly\n  \
             cargo install --locked cargo-fuzz"
        );
    }
    let dictionary = write_dictionary(project)?;
    let mut steps = Steps::default();
    for name in &chosen {
        steps.run(name, || fuzz(&folder, name, options.seconds, &dictionary))?;
    }
    steps.finish();
    Ok(())
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.join("targets"))? {
        let file = file?.path();
        names.extend(file.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Lets one target run. What it found worth keeping stays in `core/fuzz/corpus` for the next time.
fn fuzz(folder: &Path, name: &str, seconds: u64, dictionary: &Path) -> Result<()> {
    let corpus = folder.join("corpus").join(name);
    std::fs::create_dir_all(&corpus)?;
    let seeds = match name {
        "dialects" | "reconfigure" => folder.join("../tests/transcripts"),
        _ => folder.join("seeds").join(name),
    };
    let own = folder.join("dictionaries").join(format!("{name}.dict"));
    let dictionary = match name {
        "config" | "dialects" | "reconfigure" => Some(dictionary),
        _ => Some(&*own).filter(|file| file.exists()),
    };
    let mut command = Command::new("rustup");
    // Set for this process by `cargo run` and by rustup; cargo-fuzz builds another workspace with another toolchain.
    for variable in ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    command.args(["run", "nightly", "cargo", "fuzz", "run", "--fuzz-dir"]).arg(folder).arg(name);
    command.arg(&corpus).arg(&seeds).arg("--").args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={SECONDS_PER_INPUT}"),
        "-print_final_stats=1".to_owned(),
        "-verbosity=0".to_owned(),
    ]);
    command.args(dictionary.map(|file| format!("-dict={}", file.display())));
    let output = command.current_dir(folder).output().context("cannot start rustup")?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{}\n{}", output.status, last_lines(&text, 60));
    }
    println!("{} inputs without a finding", statistic(&text, "number_of_executed_units").unwrap_or("?"));
    Ok(())
}

fn statistic<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The words of the configuration, from its schema, as libFuzzer reads them.
fn write_dictionary(project: &Project) -> Result<std::path::PathBuf> {
    let schema = std::fs::read_to_string(project.npm().join("schema.json"))?;
    let mut words = Vec::new();
    collect_words(&serde_json::from_str(&schema)?, &mut words);
    words.sort();
    words.dedup();
    let folder = project.target();
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("config.dict");
    let lines: String = words.iter().map(|word| format!("\"{word}\"\n")).collect();
    std::fs::write(&file, lines)?;
    Ok(file)
}

fn collect_words(schema: &Value, words: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        words.extend(properties.keys().cloned());
    }
    let constants = schema["enum"].as_array().into_iter().flatten().chain([&schema["const"]]);
    words.extend(constants.filter_map(Value::as_str).map(str::to_owned));
    let inside = match schema {
        Value::Array(list) => list.iter().collect(),
        Value::Object(object) => object.values().collect(),
        _ => Vec::new(),
    };
    for schema in inside {
        collect_words(schema, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_inputs_is_found() {
        let text = "Done 12 runs\nstat::number_of_executed_units: 12\nstat::average_exec_per_sec:     0";
        assert_eq!(statistic(text, "number_of_executed_units"), Some("12"));
        assert_eq!(last_lines(text, 1), "stat::average_exec_per_sec:     0");
    }

    #[test]
    fn the_words_of_a_schema_are_its_keys_and_constants() {
        let schema = serde_json::json!({
            "properties": { "routes": { "items": { "enum": ["echo"] } }, "delay": { "const": "none" } }
        });
        let mut words = Vec::new();
        collect_words(&schema, &mut words);
        words.sort();
        assert_eq!(words, ["delay", "echo", "none", "routes"]);
    }
}
