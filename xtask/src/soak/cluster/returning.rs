//! Clients that break off, come back to another server, and say how far they were.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::client::Client;

/// Where what is said is kept, and the name of the room there.
pub(super) const PATH: &str = "/kept/lobby";

/// For how many ms a client stays, and is away, at most.
const STAY: u64 = 4_000;

/// How often threads look whether it is over.
const LOOK: Duration = Duration::from_millis(100);

/// What has become of those who came back.
#[derive(Clone, Copy, Default)]
pub(super) struct Returns {
    /// Those who got all that they had missed.
    pub(super) recovered: u64,
    /// Those who were told that they cannot.
    pub(super) refused: u64,
    /// The messages that came right behind the one before, whether that was heard here or at another server.
    pub(super) heard: u64,
    /// Speakers of whom somebody has everything up to the last number.
    pub(super) complete: u64,
}

impl AddAssign for Returns {
    fn add_assign(&mut self, other: Self) {
        self.recovered += other.recovered;
        self.refused += other.refused;
        self.heard += other.heard;
        self.complete += other.complete;
    }
}

/// One who comes back.
#[derive(Default)]
pub(super) struct Traveller {
    position: Option<String>,
    /// The last number of each speaker since it was last told that something is missing.
    last: BTreeMap<usize, u64>,
    returns: Returns,
}

impl Traveller {
    /// Goes from one server to the other until it is over.
    pub(super) fn start(ports: Vec<u16>, seed: u64, is_over: Arc<AtomicBool>) -> JoinHandle<Result<Self>> {
        std::thread::spawn(move || {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut below = |most: usize| random.next_u64() as usize % most;
            let mut traveller = Self::default();
            while !is_over.load(Ordering::Relaxed) {
                let mut client = traveller.connect(ports[below(ports.len())])?;
                let leaves_at = Instant::now() + Duration::from_millis(below(STAY as usize) as u64);
                while Instant::now() < leaves_at && !is_over.load(Ordering::Relaxed) {
                    if let Some(text) = client.receive_within(LOOK)? {
                        traveller.hear(&text)?;
                    }
                }
                // It breaks off, perhaps with messages on their way.
                drop(client);
                std::thread::sleep(Duration::from_millis(below(STAY as usize) as u64));
            }
            Ok(traveller)
        })
    }

    /// Comes once more when nobody speaks any more, who have said so many, and has to hear the end of what it follows.
    pub(super) fn finish(mut self, port: u16, said: &[u64], within: Duration) -> Result<Returns> {
        let mut client = self.connect(port)?;
        let end = Instant::now() + within;
        let is_at_end =
            |last: &BTreeMap<usize, u64>| last.iter().all(|(speaker, last)| last + 1 == said[*speaker]);
        let before = self.returns.recovered + self.returns.refused;
        while self.returns.recovered + self.returns.refused == before || !is_at_end(&self.last) {
            if let Some(text) = client.receive_within(LOOK)? {
                self.hear(&text)?;
            }
            if Instant::now() > end {
                bail!("it has heard up to {:?} of {said:?}", self.last);
            }
        }
        self.returns.complete += self.last.len() as u64;
        Ok(self.returns)
    }

    fn connect(&mut self, port: u16) -> Result<Client> {
        let parameter = self.position.as_ref().map(|position| format!("{PATH}@{position}"));
        Client::connect(port, &format!("{PATH}?switchboard-history={}", parameter.unwrap_or_default()))
    }

    fn hear(&mut self, text: &str) -> Result<()> {
        let envelope: Value = serde_json::from_str(text)?;
        let history = &envelope["history"];
        if history["rooms"] != json!([PATH]) {
            return Ok(());
        }
        self.position = Some(history["position"].as_str().context("no position")?.to_owned());
        match history["recovered"].as_bool() {
            Some(true) => self.returns.recovered += 1,
            Some(false) => {
                self.returns.refused += 1;
                self.last.clear();
            }
            None => {}
        }
        let Some(text) = envelope["text"].as_str() else { return Ok(()) };
        let (speaker, number) = text.split_once(' ').context("no speaker")?;
        let (speaker, number): (usize, u64) = (speaker.parse()?, number.parse()?);
        match self.last.insert(speaker, number) {
            Some(last) if last + 1 != number => {
                bail!(
                    "{number} of {speaker} comes after {last}, and nobody has told that something is missing"
                )
            }
            last => {
                self.returns.heard += u64::from(last.is_some());
                Ok(())
            }
        }
    }
}
