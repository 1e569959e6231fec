//! The engine as one node of a cluster. What passes between nodes is decided here; the host carries it to the broker and back.

mod by_handler;
mod delivery;
mod entries;
mod feeds;
mod histories;
#[cfg(feature = "cluster")]
mod joining;
mod kept;

use super::Engine;
use crate::cluster::{BackplaneInput, Cluster, ClusterEvent, ClusterOutput, ClusterStats, Node};
use crate::interface::effect::{Effect, Level};
use crate::interface::stats::ClusterView;
use crate::state::timers::Timer;
use crate::time::Now;

/// How many nodes' comings may be logged in a second.
const SLOTS: usize = 64;

impl Engine {
    /// Leaves the cluster: the other nodes forget this one at once. The host carries the effects to the broker before it ends
    /// its link.
    pub fn leave_cluster(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.note_the_silent(now, 0, effects);
        if let Some(mut node) = self.state.cluster.take() {
            let mut outputs = Vec::new();
            node.cluster.leave(&mut outputs);
            self.state.timers.cancel(Timer::Cluster);
            self.state.timers.cancel(Timer::Entries);
            self.take_outputs(now, outputs, effects);
        }
    }

    /// The cluster as this node sees it: its nodes, since when it has had no link to the broker, and what was counted. `None`
    /// if it takes part in none.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.state.cluster.as_ref().map(|node| &node.cluster)
    }

    pub(super) fn cluster_view(&self) -> Option<ClusterView> {
        let cluster = self.cluster()?;
        let ClusterStats {
            nodes: _,
            incomplete,
            channels,
            published,
            unsent,
            received,
            lost,
            repeated,
            undecodable,
        } = cluster.stats();
        Some(ClusterView {
            node: cluster.me().name.to_string(),
            others: cluster.others().map(|node| node.name.to_string()).collect(),
            incomplete,
            is_linked: cluster.down_since().is_none(),
            channels,
            published,
            unsent,
            received,
            lost,
            repeated,
            undecodable,
        })
    }

    /// The client of the broker reports something.
    #[cold]
    #[inline(never)]
    pub(super) fn backplane(&mut self, now: Now, input: BackplaneInput, effects: &mut Vec<Effect>) {
        let is_up = input == BackplaneInput::Up;
        self.drive(now, effects, |cluster, outputs| cluster.handle(now.instant, input, outputs));
        if is_up {
            self.link_histories();
            self.ask_all_anew(now, effects);
        }
    }

    /// Something is due in the cluster.
    pub(super) fn cluster_due(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.drive(now, effects, |cluster, outputs| cluster.handle_timeout(now.instant, outputs));
        self.histories_due(now, effects);
        self.let_handlers_deliver(now, effects);
    }

    fn drive(
        &mut self,
        now: Now,
        effects: &mut Vec<Effect>,
        step: impl FnOnce(&mut Cluster, &mut Vec<ClusterOutput>),
    ) {
        let Some(node) = &mut self.state.cluster else { return };
        let mut outputs = Vec::new();
        step(&mut node.cluster, &mut outputs);
        self.arm_cluster();
        self.take_outputs(now, outputs, effects);
    }

    fn arm_cluster(&mut self) {
        if let Some(node) = &self.state.cluster {
            self.state.timers.set(Timer::Cluster, node.cluster.poll_timeout());
        }
    }

    fn take_outputs(&mut self, now: Now, outputs: Vec<ClusterOutput>, effects: &mut Vec<Effect>) {
        let mut outputs = outputs.into_iter().peekable();
        while let Some(output) = outputs.next() {
            match output {
                ClusterOutput::Effect(effect) => effects.push(Effect::Backplane(effect)),
                ClusterOutput::Event(ClusterEvent::Changed { node, key, value }) => {
                    // Those that come together are told together.
                    let mut changes = vec![(key, value)];
                    while let Some(ClusterOutput::Event(ClusterEvent::Changed { key, value, .. })) =
                        outputs.next_if(|next| is_change_of(&node, next))
                    {
                        changes.push((key, value));
                    }
                    self.entries_changed(now, &node, changes, effects);
                }
                ClusterOutput::Event(event) => {
                    self.cluster_event(now, event, effects);
                    self.let_handlers_deliver(now, effects);
                }
            }
        }
    }

    fn cluster_event(&mut self, now: Now, event: ClusterEvent, effects: &mut Vec<Effect>) {
        let (kind, node, text) = match event {
            ClusterEvent::Message { channel, node, header, message } => {
                return self.deliver_from_node(now, (&channel, &node), header, message, effects);
            }
            ClusterEvent::Lost { channel, node, count } => {
                self.lost_in_history(now, &channel, effects);
                let text = || format!("{count} messages of node {node} on the channel {channel:?} were lost");
                let key = (usize::MAX, "messages of nodes lost");
                return self.state.log_throttle.note(now.instant, key, Level::Warn, text, effects);
            }
            ClusterEvent::Kept { channel, messages, next, notes } => {
                return self.take_kept(now, &channel, messages, (next, &notes), effects);
            }
            ClusterEvent::Unheard { channel, .. } => return self.lost_in_history(now, &channel, effects),
            ClusterEvent::Lease { name, is_held } => return self.take_lease(now, &name, is_held, effects),
            ClusterEvent::Changed { .. } => return,
            ClusterEvent::NodeJoined { node } => {
                self.ask_node(now, &node, effects);
                let text = format!("node {node} has joined the cluster");
                ("node joined", node, text)
            }
            ClusterEvent::NodeLeft { node } => {
                self.left_histories(now, &node, effects);
                let text = format!("node {node} has left the cluster");
                ("node left", node, text)
            }
            ClusterEvent::NameTaken { node } => {
                let text = || {
                    format!(
                        "another node is named {node}, too, and has started later: this one is not heard any \
                         more; give each node a name of its own"
                    )
                };
                let key = (usize::MAX, "name of the node taken");
                return self.state.log_throttle.note(now.instant, key, Level::Error, text, effects);
            }
            ClusterEvent::Undecodable { channel, error } => {
                let text =
                    || format!("a message on the channel {channel:?} of the broker is of no node: {error}");
                let key = (usize::MAX, "messages of no node");
                return self.state.log_throttle.note(now.instant, key, Level::Warn, text, effects);
            }
        };
        // Each node has its line, and all names that somebody may invent have a few.
        let slot = node.name.bytes().fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % SLOTS);
        let key = (usize::MAX - slot, kind);
        self.state.log_throttle.note(now.instant, key, Level::Info, || text, effects);
    }
}

fn is_change_of(of: &Node, output: &ClusterOutput) -> bool {
    matches!(output, ClusterOutput::Event(ClusterEvent::Changed { node, .. }) if node == of)
}
