//! Clients that lose their connections and come back to any node: they get what they missed, or are told that they do not.

use std::collections::{BTreeMap, BTreeSet};

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use serde_json::Value;
use switchboard_core::cluster::{BackplaneInput, ClusterSettings};
use switchboard_core::testing::World;
use switchboard_core::{Config, ConnectionId, Input};

use crate::broker::Broker;
use crate::trouble::Trouble;

const LEASE: u64 = 900;

const ROUTES: &str = "
[[routes]]
pattern = '/room/{room}'
dialect = 'relay'
history = { size = 30, ttl = 20000 }
";

const ROOMS: [&str; 2] = ["/room/a", "/room/b"];

/// A page that shows what is said in a room.
struct Page {
    room: &'static str,
    /// Where it is connected.
    client: Option<(usize, ConnectionId)>,
    /// In which life of a node it was before, and is now.
    lives: [u64; 2],
    /// How far it is in the room, and on the route.
    positions: BTreeMap<String, String>,
    /// What it has heard since it was loaded, and the last number of each publisher.
    heard: BTreeSet<String>,
    last: BTreeMap<String, u64>,
    /// When it was loaded: it has to know all that was said since then.
    since: u64,
}

struct Living {
    world: World,
    life: u64,
    speakers: Vec<ConnectionId>,
    /// When it has said what in each room: the number is the place.
    said: [Vec<u64>; 2],
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recovered {
    /// Messages that a page heard.
    pub(crate) heard: u64,
    /// Pages that came back and got all that they had missed.
    pub(crate) whole: u64,
    /// Of these, those that came back to another node.
    pub(crate) elsewhere: u64,
    /// Pages that got all that they had missed from nodes of which none was there before.
    pub(crate) revived: u64,
    /// Pages that were told that they had missed something.
    pub(crate) told: u64,
}

pub(crate) struct Recovery {
    random: ChaCha8Rng,
    trouble: Trouble,
    now: u64,
    broker: Broker,
    /// `None`: it is dead.
    nodes: Vec<Option<Living>>,
    lives: u64,
    /// The first life after all nodes had ended.
    revival: u64,
    pages: Vec<Page>,
    /// When each message was said, with the room before it.
    said: BTreeMap<String, u64>,
    pub(crate) recovered: Recovered,
}

impl Recovery {
    pub(crate) fn new(seed: u64, trouble: Trouble) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let count = 2 + random.next_u32() as usize % 3;
        let pages = (0..6).map(|number| Page {
            room: ROOMS[number % 2],
            client: None,
            lives: [0; 2],
            positions: BTreeMap::new(),
            heard: BTreeSet::new(),
            last: BTreeMap::new(),
            since: 0,
        });
        let mut recovery = Self {
            random,
            trouble,
            now: 1_000,
            broker: Broker::new(count, trouble),
            nodes: (0..count).map(|_| None).collect(),
            lives: 0,
            revival: 0,
            pages: pages.collect(),
            said: BTreeMap::new(),
            recovered: Recovered::default(),
        };
        (0..count).for_each(|index| recovery.start(index));
        recovery
    }

    pub(crate) fn run(&mut self, steps: usize) {
        (0..steps).for_each(|_| self.step());
        self.settle();
        self.assert_that_nothing_was_missed();
    }

    fn pick(&mut self, count: usize) -> usize {
        self.random.next_u32() as usize % count
    }

    fn start(&mut self, index: usize) {
        self.lives += 1;
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        let engine = Config::from_toml(ROUTES).expect("a configuration").engine(seed).expect("routes");
        let mut world = World::with_engine(engine);
        world.advance(self.now);
        let settings = ClusterSettings::new(&format!("node {index}")).prefix("test").lease(LEASE);
        world.engine.join_cluster(world.now(), settings, self.lives);
        let speakers = ROOMS.map(|room| world.connect(room)).into();
        let said = [Vec::new(), Vec::new()];
        self.nodes[index] = Some(Living { world, life: self.lives, speakers, said });
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
            0..40 => self.speak(index),
            40..50 => self.go(),
            50..62 => self.come(index),
            62..64 if self.trouble.partitions => self.cut(index),
            64 if self.trouble.deaths => self.die(index),
            65 if self.trouble.partitions => self.restart_broker(),
            66 if self.trouble.stops => self.stop_all(),
            _ => {
                let most = [1, 10, 100, 1_000][self.pick(4)];
                let ms = 1 + self.pick(most) as u64;
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

    fn speak(&mut self, index: usize) {
        let room = self.pick(2);
        let Some(node) = &mut self.nodes[index] else { return };
        node.said[room].push(self.now);
        let text = format!("{}/{}", node.life, node.said[room].len());
        self.said.insert(format!("{}{text}", ROOMS[room]), self.now);
        node.world.text(node.speakers[room], &text);
        self.take(index);
    }

    /// A page loses its connection, and with it the end of what was on its way.
    fn go(&mut self) {
        let (number, read) = (self.pick(self.pages.len()), self.pick(4));
        let Some((index, id)) = self.pages[number].client.take() else { return };
        let Some(node) = &mut self.nodes[index] else { return };
        let received = node.world.received(id);
        node.world.cut(id);
        self.take(index);
        let read = if read == 0 { received.len() / 2 } else { received.len() };
        received[..read].iter().for_each(|text| self.hear(number, text));
    }

    /// A page connects to a node, again or for the first time.
    fn come(&mut self, index: usize) {
        let number = self.pick(self.pages.len());
        let page = &mut self.pages[number];
        let Some(node) = self.nodes[index].as_mut().filter(|_| page.client.is_none()) else { return };
        let known = page.positions.iter().map(|(room, at)| format!("&switchboard-history={room}@{at}"));
        let path = format!("{}?switchboard-history{}", page.room, known.collect::<String>());
        // Whoever was never told how far the room is begins there.
        if !page.positions.contains_key(page.room) {
            (page.heard, page.last, page.since) = (BTreeSet::new(), BTreeMap::new(), self.now);
        }
        let id = node.world.connect(&path);
        page.client = Some((index, id));
        page.lives = [page.lives[1], node.life];
        self.take(index);
    }

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
        self.look();
        for page in &mut self.pages {
            page.client = page.client.filter(|(at, _)| *at != index);
        }
        self.nodes[index] = None;
        self.broker.end(index);
    }

    /// All nodes end, or die, and some time passes before they start again.
    fn stop_all(&mut self) {
        let is_planned = self.pick(2) == 0;
        for index in 0..self.nodes.len() {
            if let Some(node) = self.nodes[index].as_mut().filter(|_| is_planned) {
                let (now, mut effects) = (node.world.now(), Vec::new());
                node.world.engine.leave_cluster(now, &mut effects);
                node.world.carry_out(effects);
                self.take(index);
            }
        }
        if is_planned {
            self.advance(1_000);
        }
        (0..self.nodes.len()).for_each(|index| self.die(index));
        let ms = [1, 1_000, 10_000][self.pick(3)];
        self.advance(ms);
        self.revival = self.lives + 1;
        (0..self.nodes.len()).for_each(|index| self.start(index));
        self.advance(500);
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
        self.look();
    }

    fn look(&mut self) {
        for number in 0..self.pages.len() {
            let Some((index, id)) = self.pages[number].client else { continue };
            let Some(node) = &mut self.nodes[index] else { continue };
            let received = node.world.received(id);
            received.iter().for_each(|text| self.hear(number, text));
        }
    }

    /// A page reads a message, as the one in the documentation does.
    fn hear(&mut self, number: usize, text: &str) {
        let page = &mut self.pages[number];
        let told: Value = serde_json::from_str(text).expect("JSON");
        let position = told["history"]["position"].as_str().expect("a position");
        let rooms = told["history"]["rooms"].as_array().expect("rooms");
        let names = rooms.iter().map(|room| room.as_str().expect("a room").to_owned());
        let names: Vec<String> = if rooms.is_empty() { vec![String::new()] } else { names.collect() };
        let is_known = names.iter().all(|name| page.positions.contains_key(name));
        page.positions.extend(names.into_iter().map(|name| (name, position.to_owned())));
        match told["history"]["recovered"].as_bool() {
            // It loads what it shows.
            Some(false) => {
                (page.heard, page.last, page.since) = (BTreeSet::new(), BTreeMap::new(), self.now);
                self.recovered.told += 1;
            }
            Some(true) => {
                assert!(is_known, "nothing was missed before");
                self.recovered.whole += 1;
                self.recovered.elsewhere += u64::from(page.lives[0] != page.lives[1]);
                self.recovered.revived += u64::from(page.lives[0] < self.revival);
            }
            None => {}
        }
        if let Some(text) = told["text"].as_str() {
            let (publisher, count) = text.split_once('/').expect("a publisher and a number");
            let count: u64 = count.parse().expect("a number");
            assert!(page.heard.insert(text.to_owned()), "{text} has come before to page {number}");
            let before = page.last.insert(publisher.to_owned(), count);
            assert!(
                before.is_none_or(|before| before + 1 == count),
                "{text} after {before:?} at page {number}"
            );
            self.recovered.heard += 1;
        }
    }

    /// All trouble is over, and every page comes back.
    fn settle(&mut self) {
        self.broker.calm();
        self.trouble = Trouble::NONE;
        for index in 0..self.nodes.len() {
            let is_well = self.broker.is_up(index) && !self.broker.is_cut(index);
            match self.nodes[index].is_some() {
                true if !is_well => {
                    self.input(index, BackplaneInput::Down);
                    self.connect(index);
                }
                true => {}
                false => self.start(index),
            }
        }
        self.advance(4 * LEASE);
        while self.pages.iter().any(|page| page.client.is_none()) {
            let index = self.pick(self.nodes.len());
            self.come(index);
        }
        self.advance(4 * LEASE);
    }

    /// Each page knows all that living nodes have said since it was loaded, and all that the broker has kept.
    fn assert_that_nothing_was_missed(&self) {
        for (number, page) in self.pages.iter().enumerate() {
            let room = ROOMS.iter().position(|room| *room == page.room).expect("a room");
            for node in self.nodes.iter().flatten() {
                for (index, _) in node.said[room].iter().enumerate().filter(|(_, at)| **at > page.since) {
                    let text = format!("{}/{}", node.life, index + 1);
                    assert!(page.heard.contains(&text), "page {number} was not told that it misses {text}");
                }
            }
            for payload in self.broker.kept.ever() {
                let kept = String::from_utf8_lossy(payload);
                let (_, kept) = kept.rsplit_once("/room/").expect("a room before the text");
                let said = self.said[&format!("/room/{kept}")];
                let is_missed = said > page.since && !page.heard.contains(&kept[1..]);
                let is_there = page.room.ends_with(&kept[..1]);
                assert!(!is_missed || !is_there, "page {number} was not told that it misses {kept}, kept");
            }
        }
    }
}
