//! Who is on a topic, as `Phoenix.Presence` tells it.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::elsewhere::{self, Elsewhere};
use crate::handler::HandlerError;
use crate::interface::connection_id::ConnectionId;
use crate::state::id_hash::IdHash;

/// How long a key and its meta may be, as JSON in bytes.
const MAX_META: usize = 64 * 1024;

/// The same for all of a topic: whoever joins is told all of it, and clients that are sent more than 1 MiB at once are
/// closed for reading too slowly.
const MAX_TOPIC: usize = 1 << 20;

/// The same for what one connection tracks on all topics of a route.
const MAX_CONNECTION: usize = 1 << 20;

/// The presences of all topics of a route: per key a list of *metas*, one for each connection that is tracked
/// under it.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    topics: HashMap<String, Topic>,
    /// What each connection tracks, as JSON in bytes.
    owners: HashMap<ConnectionId, usize, IdHash>,
    /// How many were ever tracked.
    tracked: u64,
    /// Who is present at the other nodes.
    pub(crate) elsewhere: Elsewhere,
}

#[derive(Debug, Default)]
struct Topic {
    keys: IndexMap<String, Vec<Tracked>>,
    /// Of all keys and metas, as JSON.
    bytes: usize,
}

#[derive(Debug)]
struct Tracked {
    owner: ConnectionId,
    meta: Map<String, Value>,
    bytes: usize,
    /// The number of its entry.
    entry: u64,
}

/// What is no longer tracked.
#[derive(Debug, PartialEq)]
pub(crate) struct Untracked {
    /// The `presence_diff` for everyone on the topic.
    pub(crate) diff: Value,
    /// The numbers of the entries.
    pub(crate) entries: Vec<u64>,
}

impl Presence {
    /// Tracks a connection under a key, or changes its meta. `reference` is the meta's new `phx_ref`. Gives the
    /// `presence_diff` for everyone on the topic, or an error for what is too large; then nothing has changed.
    pub(crate) fn track(
        &mut self,
        topic: &str,
        key: &str,
        owner: ConnectionId,
        mut meta: Map<String, Value>,
        reference: String,
    ) -> Result<Value, HandlerError> {
        let known = self.topics.get(topic);
        let metas = known.and_then(|topic| topic.keys.get(key));
        let old = metas.and_then(|metas| metas.iter().find(|tracked| tracked.owner == owner));
        if let Some(previous) = old.and_then(|old| old.meta.get("phx_ref")) {
            meta.insert("phx_ref_prev".into(), previous.clone());
        }
        meta.insert("phx_ref".into(), reference.into());
        let bytes = key.len() + serde_json::to_string(&meta)?.len();
        if bytes > MAX_META {
            return Err(format!("a presence of {bytes} bytes is too large; the most is {MAX_META}").into());
        }
        let others = known.map_or(0, |topic| topic.bytes) - old.map_or(0, |old| old.bytes);
        if others + self.elsewhere.bytes(topic) + bytes > MAX_TOPIC {
            return Err(format!("the presences of this topic would have more than {MAX_TOPIC} bytes").into());
        }
        let elsewhere = self.owners.get(&owner).copied().unwrap_or(0) - old.map_or(0, |old| old.bytes);
        if elsewhere + bytes > MAX_CONNECTION {
            return Err(format!(
                "the presences of this connection would have more than {MAX_CONNECTION} bytes"
            )
            .into());
        }
        self.owners.insert(owner, elsewhere + bytes);
        let topic = self.topics.entry(topic.to_owned()).or_default();
        topic.bytes = others + bytes;
        let metas = topic.keys.entry(key.to_owned()).or_default();
        let old = metas.iter().position(|tracked| tracked.owner == owner);
        let old = old.map(|index| metas.remove(index));
        let joins = entry(key, [meta.clone()]);
        self.tracked += u64::from(old.is_none());
        let number = old.as_ref().map_or(self.tracked, |old| old.entry);
        metas.push(Tracked { owner, meta, bytes, entry: number });
        let leaves = old.map_or_else(|| json!({}), |old| entry(key, [old.meta]));
        Ok(json!({ "joins": joins, "leaves": leaves }))
    }

    /// The number and the meta of what a connection tracks under a key.
    pub(crate) fn entry(
        &self,
        topic: &str,
        key: &str,
        owner: ConnectionId,
    ) -> Option<(u64, &Map<String, Value>)> {
        let metas = self.topics.get(topic)?.keys.get(key)?;
        let tracked = metas.iter().find(|tracked| tracked.owner == owner)?;
        Some((tracked.entry, &tracked.meta))
    }

    /// Forgets a connection under one key, or under all keys of a topic. Gives what it tracked, if that was anything.
    pub(crate) fn untrack(
        &mut self,
        topic: &str,
        key: Option<&str>,
        owner: ConnectionId,
    ) -> Option<Untracked> {
        let Topic { keys, bytes } = self.topics.get_mut(topic)?;
        let (mut leaves, mut freed, mut entries) = (Map::new(), 0, Vec::new());
        keys.retain(|name, metas| {
            if key.is_none_or(|key| key == name) {
                let gone = metas.extract_if(.., |tracked| tracked.owner == owner);
                let gone = gone.inspect(|tracked| {
                    freed += tracked.bytes;
                    entries.push(tracked.entry);
                });
                let gone: Vec<_> = gone.map(|tracked| Value::Object(tracked.meta)).collect();
                if !gone.is_empty() {
                    leaves.insert(name.clone(), json!({ "metas": gone }));
                }
            }
            !metas.is_empty()
        });
        *bytes -= freed;
        if keys.is_empty() {
            self.topics.remove(topic);
        }
        if let Some(held) = self.owners.get_mut(&owner) {
            *held -= freed;
            if *held == 0 {
                self.owners.remove(&owner);
            }
        }
        let diff = json!({ "joins": {}, "leaves": leaves });
        (!entries.is_empty()).then_some(Untracked { diff, entries })
    }

    /// The topics on which somebody is at any node, in order.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &str> {
        let here = self.topics.keys().map(String::as_str);
        let mut topics: Vec<&str> = here.chain(self.elsewhere.topics()).collect();
        topics.sort_unstable();
        topics.dedup();
        topics.into_iter()
    }

    /// The `presence_state` of a topic, of all nodes.
    pub(crate) fn state(&self, topic: &str) -> Value {
        let keys = self.topics.get(topic).into_iter().flat_map(|topic| &topic.keys);
        let entry = |(key, metas): (&String, &Vec<Tracked>)| {
            let metas: Vec<_> = metas.iter().map(|tracked| Value::Object(tracked.meta.clone())).collect();
            (key.clone(), json!({ "metas": metas }))
        };
        let mut all: Map<String, Value> = keys.map(entry).collect();
        for (key, meta) in self.elsewhere.metas(topic) {
            elsewhere::put(&mut all, key.to_owned(), meta.clone());
        }
        Value::Object(all)
    }
}

fn entry(key: &str, metas: [Map<String, Value>; 1]) -> Value {
    json!({ key: { "metas": metas } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::connection_id::ConnectionIds;

    fn meta(name: &str) -> Map<String, Value> {
        Map::from_iter([("name".to_owned(), name.into())])
    }

    #[test]
    fn a_key_is_there_while_one_of_its_connections_is() {
        let mut ids = ConnectionIds::default();
        let (a, b) = (ids.allocate(), ids.allocate());
        let mut presence = Presence::default();
        assert_eq!(
            presence.track("room", "ann", a, meta("phone"), "r1".into()).unwrap(),
            json!({ "joins": { "ann": { "metas": [{ "name": "phone", "phx_ref": "r1" }] } }, "leaves": {} })
        );
        presence.track("room", "ann", b, meta("desk"), "r2".into()).unwrap();
        assert_eq!(
            presence.state("room"),
            json!({ "ann": { "metas": [
                { "name": "phone", "phx_ref": "r1" },
                { "name": "desk", "phx_ref": "r2" },
            ] } })
        );
        assert_eq!(
            presence.untrack("room", None, a).map(|untracked| untracked.diff),
            Some(
                json!({ "joins": {}, "leaves": { "ann": { "metas": [{ "name": "phone", "phx_ref": "r1" }] } } })
            )
        );
        assert_eq!(presence.untrack("room", Some("bob"), b), None);
        assert!(presence.untrack("room", Some("ann"), b).is_some());
        assert_eq!((presence.state("room"), presence.topics.len()), (json!({}), 0));
        assert_eq!(presence.untrack("room", None, b), None);
    }

    #[test]
    fn what_all_are_told_is_bounded() {
        let mut ids = ConnectionIds::default();
        let mut presence = Presence::default();
        let track = |presence: &mut Presence, id, length: usize| {
            presence.track("room", "ann", id, meta(&"x".repeat(length)), "r".into()).map(drop)
        };
        let first = ids.allocate();
        let error = track(&mut presence, first, 65_536).unwrap_err().to_string();
        assert!(error.ends_with("is too large; the most is 65536"), "{error}");
        assert!(presence.topics.is_empty(), "nothing has changed");
        let many: Vec<_> = (0..16).map(|_| ids.allocate()).collect();
        for id in &many {
            track(&mut presence, *id, 65_000).unwrap();
            // The same again takes its place.
            track(&mut presence, *id, 65_000).unwrap();
        }
        let error = track(&mut presence, first, 10_000).unwrap_err().to_string();
        assert_eq!(error, "the presences of this topic would have more than 1048576 bytes");
        presence.untrack("room", None, many[0]);
        track(&mut presence, first, 10_000).unwrap();
        for id in many.into_iter().chain([first]) {
            presence.untrack("room", None, id);
        }
        assert!(presence.topics.is_empty() && presence.owners.is_empty());
    }

    #[test]
    fn what_one_connection_tracks_is_bounded() {
        let mut ids = ConnectionIds::default();
        let (greedy, other) = (ids.allocate(), ids.allocate());
        let mut presence = Presence::default();
        let track = |presence: &mut Presence, id, topic: &str, length: usize| {
            presence.track(topic, "ann", id, meta(&"x".repeat(length)), "r".into()).map(drop)
        };
        for topic in 0..16 {
            track(&mut presence, greedy, &topic.to_string(), 65_000).unwrap();
            // The same again takes its place.
            track(&mut presence, greedy, &topic.to_string(), 65_000).unwrap();
        }
        let error = track(&mut presence, greedy, "16", 10_000).unwrap_err().to_string();
        assert_eq!(error, "the presences of this connection would have more than 1048576 bytes");
        assert_eq!(presence.topics.len(), 16, "nothing has changed");
        track(&mut presence, other, "16", 10_000).unwrap();
        presence.untrack("3", None, greedy);
        track(&mut presence, greedy, "16", 10_000).unwrap();
        for topic in 0..17 {
            presence.untrack(&topic.to_string(), None, greedy);
        }
        assert_eq!(presence.owners.len(), 1);
    }

    #[test]
    fn a_changed_meta_names_the_one_before() {
        let id = ConnectionIds::default().allocate();
        let mut presence = Presence::default();
        presence.track("room", "ann", id, meta("here"), "r1".into()).unwrap();
        assert_eq!(
            presence.track("room", "ann", id, meta("away"), "r2".into()).unwrap(),
            json!({
                "joins": { "ann": { "metas": [{ "name": "away", "phx_ref_prev": "r1", "phx_ref": "r2" }] } },
                "leaves": { "ann": { "metas": [{ "name": "here", "phx_ref": "r1" }] } },
            })
        );
    }
}
