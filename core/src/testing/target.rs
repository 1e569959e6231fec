//! The other sides of connections that the engine opens.

use super::world::World;
use crate::{Input, UpstreamEvent};

impl World {
    /// Something happens to the latest outgoing connection.
    pub fn target(&mut self, event: UpstreamEvent) {
        let (upstream, _) = self.dials.last().expect("nothing was dialled");
        self.input(Input::Upstream { upstream: *upstream, event });
    }

    /// The latest outgoing connection takes so many messages of what was sent on it.
    pub fn target_takes(&mut self, messages: usize) {
        self.target(UpstreamEvent::Sent { messages });
    }

    /// Whether the latest outgoing connection is not read.
    pub fn is_target_paused(&self) -> bool {
        self.dials.last().is_some_and(|(upstream, _)| self.paused_upstreams.contains(upstream))
    }

    /// What went out on all outgoing connections since the last look.
    pub fn told_targets(&mut self) -> Vec<String> {
        std::mem::take(&mut self.upstream).into_iter().map(|(_, text)| text).collect()
    }
}
