//! Clients that say numbers in a room, and clients that listen there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::client::Client;

/// Where the listeners are.
pub(super) const ROOM: &str = "/room/lobby";

/// How long a speaker waits between two numbers.
const PACE: Duration = Duration::from_millis(20);

/// How often threads look whether it is over.
const LOOK: Duration = Duration::from_millis(100);

/// Says one number after the other. Gives how many.
pub(super) fn speak(
    path: &'static str,
    index: usize,
    port: u16,
    is_over: Arc<AtomicBool>,
) -> JoinHandle<Result<u64>> {
    std::thread::spawn(move || {
        let mut client = Client::connect(port, path)?;
        let mut said = 0;
        while !is_over.load(Ordering::Relaxed) {
            client.send(&format!("{index} {said}"))?;
            said += 1;
            // What the others say.
            while client.receive_within(Duration::from_millis(1))?.is_some() {}
            std::thread::sleep(PACE);
        }
        Ok(said)
    })
}

/// What was heard of each speaker.
#[derive(Clone, Default)]
pub(super) struct Heard(BTreeMap<usize, Numbers>);

#[derive(Clone, Copy)]
struct Numbers {
    first: u64,
    last: u64,
    count: u64,
}

impl Heard {
    fn hear(&mut self, text: &str) -> Result<()> {
        let (speaker, number) = text.split_once(' ').context("no speaker")?;
        let (speaker, number): (usize, u64) = (speaker.parse()?, number.parse()?);
        let numbers = self.0.entry(speaker).or_insert(Numbers { first: number, last: number, count: 0 });
        if numbers.count > 0 && number <= numbers.last {
            bail!("{number} of {speaker} comes after {}", numbers.last);
        }
        *numbers = Numbers { last: number, count: numbers.count + 1, ..*numbers };
        Ok(())
    }

    /// How many messages.
    pub(super) fn count(&self) -> u64 {
        self.0.values().map(|numbers| numbers.count).sum()
    }

    /// How many are missing of each speaker since the first one that came.
    pub(super) fn missed(&self, said: &[u64]) -> Vec<u64> {
        let missed = said.iter().enumerate().map(|(speaker, said)| {
            self.0.get(&speaker).map_or(*said, |numbers| said - numbers.first - numbers.count)
        });
        missed.collect()
    }
}

/// A client that listens.
pub(super) struct Listener {
    heard: Arc<Mutex<Heard>>,
    thread: JoinHandle<Result<()>>,
}

impl Listener {
    pub(super) fn start(path: &str, port: u16, is_over: Arc<AtomicBool>) -> Result<Self> {
        let mut client = Client::connect(port, path)?;
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let hearing = heard.clone();
        let thread = std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                if let Some(text) = client.receive_within(LOOK)? {
                    hearing.lock().unwrap_or_else(PoisonError::into_inner).hear(&text)?;
                }
            }
            Ok(())
        });
        Ok(Self { heard, thread })
    }

    /// Waits until it has heard so many speakers.
    pub(super) fn hears_all_of(&self, speakers: usize, within: Duration) -> Result<()> {
        self.becomes("it does not hear everybody", within, |heard| heard.0.len() == speakers)
    }

    /// Waits until it has heard the last number of a speaker who has said so many.
    pub(super) fn is_at(&self, speaker: usize, said: u64, within: Duration) -> Result<()> {
        let is_there = |heard: &Heard| heard.0.get(&speaker).is_some_and(|numbers| numbers.last + 1 == said);
        self.becomes("it does not hear the end", within, is_there)
    }

    fn becomes(&self, what: &str, within: Duration, is_so: impl Fn(&Heard) -> bool) -> Result<()> {
        let end = Instant::now() + within;
        while !is_so(&self.heard.lock().unwrap_or_else(PoisonError::into_inner)) {
            if Instant::now() > end || self.thread.is_finished() {
                bail!("{what}");
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// All that it has heard.
    pub(super) fn end(self) -> Result<Heard> {
        super::joined(self.thread).context("who listens")?;
        Ok(self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
