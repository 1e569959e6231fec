//! What reaches handlers from outside: values of feeds, and commands of user code for a dialect.

use serde_json::Value;

use super::Engine;
use crate::handler::{HandlerError, HandlerResult};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::state::cluster_node::Together;
use crate::time::{Now, WallTime};

impl Engine {
    /// Passes a command of user code to a route's dialect, on behalf of a connection or of none.
    pub fn dialect_command(
        &mut self,
        now: Now,
        route: usize,
        id: Option<ConnectionId>,
        name: &str,
        payload: Value,
        effects: &mut Vec<Effect>,
    ) -> HandlerResult {
        let id = id.filter(|id| self.state.connections.get(*id).is_some_and(|peer| peer.route == route));
        let start = effects.len();
        let result = self.run(now, route, id, effects, |handler, cx| handler.command(cx, name, payload));
        self.go_on(now, effects);
        self.observe_effects(now, None, start, effects);
        result
    }

    pub(super) fn publish(&mut self, now: Now, feed: &str, value: Value, effects: &mut Vec<Effect>) {
        if !self.state.feeds.iter().any(|known| known.name() == feed) {
            let text = format!("nothing is published: there is no feed {feed:?}");
            return effects.push(Effect::Log { level: Level::Warn, text });
        }
        self.publish_to_feeds(now, feed, &value, effects);
        self.publish_here(now, feed, (now.wall, Together::First), value, effects);
    }

    /// Publishes a value of this time on a feed for the clients of this server, as each node of a cluster does, wherever it
    /// began.
    pub(super) fn publish_here(
        &mut self,
        now: Now,
        feed: &str,
        (at, together): (WallTime, Together),
        value: Value,
        effects: &mut Vec<Effect>,
    ) {
        let Some(found) = self.state.feeds.iter_mut().find(|known| known.name() == feed) else { return };
        let value = found.publish(at, value);
        self.set_together(together);
        for route in 0..self.handlers.len() {
            if !self.state.routes[route].settings.feeds.iter().any(|name| name == feed) {
                continue;
            }
            let told = self.run(now, route, None, effects, |handler, cx| handler.publish(cx, feed, &value));
            log_failure(&format!("publishing on {feed:?}"), told, effects);
        }
        self.set_together(Together::No);
    }

    fn set_together(&mut self, together: Together) {
        if let Some(node) = &mut self.state.cluster {
            node.together = together;
        }
    }
}

fn log_failure(what: &str, result: Result<(), HandlerError>, effects: &mut Vec<Effect>) {
    if let Err(error) = result {
        effects.push(Effect::Log { level: Level::Error, text: format!("{what} failed: {error}") });
    }
}
