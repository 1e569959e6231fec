//! Every message goes, byte for byte, to the others in its sender's room. The room comes from the opening handshake.

use std::sync::Arc;

use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerResult};
use crate::message::Message;
use crate::template::{Scope, Template};

/// The dialect `relay`.
#[derive(Clone, Debug)]
pub struct Relay {
    /// `None`: the whole path.
    room: Option<Template>,
}

/// A connection's room, determined once.
#[derive(Clone)]
struct Room(Arc<str>);

impl Relay {
    /// A relay whose room names come from this template; `None`: each path is a room of its own.
    pub fn new(room: Option<Template>) -> Self {
        Self { room }
    }

    fn room(&self, cx: &Context<'_>) -> Option<String> {
        let connection = cx.connection()?;
        let Some(template) = &self.room else {
            return Some(connection.path().to_owned());
        };
        let rooms = || connection.rooms().map(ToString::to_string).collect();
        // A random room would be a room for one, so the configuration lets no such template through.
        let mut random = |_: &mut [u8]| {};
        let mut scope = Scope::new(connection.scope(&rooms), cx.now().wall, &mut random);
        Some(template.text(&mut scope)).filter(|room| !room.is_empty())
    }
}

impl Handler for Relay {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let room = self.room(cx).ok_or("this connection has no room to relay in")?;
        cx.join(&room)?;
        if let Some(connection) = cx.connection_mut() {
            connection.metadata_mut().insert(Room(room.into()));
        }
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        let room = cx.connection().and_then(|connection| connection.metadata().get::<Room>()).cloned();
        if let Some(Room(room)) = room {
            cx.broadcast_to([room], false, message);
        }
        Ok(())
    }

    /// Clients stay in their rooms: those come from the opening handshake.
    fn succeed(&mut self, _: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        predecessor.get::<Self>().is_some()
    }
}
