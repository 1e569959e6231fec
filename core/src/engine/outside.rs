//! Routes from outside of their callbacks: what user code sees of them, and does with them.

use std::sync::Arc;

use super::Engine;
use crate::handler::command::{CommandError, RouteCommand};
use crate::handler::context::Context;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::message::{CloseCode, CloseFrame};
use crate::state::Standing;
use crate::time::Now;

impl Engine {
    /// The index of the route with this pattern, as it was written or with one of its prefixes; the first of several.
    pub fn route_of(&self, pattern: &str) -> Option<usize> {
        self.router.index_of(pattern).and_then(|place| self.indices.get(place)).copied()
    }

    /// Whether a route with this index is served.
    pub fn has_route(&self, index: usize) -> bool {
        self.state.routes.get(index).is_some_and(|route| route.standing == Standing::Serving)
    }

    /// Carries out a command for a whole route at once. Returns for how many connections; none if there is no such route.
    pub fn route_command(
        &mut self,
        now: Now,
        route: usize,
        command: RouteCommand,
        effects: &mut Vec<Effect>,
    ) -> Result<usize, CommandError> {
        let start = effects.len();
        let done = self.carry_out(now, route, command, effects);
        self.observe_effects(now, None, start, effects);
        done
    }

    pub(super) fn carry_out(
        &mut self,
        now: Now,
        route: usize,
        command: RouteCommand,
        effects: &mut Vec<Effect>,
    ) -> Result<usize, CommandError> {
        if self.state.routes.get(route).is_none() {
            return Ok(0);
        }
        match command {
            RouteCommand::Send { message, room } => {
                let to = self.audience(route, room.as_deref());
                let count = to.len();
                let mut cx = Context { state: &mut self.state, effects, now, route, id: None };
                if let Some(room) = &room {
                    cx.note_room(room);
                }
                let rooms: Vec<Arc<str>> = room.as_deref().map(Arc::from).into_iter().collect();
                cx.deliver_in(&rooms, to, message);
                Ok(count)
            }
            RouteCommand::Close { code, reason, room } => {
                let code = CloseCode(code);
                if !code.is_sendable() {
                    return Err(CommandError::CloseCode(code.0));
                }
                let frame = CloseFrame::new(code, &reason);
                let to = self.audience(route, room.as_deref());
                for id in &to {
                    self.state.start_closing(*id, Some(frame.clone()), now, effects);
                }
                Ok(to.len())
            }
        }
    }

    /// The names of a route's rooms, in no particular order.
    pub fn rooms(&self, route: usize) -> impl Iterator<Item = &str> {
        self.state.routes.get(route).into_iter().flat_map(|route| route.rooms.names()).map(|name| &**name)
    }

    /// The receivers of a broadcast to `room` of a route; `None`: to everyone on it.
    pub fn audience(&self, route: usize, room: Option<&str>) -> Vec<ConnectionId> {
        match (self.state.routes.get(route), room) {
            (Some(route), Some(room)) => route.rooms.members([room], None),
            (Some(route), None) => route.rooms.everyone(None),
            (None, _) => Vec::new(),
        }
    }

    /// The number of receivers of a broadcast to `room` of a route; `None`: to everyone on it.
    pub fn audience_len(&self, route: usize, room: Option<&str>) -> usize {
        let Some(route) = self.state.routes.get(route) else { return 0 };
        room.map_or(route.rooms.everyone_len(), |room| route.rooms.len(room))
    }

    /// The open connection on a route with this [public id](crate::Connection::public_id). Takes time in proportion to
    /// the connections of the route.
    pub fn connection_by_public_id(&self, route: usize, name: &str) -> Option<ConnectionId> {
        let is_named =
            |id: &ConnectionId| self.connection(*id).is_some_and(|known| **known.public_id() == *name);
        self.state.routes.get(route)?.rooms.iter().find(is_named)
    }
}
