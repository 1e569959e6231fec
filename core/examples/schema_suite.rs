//! Holds the validator of JSON Schema to the official test suite, and prints a table of what passes.
//!
//! The arguments are the folder of the suite and a folder with the meta-schemas. Exits with 1 if a required test fails.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_types,
    reason = "a program of its own, not the engine"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;
use switchboard_core::contract::Schema;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [suite, meta] = folders.as_slice() else {
        return Err("two arguments: the folder of the test suite, and one with the meta-schemas".into());
    };
    let mut documents = BTreeMap::new();
    for file in files(&suite.join("remotes"))? {
        let name = file.strip_prefix(suite.join("remotes"))?.to_string_lossy().replace('\\', "/");
        // Those in a folder of an earlier version are written for that version.
        if !name.starts_with("draft") || name.starts_with("draft2020-12") {
            documents.insert(format!("http://localhost:1234/{name}"), json(&file)?);
        }
    }
    for file in files(meta)? {
        let document = json(&file)?;
        documents.insert(document["$id"].as_str().unwrap_or_default().to_owned(), document);
    }

    println!("| File of the suite | Passed |");
    println!("|---|---|");
    let tests = suite.join("tests/draft2020-12");
    let mut total = Tally::default();
    for file in files(&tests)? {
        let name = file.strip_prefix(&tests)?.to_string_lossy().replace('\\', "/");
        // `format` is an annotation, which is the default: whether a format fits is not asked.
        if name.starts_with("optional/format/") {
            continue;
        }
        let tally = run(&name, &json(&file)?, &documents);
        println!("| `{name}` | {} of {} |", tally.passed, tally.passed + tally.failed);
        total.passed += tally.passed;
        total.failed += tally.failed;
        total.required_failed += if name.starts_with("optional/") { 0 } else { tally.failed };
    }
    println!("| all of them | {} of {} |", total.passed, total.passed + total.failed);
    Ok(ExitCode::from(u8::from(total.required_failed > 0 || total.passed == 0)))
}

#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    required_failed: u32,
}

/// Plays one file: groups of a schema and values with their verdicts.
fn run(name: &str, groups: &Value, documents: &BTreeMap<String, Value>) -> Tally {
    let mut tally = Tally::default();
    for group in groups.as_array().into_iter().flatten() {
        let schema = Schema::within(&group["schema"], "", documents);
        for test in group["tests"].as_array().into_iter().flatten() {
            let got = match &schema {
                Ok(schema) => Ok(schema.validate(&test["data"])),
                Err(error) => Err(error.to_string()),
            };
            if got.as_ref().is_ok_and(|violations| Some(violations.is_empty()) == test["valid"].as_bool()) {
                tally.passed += 1;
            } else {
                tally.failed += 1;
                eprintln!("{name}: {}: {}: {got:?}", group["description"], test["description"]);
            }
        }
    }
    tally
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort_by_key(|path| (path.components().count(), path.clone()));
    Ok(found)
}

fn json(file: &Path) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}
