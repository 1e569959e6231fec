//! A node of a cluster whose broker says anything: what another node has published, whole or damaged, and what nobody has.

use std::sync::{Arc, LazyLock};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use switchboard_core::cluster::{BackplaneEffect, BackplaneInput, ClusterSettings};
use switchboard_core::{Config, ConnectionId, Input};

use crate::world::World;

/// How many messages of the other node wait to be carried.
const MAX_WAITING: usize = 64;

const LEASE: u64 = 900;

const MAX_STEPS: usize = 150;

const ROUTES: &str = "
[[feeds]]
name = 'ticks'
interval = { every = 100, values = ['tick {counter.n 1 1}'] }
[[routes]]
pattern = '/relay/{room}'
dialect = 'relay'
history = { size = 5 }
[[routes]]
pattern = '/socket/websocket'
dialect = 'phoenix'
phoenix = { timeout = 0, channels = [{ topic = 'room:*', presence = true }] }
[[routes]]
pattern = '/ticks'
dialect = 'actions'
actions = { channels = [{ name = 'ticks', feed = 'ticks' }] }
[[routes]]
pattern = '/topics'
dialect = 'topics'
topics = { generation = 'g1', feed = 'ticks', statsPath = '/topics/stats' }
[[routes]]
pattern = '/rakit'
dialect = 'commands'
";

/// Takes the steps that an input says.
pub fn run(input: &[u8]) {
    let (mut input, mut nodes) = (Unstructured::new(input), Nodes::default());
    for _ in 0..MAX_STEPS {
        match Step::arbitrary(&mut input) {
            Ok(step) if !input.is_empty() => nodes.step(step),
            _ => break,
        }
    }
    nodes.finish();
}

/// One thing that happens.
#[derive(Arbitrary, Debug)]
pub enum Step {
    /// The link of the node comes up, or is gone.
    Link(bool),
    /// A message of the other node is carried, and stays to be carried again.
    Carry { which: u8, damage: Option<Damage> },
    /// The node's own message comes back.
    Echo { which: u8 },
    /// Bytes that nobody has published.
    Forge { channel: u8, payload: Vec<u8> },
    /// The answer to a question for a lease, asked or not.
    Lease { which: u8, is_held: bool },
    /// A client of the node, or of the other one, says something.
    Say { is_other: bool, who: u8, text: u8 },
    /// A client of the node, or of the other one, is gone, and another one comes.
    Replace { is_other: bool, who: u8 },
    /// So many ms pass on both.
    Advance(u16),
}

/// What is wrong with a message.
#[derive(Arbitrary, Debug)]
pub enum Damage {
    /// A byte is another one.
    Byte { at: u16, to: u8 },
    /// Its end is missing.
    Cut { at: u16 },
    /// Bytes follow it.
    Longer { by: Vec<u8> },
    /// It comes on another channel.
    Channel { which: u8 },
}

/// Where the clients of a node are, in this order.
const PATHS: [&str; 6] = [
    "/relay/a",
    "/relay/a?switchboard-history",
    "/socket/websocket?vsn=2.0.0",
    "/ticks",
    "/topics",
    "/rakit",
];

const TEXTS: [&str; 7] = [
    "hello",
    r#"["1","1","room:1","phx_join",{"user_id":"ann"}]"#,
    r#"["1","2","room:1","shout",{"text":"hi"}]"#,
    r#"["1","3","room:1","phx_leave",{}]"#,
    r#"{"action":"sub","channel":"ticks"}"#,
    r#"{"type":"subscribe","topics":["all"]}"#,
    r#"{"command":"presence"}"#,
];

/// Those of them that this client may say: Phoenix closes connections of clients that do not speak its protocol.
fn texts(who: usize) -> &'static [&'static str] {
    if PATHS[who].starts_with("/socket") { &TEXTS[1..4] } else { &TEXTS }
}

/// A node and its clients.
struct Node {
    world: World,
    clients: Vec<ConnectionId>,
    /// What it has published.
    published: Vec<(Arc<str>, Bytes)>,
    channels: Vec<Arc<str>>,
    leases: Vec<Arc<str>>,
}

impl Node {
    fn new(name: &str, seed: u8) -> Self {
        // Reading it takes longer than most runs.
        static CONFIG: LazyLock<Config> =
            LazyLock::new(|| Config::from_toml(ROUTES).expect("a configuration"));
        let mut world = World::with_engine(CONFIG.engine([seed; 32]).expect("routes that fit"));
        let settings = ClusterSettings::new(name).lease(LEASE);
        world.engine.join_cluster(world.now(), settings, 1);
        let clients = PATHS.iter().map(|path| world.connect(path)).collect();
        let mut node =
            Self { world, clients, published: Vec::new(), channels: Vec::new(), leases: Vec::new() };
        node.input(BackplaneInput::Up);
        node
    }

    fn input(&mut self, input: BackplaneInput) {
        self.world.input(Input::Backplane(input));
        self.collect();
    }

    /// Remembers what was asked of the broker.
    fn collect(&mut self) {
        for effect in std::mem::take(&mut self.world.backplane) {
            match effect {
                BackplaneEffect::Publish { channel, payload } => {
                    if self.published.len() == MAX_WAITING {
                        self.published.remove(0);
                    }
                    self.published.push((channel, payload));
                }
                BackplaneEffect::Subscribe { channel } => self.channels.push(channel),
                BackplaneEffect::Unsubscribe { channel } => self.channels.retain(|known| *known != channel),
                BackplaneEffect::Lease { name, .. } if !self.leases.contains(&name) => self.leases.push(name),
                _ => {}
            }
        }
    }

    fn published(&self, which: u8) -> Option<(Arc<str>, Bytes)> {
        self.published.get(usize::from(which) % self.published.len().max(1)).cloned()
    }

    fn channel(&self, which: u8) -> Arc<str> {
        let known = self.channels.get(usize::from(which) % self.channels.len().max(1));
        known.cloned().unwrap_or_else(|| "unknown".into())
    }
}

/// The node whose broker says anything, and another one, which hears nothing.
pub struct Nodes {
    node: Node,
    other: Node,
    is_up: bool,
}

impl Default for Nodes {
    fn default() -> Self {
        Self { node: Node::new("a", 1), other: Node::new("b", 2), is_up: true }
    }
}

impl Nodes {
    /// Something happens.
    pub fn step(&mut self, step: Step) {
        match step {
            Step::Link(is_up) if is_up == self.is_up => {}
            Step::Link(is_up) => {
                self.is_up = is_up;
                self.node.channels.clear();
                self.node.input(if is_up { BackplaneInput::Up } else { BackplaneInput::Down });
            }
            Step::Carry { which, damage } => {
                if let Some((channel, payload)) = self.other.published(which) {
                    let (channel, payload) = self.damaged(channel, payload, damage);
                    self.carry(channel, payload);
                }
            }
            Step::Echo { which } => {
                if let Some((channel, payload)) = self.node.published(which) {
                    self.carry(channel, payload);
                }
            }
            Step::Forge { channel, payload } => self.carry(self.node.channel(channel), payload.into()),
            Step::Lease { which, is_held } => {
                let known = &self.node.leases;
                if let Some(name) = known.get(usize::from(which) % known.len().max(1)).cloned()
                    && self.is_up
                {
                    self.node.input(BackplaneInput::Lease { name, is_held });
                }
            }
            Step::Say { is_other, who, text } => {
                let node = if is_other { &mut self.other } else { &mut self.node };
                let who = usize::from(who) % PATHS.len();
                let texts = texts(who);
                node.world.text(node.clients[who], texts[usize::from(text) % texts.len()]);
                node.collect();
            }
            Step::Replace { is_other, who } => {
                let node = if is_other { &mut self.other } else { &mut self.node };
                let who = usize::from(who) % PATHS.len();
                node.world.cut(node.clients[who]);
                node.clients[who] = node.world.connect(PATHS[who]);
                node.collect();
            }
            Step::Advance(ms) => {
                for node in [&mut self.node, &mut self.other] {
                    node.world.advance(u64::from(ms) % (2 * LEASE));
                    node.collect();
                }
            }
        }
    }

    /// Whatever came, its own clients are there and are served.
    pub fn finish(mut self) {
        for (id, path) in self.node.clients.iter().zip(PATHS) {
            let client = self.node.world.client(*id);
            // Only `commands` lets nodes close connections of each other.
            assert!(
                path == "/rakit" || !(client.gone || client.is_told_closed),
                "the client of {path} is gone"
            );
        }
        let [relay, ..] = self.node.clients[..] else { return };
        self.node.world.received(relay);
        let sender = self.node.world.connect("/relay/a");
        self.node.world.text(sender, "the last one");
        assert_eq!(self.node.world.received(relay), ["the last one"]);
    }

    fn carry(&mut self, channel: Arc<str>, payload: Bytes) {
        if self.is_up {
            self.node.input(BackplaneInput::Message { channel, payload });
        }
    }

    fn damaged(&self, channel: Arc<str>, payload: Bytes, damage: Option<Damage>) -> (Arc<str>, Bytes) {
        let at = |at: u16| usize::from(at) % payload.len().max(1);
        let mut bytes = payload.to_vec();
        match damage {
            None => return (channel, payload),
            Some(Damage::Channel { which }) => return (self.node.channel(which), payload),
            Some(Damage::Byte { at: place, to }) => {
                if let Some(byte) = bytes.get_mut(at(place)) {
                    *byte = to;
                }
            }
            Some(Damage::Cut { at: place }) => bytes.truncate(at(place)),
            Some(Damage::Longer { by }) => bytes.extend(by),
        }
        (channel, bytes.into())
    }
}
