//! A named stream of JSON values that any dialect can serve, and which keeps the latest ones.

mod interval;
pub(crate) mod post;
mod replay;
pub(crate) mod source;
mod upstream;

use std::collections::VecDeque;
use std::hash::RandomState;
use std::sync::Arc;

use hashlink::LinkedHashMap;
use serde_json::Value;

use crate::time::WallTime;

pub use interval::IntervalSettings;
pub use post::PostSettings;
pub use replay::ReplaySettings;
pub use source::FeedSource;
pub use upstream::UpstreamSettings;

/// How many values a feed keeps, and by which key. The default keeps 100 values, without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSettings {
    /// The name by which routes and publishers refer to it.
    pub name: String,
    /// The fields that may hold a value's key; the first one present counts, and a dot goes into an object. Values
    /// without a key are kept together. Default none.
    pub key: Vec<String>,
    /// How many values are kept for each key; the oldest are dropped first. Default 100.
    pub history: usize,
    /// How many keys are kept; the one that has had no value for longest is dropped first. Default 10,000.
    pub keys: usize,
    /// How much all kept values and their keys may hold together, in bytes of memory, about. With more, those of the key
    /// that has had no value for longest are dropped, the oldest first; a value that is larger by itself is published and
    /// not kept. Default 16 MiB (16777216).
    pub max_bytes: usize,
}

impl FeedSettings {
    /// The default of [`max_bytes`](Self::max_bytes).
    pub(crate) const MAX_BYTES: usize = 16 << 20;

    /// A feed with the defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), key: Vec::new(), history: 100, keys: 10_000, max_bytes: Self::MAX_BYTES }
    }
}

/// One value of a feed, shared by everyone who serves it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FeedValue {
    /// When it was published.
    pub at: WallTime,
    /// What was published.
    pub value: Arc<Value>,
}

/// A feed, with the values that it keeps.
#[derive(Debug)]
pub struct Feed {
    settings: FeedSettings,
    /// The key with the latest value is the last one.
    /// Keys come from whoever fills the feed, so their hashes are keyed.
    piles: LinkedHashMap<String, Pile, RandomState>,
    /// What the piles hold.
    bytes: usize,
    published: u64,
}

#[derive(Debug, Default)]
struct Pile {
    /// Each with its size in bytes.
    values: VecDeque<(FeedValue, usize)>,
    count: u64,
}

impl Feed {
    /// A feed without values.
    pub fn new(settings: FeedSettings) -> Self {
        Self { settings, piles: LinkedHashMap::default(), bytes: 0, published: 0 }
    }

    /// Takes other settings, and keeps the values that it may still keep. Another key puts them under their new keys, whose
    /// counts begin with them.
    pub(crate) fn change(&mut self, settings: FeedSettings) {
        let has_same_keys = settings.key == self.settings.key;
        self.settings = settings;
        if has_same_keys {
            for pile in self.piles.values_mut() {
                self.bytes -= pile.shorten(self.settings.history);
            }
            return self.forget_surplus();
        }
        self.bytes = 0;
        let piles = std::mem::take(&mut self.piles).into_iter();
        let mut values: Vec<_> = piles.flat_map(|(_, pile)| pile.values).map(|(value, _)| value).collect();
        // Those of the same moment stay in the order of their keys.
        values.sort_by_key(|value| value.at);
        values.into_iter().for_each(|value| self.keep(value));
    }

    /// Forgets all values, and how many there were.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.settings.clone());
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// How many values were published since the start, all keys together.
    pub fn published(&self) -> u64 {
        self.published
    }

    /// How many values of this key were published since it was kept.
    pub fn count(&self, key: &str) -> u64 {
        self.piles.get(key).map_or(0, |pile| pile.count)
    }

    /// The values kept for this key, the latest first.
    pub fn history(&self, key: &str) -> impl Iterator<Item = &FeedValue> {
        self.piles.get(key).into_iter().flat_map(|pile| pile.values.iter().rev()).map(|(value, _)| value)
    }

    /// The values kept for all keys, in no particular order across keys.
    pub fn all(&self) -> impl Iterator<Item = &FeedValue> {
        self.piles.values().flat_map(|pile| pile.values.iter()).map(|(value, _)| value)
    }

    /// The key of a value: a number or text as text; the empty key for anything else, or if there is none.
    pub fn key_of(&self, value: &Value) -> String {
        let found = self.settings.key.iter().find_map(|path| field(value, path));
        match found {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    pub(crate) fn publish(&mut self, at: WallTime, value: Value) -> FeedValue {
        let value = FeedValue { at, value: Arc::new(value) };
        self.published += 1;
        self.keep(value.clone());
        value
    }

    fn keep(&mut self, value: FeedValue) {
        let key = self.key_of(&value.value);
        let size = size_of(&value.value);
        if self.piles.to_back(&key).is_none() {
            self.bytes += pile_size(&key);
            self.piles.insert(key, Pile::default());
        }
        if let Some((_, pile)) = self.piles.iter_mut().next_back() {
            pile.count += 1;
            pile.values.push_back((value, size));
            self.bytes += size;
            self.bytes -= pile.shorten(self.settings.history);
        }
        self.forget_surplus();
    }

    /// Drops what is more than may be kept.
    fn forget_surplus(&mut self) {
        while self.piles.len() > self.settings.keys.max(1) {
            self.forget_stalest();
        }
        while self.bytes > self.settings.max_bytes && !self.piles.is_empty() {
            let oldest = self.piles.iter_mut().next().and_then(|(_, pile)| pile.values.pop_front());
            match oldest {
                Some((_, size)) => self.bytes -= size,
                None => self.forget_stalest(),
            }
        }
    }

    /// Drops the key that has had no value for longest.
    fn forget_stalest(&mut self) {
        if let Some((key, pile)) = self.piles.pop_front() {
            let values: usize = pile.values.iter().map(|(_, size)| size).sum();
            self.bytes -= values + pile_size(&key);
        }
    }
}

impl Pile {
    /// Drops the oldest values beyond so many; gives their size in bytes.
    fn shorten(&mut self, history: usize) -> usize {
        let surplus = self.values.len().saturating_sub(history);
        self.values.drain(..surplus).map(|(_, size)| size).sum()
    }
}

/// What a key holds without its values, about.
fn pile_size(key: &str) -> usize {
    /// The key, its pile and its links.
    const FIXED: usize = 128;
    FIXED + key.len()
}

/// What a value holds in memory, about.
fn size_of(value: &Value) -> usize {
    /// What an entry of an object needs beside its name and its value.
    const ENTRY: usize = 32;
    let within = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size_of).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| ENTRY + name.len() + size_of(value)).sum(),
    };
    size_of_val(value) + within
}

/// The field at a dotted path.
fn field<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_feed_remembers_the_latest_of_each_key() {
        let key = vec!["system_id".to_owned(), "solar.system".to_owned()];
        let mut feed = Feed::new(FeedSettings { key, history: 2, keys: 2, ..FeedSettings::new("kills") });
        for (system, number) in [(1, 1), (1, 2), (1, 3), (2, 4)] {
            feed.publish(WallTime::default(), json!({ "system_id": system, "n": number }));
        }
        let numbers = |feed: &Feed, key: &str| {
            feed.history(key).map(|entry| entry.value["n"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!((numbers(&feed, "1"), numbers(&feed, "2")), (vec![3, 2], vec![4]));
        assert_eq!((feed.count("1"), feed.count("3"), feed.published()), (3, 0, 4));
        feed.publish(WallTime::default(), json!({ "solar": { "system": "3" }, "n": 5 }));
        assert_eq!((feed.count("1"), numbers(&feed, "3")), (0, vec![5]), "the stalest key is forgotten");
    }

    #[test]
    fn a_feed_holds_no_more_bytes_than_it_may() {
        let key = vec!["key".to_owned()];
        let settings = FeedSettings { key, max_bytes: 100_000, ..FeedSettings::new("kills") };
        let mut feed = Feed::new(settings);
        let held = |feed: &Feed| feed.all().map(|kept| size_of(&kept.value)).sum::<usize>();
        for number in 0..1_000 {
            feed.publish(WallTime::default(), json!({ "key": number % 7, "text": "x".repeat(2_000) }));
            assert!(feed.bytes <= 100_000 && held(&feed) <= feed.bytes, "{} {}", feed.bytes, held(&feed));
        }
        assert!(held(&feed) > 90_000, "as much as may be is kept: {}", held(&feed));
        assert!(feed.history("5").next().is_some(), "of the latest key too");
        feed.publish(WallTime::default(), json!({ "key": "k".repeat(200_000) }));
        assert_eq!((feed.bytes, feed.all().count(), feed.published()), (0, 0, 1_001));
        let keyless = FeedSettings { history: 0, ..feed.settings.clone() };
        let mut feed = Feed::new(keyless);
        for number in 0..1_000 {
            feed.publish(WallTime::default(), json!({ "key": format!("{number}{}", "k".repeat(1_000)) }));
            assert!(feed.bytes <= 100_000 && feed.piles.len() < 100, "keys count without values too");
        }
    }
}
