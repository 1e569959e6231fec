//! A named stream of JSON values that any dialect can serve, with a bounded memory.

mod interval;
pub(crate) mod post;
mod replay;
pub(crate) mod source;
mod upstream;

use std::collections::VecDeque;
use std::sync::Arc;

use hashlink::LinkedHashMap;
use serde_json::Value;

use crate::time::WallTime;

pub use interval::IntervalSettings;
pub use post::PostSettings;
pub use replay::ReplaySettings;
pub use source::FeedSource;
pub use upstream::UpstreamSettings;

/// What a feed remembers and by what. The default remembers 100 values in one pile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSettings {
    /// What routes and publishers call it.
    pub name: String,
    /// The fields that may hold a value's key, the first one present wins; dots go into objects. Values
    /// without a key are remembered together. Default none.
    pub key: Vec<String>,
    /// Values remembered per key, the oldest forgotten first. Default 100.
    pub history: usize,
    /// Keys remembered, the one without news for longest forgotten first. Default 10,000.
    pub keys: usize,
}

impl FeedSettings {
    /// A feed with the defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), key: Vec::new(), history: 100, keys: 10_000 }
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

/// A feed's memory.
#[derive(Debug)]
pub struct Feed {
    settings: FeedSettings,
    /// The key with the latest news stands last.
    piles: LinkedHashMap<String, Pile>,
    published: u64,
}

#[derive(Debug, Default)]
struct Pile {
    values: VecDeque<FeedValue>,
    count: u64,
}

impl Feed {
    /// A feed that remembers nothing yet.
    pub fn new(settings: FeedSettings) -> Self {
        Self { settings, piles: LinkedHashMap::new(), published: 0 }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// How many values were published since the start, all keys together.
    pub fn published(&self) -> u64 {
        self.published
    }

    /// How many values of this key were published while it was remembered.
    pub fn count(&self, key: &str) -> u64 {
        self.piles.get(key).map_or(0, |pile| pile.count)
    }

    /// The remembered values of this key, the latest first.
    pub fn history(&self, key: &str) -> impl Iterator<Item = &FeedValue> {
        self.piles.get(key).into_iter().flat_map(|pile| pile.values.iter().rev())
    }

    /// The remembered values of all keys, in no particular order across keys.
    pub fn all(&self) -> impl Iterator<Item = &FeedValue> {
        self.piles.values().flat_map(|pile| pile.values.iter())
    }

    /// The key of a value: numbers and text as text, everything else and nothing at all as the empty key.
    pub fn key_of(&self, value: &Value) -> String {
        let found = self.settings.key.iter().find_map(|path| field(value, path));
        match found {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    pub(crate) fn publish(&mut self, at: WallTime, value: Value) -> FeedValue {
        let key = self.key_of(&value);
        let value = FeedValue { at, value: Arc::new(value) };
        self.published += 1;
        let history = self.settings.history;
        let remember = |pile: &mut Pile| {
            pile.count += 1;
            pile.values.push_back(value.clone());
            while pile.values.len() > history {
                pile.values.pop_front();
            }
        };
        match self.piles.to_back(&key) {
            Some(pile) => remember(pile),
            None => {
                let mut pile = Pile::default();
                remember(&mut pile);
                self.piles.insert(key, pile);
                while self.piles.len() > self.settings.keys.max(1) {
                    self.piles.pop_front();
                }
            }
        }
        value
    }
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
}
