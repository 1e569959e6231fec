//! What a broker keeps of what is published, and how it fails to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use chacha20::ChaCha8Rng;
use chacha20::rand_core::Rng;
use switchboard_core::cluster::{BackplaneInput, KeepBounds, KeptMessage};

use crate::broker::draw;
use crate::trouble::Keeping;

/// How many messages are told together.
const PART: usize = 7;

/// How many messages a broker keeps that keeps badly, and the share of those that it leaves out.
const BADLY: (usize, f64) = (12, 0.02);

/// What is kept, by channel.
#[derive(Debug)]
pub(crate) struct Kept {
    keeping: Keeping,
    channels: BTreeMap<Arc<str>, Channel>,
    /// What was kept since everything was forgotten the last time.
    ever: Vec<Bytes>,
}

#[derive(Debug, Default)]
struct Channel {
    /// When each came, with its number.
    messages: VecDeque<(u64, u64, Bytes)>,
    number: u64,
    notes: BTreeMap<Arc<str>, Bytes>,
}

impl Kept {
    pub(crate) fn new(keeping: Keeping) -> Self {
        Self { keeping, channels: BTreeMap::new(), ever: Vec::new() }
    }

    pub(crate) fn ever(&self) -> &[Bytes] {
        &self.ever
    }

    pub(crate) fn forget(&mut self) {
        self.channels.clear();
        self.ever.clear();
    }

    pub(crate) fn keep(
        &mut self,
        now: u64,
        channel: &Arc<str>,
        payload: &Bytes,
        bounds: KeepBounds,
        random: &mut ChaCha8Rng,
    ) {
        let most = match self.keeping {
            Keeping::Nothing => return,
            Keeping::Well => usize::try_from(bounds.messages).unwrap_or(usize::MAX),
            Keeping::Badly if random.next_u32().is_multiple_of(200) => return self.forget(),
            Keeping::Badly if draw(random) < BADLY.1 => return,
            Keeping::Badly => BADLY.0,
        };
        let kept = self.channels.entry(channel.clone()).or_default();
        kept.number += 1;
        kept.messages.push_back((now, kept.number, payload.clone()));
        while kept
            .messages
            .front()
            .is_some_and(|(at, ..)| kept.messages.len() > most || now - at > bounds.ttl)
        {
            kept.messages.pop_front();
        }
        self.ever.push(payload.clone());
    }

    pub(crate) fn note(&mut self, channel: Arc<str>, key: Arc<str>, note: Bytes) {
        if self.keeping != Keeping::Nothing {
            self.channels.entry(channel).or_default().notes.insert(key, note);
        }
    }

    pub(crate) fn read(&self, now: u64, channel: Arc<str>, after: Option<&Bytes>) -> Option<BackplaneInput> {
        if self.keeping == Keeping::Nothing {
            return None;
        }
        let after = after.and_then(|after| after.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes);
        let none = Channel::default();
        let kept = self.channels.get(&channel).unwrap_or(&none);
        let mut rest = kept.messages.iter().filter(|(_, number, _)| *number > after).peekable();
        let part: Vec<_> = rest.by_ref().take(PART).collect();
        let next = part.last().filter(|_| rest.peek().is_some());
        let next = next.map(|(_, number, _)| Bytes::copy_from_slice(&number.to_be_bytes()));
        let notes = if next.is_none() { kept.notes.values().cloned().collect() } else { Vec::new() };
        let told =
            |(at, _, payload): &(u64, u64, Bytes)| KeptMessage { age: now - at, payload: payload.clone() };
        let messages = part.into_iter().map(told).collect();
        Some(BackplaneInput::Kept { channel, messages, next, notes })
    }
}
