//! What the user's code is told of.

use crate::handler::context::Context;
use crate::interface::hook::Hook;
use crate::interface::server_event::{CommandsAudience, ServerEvent};
use crate::message::Message;

/// Tells the user's code; the connection's next event waits until it was told.
pub(super) fn tell(cx: &mut Context<'_>, event: ServerEvent) {
    cx.call(Hook::ServerEvent(Box::new(event)));
}

/// The receivers of a message.
#[derive(Clone, Copy)]
pub(super) enum Audience<'a> {
    Everyone,
    Channel(&'a str),
    /// By the id that others know.
    Client(&'a str),
}

/// The event of a message that goes out. All messages of the dialect are text.
pub(super) fn sent(to: Audience<'_>, message: &Message) -> Option<ServerEvent> {
    let Message::Text(message) = message else {
        return None;
    };
    let mut audience = CommandsAudience::default();
    match to {
        Audience::Everyone => {}
        Audience::Channel(channel) => audience.channel = Some(channel.to_owned()),
        Audience::Client(id) => audience.to = Some(id.to_owned()),
    }
    Some(ServerEvent::Send { message: message.clone(), audience })
}
