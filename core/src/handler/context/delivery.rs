//! What is kept of a route, as its handler delivers it where clients get it in a form of their own
//! ([`RouteSettings::history_by_handler`](crate::RouteSettings::history_by_handler)).

use std::sync::Arc;

use super::Context;
use crate::interface::connection_id::ConnectionId;
use crate::message::Message;
use crate::state::connection::Connection;
use crate::state::delivery::Delivery;

impl Context<'_> {
    /// Whether the route keeps what is said to its rooms by itself.
    pub(super) fn keeps_rooms(&self) -> bool {
        let route = &self.state.routes[self.route];
        route.history.is_some() && !route.settings.history_by_handler
    }

    /// Whether the route keeps what its handler gives to [`say_kept`](Self::say_kept).
    pub(crate) fn has_history(&self) -> bool {
        self.state.routes[self.route].history.is_some()
    }

    /// Keeps a message to a room, here and on the other nodes. The handler finds it in [`deliveries`](Self::deliveries), and
    /// those of the other nodes theirs.
    pub(crate) fn say_kept(&mut self, room: &str, include_self: bool, message: &Message) {
        if self.is_said_elsewhere() {
            return;
        }
        let rooms = [Arc::from(room)];
        let to = self.state.routes[self.route].rooms.members(&rooms, self.id.filter(|_| !include_self));
        let offset = self.deliver_new(&rooms, to, message);
        if let Some(offset) = offset.filter(|_| self.state.cluster.is_some()) {
            self.state.publish_kept(self.now, (self.route, offset), &rooms, message, self.effects);
        }
    }

    /// What the handler has to deliver on this route.
    pub(crate) fn deliveries(&mut self) -> Vec<Delivery> {
        let route = self.route;
        self.state.deliveries.extract_if(.., |delivery| delivery.route == route).collect()
    }

    /// Sends a message of the handler's making to these connections; those that are not open are left out. `original`: as it is
    /// for those who do not take part, which the contract is about.
    pub(crate) fn deliver_as(
        &mut self,
        mut to: Vec<ConnectionId>,
        original: Option<&Message>,
        message: Message,
    ) {
        to.retain(|id| self.peer(*id).is_some_and(Connection::is_open));
        if original.is_none_or(|original| self.may_send(&to, original)) {
            self.push(to, message);
        }
    }

    /// Whether a message may be kept. One that a handler brings into other forms is held to the contract in these.
    pub(crate) fn may_keep(&mut self, to: &[ConnectionId], message: &Message) -> bool {
        self.state.routes[self.route].settings.history_by_handler || self.may_send(to, message)
    }

    /// A message that another node keeps, on a route that keeps nothing here.
    pub(crate) fn deliver_unkept(&mut self, rooms: &[Arc<str>], to: Vec<ConnectionId>, message: Message) {
        match self.state.routes[self.route].settings.history_by_handler {
            true => self.push_kept(to, message),
            false => self.deliver_here(rooms, to, message),
        }
    }

    /// Sends a message that is kept to clients that do not take part.
    pub(super) fn push_kept(&mut self, to: Vec<ConnectionId>, message: Message) {
        self.push_or_leave(to, message, false);
    }

    /// Sends an envelope to clients that take part.
    pub(super) fn push_envelope(&mut self, to: Vec<ConnectionId>, message: Message) {
        self.push_or_leave(to, message, true);
    }

    fn push_or_leave(&mut self, to: Vec<ConnectionId>, message: Message, is_enveloped: bool) {
        let route = self.route;
        if !self.state.routes[route].settings.history_by_handler {
            self.push(to, message);
        } else if !to.is_empty() {
            self.state.deliveries.push(Delivery { route, to, message, is_enveloped });
        }
    }
}
