//! Faults on purpose: opening handshakes, what is sent, what is received, and how connections end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

mod ends;
mod frames;
mod opening;
mod running;
#[path = "../support/mod.rs"]
mod support;
mod written;

use serde_json::{Value, json};
use support::World;
use switchboard_core::{
    CloseCode, Condition, Config, ConnectionId, Damage, Delay, Fault, FaultList, FaultScope, FaultStage,
    Input, Level, Message,
};

fn world(options: Value) -> World {
    World::with_engine(Config::from_value(options).unwrap().engine([7; 32]).unwrap())
}

/// One route, which sends everything back.
fn echo(faults: Value) -> World {
    world(json!({ "routes": [{ "pattern": "/echo", "dialect": "echo", "faults": faults }] }))
}

/// One route, which passes everything on to the others.
fn relay(faults: Value) -> World {
    world(json!({ "routes": [{ "pattern": "/relay", "dialect": "relay", "faults": faults }] }))
}

fn status(world: &mut World, path: &str) -> Option<u16> {
    let id = world.upgrade(path);
    world.client(id).rejected
}

/// What has come, with the ms at which it did, in so many ms.
fn timeline(world: &mut World, id: ConnectionId, ms: u64) -> Vec<(u64, String)> {
    let start = world.now().instant.as_ms();
    let mut heard = Vec::new();
    for at in 0..=ms {
        heard.extend(world.received(id).into_iter().map(|text| (at, text)));
        if at < ms {
            world.advance(1);
        }
    }
    assert_eq!(world.now().instant.as_ms(), start + ms);
    heard
}

fn at(heard: &[(u64, &str)]) -> Vec<(u64, String)> {
    heard.iter().map(|(ms, text)| (*ms, (*text).to_owned())).collect()
}

fn on(stage: FaultStage) -> Fault {
    Fault { on: Some(stage), ..Fault::default() }
}
