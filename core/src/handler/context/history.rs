//! Messages to rooms on a route that keeps them for clients that come back.

use std::sync::Arc;

use super::Context;
use crate::history::Joined;
use crate::interface::connection_id::ConnectionId;
use crate::message::Message;
use crate::state::cluster_node::Audience;
use crate::state::connection::Connection;

impl Context<'_> {
    /// Whether a message to this room is of use: somebody is there, or it is kept for those who come back.
    pub(crate) fn is_heard(&self, room: &str) -> bool {
        let route = &self.state.routes[self.route];
        route.rooms.len(room) > 0 || route.history.is_some()
    }

    /// Delivers a message that goes to these rooms, or without any to everyone on the route, here and on the other nodes.
    #[inline]
    pub(crate) fn deliver_in(&mut self, rooms: &[Arc<str>], to: Vec<ConnectionId>, message: Message) {
        if self.state.cluster.is_some() {
            return self.deliver_and_publish(rooms, to, message);
        }
        self.deliver_here(rooms, to, message);
    }

    #[cold]
    #[inline(never)]
    fn deliver_and_publish(&mut self, rooms: &[Arc<str>], to: Vec<ConnectionId>, message: Message) {
        if self.deliver_here(rooms, to, message.clone()) {
            let audience = if rooms.is_empty() { Audience::Everyone } else { Audience::Rooms(rooms) };
            self.state.publish_to_nodes(self.route, audience, &message, self.effects);
        }
    }

    /// The same on this node alone; false if the contract does not let the message pass.
    #[inline]
    pub(crate) fn deliver_here(
        &mut self,
        rooms: &[Arc<str>],
        to: Vec<ConnectionId>,
        message: Message,
    ) -> bool {
        match self.state.routes[self.route].history {
            None => self.deliver(to, message),
            Some(_) => self.deliver_kept(rooms, to, &message),
        }
    }

    #[cold]
    #[inline(never)]
    fn deliver_kept(&mut self, rooms: &[Arc<str>], to: Vec<ConnectionId>, message: &Message) -> bool {
        if !self.may_send(&to, message) {
            return false;
        }
        let Some(history) = &mut self.state.routes[self.route].history else { return true };
        let (envelope, position) = history.keep(self.now.instant, rooms, message, &mut self.state.random);
        let is_member = |connection: &&Connection| {
            connection.is_open() && (rooms.is_empty() || rooms.iter().any(|room| connection.is_in_room(room)))
        };
        let sender = self.id.filter(|id| history.is_follower(*id) && !to.contains(id));
        let sender = sender.filter(|id| self.state.connections.get(*id).as_ref().is_some_and(is_member));
        let (followers, others) = to.into_iter().partition(|id| history.is_follower(*id));
        self.push(others, message.clone());
        self.push(followers, envelope);
        // Its own message is none that it misses when it comes back.
        self.push(sender.into_iter().collect(), position);
        true
    }

    /// The connection in focus has joined a room, or with an empty name opened: it is told how far the room is, and what it
    /// has missed.
    pub(crate) fn tell_history(&mut self, room: &str) {
        let (Some(id), Some(history)) = (self.id, &mut self.state.routes[self.route].history) else { return };
        let joined = history.joined(self.now.instant, id, room, &mut self.state.random);
        if let Some(Joined { envelope, missed }) = joined {
            for message in std::iter::once(envelope).chain(missed) {
                self.push(vec![id], message);
            }
        }
    }
}
