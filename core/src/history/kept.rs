//! What the broker keeps of a history, for nodes that were not there when it was said.
//!
//! The broker keeps the messages of a route as they were published, within [bounds](KeepBounds), and a *note* of each node: how
//! far the node is in all epochs that it knows, its own included. A node that says something has noted before that its own
//! number there is no longer exact, and notes the exact one when it has been silent for a while, and when it leaves. So who
//! reads both knows of each epoch how far it has come, also of those whose messages the broker has dropped.
//!
//! Reading counts only as a whole: what has been dropped meanwhile is known from the notes at its end.

use std::sync::Arc;

use bytes::Bytes;
use chacha20::ChaCha8Rng;

use super::History;
use super::epochs::kept::Runs;
use super::position::{Epoch, Numbers, Offset, Position};
use super::room::Kept;
use crate::cluster::{KeepBounds, Node};
use crate::message::Message;
use crate::time::{Instant, Now};

/// The most messages of a route that a broker keeps, unless the history of one room may have more.
const MOST_MESSAGES: usize = 10_000;

/// The most bytes of their payloads, with what nodes need beside them.
const MOST_BYTES_AT_BROKER: usize = 32 << 20;

/// The most parts in which a broker may tell of them.
const MOST_PARTS: usize = 20_000;

/// What a message costs beside its payload while it is read, in bytes.
const COST: usize = 256;

/// A node's note: its epoch in hexadecimal, whether it may have said more than it notes, and how far it is.
type Note = (String, bool, String);

/// What is known of the broker's part.
#[derive(Debug, Default)]
pub(super) struct AtBroker {
    reading: Option<Reading>,
    /// When reading began the last time.
    began: Option<Instant>,
    noted: Noted,
    /// When something was said here last.
    said: Instant,
}

/// What is read. It counts when it is there as a whole.
#[derive(Debug, Default)]
struct Reading {
    messages: Vec<Read>,
    bytes: usize,
    parts: usize,
    /// Whether it is the first one on this link: other nodes may have said something without this one.
    is_first: bool,
}

/// What the broker has of this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Noted {
    /// Nothing that is known of.
    #[default]
    Nothing,
    /// How far it is.
    Exact,
    /// That it says something.
    Speaking,
}

/// A message that was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) age: u64,
    pub(crate) node: Node,
    pub(crate) offset: Offset,
    pub(crate) rooms: Arc<[Arc<str>]>,
    pub(crate) message: Message,
}

impl History {
    /// How much the broker is to keep.
    pub(crate) fn bounds(&self) -> KeepBounds {
        let most = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        KeepBounds {
            ttl: self.settings.ttl,
            messages: most(MOST_MESSAGES.max(self.settings.size)),
            bytes: most(MOST_BYTES_AT_BROKER.max(self.settings.max_bytes)),
        }
    }

    /// There is a link to the broker: what it has noted, and what was asked of it, is not known.
    pub(crate) fn linked(&mut self) {
        self.at_broker = AtBroker { said: self.at_broker.said, ..AtBroker::default() };
    }

    /// Begins to read what the broker keeps, at most once in so many ms. True: it has to be asked.
    pub(crate) fn begin_reading(&mut self, now: Instant, pause: u64) -> bool {
        let began = &mut self.at_broker.began;
        if began.is_some_and(|began| now.ms_since(began) < pause) {
            return false;
        }
        let is_first = began.replace(now).is_none();
        self.at_broker.reading = Some(Reading { is_first, ..Reading::default() });
        true
    }

    /// Whether it is being read.
    pub(crate) fn is_reading(&self) -> bool {
        self.at_broker.reading.is_some()
    }

    /// A part was read. False: nobody has asked for it, or it is too much.
    pub(crate) fn read_part(&mut self, messages: Vec<Read>) -> bool {
        let bounds = self.bounds();
        let Some(reading) = &mut self.at_broker.reading else { return false };
        reading.parts += 1;
        reading.bytes += messages.iter().map(|read| read.message.len() + COST).sum::<usize>();
        reading.messages.extend(messages);
        // It grows while it is read.
        let is_within =
            |number: usize, most: u64| u64::try_from(number).is_ok_and(|number| number / 2 <= most);
        let is_fine = reading.parts <= MOST_PARTS
            && is_within(reading.messages.len(), bounds.messages)
            && is_within(reading.bytes, bounds.bytes);
        if !is_fine {
            self.at_broker.reading = None;
        }
        is_fine
    }

    /// All of it was read: what has not come here is kept from now on. Gives the epochs of which something may be lost to those
    /// who are here.
    pub(crate) fn read_all(&mut self, now: Now, notes: &[Bytes]) -> Numbers {
        let mut lost = Numbers::default();
        let Some(Reading { messages, is_first, .. }) = self.at_broker.reading.take() else { return lost };
        let mut runs = Runs::default();
        for read in messages {
            match read.age > self.settings.ttl {
                true => self.epochs.noted(now.instant, read.offset),
                false if self.epochs.read(now.instant, &read.node, read.offset, &mut runs) => {
                    self.add_read(now, read);
                }
                false => {}
            }
        }
        for note in notes {
            let Ok((epoch, is_speaking, position)) = serde_json::from_slice::<Note>(note) else { continue };
            let (Ok(epoch), Ok(position)) = (u64::from_str_radix(&epoch, 16), position.parse::<Position>())
            else {
                continue;
            };
            self.epochs.raise_horizon(position.horizon);
            position.numbers.iter().for_each(|offset| self.epochs.noted(now.instant, offset));
            let epoch = Epoch(epoch);
            if is_speaking && !runs.has(epoch) && self.epochs.doubt(epoch, is_first) {
                lost.raise(Offset { epoch, number: u64::MAX });
            }
        }
        lost
    }

    fn add_read(&mut self, now: Now, read: Read) {
        let Read { age, offset, rooms, message, .. } = read;
        self.count += 1;
        let until = now.instant + self.settings.ttl.saturating_sub(age);
        let everyone = [Arc::from("")];
        for name in if rooms.is_empty() { &everyone } else { &rooms[..] } {
            let kept = Kept { offset, message: message.clone(), rooms: rooms.clone(), until };
            self.change_room(name, |room, latest, settings| {
                room.insert(now.instant, latest, kept, settings);
            });
        }
    }

    /// This node is about to publish a message: the note that has to be there before, unless it is.
    pub(crate) fn speaks(&mut self, now: Now, random: &mut ChaCha8Rng) -> Option<(String, Bytes)> {
        self.at_broker.said = now.instant;
        let is_noted = self.at_broker.noted == Noted::Speaking;
        (!is_noted).then(|| self.note(now, Noted::Speaking, random))
    }

    /// The note of how far this node is, if it was silent for so many ms since it noted that it speaks.
    pub(crate) fn falls_silent(
        &mut self,
        now: Now,
        pause: u64,
        random: &mut ChaCha8Rng,
    ) -> Option<(String, Bytes)> {
        let AtBroker { noted, said, .. } = self.at_broker;
        let is_due = noted == Noted::Speaking && now.instant.ms_since(said) >= pause;
        is_due.then(|| self.note(now, Noted::Exact, random))
    }

    /// The first note on this link, unless it was given.
    pub(crate) fn first_note(&mut self, now: Now, random: &mut ChaCha8Rng) -> Option<(String, Bytes)> {
        (self.at_broker.noted == Noted::Nothing).then(|| self.note(now, Noted::Exact, random))
    }

    fn note(&mut self, now: Now, noted: Noted, random: &mut ChaCha8Rng) -> (String, Bytes) {
        self.at_broker.noted = noted;
        let (own, mut position) = self.tell(now, random);
        if noted == Noted::Speaking {
            position.numbers.remove(own);
        }
        let key = format!("{:016x}", own.0);
        let note: Note = (key.clone(), noted == Noted::Speaking, position.to_string());
        // Texts always serialize.
        (key, serde_json::to_vec(&note).unwrap_or_default().into())
    }
}
