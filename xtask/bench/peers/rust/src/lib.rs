//! Servers that `cargo xtask bench` measures Switchboard against, one program each.

pub mod raw;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::broadcast::Sender;

/// How many messages may wait in a room: more than the bench ever has in flight.
const WAITING: usize = 1024;

/// A broadcast channel for each path; what goes through it names its sender, who is not to hear it.
pub struct Rooms<T>(Mutex<HashMap<String, Sender<(u64, T)>>>);

impl<T: Clone> Rooms<T> {
    /// The channel of a path.
    pub fn of(&self, path: &str) -> Sender<(u64, T)> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(path.to_owned()).or_insert_with(|| Sender::new(WAITING)).clone()
    }
}

impl<T> Default for Rooms<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
