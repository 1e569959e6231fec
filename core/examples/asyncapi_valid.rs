//! Holds AsyncAPI documents of configurations to the JSON Schema of AsyncAPI.
//!
//! The arguments are the schema and configurations in TOML. Exits with 1 if a document breaks the schema.

#![allow(clippy::disallowed_macros, reason = "a program of its own, not the engine")]

use std::error::Error;
use std::process::ExitCode;

use serde_json::Value;
use switchboard_core::Config;
use switchboard_core::contract::Schema;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut files = std::env::args_os().skip(1);
    let schema =
        files.next().ok_or("the first argument is the schema of AsyncAPI, the others are configurations")?;
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(schema)?)?;
    rename_tuples(&mut schema);
    let schema = Schema::new(&schema)?;
    // A schema that lets everything pass would prove nothing.
    if schema.validate(&serde_json::json!({ "asyncapi": "3.0.0" })).is_empty() {
        return Err("the schema does not ask for \"info\"".into());
    }
    let mut is_fine = true;
    for file in files {
        let config = Config::from_toml(&std::fs::read_to_string(&file)?)?;
        let violations = schema.validate(&config.asyncapi_document("A configuration"));
        println!("{}: {} channels, {} violations", file.display(), config.routes.len(), violations.len());
        for violation in &violations {
            println!("  {violation} ({})", violation.schema);
        }
        is_fine &= violations.is_empty();
    }
    Ok(ExitCode::from(u8::from(!is_fine)))
}

/// The schema is one of draft 07, where a list of schemas for the items of a list was called `items` too.
fn rename_tuples(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("items").is_some_and(Value::is_array)
                && let Some(tuple) = object.remove("items")
            {
                object.insert("prefixItems".to_owned(), tuple);
            }
            object.values_mut().for_each(rename_tuples);
        }
        Value::Array(list) => list.iter_mut().for_each(rename_tuples),
        _ => {}
    }
}
