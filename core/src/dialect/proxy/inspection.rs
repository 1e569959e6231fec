//! User code that inspects the messages of a proxy.

use crate::interface::direction::Direction;
use crate::message::Message;
use crate::state::connection::Connection;

/// Inspects each message before it is passed on. See [`Proxy::with_inspector`](super::Proxy::with_inspector).
pub trait Inspect: Send {
    /// Returns what is passed on: the message itself, another one, or none. `client` is the connection of the client,
    /// whichever side the message is from.
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

/// Which callbacks the host has for messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProxyHooks {
    /// `onClientMessage`: for those from the client.
    pub client: bool,
    /// `onTargetMessage`: for those from the target.
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
