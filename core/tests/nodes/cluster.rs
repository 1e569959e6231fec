//! Engines, and a broker that passes on at once what they publish.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use switchboard_core::cluster::{BackplaneEffect, BackplaneInput, ClusterSettings};
use switchboard_core::testing::World;
use switchboard_core::{Command, Config, ConnectionId, Input};

/// The lease of a node in ms.
pub(crate) const LEASE: u64 = 6_000;

/// Who speaks to which node.
pub(crate) type Client = (usize, ConnectionId);

/// The nodes of a cluster and their broker.
pub(crate) struct TestCluster {
    /// By their number.
    pub(crate) nodes: Vec<World>,
    is_up: Vec<bool>,
    is_dead: Vec<bool>,
    subscriptions: BTreeMap<Arc<str>, BTreeSet<usize>>,
    /// How many lives nodes have had at most.
    lives: u64,
    /// Who holds each lease, and until when.
    leases: BTreeMap<Arc<str>, (usize, u64)>,
    /// How many messages each channel has carried.
    pub(crate) carried: BTreeMap<Arc<str>, usize>,
}

impl TestCluster {
    /// So many nodes with the same configuration in TOML, all of which have a link.
    pub(crate) fn new(count: usize, configuration: &str) -> Self {
        let seeds = (0..count).map(|index| [u8::try_from(index).unwrap(); 32]);
        Self::of(seeds.map(|seed| Config::from_toml(configuration).unwrap().engine(seed).unwrap()))
    }

    /// Around engines.
    pub(crate) fn of(engines: impl IntoIterator<Item = switchboard_core::Engine>) -> Self {
        let mut nodes: Vec<World> = engines.into_iter().map(World::with_engine).collect();
        for (index, node) in nodes.iter_mut().enumerate() {
            let settings = ClusterSettings::new(&format!("n{index}")).lease(LEASE);
            node.engine.join_cluster(node.now(), settings, 1);
        }
        let (is_up, is_dead) = (vec![false; nodes.len()], vec![false; nodes.len()]);
        let mut cluster = Self {
            nodes,
            is_up,
            is_dead,
            subscriptions: BTreeMap::new(),
            lives: 1,
            leases: BTreeMap::new(),
            carried: BTreeMap::new(),
        };
        (0..cluster.nodes.len()).for_each(|index| cluster.link(index));
        cluster
    }

    /// A node that was killed starts again, with this configuration in TOML.
    pub(crate) fn start(&mut self, index: usize, configuration: &str) {
        self.start_as(index, &format!("n{index}"), configuration);
    }

    /// The same, under another name.
    pub(crate) fn start_as(&mut self, index: usize, name: &str, configuration: &str) {
        self.lives += 1;
        let seed = [u8::try_from(100 + self.lives).unwrap(); 32];
        let mut node = World::with_engine(Config::from_toml(configuration).unwrap().engine(seed).unwrap());
        node.advance(self.nodes[index].now().instant.as_ms());
        let settings = ClusterSettings::new(name).lease(LEASE);
        node.engine.join_cluster(node.now(), settings, self.lives);
        self.nodes[index] = node;
        self.is_dead[index] = false;
        self.link(index);
    }

    /// The link of a node comes up.
    pub(crate) fn link(&mut self, index: usize) {
        self.is_up[index] = true;
        self.nodes[index].input(Input::Backplane(BackplaneInput::Up));
        self.settle();
    }

    /// The link of a node is gone, and it notices.
    pub(crate) fn unlink(&mut self, index: usize) {
        self.settle();
        self.is_up[index] = false;
        self.subscriptions.values_mut().for_each(|nodes| {
            nodes.remove(&index);
        });
        self.nodes[index].input(Input::Backplane(BackplaneInput::Down));
    }

    /// A node is gone without a word, and its clock stands still.
    pub(crate) fn kill(&mut self, index: usize) {
        self.settle();
        self.is_up[index] = false;
        self.subscriptions.values_mut().for_each(|nodes| {
            nodes.remove(&index);
        });
        self.is_dead[index] = true;
    }

    pub(crate) fn connect(&mut self, index: usize, path: &str) -> Client {
        let id = self.nodes[index].connect(path);
        self.settle();
        (index, id)
    }

    pub(crate) fn text(&mut self, (index, id): Client, text: &str) {
        self.nodes[index].text(id, text);
        self.settle();
    }

    pub(crate) fn command(&mut self, (index, id): Client, command: Command) {
        self.nodes[index].command(id, command).expect("an open connection");
        self.settle();
    }

    /// What a client has received since it was asked last.
    pub(crate) fn received(&mut self, (index, id): Client) -> Vec<String> {
        self.settle();
        self.nodes[index].received(id)
    }

    /// Lets so many ms pass on all nodes that live.
    pub(crate) fn advance(&mut self, ms: u64) {
        for _ in 0..ms {
            for (node, _) in self.nodes.iter_mut().zip(&self.is_dead).filter(|(_, is_dead)| !**is_dead) {
                node.advance(1);
            }
            self.settle();
        }
    }

    /// The broker does everything that was asked of it.
    pub(crate) fn settle(&mut self) {
        loop {
            let mut asked = VecDeque::new();
            for (index, node) in self.nodes.iter_mut().enumerate() {
                asked.extend(node.backplane.drain(..).map(|effect| (index, effect)));
            }
            if asked.is_empty() {
                return;
            }
            for (index, effect) in asked {
                if self.is_up[index] {
                    self.carry_out(index, effect);
                }
            }
        }
    }

    fn carry_out(&mut self, index: usize, effect: BackplaneEffect) {
        match effect {
            BackplaneEffect::Subscribe { channel } => {
                self.subscriptions.entry(channel).or_default().insert(index);
            }
            BackplaneEffect::Unsubscribe { channel } => {
                self.subscriptions.entry(channel).or_default().remove(&index);
            }
            BackplaneEffect::Publish { channel, payload }
            | BackplaneEffect::PublishAndKeep { channel, payload, .. } => {
                *self.carried.entry(channel.clone()).or_default() += 1;
                for to in self.subscriptions.get(&channel).cloned().unwrap_or_default() {
                    let message =
                        BackplaneInput::Message { channel: channel.clone(), payload: payload.clone() };
                    self.nodes[to].input(Input::Backplane(message));
                }
            }
            // It keeps nothing.
            BackplaneEffect::Note { .. } | BackplaneEffect::Read { .. } => {}
            BackplaneEffect::Lease { name, ttl } => {
                let now = self.nodes[index].now().instant.as_ms();
                let lease = self.leases.entry(name.clone()).or_insert((index, now));
                if lease.0 == index || lease.1 <= now {
                    *lease = (index, now + ttl);
                }
                let is_held = lease.0 == index;
                self.nodes[index].input(Input::Backplane(BackplaneInput::Lease { name, is_held }));
            }
            BackplaneEffect::Release { name } => {
                if self.leases.get(&name).is_some_and(|(holder, _)| *holder == index) {
                    self.leases.remove(&name);
                }
            }
        }
    }
}
