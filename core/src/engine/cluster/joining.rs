//! The beginning of a node.

use crate::cluster::{Cluster, ClusterSettings};
use crate::engine::Engine;
use crate::state::cluster_node::{ClusterNode, own_channel};
use crate::time::Now;

impl Engine {
    /// Takes part in a cluster, before the first client is served. The host then carries out [`Effect::Backplane`](crate::Effect::Backplane) and
    /// reports [`Input::Backplane`](crate::Input::Backplane); until the link to the broker is up, this node serves its clients
    /// alone. `incarnation` must be higher each time a node of this name starts, such as the wall time.
    pub fn join_cluster(&mut self, now: Now, settings: ClusterSettings, incarnation: u64) {
        let mut cluster = Cluster::new(now.instant, settings, incarnation);
        let own = own_channel(cluster.me());
        // Without a link nothing is asked of the broker yet.
        let _ = cluster.subscribe(&own);
        self.state.cluster = Some(Box::new(ClusterNode::new(cluster)));
        self.hear_feeds(now, &mut Vec::new());
        self.hear_histories(now, &mut Vec::new());
        self.arm_cluster();
    }
}
