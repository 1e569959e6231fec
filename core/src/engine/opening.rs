//! What an open connection starts with.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::state::connection::Phase;
use crate::state::inbox::Inbound;
use crate::state::timers::Timer;
use crate::time::Now;

impl Engine {
    /// The WebSocket is ready; the client has not read its 101 yet.
    pub(super) fn opened(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        match connection.phase.clone() {
            Phase::Accepted => {}
            Phase::Refusing(frame) => {
                self.state.timers.cancel(Timer::Opening(id));
                self.state.await_close(id, now);
                return effects.push(Effect::Close { id, frame: Some(*frame) });
            }
            _ => return,
        }
        connection.phase = Phase::Open;
        let route = connection.route;
        self.state.timers.cancel(Timer::Opening(id));
        let RouteStart { room, heartbeat, inactivity } = self.start_of(route);
        self.state.routes[route].rooms.enter(id);
        let state = &mut self.state.routes[route];
        if let Some(history) = state.history.as_mut().filter(|_| !state.settings.history_by_handler)
            && let Some(connection) = self.state.connections.get(id)
        {
            history.follow(id, connection.query());
        }
        self.state.has_entered(route, None, effects);
        let mut cx = self.context(now, route, id, effects);
        cx.tell_history("");
        if let Some(room) = room
            && let Err(error) = cx.join(&room)
        {
            cx.log(Level::Error, format!("the default room {room:?}: {error}"));
        }
        cx.set_heartbeat(heartbeat);
        cx.set_inactivity_timeout(inactivity);
        self.put(now, id, Inbound::Connect, effects);
        if !self.state.upstreams.of(id).is_empty() {
            self.state.due.push(id);
        }
    }

    fn start_of(&self, route: usize) -> RouteStart {
        let settings = &self.state.routes[route].settings;
        RouteStart {
            room: settings.default_room.clone(),
            heartbeat: settings.heartbeat,
            inactivity: settings.inactivity_timeout,
        }
    }
}

/// What each connection of a route starts with.
struct RouteStart {
    room: Option<Arc<str>>,
    heartbeat: Option<Duration>,
    inactivity: Option<Duration>,
}
