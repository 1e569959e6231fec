//! Faults through the control API.

use bytes::Bytes;
use http::Response;

use super::acting::done;
use super::{Failure, bad_request, not_found, view};
use crate::control::body::{self, AddFaults, Target};
use crate::control::view::{FaultView, FaultsView};
use crate::engine::Engine;
use crate::engine::faults::{FaultId, FaultScope};
use crate::fault::FaultList;
use crate::interface::effect::Effect;
use crate::time::Now;

/// How many additions are listed; of more, the latest.
const LISTED: usize = 1_000;

type Answer = Result<Response<Bytes>, Failure>;

impl Engine {
    pub(super) fn view_faults(&self) -> Answer {
        let faults = self.state.control.as_ref().map(|control| control.faults.clone());
        view(&FaultsView { faults: faults.unwrap_or_default(), added: self.added_faults() })
    }

    pub(super) fn add_written_faults(&mut self, now: Now, body: &[u8]) -> Answer {
        let add: AddFaults = body::read(body).map_err(bad_request)?;
        let target = add.target().map_err(bad_request)?;
        let faults =
            FaultList::from_value(add.faults.clone()).map_err(|error| bad_request(error.to_string()))?;
        let mut added = FaultView { id: 0, connection: None, route: None, room: None, faults: add.faults };
        let scope = match target {
            Target::Everyone => FaultScope::Everything,
            Target::Connection(name) => {
                let id = self.named_connection(&name)?.id();
                added.connection = Some(name);
                FaultScope::Connection(id)
            }
            Target::Route { route, room } => {
                (added.route, added.room) = (Some(route.clone()), room.clone());
                match room {
                    Some(room) => FaultScope::Room { pattern: route, room },
                    None => FaultScope::Pattern(route),
                }
            }
        };
        let id = self.take_faults(now, scope, faults).map_err(|error| bad_request(error.to_string()))?;
        added.id = id.to_bits();
        if let Some(control) = &mut self.state.control {
            if control.faults.len() >= LISTED {
                control.faults.remove(0);
            }
            control.faults.push(added.clone());
        }
        view(&added)
    }

    pub(super) fn remove_named_faults(&mut self, now: Now, name: &str, effects: &mut Vec<Effect>) -> Answer {
        let id: Option<u64> = name.parse().ok();
        let known = |id: u64| {
            let control = self.state.control.as_ref();
            control.is_some_and(|control| control.faults.iter().any(|added| added.id == id))
        };
        let Some(id) = id.filter(|id| known(*id)) else {
            let shown: String = name.chars().take(100).collect();
            return Err(not_found(format!("there are no faults {shown:?}; adding them has given their id")));
        };
        if let Some(control) = &mut self.state.control {
            control.faults.retain(|added| added.id != id);
        }
        done(usize::from(self.remove_faults(now, FaultId::from_bits(id), effects)))
    }

    pub(super) fn clear_all_faults(&mut self, now: Now, effects: &mut Vec<Effect>) -> Answer {
        let added = self.added_faults();
        self.forget_faults(now, effects);
        done(added)
    }

    pub(super) fn forget_faults(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.clear_faults(now, effects);
        if let Some(control) = &mut self.state.control {
            control.faults.clear();
        }
    }
}
