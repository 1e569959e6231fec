//! Servers with Phoenix channels, and what their clients hear.

use serde_json::Value;
use switchboard_core::dialect::phoenix::{Broadcast, ChannelOptions, Phoenix, TopicPattern};
use switchboard_core::{ConnectionId, RouteSettings};

use super::{World, route};

pub const V2: &str = "/socket/websocket?vsn=2.0.0";
pub const V1: &str = "/socket/websocket";

pub fn world(phoenix: Phoenix) -> World {
    World::new(vec![route("/socket/websocket", RouteSettings::default(), phoenix)])
}

pub fn topic(text: &str) -> TopicPattern {
    text.parse().unwrap()
}

pub fn declared(options: Value) -> Phoenix {
    let options: ChannelOptions = serde_json::from_value(options).unwrap();
    Phoenix::new().with_channel(options.topic.clone(), Broadcast::new(options))
}

/// Everything that came, as JSON.
pub fn heard(world: &mut World, id: ConnectionId) -> Vec<Value> {
    let parse = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    world.received(id).into_iter().map(parse).collect()
}
