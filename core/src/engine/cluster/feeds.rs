//! Feeds in a cluster: what is published at one node is published at all, and what may happen only once happens at one.

use std::collections::BTreeSet;

use bytes::{Buf, Bytes};
use serde_json::Value;

use super::super::Engine;
use crate::interface::effect::Effect;
use crate::message::Message;
use crate::state::cluster_node::{Addressee, Together};
use crate::state::timers::Timer;
use crate::time::{Instant, Now, WallTime};

/// With what the channel, and the lease, of a feed begins. Its name follows.
const PREFIX: &str = "feed ";

impl Engine {
    /// Hears the feeds that this node has and no others, and wants the leases of those whose sources may run only once.
    pub(in crate::engine) fn hear_feeds(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(node) = self.state.cluster.as_deref_mut() else { return };
        let feeds: BTreeSet<String> = self.state.feeds.iter().map(|feed| feed.name().to_owned()).collect();
        let sources = self.sources.iter().flatten();
        let once = sources.filter(|source| source.runs_once()).map(|source| source.feed.clone());
        let once: BTreeSet<String> = once.collect();
        for feed in node.feeds.difference(&feeds) {
            node.cluster.unsubscribe(now.instant, &channel(feed));
        }
        for feed in node.leases.difference(&once) {
            effects.extend(node.cluster.release_lease(&channel(feed)).map(Effect::Backplane));
        }
        for feed in &feeds {
            effects.extend(node.cluster.subscribe(&channel(feed)).map(Effect::Backplane));
        }
        for feed in &once {
            effects.extend(node.cluster.want_lease(&channel(feed)).map(Effect::Backplane));
        }
        (node.feeds, node.leases) = (feeds, once);
    }

    /// Another node may run all sources from now on.
    pub(in crate::engine) fn release_feeds(&mut self, effects: &mut Vec<Effect>) {
        let Some(node) = &mut self.state.cluster else { return };
        for feed in std::mem::take(&mut node.leases) {
            effects.extend(node.cluster.release_lease(&channel(&feed)).map(Effect::Backplane));
        }
    }

    /// Whether this node runs a source, and not another one.
    pub(in crate::engine) fn runs_source(&self, place: usize) -> bool {
        let Some(node) = &self.state.cluster else { return true };
        let source = self.sources.get(place).and_then(Option::as_ref);
        source.is_none_or(|source| !source.runs_once() || node.cluster.holds_lease(&channel(&source.feed)))
    }

    /// A value is published on a feed of this node, and the other nodes get it too.
    pub(in crate::engine) fn publish_to_feeds(
        &mut self,
        now: Now,
        feed: &str,
        value: &Value,
        effects: &mut Vec<Effect>,
    ) {
        let Some(node) = &mut self.state.cluster else { return };
        let header = Addressee::Feed.header_with(&now.wall.as_us().to_le_bytes());
        let published = node.publish(&channel(feed), header, &Message::from(value));
        effects.extend(published.map(Effect::Backplane));
    }

    /// A value came from another node.
    pub(super) fn publish_from_node(
        &mut self,
        now: Now,
        channel: &str,
        mut header: Bytes,
        message: &Message,
        effects: &mut Vec<Effect>,
    ) {
        let (Some(feed), Ok(at)) = (channel.strip_prefix(PREFIX), header.try_get_u64_le()) else { return };
        if let Ok(value) = message.parse_json() {
            let place = (WallTime::from_us(at), Together::Another);
            self.publish_here(now, feed, place, value, effects);
        }
    }

    /// This node gets or loses the lease of a feed.
    pub(super) fn take_lease(&mut self, now: Now, name: &str, is_held: bool, effects: &mut Vec<Effect>) {
        let Some(feed) = name.strip_prefix(PREFIX) else { return };
        for place in 0..self.sources.len() {
            let Some(source) =
                self.sources[place].as_mut().filter(|source| source.feed == feed && source.runs_once())
            else {
                continue;
            };
            if !is_held {
                self.stop_source(now, place, effects);
                continue;
            }
            // It begins anew: where the other node was is not known.
            source.begin_anew();
            self.state.timers.set(Timer::Source(place), Instant::default());
        }
    }
}

fn channel(feed: &str) -> String {
    format!("{PREFIX}{feed}")
}
