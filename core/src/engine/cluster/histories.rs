//! Histories in a cluster: each node keeps what is said on all nodes, or says that it has not.

use super::super::Engine;
use crate::interface::effect::Effect;
use crate::state::Standing;
use crate::state::cluster_node::Place;

impl Engine {
    /// Hears the routes that keep what is said, whether or not somebody is there. What goes to one of their rooms takes the
    /// route's channel, too.
    pub(in crate::engine) fn hear_histories(&mut self, effects: &mut Vec<Effect>) {
        let Some(node) = &mut self.state.cluster else { return };
        for (index, route) in self.state.routes.iter().enumerate() {
            if route.history.is_some() && route.standing == Standing::Serving {
                node.hear(route.channel(index, None), Place { route: index, room: None }, effects);
            }
        }
    }

    /// Messages on this channel were lost: whoever comes back to its route is told so.
    pub(super) fn lose_history(&mut self, channel: &str) {
        let place = self.state.cluster.as_ref().and_then(|node| node.channels.get(channel));
        if let Some(Place { route, room: None }) = place.cloned()
            && let Some(history) = &mut self.state.routes[route].history
        {
            history.lose();
        }
    }

    /// The link to the broker was down, and nobody knows what was said meanwhile.
    pub(super) fn lose_histories(&mut self) {
        let histories = self.state.routes.iter_mut().filter_map(|route| route.history.as_mut());
        histories.for_each(|history| history.lose());
    }
}
