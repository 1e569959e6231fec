//! Who hears which kills.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexSet;
use serde_json::Value;

use super::preload::{Delivery, PreloadRequest};
use crate::interface::connection_id::ConnectionId;

/// What a client can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Systems,
    Characters,
}

impl Subject {
    pub(super) fn name(self) -> &'static str {
        match self {
            Subject::Systems => "system",
            Subject::Characters => "character",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Subject::Systems => "System",
            Subject::Characters => "Character",
        }
    }

    pub(super) fn plural(self) -> &'static str {
        match self {
            Subject::Systems => "systems",
            Subject::Characters => "characters",
        }
    }

    /// The key of the list in replies.
    pub(super) fn reply_key(self) -> &'static str {
        match self {
            Subject::Systems => "subscribed_systems",
            Subject::Characters => "subscribed_characters",
        }
    }

    /// The client's list in a payload, under any of the names that clients use.
    pub(super) fn list_in(self, payload: &Value) -> Option<&Vec<Value>> {
        let keys = match self {
            Subject::Systems => ["systems", "system_ids"],
            Subject::Characters => ["characters", "character_ids"],
        };
        keys.iter().find_map(|key| payload.get(key)?.as_array())
    }

    /// What is said when a request changes nothing.
    pub(super) fn nothing_changed(self, subscribe: bool) -> String {
        let plural = self.plural();
        match subscribe {
            true => format!("Already subscribed to all requested {plural}"),
            false => format!("Not subscribed to any of the requested {plural}"),
        }
    }
}

/// One client's subscription, from join to leave.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) id: String,
    systems: BTreeSet<u64>,
    characters: BTreeSet<u64>,
    /// What the join asked to be sent at first.
    pub(super) preload: Option<PreloadRequest>,
    /// What of it is still to be sent.
    pub(super) delivery: Option<Delivery>,
}

impl Subscription {
    pub(super) fn new(id: String) -> Self {
        Self { id, systems: BTreeSet::new(), characters: BTreeSet::new(), preload: None, delivery: None }
    }

    /// The ids, ascending.
    pub(super) fn list(&self, subject: Subject) -> Vec<u64> {
        let ids = match subject {
            Subject::Systems => &self.systems,
            Subject::Characters => &self.characters,
        };
        ids.iter().copied().collect()
    }

    fn ids_mut(&mut self, subject: Subject) -> &mut BTreeSet<u64> {
        match subject {
            Subject::Systems => &mut self.systems,
            Subject::Characters => &mut self.characters,
        }
    }
}

/// All subscriptions, by client and by what they name, so that a kill costs no more than its receivers.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    subscriptions: HashMap<ConnectionId, Subscription>,
    audiences: HashMap<(Subject, u64), IndexSet<ConnectionId>>,
}

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        self.subscriptions.len()
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Subscription> {
        self.subscriptions.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(&id)
    }

    pub(super) fn insert(&mut self, id: ConnectionId, subscription: Subscription) {
        self.forget(id);
        self.subscriptions.insert(id, subscription);
    }

    pub(super) fn forget(&mut self, id: ConnectionId) {
        for subject in [Subject::Systems, Subject::Characters] {
            let all = self.get(id).map(|subscription| subscription.list(subject)).unwrap_or_default();
            self.remove(id, subject, &all);
        }
        self.subscriptions.remove(&id);
    }

    /// Adds ids; gives back those that are new.
    pub(super) fn add(&mut self, id: ConnectionId, subject: Subject, ids: &[u64]) -> Vec<u64> {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return Vec::new();
        };
        let known = subscription.ids_mut(subject);
        let new: Vec<_> = ids.iter().copied().filter(|subject_id| known.insert(*subject_id)).collect();
        for subject_id in &new {
            self.audiences.entry((subject, *subject_id)).or_default().insert(id);
        }
        new
    }

    /// Removes ids; gives back those that were there.
    pub(super) fn remove(&mut self, id: ConnectionId, subject: Subject, ids: &[u64]) -> Vec<u64> {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return Vec::new();
        };
        let known = subscription.ids_mut(subject);
        let old: Vec<_> = ids.iter().copied().filter(|subject_id| known.remove(subject_id)).collect();
        for subject_id in &old {
            if let Some(audience) = self.audiences.get_mut(&(subject, *subject_id)) {
                audience.swap_remove(&id);
                if audience.is_empty() {
                    self.audiences.remove(&(subject, *subject_id));
                }
            }
        }
        old
    }

    /// Who named this system.
    pub(super) fn of_system(&self, system: u64) -> impl Iterator<Item = ConnectionId> {
        self.audiences.get(&(Subject::Systems, system)).into_iter().flatten().copied()
    }

    /// Who hears of a kill: by its system, its victim or an attacker, each once.
    pub(super) fn audience(&self, kill: &Value) -> IndexSet<ConnectionId> {
        let mut audience: IndexSet<_> =
            system_of(kill).into_iter().flat_map(|system| self.of_system(system)).collect();
        let attackers = kill.get("attackers").and_then(Value::as_array).into_iter().flatten();
        let people = kill.get("victim").into_iter().chain(attackers);
        for character in people.filter_map(|person| person.get("character_id")?.as_u64()) {
            audience.extend(self.audiences.get(&(Subject::Characters, character)).into_iter().flatten());
        }
        audience
    }
}

/// Where a kill happened.
pub(super) fn system_of(kill: &Value) -> Option<u64> {
    ["system_id", "solar_system_id"].iter().find_map(|key| kill.get(key)?.as_u64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::interface::connection_id::ConnectionIds;

    #[test]
    fn a_kill_reaches_everyone_once_by_system_or_character() {
        let mut ids = ConnectionIds::default();
        let [a, b, c] = [ids.allocate(), ids.allocate(), ids.allocate()];
        let mut all = Subscriptions::default();
        for id in [a, b, c] {
            all.insert(id, Subscription::new("s".into()));
        }
        assert_eq!(all.add(a, Subject::Systems, &[30, 31]), [30, 31]);
        assert_eq!(all.add(a, Subject::Systems, &[31, 32]), [32]);
        all.add(b, Subject::Characters, &[7]);
        all.add(a, Subject::Characters, &[8]);
        let kill = json!({ "solar_system_id": 30, "victim": { "character_id": 7 },
            "attackers": [{ "character_id": 8 }, {}] });
        assert_eq!(all.audience(&kill).into_iter().collect::<Vec<_>>(), [a, b]);
        assert_eq!(all.remove(a, Subject::Systems, &[30, 99]), [30]);
        assert_eq!(all.audience(&json!({ "system_id": 30 })).len(), 0);
        all.forget(a);
        all.forget(b);
        assert_eq!((all.len(), all.audiences.len()), (1, 0));
    }
}
