//! Proxies in a world, and what their targets do.

use serde_json::Value;
use switchboard_core::config::Config;
use switchboard_core::{CloseCode, CloseFrame, ConnectionId, Message, UpstreamEvent};

use super::World;

pub fn world(routes: Value) -> World {
    let config = Config::from_value(serde_json::json!({ "routes": routes })).unwrap();
    World::with_engine(config.engine([7; 32]).unwrap())
}

/// A client whose target has answered.
pub fn connect(world: &mut World, path: &str) -> ConnectionId {
    let id = world.upgrade(path);
    world.target(opened());
    world.open(id);
    id
}

pub fn opened() -> UpstreamEvent {
    UpstreamEvent::Opened { protocol: None }
}

pub fn says(message: impl Into<Message>) -> UpstreamEvent {
    UpstreamEvent::Message(message.into())
}

pub fn closes(code: u16, reason: &str) -> UpstreamEvent {
    UpstreamEvent::Closed(Some(CloseFrame::new(CloseCode(code), reason)))
}

pub fn fails(message: &str) -> UpstreamEvent {
    UpstreamEvent::Failed { message: message.to_owned() }
}
