//! Who is on a topic, as `Phoenix.Presence` tells it.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::interface::connection_id::ConnectionId;

/// The presences of all topics of a route: per key a list of *metas*, one for each connection that is tracked
/// under it.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    topics: HashMap<String, IndexMap<String, Vec<Tracked>>>,
}

#[derive(Debug)]
struct Tracked {
    owner: ConnectionId,
    meta: Map<String, Value>,
}

impl Presence {
    /// Tracks a connection under a key, or changes its meta. `reference` is the meta's new `phx_ref`. Gives the
    /// `presence_diff` for everyone on the topic.
    pub(crate) fn track(
        &mut self,
        topic: &str,
        key: &str,
        owner: ConnectionId,
        mut meta: Map<String, Value>,
        reference: String,
    ) -> Value {
        let metas = self.topics.entry(topic.to_owned()).or_default().entry(key.to_owned()).or_default();
        let old = metas.iter().position(|tracked| tracked.owner == owner);
        let old = old.map(|index| metas.remove(index).meta);
        if let Some(previous) = old.as_ref().and_then(|old| old.get("phx_ref")) {
            meta.insert("phx_ref_prev".into(), previous.clone());
        }
        meta.insert("phx_ref".into(), reference.into());
        let joins = entry(key, [meta.clone()]);
        metas.push(Tracked { owner, meta });
        let leaves = old.map_or_else(|| json!({}), |old| entry(key, [old]));
        json!({ "joins": joins, "leaves": leaves })
    }

    /// Forgets a connection under one key, or under all keys of a topic. Gives the `presence_diff` if it was
    /// tracked.
    pub(crate) fn untrack(&mut self, topic: &str, key: Option<&str>, owner: ConnectionId) -> Option<Value> {
        let keys = self.topics.get_mut(topic)?;
        let mut leaves = Map::new();
        keys.retain(|name, metas| {
            if key.is_none_or(|key| key == name) {
                let gone = metas.extract_if(.., |tracked| tracked.owner == owner);
                let gone: Vec<_> = gone.map(|tracked| Value::Object(tracked.meta)).collect();
                if !gone.is_empty() {
                    leaves.insert(name.clone(), json!({ "metas": gone }));
                }
            }
            !metas.is_empty()
        });
        if keys.is_empty() {
            self.topics.remove(topic);
        }
        (!leaves.is_empty()).then(|| json!({ "joins": {}, "leaves": leaves }))
    }

    /// The `presence_state` of a topic.
    pub(crate) fn state(&self, topic: &str) -> Value {
        let keys = self.topics.get(topic).into_iter().flatten();
        let entry = |(key, metas): (&String, &Vec<Tracked>)| {
            let metas: Vec<_> = metas.iter().map(|tracked| Value::Object(tracked.meta.clone())).collect();
            (key.clone(), json!({ "metas": metas }))
        };
        Value::Object(keys.map(entry).collect())
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
            presence.track("room", "ann", a, meta("phone"), "r1".into()),
            json!({ "joins": { "ann": { "metas": [{ "name": "phone", "phx_ref": "r1" }] } }, "leaves": {} })
        );
        presence.track("room", "ann", b, meta("desk"), "r2".into());
        assert_eq!(
            presence.state("room"),
            json!({ "ann": { "metas": [
                { "name": "phone", "phx_ref": "r1" },
                { "name": "desk", "phx_ref": "r2" },
            ] } })
        );
        assert_eq!(
            presence.untrack("room", None, a),
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
    fn a_changed_meta_names_the_one_before() {
        let id = ConnectionIds::default().allocate();
        let mut presence = Presence::default();
        presence.track("room", "ann", id, meta("here"), "r1".into());
        assert_eq!(
            presence.track("room", "ann", id, meta("away"), "r2".into()),
            json!({
                "joins": { "ann": { "metas": [{ "name": "away", "phx_ref_prev": "r1", "phx_ref": "r2" }] } },
                "leaves": { "ann": { "metas": [{ "name": "here", "phx_ref": "r1" }] } },
            })
        );
    }
}
