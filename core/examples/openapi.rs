//! Prints the OpenAPI document of the control API.

#![allow(clippy::disallowed_macros, reason = "a program of its own, not the engine")]

use switchboard_core::control;

fn main() {
    println!("{:#}", control::openapi());
}
