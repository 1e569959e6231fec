//! Who is on a topic at the other nodes of the cluster.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::cluster::{EntryChange, Node};

/// The presences of the other nodes, which each of them tells in its entries.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    topics: HashMap<String, Topic>,
    /// On which topic each entry is.
    entries: HashMap<Entry, String>,
}

/// A node and the key of one of its entries.
type Entry = (Node, Arc<str>);

#[derive(Debug, Default)]
struct Topic {
    /// In the order of the nodes, and of each by its keys.
    tracked: BTreeMap<Entry, Tracked>,
    bytes: usize,
}

#[derive(Debug)]
struct Tracked {
    key: String,
    meta: Map<String, Value>,
    bytes: usize,
}

/// Who has come to a topic and who has left it: metas by key.
#[derive(Debug, Default)]
struct Diff {
    joins: Map<String, Value>,
    leaves: Map<String, Value>,
}

/// The entry of a presence.
pub(crate) fn encode(topic: &str, key: &str, meta: &Map<String, Value>) -> Bytes {
    json!([topic, key, meta]).to_string().into()
}

impl Elsewhere {
    /// Entries of a node have changed. Gives the `presence_diff` of each topic on which that makes a difference.
    pub(crate) fn change(&mut self, node: &Node, changes: Vec<EntryChange>) -> BTreeMap<String, Value> {
        let mut diffs: BTreeMap<String, Diff> = BTreeMap::new();
        for (key, value) in changes {
            let entry = (node.clone(), key);
            if let Some((topic, gone)) = self.remove(&entry) {
                put(&mut diffs.entry(topic).or_default().leaves, gone.key, gone.meta);
            }
            let Some(value) = value else { continue };
            let Ok((name, key, meta)) = serde_json::from_slice::<(String, String, Map<_, _>)>(&value) else {
                continue;
            };
            put(&mut diffs.entry(name.clone()).or_default().joins, key.clone(), meta.clone());
            let topic = self.topics.entry(name.clone()).or_default();
            topic.bytes += value.len();
            topic.tracked.insert(entry.clone(), Tracked { key, meta, bytes: value.len() });
            self.entries.insert(entry, name);
        }
        let diffs = diffs.into_iter();
        diffs
            .map(|(topic, Diff { joins, leaves })| (topic, json!({ "joins": joins, "leaves": leaves })))
            .collect()
    }

    /// The key and the meta of everyone on a topic.
    pub(crate) fn metas(&self, topic: &str) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        let tracked = self.topics.get(topic).into_iter().flat_map(|topic| topic.tracked.values());
        tracked.map(|tracked| (tracked.key.as_str(), &tracked.meta))
    }

    /// The topics on which somebody is.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(String::as_str)
    }

    /// How large the presences of a topic are, in bytes, about.
    pub(crate) fn bytes(&self, topic: &str) -> usize {
        self.topics.get(topic).map_or(0, |topic| topic.bytes)
    }

    fn remove(&mut self, entry: &Entry) -> Option<(String, Tracked)> {
        let name = self.entries.remove(entry)?;
        let topic = self.topics.get_mut(&name)?;
        let gone = topic.tracked.remove(entry)?;
        topic.bytes -= gone.bytes;
        if topic.tracked.is_empty() {
            self.topics.remove(&name);
        }
        Some((name, gone))
    }
}

/// Adds a meta to those of a key.
pub(super) fn put(keys: &mut Map<String, Value>, key: String, meta: Map<String, Value>) {
    let entry = keys.entry(key).or_insert_with(|| json!({ "metas": [] }));
    if let Some(metas) = entry["metas"].as_array_mut() {
        metas.push(meta.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> Node {
        Node { name: name.into(), incarnation: 1 }
    }

    fn meta(name: &str) -> Map<String, Value> {
        Map::from_iter([("name".to_owned(), name.into())])
    }

    #[test]
    fn changes_of_entries_are_diffs_of_their_topics() {
        let mut elsewhere = Elsewhere::default();
        let set =
            |key: &str, topic: &str, name: &str| (Arc::from(key), Some(encode(topic, "ann", &meta(name))));
        let diffs = elsewhere.change(&node("a"), vec![set("1", "x", "phone"), set("2", "y", "desk")]);
        let joins = |name: &str| json!({ "joins": { "ann": { "metas": [{ "name": name }] } }, "leaves": {} });
        assert_eq!(diffs, BTreeMap::from([("x".into(), joins("phone")), ("y".into(), joins("desk"))]));
        let diffs = elsewhere.change(&node("a"), vec![set("1", "x", "away"), ("2".into(), None)]);
        assert_eq!(
            diffs["x"],
            json!({ "joins": { "ann": { "metas": [{ "name": "away" }] } }, "leaves": { "ann": { "metas": [{ "name": "phone" }] } } })
        );
        assert_eq!(diffs["y"]["leaves"], json!({ "ann": { "metas": [{ "name": "desk" }] } }));
        assert_eq!(elsewhere.change(&node("b"), vec![("1".into(), None)]), BTreeMap::new(), "another node");
        assert_eq!(elsewhere.change(&node("a"), vec![("3".into(), Some("x".into()))]), BTreeMap::new());
        assert_eq!(elsewhere.metas("x").collect::<Vec<_>>(), [("ann", &meta("away"))]);
        elsewhere.change(&node("a"), vec![("1".into(), None)]);
        assert!(elsewhere.topics.is_empty() && elsewhere.entries.is_empty());
    }
}
