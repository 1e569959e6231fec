//! Prints the JSON Schema of a line of a recording, by which editors check it.

#![allow(clippy::disallowed_macros, reason = "a program of its own, not the engine")]

use switchboard_core::recording;

fn main() {
    println!("{:#}", recording::json_schema());
}
