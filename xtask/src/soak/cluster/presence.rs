//! Clients that are present on a topic, and clients that watch who is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::client::Client;

const PATH: &str = "/socket/websocket?vsn=2.0.0";

/// For how many ms a guest stays, and is away, at most.
const STAY: u64 = 5_000;

/// How often threads look whether it is over.
const LOOK: Duration = Duration::from_millis(100);

fn join(port: u16, name: &str) -> Result<Client> {
    let mut client = Client::connect(port, PATH)?;
    client.send(&json!(["1", "1", "room:lobby", "phx_join", { "name": name }]).to_string())?;
    Ok(client)
}

/// Comes to one server after the other under a name of its own. Gives how often.
pub(super) fn come_and_go(
    number: u64,
    ports: Vec<u16>,
    seed: u64,
    is_over: Arc<AtomicBool>,
) -> JoinHandle<Result<u64>> {
    std::thread::spawn(move || {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut below = |most: usize| random.next_u64() as usize % most;
        let mut visits = 0;
        while !is_over.load(Ordering::Relaxed) {
            let mut client = join(ports[below(ports.len())], &format!("guest {number}"))?;
            visits += 1;
            let leaves_at = Instant::now() + Duration::from_millis(below(STAY as usize) as u64);
            while Instant::now() < leaves_at && !is_over.load(Ordering::Relaxed) {
                client.receive_within(LOOK)?;
            }
            // Half of them break off.
            if below(2) == 0 {
                client.close()?;
            }
        }
        Ok(visits)
    })
}

/// A client that keeps a list of who is present, as Phoenix's clients do.
pub(super) struct Watcher {
    client: Client,
    name: String,
    /// The references of each name.
    present: BTreeMap<String, BTreeSet<String>>,
}

impl Watcher {
    pub(super) fn start(index: usize, port: u16) -> Result<Self> {
        let name = format!("watcher {index}");
        Ok(Self { client: join(port, &name)?, name, present: BTreeMap::new() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes all that was told, and waits until exactly these are present, each once.
    pub(super) fn sees(&mut self, names: &[String], within: Duration) -> Result<()> {
        let end = Instant::now() + within;
        loop {
            if let Some(text) = self.client.receive_within(LOOK)? {
                self.hear(&serde_json::from_str(&text)?);
                continue;
            }
            let is_so = self.present.len() == names.len()
                && names.iter().all(|name| self.present.get(name).is_some_and(|them| them.len() == 1));
            if is_so {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("{} sees {:?}, not {names:?}", self.name, self.present);
            }
        }
    }

    fn hear(&mut self, message: &Value) {
        let entries = |value: &Value| -> Vec<(String, BTreeSet<String>)> {
            let entries = value.as_object().into_iter().flatten();
            let references = |entry: &Value| {
                let metas = entry["metas"].as_array().into_iter().flatten();
                metas.filter_map(|meta| meta["phx_ref"].as_str().map(str::to_owned)).collect()
            };
            entries.map(|(name, entry)| (name.clone(), references(entry))).collect()
        };
        match message[3].as_str() {
            Some("presence_state") => self.present = entries(&message[4]).into_iter().collect(),
            Some("presence_diff") => {
                for (name, references) in entries(&message[4]["joins"]) {
                    self.present.entry(name).or_default().extend(references);
                }
                for (name, references) in entries(&message[4]["leaves"]) {
                    if let Some(known) = self.present.get_mut(&name) {
                        known.retain(|reference| !references.contains(reference));
                        if known.is_empty() {
                            self.present.remove(&name);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}
