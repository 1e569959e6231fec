//! Messages to rooms on a route that keeps them for clients that come back.

use std::sync::Arc;

use super::Context;
use crate::history::{Joined, Numbers, Offset};
use crate::interface::connection_id::ConnectionId;
use crate::message::Message;
use crate::state::cluster_node::{Audience, Together};
use crate::state::connection::Connection;

impl Context<'_> {
    /// Whether a message to this room is of use: somebody is there, or it is kept for those who come back.
    pub(crate) fn is_heard(&self, room: &str) -> bool {
        let route = &self.state.routes[self.route];
        match route.history.is_some() {
            true => !self.is_said_elsewhere(),
            false => route.rooms.len(room) > 0,
        }
    }

    /// Whether another node says the same on this route, which has a history: what is kept has to be one message.
    pub(super) fn is_said_elsewhere(&self) -> bool {
        self.state.cluster.as_ref().is_some_and(|node| node.together == Together::Another)
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
        if self.keeps_rooms() {
            if !self.is_said_elsewhere()
                && let Some(offset) = self.deliver_new(rooms, to, &message)
            {
                self.state.publish_kept(self.now, (self.route, offset), rooms, &message, self.effects);
            }
        } else if self.deliver(to, message.clone()) {
            let audience = if rooms.is_empty() { Audience::Everyone } else { Audience::Rooms(rooms) };
            self.state.publish_to_nodes(self.route, audience, &message, self.effects);
        }
    }

    /// Delivers a message to clients of this node alone.
    #[inline]
    pub(crate) fn deliver_here(&mut self, rooms: &[Arc<str>], to: Vec<ConnectionId>, message: Message) {
        match self.state.routes[self.route].history {
            Some(_) if self.keeps_rooms() => {
                self.deliver_new(rooms, to, &message);
            }
            _ => {
                self.deliver(to, message);
            }
        }
    }

    /// A message that this node says; `None` if the contract does not let it pass.
    #[cold]
    #[inline(never)]
    pub(super) fn deliver_new(
        &mut self,
        rooms: &[Arc<str>],
        to: Vec<ConnectionId>,
        message: &Message,
    ) -> Option<Offset> {
        if !self.may_keep(&to, message) {
            return None;
        }
        let history = self.state.routes[self.route].history.as_mut()?;
        let offset = history.next(self.now, &mut self.state.random);
        self.deliver_kept((offset, false), rooms, to, message);
        Some(offset)
    }

    /// A message that has an offset in the history, for the clients of this node. It may be there already.
    pub(crate) fn deliver_kept(
        &mut self,
        (offset, is_known): (Offset, bool),
        rooms: &[Arc<str>],
        to: Vec<ConnectionId>,
        message: &Message,
    ) {
        let Some(history) = &mut self.state.routes[self.route].history else { return };
        let said = match is_known {
            true => history.said(self.now, rooms, message),
            false => history.keep(self.now, offset, rooms, message),
        };
        let is_member = |connection: &&Connection| {
            connection.is_open() && (rooms.is_empty() || rooms.iter().any(|room| connection.is_in_room(room)))
        };
        let sender = self.id.filter(|id| history.is_follower(*id) && !to.contains(id));
        let sender = sender.filter(|id| self.state.connections.get(*id).as_ref().is_some_and(is_member));
        let (mut followers, others): (Vec<_>, Vec<_>) =
            to.into_iter().partition(|id| history.is_follower(*id));
        let ahead: Vec<_> = followers.extract_if(.., |id| history.is_ahead(*id)).collect();
        let ahead: Vec<_> = ahead
            .into_iter()
            .filter_map(|id| Some((id, history.for_ahead(self.now, id, offset, rooms, message)?)))
            .collect();
        let sender = sender.map(|id| (id, history.told_sender(self.now, id, rooms)));
        self.push_kept(others, message.clone());
        self.push_envelope(followers, said);
        for (id, message) in ahead {
            self.push_envelope(vec![id], message);
        }
        // Its own message is none that it misses when it comes back.
        if let Some((id, position)) = sender {
            self.push_envelope(vec![id], position);
        }
    }

    /// The connection in focus has joined a room, or with an empty name opened: it is told how far the room is, and what it
    /// has missed.
    pub(crate) fn tell_history(&mut self, room: &str) {
        let knows_all = self.state.cluster.as_ref().is_none_or(|node| node.knows_all());
        let (Some(id), Some(history)) = (self.id, &mut self.state.routes[self.route].history) else { return };
        let joined = history.joined(self.now, id, room, knows_all, &mut self.state.random);
        if let Some(Joined { envelope, missed }) = joined {
            for message in std::iter::once(envelope).chain(missed) {
                self.push_envelope(vec![id], message);
            }
        }
    }

    /// A message that those who take part were told to have missed, for the others.
    pub(crate) fn deliver_late(&mut self, to: Vec<ConnectionId>, message: Message) {
        let Some(history) = &self.state.routes[self.route].history else { return };
        let to = to.into_iter().filter(|id| !history.is_follower(*id)).collect();
        self.push_kept(to, message);
    }

    /// Messages of other nodes up to these were lost: the clients that take part have missed them, unless they were told
    /// of them in another way.
    pub(crate) fn tell_lost(&mut self, lost: &Numbers) {
        let Some(history) = &self.state.routes[self.route].history else { return };
        let told: Vec<_> = history
            .followers()
            .into_iter()
            .filter_map(|id| self.state.connections.get(id).filter(|connection| connection.is_open()))
            .flat_map(|connection| {
                let id = connection.id();
                let misses = |room: &str| history.misses(id, room, lost);
                let rooms: Vec<_> = connection.rooms().filter(|room| misses(room)).cloned().collect();
                let everyone = misses("").then(|| history.lost(self.now, id, &[]));
                let in_rooms = (!rooms.is_empty()).then(|| history.lost(self.now, id, &rooms));
                everyone.into_iter().chain(in_rooms).map(move |message| (id, message))
            })
            .collect();
        for (id, message) in told {
            self.push_envelope(vec![id], message);
        }
    }
}
