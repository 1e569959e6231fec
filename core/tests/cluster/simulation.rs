//! What happens to the nodes, and what must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use switchboard_core::Message;
use switchboard_core::cluster::{
    BackplaneInput, Cluster, ClusterEvent, ClusterOutput, ClusterSettings, Node,
};
use switchboard_core::time::Instant;

use crate::broker::Broker;
use crate::tally::Tally;
use crate::trouble::Trouble;

const LEASE: u64 = 900;
const CHANNELS: [&str; 3] = ["lobby", "général", "z"];
/// The lease that all nodes want.
const ONCE: &str = "once";

/// One node in one of its lives.
struct Living {
    cluster: Cluster,
    /// Whether it was told that it holds the lease.
    holds: bool,
    wanted: BTreeSet<&'static str>,
    /// Its own entries, as they should be.
    entries: BTreeMap<String, String>,
    /// How many messages it has published, by channel.
    published: BTreeMap<&'static str, u64>,
    /// The entries of others as they were told, by node.
    told: BTreeMap<Node, BTreeMap<Arc<str>, Bytes>>,
    /// The last message of each publisher on each channel, and how many were told as lost since. Forgotten with the subscription.
    heard: BTreeMap<(&'static str, Node), (u64, u64)>,
}

pub(crate) struct Simulation {
    random: ChaCha8Rng,
    trouble: Trouble,
    now: u64,
    broker: Broker,
    /// `None`: it is dead.
    nodes: Vec<Option<Living>>,
    /// How many messages each life of a node has published.
    ledger: BTreeMap<(Node, &'static str), u64>,
    lives: u64,
    tally: Tally,
}

impl Simulation {
    pub(crate) fn new(seed: u64, trouble: Trouble) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let count = 2 + random.next_u32() as usize % 4;
        let mut simulation = Self {
            random,
            trouble,
            now: 1_000,
            broker: Broker::new(count, trouble),
            nodes: (0..count).map(|_| None).collect(),
            ledger: BTreeMap::new(),
            lives: 0,
            tally: Tally::default(),
        };
        (0..count).for_each(|index| simulation.start(index));
        simulation
    }

    pub(crate) fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
            self.tally.steps += 1;
        }
        self.settle();
        self.assert_agreement();
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally { lives: self.lives, ..self.tally }
    }

    fn pick(&mut self, count: usize) -> usize {
        self.random.next_u32() as usize % count
    }

    fn start(&mut self, index: usize) {
        self.lives += 1;
        let settings = ClusterSettings::new(&format!("node {index}")).prefix("test").lease(LEASE);
        let mut cluster = Cluster::new(Instant::from_ms(self.now), settings, self.lives);
        assert_eq!(cluster.want_lease(ONCE), None, "there is no link yet");
        self.nodes[index] = Some(Living {
            cluster,
            holds: false,
            wanted: BTreeSet::new(),
            entries: BTreeMap::new(),
            published: BTreeMap::new(),
            told: BTreeMap::new(),
            heard: BTreeMap::new(),
        });
        self.connect(index);
    }

    fn connect(&mut self, index: usize) {
        self.broker.connect(index);
        self.input(index, BackplaneInput::Up);
    }

    fn step(&mut self) {
        let index = self.pick(self.nodes.len());
        match self.pick(100) {
            0..45 => self.publish(index),
            45..55 => self.subscribe(index),
            55..75 => self.set(index),
            75..76 if self.trouble.partitions => self.cut(index),
            76 if self.trouble.deaths => self.die(index),
            77 if self.trouble.partitions => self.restart_broker(),
            _ => {
                // Mostly short, at times so long that an idle channel is forgotten.
                let most = [1, 10, 100, 1_000, 12 * LEASE][self.pick(100) * self.pick(100) / 2_400];
                let ms = u64::from(self.random.next_u32()) % most;
                self.advance(ms);
            }
        }
        if self.nodes[index].is_none() && self.pick(4) == 0 {
            self.start(index);
        }
        if self.nodes[index].is_some() && !self.broker.is_up(index) && self.pick(4) == 0 {
            self.connect(index);
        }
    }

    fn publish(&mut self, index: usize) {
        let channel = CHANNELS[self.pick(3)];
        let Some(node) = &mut self.nodes[index] else { return };
        let number = node.published.entry(channel).or_default();
        *number += 1;
        let me = node.cluster.me().clone();
        self.ledger.insert((me.clone(), channel), *number);
        let message = Message::from(format!("{}/{channel}/{number}", me.incarnation));
        let header = Bytes::copy_from_slice(channel.as_bytes());
        let effect = node.cluster.publish(channel, header, &message);
        self.tally.published += 1;
        self.take(index, effect.into_iter().map(ClusterOutput::Effect).collect());
    }

    fn subscribe(&mut self, index: usize) {
        let channel = CHANNELS[self.pick(3)];
        let now = Instant::from_ms(self.now);
        let Some(node) = &mut self.nodes[index] else { return };
        let mut outputs = Vec::new();
        if node.wanted.contains(channel) {
            if !self.trouble.leaving {
                return;
            }
            node.wanted.remove(channel);
            node.cluster.unsubscribe(now, channel);
            node.heard.retain(|(known, _), _| *known != channel);
        } else {
            node.wanted.insert(channel);
            outputs.extend(node.cluster.subscribe(channel).map(ClusterOutput::Effect));
        }
        self.take(index, outputs);
    }

    fn set(&mut self, index: usize) {
        let (key, value) = (format!("room/{}", self.pick(4)), self.random.next_u32() % 3);
        let flushes = self.pick(3) > 0;
        let Some(node) = &mut self.nodes[index] else { return };
        let mut outputs = Vec::new();
        let value = (value > 0).then(|| value.to_string());
        assert!(node.cluster.set(&key, value.clone().map(Bytes::from)));
        match value {
            Some(value) => drop(node.entries.insert(key, value)),
            None => drop(node.entries.remove(&key)),
        }
        if flushes {
            node.cluster.flush(&mut outputs);
        }
        self.take(index, outputs);
    }

    /// Nothing passes; the node learns it at once, or after a while.
    fn cut(&mut self, index: usize) {
        if self.nodes[index].is_none() || !self.broker.is_up(index) {
            return;
        }
        if self.broker.is_cut(index) || self.pick(2) == 0 {
            self.broker.end(index);
            self.input(index, BackplaneInput::Down);
        } else {
            self.broker.cut(index);
        }
    }

    fn restart_broker(&mut self) {
        self.broker.forget();
        for index in 0..self.nodes.len() {
            if self.broker.is_up(index) {
                self.broker.end(index);
                if self.nodes[index].is_some() {
                    self.input(index, BackplaneInput::Down);
                }
            }
        }
    }

    fn die(&mut self, index: usize) {
        let leaves = self.pick(2) == 0;
        let mut outputs = Vec::new();
        if let Some(node) = &mut self.nodes[index].as_mut().filter(|_| leaves) {
            node.cluster.leave(&mut outputs);
            self.take(index, outputs);
            self.advance(300);
        }
        self.nodes[index] = None;
        self.broker.end(index);
    }

    fn advance(&mut self, ms: u64) {
        let until = self.now + ms;
        loop {
            let timeouts = self.nodes.iter().flatten().map(|node| node.cluster.poll_timeout().as_ms());
            let next = timeouts.chain(self.broker.next()).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            for (index, input) in self.broker.arrived(self.now, &mut self.random) {
                self.input(index, input);
            }
            let now = Instant::from_ms(self.now);
            for index in 0..self.nodes.len() {
                let mut outputs = Vec::new();
                if let Some(node) = &mut self.nodes[index]
                    && node.cluster.poll_timeout() <= now
                {
                    node.cluster.handle_timeout(now, &mut outputs);
                    assert!(node.cluster.poll_timeout() > now, "time goes on");
                }
                self.take(index, outputs);
            }
        }
        self.now = until;
    }

    fn input(&mut self, index: usize, input: BackplaneInput) {
        let now = Instant::from_ms(self.now);
        let Some(node) = &mut self.nodes[index] else { return };
        let mut outputs = Vec::new();
        node.cluster.handle(now, input, &mut outputs);
        self.take(index, outputs);
    }

    fn take(&mut self, index: usize, outputs: Vec<ClusterOutput>) {
        for output in outputs {
            match output {
                ClusterOutput::Effect(effect) => {
                    self.broker.send(self.now, index, effect, &mut self.random);
                }
                ClusterOutput::Event(event) => self.check(index, event),
            }
        }
    }

    fn check(&mut self, index: usize, event: ClusterEvent) {
        let Some(node) = &mut self.nodes[index] else { return };
        match event {
            ClusterEvent::Message { channel, node: from, header, message } => {
                self.tally.delivered += 1;
                assert_eq!(channel.as_bytes(), header);
                let channel = *CHANNELS.iter().find(|known| **known == &*channel).expect("a known channel");
                assert!(node.wanted.contains(channel), "nobody wants it");
                let text = message.as_text().expect("text");
                let (sender, number) = text.split_once(&format!("/{channel}/")).expect("its own channel");
                assert_eq!(sender, from.incarnation.to_string());
                let number: u64 = number.parse().expect("a number");
                let earlier = node.heard.keys().any(|(known, other)| {
                    *known == channel && other.name == from.name && other.incarnation > from.incarnation
                });
                assert!(!earlier, "of an earlier life");
                let (last, lost) = node.heard.insert((channel, from), (number, 0)).unwrap_or((number - 1, 0));
                assert_eq!(number, last + lost + 1, "once, in order, and every gap is told");
            }
            ClusterEvent::Lost { channel, node: from, count } => {
                self.tally.lost += count;
                assert!(count > 0);
                let channel = *CHANNELS.iter().find(|known| **known == &*channel).expect("a known channel");
                if let Some((_, lost)) = node.heard.get_mut(&(channel, from)) {
                    *lost += count;
                }
            }
            ClusterEvent::Changed { node: from, key, value } => {
                self.tally.changed += 1;
                let entries = node.told.get_mut(&from).expect("a node that has joined");
                let before = match value.clone() {
                    Some(value) => entries.insert(key, value),
                    None => entries.remove(&key),
                };
                assert_ne!(before, value, "something is different");
            }
            ClusterEvent::NodeJoined { node: from } => {
                assert!(node.told.insert(from, BTreeMap::new()).is_none(), "once");
            }
            ClusterEvent::NodeLeft { node: from } => {
                let left = node.told.remove(&from).expect("a node that has joined");
                assert!(left.is_empty(), "its entries are gone: {left:?}");
            }
            // A hint that something may be missing; whether it is, the numbers say.
            ClusterEvent::Unheard { .. } => {}
            ClusterEvent::Lease { name, is_held } => {
                assert_eq!(&*name, ONCE);
                assert_ne!(std::mem::replace(&mut node.holds, is_held), is_held, "something is different");
            }
            other => panic!("{other:?}"),
        }
    }

    /// All trouble is over: links come up, and a lease passes.
    fn settle(&mut self) {
        self.broker.calm();
        self.trouble = Trouble::NONE;
        for index in 0..self.nodes.len() {
            let is_well = self.broker.is_up(index) && !self.broker.is_cut(index);
            if self.nodes[index].is_some() && !is_well {
                self.input(index, BackplaneInput::Down);
                self.connect(index);
            }
        }
        self.advance(3 * LEASE);
    }

    fn assert_agreement(&mut self) {
        let alive: BTreeMap<Node, BTreeMap<String, String>> = (self.nodes.iter().flatten())
            .map(|node| (node.cluster.me().clone(), node.entries.clone()))
            .collect();
        let holders = self.nodes.iter().flatten().filter(|node| node.holds).count();
        assert_eq!(holders, 1.min(alive.len()), "one node holds the lease");
        for node in self.nodes.iter().flatten() {
            assert_eq!(node.cluster.holds_lease(ONCE), node.holds);
            let me = node.cluster.me();
            let mut known: BTreeMap<Node, BTreeMap<String, String>> = BTreeMap::new();
            known.insert(me.clone(), BTreeMap::new());
            known.extend(node.cluster.others().map(|other| (other.clone(), BTreeMap::new())));
            for (owner, key, value) in node.cluster.entries("room/") {
                let value = String::from_utf8(value.to_vec()).expect("text");
                known.get_mut(owner).expect("an owner that is alive").insert(key.to_owned(), value);
            }
            assert_eq!(known, alive, "what {me} knows");
            let told = node.told.iter().map(|(owner, entries)| {
                let text = |value: &Bytes| String::from_utf8(value.to_vec()).expect("text");
                let entries = entries.iter().map(|(key, value)| (key.to_string(), text(value))).collect();
                (owner.clone(), entries)
            });
            known.remove(me);
            assert_eq!(told.collect::<BTreeMap<_, _>>(), known, "what {me} was told");
            for ((channel, from), (last, lost)) in &node.heard {
                if alive.contains_key(from) {
                    let published = self.ledger[&(from.clone(), *channel)];
                    assert_eq!(
                        last + lost,
                        published,
                        "every message of {from} on {channel} is accounted for"
                    );
                }
            }
            self.tally.repeated += node.cluster.stats().repeated;
        }
    }
}
