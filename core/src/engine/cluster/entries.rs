//! What the nodes know of each other: how many are where, and the entries of handlers.

use bytes::Bytes;
use std::collections::BTreeMap;

use super::super::Engine;
use crate::cluster::{ClusterOutput, EntryChange, Node};
use crate::interface::effect::{Effect, Level};
use crate::state::cluster_node::OWN_ENTRIES;
use crate::time::Now;

/// How often in ms the other nodes are told of changes at most: many that come together are one message.
const PAUSE: u64 = 20;

impl Engine {
    /// The other nodes are told how many are where, and what nobody here wants any more is not heard.
    pub(in crate::engine) fn entries_due(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(node) = &mut self.state.cluster else { return };
        for place in std::mem::take(&mut node.changed) {
            let route = &self.state.routes[place.route];
            let room = place.room.as_deref();
            let (channel, members) = (route.channel(place.route, room), route.members(room));
            // Another route may have taken its place meanwhile, which has the same channel.
            let is_kept = room.is_none() && route.history.is_some();
            if members == 0 && !is_kept {
                if node.channels.get(channel.as_str()) != Some(&place) {
                    continue;
                }
                node.channels.remove(channel.as_str());
                node.cluster.unsubscribe(now.instant, &channel);
            }
            let count = (members > 0).then(|| Bytes::from(members.to_string()));
            node.cluster.set(&channel, count);
        }
        let mut outputs = Vec::new();
        node.cluster.flush(&mut outputs);
        node.next_telling = now.instant + PAUSE;
        effects.extend(outputs.into_iter().filter_map(|output| match output {
            ClusterOutput::Effect(effect) => Some(Effect::Backplane(effect)),
            ClusterOutput::Event(_) => None,
        }));
    }
}

impl Engine {
    /// Entries of another node have changed: tells the handlers whose they are.
    pub(super) fn entries_changed(
        &mut self,
        now: Now,
        node: &Node,
        changes: Vec<EntryChange>,
        effects: &mut Vec<Effect>,
    ) {
        let changes: Vec<_> = changes.into_iter().filter(|(key, _)| key.starts_with(OWN_ENTRIES)).collect();
        if changes.is_empty() {
            return;
        }
        for route in self.indices.clone() {
            let prefix = self.state.routes[route].own_entries(route);
            let own = changes
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix(prefix.as_str())?.into(), value.clone())));
            self.tell_entries(now, route, node, own.collect(), effects);
        }
    }

    /// A route is new here: its handler is told the entries that the other nodes have already.
    pub(in crate::engine) fn tell_all_entries(&mut self, now: Now, route: usize, effects: &mut Vec<Effect>) {
        let Some(node) = &self.state.cluster else { return };
        let prefix = self.state.routes[route].own_entries(route);
        let mut known: BTreeMap<Node, Vec<EntryChange>> = BTreeMap::new();
        for (owner, key, value) in
            node.cluster.entries(&prefix).filter(|(owner, ..)| *owner != node.cluster.me())
        {
            known.entry(owner.clone()).or_default().push((key[prefix.len()..].into(), Some(value.clone())));
        }
        for (owner, entries) in known {
            self.tell_entries(now, route, &owner, entries, effects);
        }
    }

    fn tell_entries(
        &mut self,
        now: Now,
        route: usize,
        node: &Node,
        entries: Vec<EntryChange>,
        effects: &mut Vec<Effect>,
    ) {
        if entries.is_empty() {
            return;
        }
        let told = self.run(now, route, None, effects, |handler, cx| handler.node_entries(cx, node, entries));
        if let Err(error) = told {
            let text = format!("{}: entries of node {node}: {error}", self.state.routes[route].label);
            effects.push(Effect::Log { level: Level::Error, text });
        }
    }
}
