//! A running engine takes another configuration: routes, connections, timers, calls, feeds.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod connections;
mod feeds;
mod handlers;
mod routes;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};
use support::World;
use switchboard_core::config::{Assembly, RouteCallbacks};
use switchboard_core::{Config, Configuration, ConnectionId, Hooks};

fn config(options: Value) -> Config {
    Config::from_value(options).unwrap()
}

fn world(options: Value) -> World {
    World::with_engine(config(options).engine([7; 32]).unwrap())
}

/// The configuration, in which every route has these callbacks.
fn with_hooks(options: Value, hooks: Hooks) -> Configuration {
    let config = config(options);
    let mut assembly = Assembly::default();
    assembly.configured(&config, |_, _| RouteCallbacks { hooks: hooks.clone(), ..Default::default() });
    assembly.configuration(config.engine_limits())
}

fn echo(pattern: &str) -> Value {
    json!({ "pattern": pattern, "dialect": "echo" })
}

fn replies(pattern: &str, reply: &str) -> Value {
    json!({ "pattern": pattern, "rules": [{ "do": [{ "reply": reply }] }] })
}

fn says(world: &mut World, id: ConnectionId) -> Vec<String> {
    world.text(id, "hi");
    world.received(id)
}
