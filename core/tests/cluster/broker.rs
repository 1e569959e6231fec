//! A broker and its links. What a link carries to the broker stays in order, and what it carries back stays in order on each
//! channel, but not between channels; how long it takes, and what becomes of it, is drawn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use chacha20::ChaCha8Rng;
use chacha20::rand_core::Rng;
use switchboard_core::cluster::{BackplaneEffect, BackplaneInput};

use crate::kept::Kept;
use crate::trouble::{Keeping, Trouble};

/// What is on its way along one link.
#[derive(Clone, Debug)]
enum Carried {
    ToBroker(BackplaneEffect),
    ToNode(BackplaneInput),
}

/// The link of one node to the broker.
#[derive(Debug)]
struct Link {
    /// Counts the links that the node has had: what an earlier one carried is gone.
    number: u64,
    /// Whether the node believes in it.
    is_up: bool,
    /// Whether anything passes.
    is_cut: bool,
    /// When something is there at the earliest, so that order is kept: at the broker, and at the node on each channel.
    latest_at_broker: u64,
    latest_at_node: BTreeMap<Arc<str>, u64>,
}

/// A broker of channels.
#[derive(Debug)]
pub(crate) struct Broker {
    trouble: Trouble,
    subscriptions: BTreeMap<Arc<str>, BTreeSet<usize>>,
    /// Who holds each lease, and until when.
    leases: BTreeMap<Arc<str>, (usize, u64)>,
    pub(crate) kept: Kept,
    links: Vec<Link>,
    /// By when it is there.
    carried: BTreeMap<u64, VecDeque<(usize, u64, Carried)>>,
}

impl Broker {
    pub(crate) fn new(nodes: usize, trouble: Trouble) -> Self {
        let link = || Link {
            number: 0,
            is_up: false,
            is_cut: false,
            latest_at_broker: 0,
            latest_at_node: BTreeMap::new(),
        };
        let links = (0..nodes).map(|_| link()).collect();
        let (subscriptions, leases) = (BTreeMap::new(), BTreeMap::new());
        let kept = Kept::new(trouble.keeping);
        Self { trouble, subscriptions, leases, kept, links, carried: BTreeMap::new() }
    }

    pub(crate) fn is_up(&self, node: usize) -> bool {
        self.links[node].is_up
    }

    pub(crate) fn is_cut(&self, node: usize) -> bool {
        self.links[node].is_cut
    }

    /// A node has a new link: its subscriptions begin anew.
    pub(crate) fn connect(&mut self, node: usize) {
        self.end(node);
        self.links[node].is_up = true;
        self.links[node].is_cut = false;
    }

    /// The link of a node is gone, with what it carried.
    pub(crate) fn end(&mut self, node: usize) {
        self.links[node].number += 1;
        self.links[node].is_up = false;
        for nodes in self.subscriptions.values_mut() {
            nodes.remove(&node);
        }
    }

    /// Nothing passes to and from a node any more, which it does not know yet.
    pub(crate) fn cut(&mut self, node: usize) {
        self.links[node].is_cut = true;
    }

    /// The broker has started again and knows nothing, but for what it may have kept.
    pub(crate) fn forget(&mut self) {
        self.leases.clear();
        if self.trouble.keeping == Keeping::Badly {
            self.kept.forget();
        }
    }

    /// No trouble from now on.
    pub(crate) fn calm(&mut self) {
        self.trouble = Trouble::NONE;
    }

    pub(crate) fn next(&self) -> Option<u64> {
        self.carried.keys().next().copied()
    }

    /// A node wants something done.
    pub(crate) fn send(&mut self, now: u64, node: usize, effect: BackplaneEffect, random: &mut ChaCha8Rng) {
        assert!(self.links[node].is_up, "nothing is asked for without a link");
        self.carry(now, node, Carried::ToBroker(effect), random);
    }

    /// What is there by now, for nodes.
    pub(crate) fn arrived(&mut self, now: u64, random: &mut ChaCha8Rng) -> Vec<(usize, BackplaneInput)> {
        let mut inputs = Vec::new();
        while let Some(mut due) = self.carried.first_entry().filter(|due| *due.key() <= now) {
            let next = due.get_mut().pop_front();
            if due.get().is_empty() {
                due.remove();
            }
            let Some((node, number, carried)) = next else { continue };
            if self.links[node].number != number || self.links[node].is_cut {
                continue;
            }
            match carried {
                Carried::ToNode(input) => inputs.push((node, input)),
                Carried::ToBroker(BackplaneEffect::Subscribe { channel }) => {
                    self.subscriptions.entry(channel).or_default().insert(node);
                }
                Carried::ToBroker(BackplaneEffect::Unsubscribe { channel }) => {
                    self.subscriptions.entry(channel).or_default().remove(&node);
                }
                Carried::ToBroker(BackplaneEffect::Publish { channel, payload }) => {
                    self.publish(now, &channel, &payload, random);
                }
                Carried::ToBroker(BackplaneEffect::PublishAndKeep { channel, payload, bounds }) => {
                    self.kept.keep(now, &channel, &payload, bounds, random);
                    self.publish(now, &channel, &payload, random);
                }
                Carried::ToBroker(BackplaneEffect::Note { channel, key, note, .. }) => {
                    self.kept.note(channel, key, note);
                }
                Carried::ToBroker(BackplaneEffect::Read { channel, after, .. }) => {
                    if let Some(kept) = self.kept.read(now, channel, after.as_ref()) {
                        self.carry(now, node, Carried::ToNode(kept), random);
                    }
                }
                Carried::ToBroker(BackplaneEffect::Lease { name, ttl }) => {
                    let (holder, until) = self.leases.entry(name.clone()).or_insert((node, now));
                    if *until <= now {
                        *holder = node;
                    }
                    let is_held = *holder == node;
                    if is_held {
                        *until = now + ttl;
                    }
                    let answer = Carried::ToNode(BackplaneInput::Lease { name, is_held });
                    self.carry(now, node, answer, random);
                }
                Carried::ToBroker(BackplaneEffect::Release { name }) => {
                    if self.leases.get(&name).is_some_and(|(holder, _)| *holder == node) {
                        self.leases.remove(&name);
                    }
                }
            }
        }
        inputs
    }

    fn publish(&mut self, now: u64, channel: &Arc<str>, payload: &Bytes, random: &mut ChaCha8Rng) {
        let nodes: Vec<usize> = self.subscriptions.get(channel).into_iter().flatten().copied().collect();
        for node in nodes {
            if draw(random) < self.trouble.loss {
                continue;
            }
            let times = if draw(random) < self.trouble.repetition { 2 } else { 1 };
            for _ in 0..times {
                let input = BackplaneInput::Message { channel: channel.clone(), payload: payload.clone() };
                self.carry(now, node, Carried::ToNode(input), random);
            }
        }
    }

    fn carry(&mut self, now: u64, node: usize, carried: Carried, random: &mut ChaCha8Rng) {
        let link = &mut self.links[node];
        let delay =
            if random.next_u32().is_multiple_of(8) { random.next_u32() % 200 } else { random.next_u32() % 5 };
        let latest = match &carried {
            Carried::ToBroker(_) => &mut link.latest_at_broker,
            Carried::ToNode(BackplaneInput::Message { channel, .. }) => {
                link.latest_at_node.entry(channel.clone()).or_default()
            }
            Carried::ToNode(_) => link.latest_at_node.entry("".into()).or_default(),
        };
        let at = (*latest).max(now + u64::from(delay));
        *latest = at;
        self.carried.entry(at).or_default().push_back((node, link.number, carried));
    }
}

/// A number from 0 to 1.
pub(crate) fn draw(random: &mut ChaCha8Rng) -> f64 {
    f64::from(random.next_u32()) / f64::from(u32::MAX)
}
