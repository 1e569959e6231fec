//! Whole engines with clients as the nodes: what the clients see through the same troubles.

use std::collections::{BTreeMap, BTreeSet};

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use switchboard_core::cluster::{BackplaneInput, ClusterSettings};
use switchboard_core::testing::World;
use switchboard_core::{Config, ConnectionId, Effect, Input};

use crate::broker::Broker;
use crate::trouble::Trouble;

const LEASE: u64 = 900;

const ROUTES: &str = "
[[feeds]]
name = 'ticks'
interval = { every = 100, values = ['tick {counter.n 1 1}'] }
[[routes]]
pattern = '/chat'
[[routes.rules]]
on = 'message'
match = { type = 'join' }
do = [{ join = '{message.room}' }]
[[routes.rules]]
on = 'message'
match = { type = 'leave' }
do = [{ leave = '{message.room}' }]
[[routes.rules]]
on = 'message'
match = { type = 'all' }
do = [{ broadcast = '{message.text}', includeSelf = true }]
[[routes.rules]]
on = 'message'
match = { type = 'rooms' }
do = [{ broadcast = '{message.text}', rooms = '{message.rooms}', includeSelf = true }]
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
";

/// A client of a node, which is gone when that is.
struct Client {
    id: ConnectionId,
    kind: Kind,
}

enum Kind {
    /// What it has heard, the last number of each publisher on each channel, how many messages it has missed, and how many
    /// its node had counted as lost before it came.
    Chat { heard: BTreeSet<String>, last: BTreeMap<(String, String), u64>, missed: u64, lost_before: u64 },
    /// Its name, and who it sees: the `phx_ref`s by key.
    Presence { user: String, seen: BTreeMap<String, BTreeSet<String>> },
    /// How many ticks it has heard since it was asked last.
    Ticks { heard: usize },
    /// Somebody to be counted.
    Counted,
}

struct Living {
    world: World,
    life: u64,
    clients: Vec<Client>,
    /// How many messages it has published, by channel.
    published: BTreeMap<String, u64>,
}

pub(crate) struct Engines {
    random: ChaCha8Rng,
    trouble: Trouble,
    now: u64,
    broker: Broker,
    /// `None`: it is dead.
    nodes: Vec<Option<Living>>,
    lives: u64,
    users: u64,
    /// How many messages clients have heard from their own and from other nodes.
    pub(crate) heard: u64,
    /// How many they have missed.
    pub(crate) missed: u64,
}

impl Engines {
    pub(crate) fn new(seed: u64, trouble: Trouble) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let count = 2 + random.next_u32() as usize % 4;
        let mut engines = Self {
            random,
            trouble,
            now: 1_000,
            broker: Broker::new(count, trouble),
            nodes: (0..count).map(|_| None).collect(),
            lives: 0,
            users: 0,
            heard: 0,
            missed: 0,
        };
        (0..count).for_each(|index| engines.start(index));
        engines
    }

    pub(crate) fn run(&mut self, steps: usize) {
        (0..steps).for_each(|_| self.step());
        self.settle();
        self.assert_agreement();
    }

    fn pick(&mut self, count: usize) -> usize {
        self.random.next_u32() as usize % count
    }

    fn start(&mut self, index: usize) {
        self.lives += 1;
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        let config = Config::from_toml(ROUTES).expect("a configuration");
        let engine = config.engine(seed).expect("routes that fit");
        let mut world = World::with_engine(engine);
        world.advance(self.now);
        let settings = ClusterSettings::new(&format!("node {index}")).prefix("test").lease(LEASE);
        world.engine.join_cluster(world.now(), settings, self.lives);
        let living = Living { world, life: self.lives, clients: Vec::new(), published: BTreeMap::new() };
        self.nodes[index] = Some(living);
        self.connect(index);
    }

    fn connect(&mut self, index: usize) {
        self.broker.connect(index);
        self.input(index, BackplaneInput::Up);
    }

    fn input(&mut self, index: usize, input: BackplaneInput) {
        if let Some(node) = &mut self.nodes[index] {
            node.world.input(Input::Backplane(input));
        }
        self.take(index);
    }

    /// Gives the broker what a node asks of it.
    fn take(&mut self, index: usize) {
        let Some(node) = &mut self.nodes[index] else { return };
        for effect in std::mem::take(&mut node.world.backplane) {
            self.broker.send(self.now, index, effect, &mut self.random);
        }
    }

    fn step(&mut self) {
        let index = self.pick(self.nodes.len());
        match self.pick(100) {
            0..15 => self.come(index),
            15..22 => self.go(index),
            22..36 => self.change_room(index),
            36..64 => self.publish(index),
            64..66 if self.trouble.partitions => self.cut(index),
            66 if self.trouble.deaths => self.die(index),
            67 if self.trouble.partitions => self.restart_broker(),
            _ => {
                let most = [1, 10, 100, 1_000][self.pick(4)];
                let ms = 1 + self.pick(most) as u64;
                self.advance(ms);
            }
        }
        self.take(index);
        if self.nodes[index].is_none() && self.pick(4) == 0 {
            self.start(index);
        }
        if self.nodes[index].is_some() && !self.broker.is_up(index) && self.pick(4) == 0 {
            self.connect(index);
        }
    }

    fn come(&mut self, index: usize) {
        let kind = self.pick(5);
        self.users += 1;
        let user = format!("u{}", self.users);
        let Some(node) = &mut self.nodes[index] else { return };
        let lost_before = node.world.engine.cluster().map_or(0, |cluster| cluster.stats().lost);
        let path = ["/chat", "/chat", "/socket/websocket?vsn=2.0.0", "/ticks", "/topics"][kind];
        let id = node.world.connect(path);
        let kind = match kind {
            0 | 1 => Kind::Chat { heard: BTreeSet::new(), last: BTreeMap::new(), missed: 0, lost_before },
            2 => {
                let join = json!(["1", "1", "room:1", "phx_join", { "user_id": user }]);
                node.world.text(id, &join.to_string());
                Kind::Presence { user, seen: BTreeMap::new() }
            }
            3 => {
                node.world.text(id, r#"{"action":"sub","channel":"ticks"}"#);
                Kind::Ticks { heard: 0 }
            }
            _ => Kind::Counted,
        };
        node.clients.push(Client { id, kind });
    }

    fn go(&mut self, index: usize) {
        let number = self.pick(100);
        self.look(index);
        let Some(node) = self.nodes[index].as_mut().filter(|node| !node.clients.is_empty()) else { return };
        let gone = node.clients.swap_remove(number % node.clients.len());
        node.world.cut(gone.id);
    }

    fn some_chat(&mut self, index: usize) -> Option<ConnectionId> {
        let number = self.pick(100);
        let clients = &self.nodes[index].as_ref()?.clients;
        let chats: Vec<_> =
            clients.iter().filter(|client| matches!(client.kind, Kind::Chat { .. })).collect();
        Some(chats.get(number % chats.len().max(1))?.id)
    }

    fn change_room(&mut self, index: usize) {
        let (room, kind) = (["a", "b"][self.pick(2)], ["join", "join", "leave"][self.pick(3)]);
        let id = self.some_chat(index);
        if let (Some(id), Some(node)) = (id, &mut self.nodes[index]) {
            node.world.text(id, &json!({ "type": kind, "room": room }).to_string());
        }
    }

    fn publish(&mut self, index: usize) {
        let (channel, rooms) =
            [("all", None), ("a", Some(vec!["a"])), ("b", Some(vec!["b"])), ("a+b", Some(vec!["a", "b"]))]
                [self.pick(4)]
            .clone();
        let id = self.some_chat(index);
        let (Some(id), Some(node)) = (id, &mut self.nodes[index]) else { return };
        let number = node.published.entry(channel.to_owned()).or_default();
        *number += 1;
        let text = format!("{}/{channel}/{number}", node.life);
        let message = match rooms {
            None => json!({ "type": "all", "text": text }),
            Some(rooms) => json!({ "type": "rooms", "rooms": rooms, "text": text }),
        };
        node.world.text(id, &message.to_string());
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
                self.input(index, BackplaneInput::Down);
            }
        }
    }

    fn die(&mut self, index: usize) {
        self.look(index);
        if self.pick(2) == 0
            && let Some(node) = &mut self.nodes[index]
        {
            let mut effects: Vec<Effect> = Vec::new();
            node.world.engine.leave_cluster(node.world.now(), &mut effects);
            node.world.carry_out(effects);
            self.take(index);
            self.advance(300);
        }
        self.nodes[index] = None;
        self.broker.end(index);
    }

    fn advance(&mut self, ms: u64) {
        let until = self.now + ms;
        loop {
            let timeouts = self.nodes.iter().flatten();
            let timeouts = timeouts.filter_map(|node| node.world.engine.poll_timeout()).map(|at| at.as_ms());
            let next = timeouts.chain(self.broker.next()).min().filter(|next| *next <= until);
            let reached = next.unwrap_or(until).max(self.now);
            self.now = reached;
            for index in 0..self.nodes.len() {
                if let Some(node) = &mut self.nodes[index] {
                    let behind = reached - node.world.now().instant.as_ms();
                    node.world.advance(behind);
                }
                self.take(index);
            }
            for (index, input) in self.broker.arrived(self.now, &mut self.random) {
                self.input(index, input);
            }
            if next.is_none() {
                break;
            }
        }
        (0..self.nodes.len()).for_each(|index| self.look(index));
    }

    /// The clients of a node look at what came.
    fn look(&mut self, index: usize) {
        let Some(Living { world, clients, .. }) = &mut self.nodes[index] else { return };
        for Client { id, kind } in clients {
            let received = world.received(*id);
            match kind {
                Kind::Chat { heard, last, missed, .. } => {
                    for text in received {
                        self.heard += 1;
                        let (publisher, rest) = text.split_once('/').expect("a message of this test");
                        let (channel, number) = rest.split_once('/').expect("a channel and a number");
                        let number: u64 = number.parse().expect("a number");
                        let before = last.insert((publisher.to_owned(), channel.to_owned()), number);
                        assert!(before.is_none_or(|before| before < number), "{text} after {before:?}");
                        // Of what is for everyone it misses what is lost alone.
                        if channel == "all" {
                            *missed += before.map_or(0, |before| number - before - 1);
                        }
                        assert!(heard.insert(text.clone()), "{text} has come before");
                    }
                }
                Kind::Presence { seen, .. } => {
                    received.iter().for_each(|text| see(seen, &serde_json::from_str(text).expect("JSON")))
                }
                Kind::Ticks { heard } => *heard += received.len(),
                Kind::Counted => {}
            }
        }
    }

    /// All trouble is over: links come up, and leases run out.
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
        self.advance(4 * LEASE);
    }

    fn assert_agreement(&mut self) {
        let clients = || self.nodes.iter().flatten().flat_map(|node| &node.clients);
        let present: BTreeSet<String> = clients()
            .filter_map(|client| match &client.kind {
                Kind::Presence { user, .. } => Some(user.clone()),
                _ => None,
            })
            .collect();
        let counted = clients().filter(|client| matches!(client.kind, Kind::Counted)).count();
        for client in clients() {
            if let Kind::Presence { user, seen } = &client.kind {
                let seen: BTreeSet<String> = seen.keys().cloned().collect();
                assert_eq!(seen, present, "who {user} sees");
            }
        }
        for node in self.nodes.iter_mut().flatten() {
            let (_, stats) = node.world.http("GET", "/topics/stats", "");
            let stats: Value = serde_json::from_str(&stats).expect("JSON");
            assert_eq!(stats["connections"], counted, "how many {} counts", node.life);
            let lost = node.world.engine.cluster().expect("a node of a cluster").stats().lost;
            for client in &node.clients {
                if let Kind::Chat { missed, lost_before, .. } = &client.kind {
                    self.missed += missed;
                    let counted = lost - lost_before;
                    assert!(*missed <= counted, "{missed} missed, {counted} counted as lost");
                }
            }
        }
        // What runs once runs once.
        for node in self.nodes.iter_mut().flatten() {
            for client in &mut node.clients {
                if let Kind::Ticks { heard } = &mut client.kind {
                    *heard = 0;
                }
            }
        }
        self.advance(2_000);
        for client in self.nodes.iter().flatten().flat_map(|node| &node.clients) {
            if let Kind::Ticks { heard } = client.kind {
                // A message may take up to 400 ms on its way.
                assert!((15..=25).contains(&heard), "{heard} ticks in 2 s");
            }
        }
    }
}

/// What a client of Phoenix does with a message about presence.
fn see(seen: &mut BTreeMap<String, BTreeSet<String>>, message: &Value) {
    let keys = |value: &Value| -> Vec<(String, BTreeSet<String>)> {
        let keys = value.as_object().into_iter().flatten();
        keys.map(|(key, entry)| {
            let metas = entry["metas"].as_array().into_iter().flatten();
            (key.clone(), metas.filter_map(|meta| meta["phx_ref"].as_str().map(str::to_owned)).collect())
        })
        .collect()
    };
    match message[3].as_str() {
        Some("presence_state") => *seen = keys(&message[4]).into_iter().collect(),
        Some("presence_diff") => {
            for (key, references) in keys(&message[4]["joins"]) {
                seen.entry(key).or_default().extend(references);
            }
            for (key, references) in keys(&message[4]["leaves"]) {
                if let Some(known) = seen.get_mut(&key) {
                    known.retain(|reference| !references.contains(reference));
                    if known.is_empty() {
                        seen.remove(&key);
                    }
                }
            }
        }
        _ => {}
    }
}
