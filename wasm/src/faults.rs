//! Faults that are switched on and off while the server runs.

use serde_json::json;
use switchboard_core::{FaultId, FaultList, FaultScope};
use wasm_bindgen::prelude::*;

use crate::{Switchboard, id};

/// Matches every path.
const EVERYWHERE: &str = "/**";

#[wasm_bindgen]
impl Switchboard {
    /// Adds faults, as JSON, for the connections of a pattern and in a room, as far as one is given. Gives JSON: `{"id":…}`,
    /// or `{"error":…}` when nothing was added.
    pub fn add_faults(&mut self, faults: &str, pattern: Option<String>, room: Option<String>) -> String {
        let scope = match (pattern, room) {
            (None, None) => FaultScope::Everything,
            (Some(pattern), None) => FaultScope::Pattern(pattern),
            (pattern, Some(room)) => {
                FaultScope::Room { pattern: pattern.unwrap_or_else(|| EVERYWHERE.to_owned()), room }
            }
        };
        self.add(scope, faults)
    }

    /// Adds faults for one connection, with the same result.
    pub fn add_connection_faults(&mut self, slot: u32, generation: u32, faults: &str) -> String {
        self.add(FaultScope::Connection(id(slot, generation)), faults)
    }

    /// Takes back the faults with this id; whether they were there.
    pub fn remove_faults(&mut self, id: f64) -> bool {
        self.host.remove_faults(FaultId::from_bits(id as u64))
    }

    /// Takes back all faults that were added.
    pub fn clear_faults(&mut self) {
        self.host.clear_faults();
    }

    fn add(&mut self, scope: FaultScope, faults: &str) -> String {
        let added = FaultList::from_json(faults).and_then(|faults| self.host.add_faults(scope, faults));
        match added {
            Ok(id) => json!({ "id": id.to_bits() }).to_string(),
            Err(error) => json!({ "error": error.to_string() }).to_string(),
        }
    }
}
