//! User code that looks at what passes a proxy.

use crate::interface::direction::Direction;
use crate::message::Message;
use crate::state::connection::Connection;

/// Looks at each message before it passes. See [`Proxy::with_inspector`](super::Proxy::with_inspector).
pub trait Inspect: Send {
    /// What goes on instead of `message`: the message itself, another one, or nothing. `client` is the connection
    /// of the client, whichever side the message is from.
    fn inspect(&mut self, client: &Connection, from: Direction, message: Message) -> Option<Message>;
}

impl<F> Inspect for F
where
    F: FnMut(&Connection, Direction, Message) -> Option<Message> + Send,
{
    fn inspect(&mut self, client: &Connection, from: Direction, message: Message) -> Option<Message> {
        self(client, from, message)
    }
}

/// Which of the host's callbacks look at messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProxyHooks {
    /// `onClientMessage`: at those from the client.
    pub client: bool,
    /// `onTargetMessage`: at those from the target.
    pub target: bool,
}

impl ProxyHooks {
    pub(super) fn wants(self, from: Direction) -> bool {
        match from {
            Direction::Client => self.client,
            Direction::Target => self.target,
        }
    }
}
