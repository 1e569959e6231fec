//! What histories have for clients whose handlers bring it into their form.

use super::super::Engine;
use crate::interface::effect::{Effect, Level};
use crate::time::Now;

impl Engine {
    /// Handlers deliver what came from other nodes, or was lost.
    pub(super) fn let_handlers_deliver(&mut self, now: Now, effects: &mut Vec<Effect>) {
        while let Some(route) = self.state.deliveries.first().map(|delivery| delivery.route) {
            let delivered = self.run(now, route, None, effects, |handler, cx| handler.deliver_kept(cx));
            if let Err(error) = delivered {
                let text = format!("{}: a message of another node: {error}", self.state.routes[route].label);
                effects.push(Effect::Log { level: Level::Error, text });
            }
            // Whatever it has left, it does not want.
            self.state.deliveries.retain(|delivery| delivery.route != route);
        }
    }
}
