//! A named stream of JSON values that any dialect can serve, and which keeps the latest ones.

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

/// A feed, with the values that it keeps.
#[derive(Debug)]
pub struct Feed {
    settings: FeedSettings,
    /// The key with the latest value is the last one.
    piles: LinkedHashMap<String, Pile>,
    published: u64,
}

#[derive(Debug, Default)]
struct Pile {
    values: VecDeque<FeedValue>,
    count: u64,
}

impl Feed {
    /// A feed without values.
    pub fn new(settings: FeedSettings) -> Self {
        Self { settings, piles: LinkedHashMap::new(), published: 0 }
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
        self.piles.get(key).into_iter().flat_map(|pile| pile.values.iter().rev())
    }

    /// The values kept for all keys, in no particular order across keys.
    pub fn all(&self) -> impl Iterator<Item = &FeedValue> {
        self.piles.values().flat_map(|pile| pile.values.iter())
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
