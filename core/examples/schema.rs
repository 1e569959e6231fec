//! Prints the JSON Schema of the configuration, by which editors complete and check it.

#![allow(clippy::disallowed_macros, reason = "a program of its own, not the engine")]

use switchboard_core::config::Config;

fn main() {
    println!("{:#}", Config::json_schema());
}
