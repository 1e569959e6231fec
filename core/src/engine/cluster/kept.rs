//! What the broker keeps of histories: it is read when this node has not heard everything, and noted how far this node is.

use bytes::{Buf, Bytes};

use super::super::Engine;
use super::delivery::{names, offset};
use crate::cluster::KeptByBroker;
use crate::history::Read;
use crate::interface::effect::Effect;
use crate::state::cluster_node::Addressee;
use crate::time::Now;

impl Engine {
    /// Whether what other nodes have said is still being asked for: of the broker that keeps it, and of those that have heard
    /// it. Until then clients that come back may be told that they have missed something. A host may wait with its first
    /// client, but not for long: some brokers keep nothing.
    pub fn is_reading_histories(&self) -> bool {
        let Some(node) = &self.state.cluster else { return false };
        let mut histories = self.histories().filter_map(|route| self.state.routes[route].history.as_ref());
        self.histories().next().is_some() && !node.knows_all()
            || histories.any(|history| history.is_reading())
    }

    /// There is a new link: what the broker knows of this node is to be found out.
    pub(super) fn link_histories(&mut self) {
        self.state.routes.iter_mut().filter_map(|route| route.history.as_mut()).for_each(|it| it.linked());
    }

    /// Reads what the broker has kept of all routes.
    pub(super) fn read_histories(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let histories: Vec<usize> = self.histories().collect();
        histories.into_iter().for_each(|route| self.read_history(now, route, effects));
    }

    /// Reads what the broker has kept of a route, unless that was done just now.
    pub(super) fn read_history(&mut self, now: Now, route: usize, effects: &mut Vec<Effect>) {
        let Some(node) = self.state.cluster.as_ref().filter(|node| node.cluster.down_since().is_none())
        else {
            return;
        };
        let state = &mut self.state.routes[route];
        let channel = state.channel(route, None);
        let Some(history) = &mut state.history else { return };
        if history.begin_reading(now.instant, node.cluster.sign_interval()) {
            let read = node.cluster.read(&channel, None, history.bounds());
            effects.extend(read.map(Effect::Backplane));
        }
    }

    /// A part of it has come.
    pub(super) fn take_kept(
        &mut self,
        now: Now,
        channel: &str,
        messages: Vec<KeptByBroker>,
        (next, notes): (Option<Bytes>, &[Bytes]),
        effects: &mut Vec<Effect>,
    ) {
        let Some(node) = &self.state.cluster else { return };
        let place = node.channels.get(channel).filter(|place| place.room.is_none());
        let Some(route) = place.map(|place| place.route) else { return };
        let Some(history) = &mut self.state.routes[route].history else { return };
        if !history.read_part(messages.into_iter().filter_map(read).collect()) {
            return;
        }
        if next.is_some() {
            let read = node.cluster.read(channel, next, history.bounds());
            return effects.extend(read.map(Effect::Backplane));
        }
        let lost = history.read_all(now, notes);
        if let Some((key, note)) = history.first_note(now, &mut self.state.random) {
            let note = node.cluster.note(channel, &key, note, history.bounds());
            effects.extend(note.map(Effect::Backplane));
        }
        if !lost.is_empty() {
            self.context_of_route(now, route, effects).tell_lost(&lost);
        }
    }

    /// Where this node has said nothing for so many ms, the broker is told how far it is.
    pub(super) fn note_the_silent(&mut self, now: Now, pause: u64, effects: &mut Vec<Effect>) {
        let Some(node) = self.state.cluster.as_ref().filter(|node| node.cluster.down_since().is_none())
        else {
            return;
        };
        for (index, route) in self.state.routes.iter_mut().enumerate() {
            let channel = route.channel(index, None);
            let Some(history) = &mut route.history else { continue };
            if let Some((key, note)) = history.falls_silent(now, pause, &mut self.state.random) {
                let note = node.cluster.note(&channel, &key, note, history.bounds());
                effects.extend(note.map(Effect::Backplane));
            }
        }
    }
}

/// A message as its history reads it.
fn read(kept: KeptByBroker) -> Option<Read> {
    let KeptByBroker { age, node, mut header, message } = kept;
    let is_kept = header.try_get_u8().ok().and_then(Addressee::of) == Some(Addressee::Kept);
    let offset = offset(&mut header).filter(|_| is_kept)?;
    Some(Read { age, node, offset, rooms: names(header).into(), message })
}
