//! What comes of the frames of other nodes.

use std::sync::Arc;

use bytes::Bytes;

use super::backplane::BackplaneEffect;
use super::event::{ClusterEvent, ClusterOutput};
use super::frame::{Body, Frame};
use super::node::Node;
use super::peers::{Gone, Standing};
use super::streams::Heard;
use super::{Cluster, Link};
use crate::message::Message;
use crate::time::Instant;

impl Cluster {
    pub(super) fn heard(
        &mut self,
        now: Instant,
        channel: &str,
        frame: Frame,
        outputs: &mut Vec<ClusterOutput>,
    ) {
        let Frame { node, body } = frame;
        if node.name == self.me.name {
            if node.incarnation > self.me.incarnation {
                self.heard_namesake(now, node, outputs);
            }
            return;
        }
        if let Body::Message { run, sequence, header, message } = body {
            return self.heard_message(channel, node, (run, sequence), (header, message), outputs);
        }
        match self.peers.standing(now, &node) {
            Standing::Earlier => return,
            Standing::Known => {}
            Standing::New(earlier) => {
                if let Some(earlier) = earlier {
                    self.told_gone(earlier, outputs);
                }
                outputs.push(ClusterEvent::NodeJoined { node: node.clone() }.into());
            }
        }
        let name = &node.name;
        match body {
            Body::Message { .. } => {}
            Body::Alive { version, sent } => {
                self.peers.announced(name, version);
                for (channel, run, sequence) in sent {
                    if self.incoming.announced(now, &channel, &node, run, sequence) {
                        let node = node.clone();
                        outputs.push(ClusterEvent::Unheard { channel, node }.into());
                    }
                }
            }
            Body::Changes { first, changes } => {
                let changed = self.peers.change(name, first, changes);
                outputs.extend(changed.into_iter().map(|(key, value)| changed_event(&node, key, value)));
            }
            Body::Snapshot { version, part, parts, entries } => {
                let changed = self.peers.restore(name, version, (part, parts), entries);
                outputs.extend(changed.into_iter().map(|(key, value)| changed_event(&node, key, value)));
            }
            Body::Ask { of } => {
                if of.is_none_or(|of| of == self.me) && self.link == Link::Up {
                    self.answer(outputs);
                }
            }
            Body::Leaving => {
                if let Some(gone) = self.peers.leave(now, name) {
                    self.told_gone(gone, outputs);
                }
            }
        }
    }

    /// Nobody hears this node while a later one has its name: whatever only one node does is another's to do.
    fn heard_namesake(&mut self, now: Instant, node: Node, outputs: &mut Vec<ClusterOutput>) {
        self.namesake = Some(now);
        for name in self.leases.give_up_all() {
            outputs.push(BackplaneEffect::Release { name: self.full_lease(&name) }.into());
            outputs.push(ClusterEvent::Lease { name, is_held: false }.into());
        }
        outputs.push(ClusterEvent::NameTaken { node }.into());
    }

    fn heard_message(
        &mut self,
        channel: &str,
        node: Node,
        (run, sequence): (u64, u64),
        (header, message): (Bytes, Message),
        outputs: &mut Vec<ClusterOutput>,
    ) {
        let name = self.short(channel, ":channel:").to_owned();
        let peers = &self.peers;
        match self.incoming.heard(&name, &node, (run, sequence), |name| peers.is_known(name)) {
            Heard::NotSubscribed => {}
            Heard::Again => self.stats.repeated += 1,
            Heard::Next { lost } => {
                self.lost(&name, &node, lost, outputs);
                self.stats.received += 1;
                outputs.push(ClusterEvent::Message { channel: name.into(), node, header, message }.into());
            }
        }
    }

    pub(super) fn lost(&mut self, channel: &str, node: &Node, count: u64, outputs: &mut Vec<ClusterOutput>) {
        if count > 0 {
            self.stats.lost = self.stats.lost.saturating_add(count);
            outputs.push(ClusterEvent::Lost { channel: channel.into(), node: node.clone(), count }.into());
        }
    }

    /// Publishes all entries of this node.
    fn answer(&mut self, outputs: &mut Vec<ClusterOutput>) {
        // Whoever asks has missed something, perhaps also what was told about messages.
        self.outgoing.tell_all_again();
        self.flush(outputs);
        self.tell_snapshot(outputs);
    }

    pub(super) fn tell_snapshot(&self, outputs: &mut Vec<ClusterOutput>) {
        let version = self.own.version();
        let parts = self.own.snapshot();
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        for (part, entries) in (0..count).zip(parts) {
            self.tell(Body::Snapshot { version, part, parts: count, entries }, outputs);
        }
    }

    pub(super) fn told_gone(&self, gone: Gone, outputs: &mut Vec<ClusterOutput>) {
        let Gone { node, keys } = gone;
        outputs.extend(keys.into_iter().map(|key| changed_event(&node, key, None)));
        outputs.push(ClusterEvent::NodeLeft { node }.into());
    }
}

fn changed_event(node: &Node, key: Arc<str>, value: Option<Bytes>) -> ClusterOutput {
    ClusterEvent::Changed { node: node.clone(), key, value }.into()
}
