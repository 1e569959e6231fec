//! What JavaScript asks of a server, its routes and its connections.

use switchboard_core::Stats;
use wasm_bindgen::prelude::*;

use crate::{Switchboard, id};

#[wasm_bindgen]
impl Switchboard {
    /// All patterns that are served, with their prefixes, in order.
    pub fn patterns(&self) -> Vec<String> {
        self.host.patterns().to_vec()
    }

    /// How long in ms clients may take to close when the server stops.
    pub fn shutdown_grace(&self) -> f64 {
        self.host.shutdown_grace() as f64
    }

    /// How long in ms the body of a plain request may take.
    pub fn request_timeout(&self) -> f64 {
        self.host.request_timeout() as f64
    }

    /// Whether it matters which addresses requests come from.
    pub fn counts_addresses(&self) -> bool {
        self.host.counts_addresses()
    }

    /// Whether it matters at which port the server is found.
    pub fn needs_port(&self) -> bool {
        self.host.needs_port()
    }

    /// Whether the configuration asks for a cluster, in which this host takes no part.
    pub fn ignores_cluster(&self) -> bool {
        self.host.ignores_cluster()
    }

    /// Whether nothing would be lost with the engine.
    pub fn is_empty(&self) -> bool {
        self.host.engine().is_empty()
    }

    /// Whether a route serves this path, which comes without the query.
    pub fn serves(&self, path: &str) -> bool {
        self.host.engine().serves(path)
    }

    /// What is nearest to a path that no route serves.
    pub fn nearest(&self, path: &str) -> Option<String> {
        self.host.engine().nearest(path)
    }

    /// The rooms of a connection, in the order it joined them.
    pub fn rooms(&self, slot: u32, generation: u32) -> Vec<String> {
        let connection = self.host.engine().connection(id(slot, generation));
        connection
            .map(|connection| connection.rooms().map(|room| room.to_string()).collect())
            .unwrap_or_default()
    }

    /// Whether a connection is in a room.
    pub fn is_in_room(&self, slot: u32, generation: u32, room: &str) -> bool {
        let connection = self.host.engine().connection(id(slot, generation));
        connection.is_some_and(|connection| connection.is_in_room(room))
    }

    /// Whether messages can still be sent.
    pub fn is_open(&self, slot: u32, generation: u32) -> bool {
        let connection = self.host.engine().connection(id(slot, generation));
        connection.is_some_and(switchboard_core::Connection::is_open)
    }

    /// Statistics: connections, rooms, timers, calls, upstreams; then the bytes of clients and those of upstreams:
    /// received, undecoded, waiting, queued, sent, dropped.
    pub fn stats(&self) -> Vec<f64> {
        let stats = self.host.stats();
        let Stats { connections, rooms, timers, calls, upstreams, .. } = stats;
        let counts = [connections, rooms, timers, calls, upstreams].map(|count| count as f64);
        let bytes = [stats.client_bytes, stats.upstream_bytes]
            .map(|it| [it.received, it.undecoded, it.waiting, it.queued, it.sent, it.dropped])
            .map(|bytes| bytes.map(|bytes| bytes as f64));
        let recordings = [stats.recording_bytes as f64];
        counts.into_iter().chain(bytes.into_iter().flatten()).chain(recordings).collect()
    }

    /// How many messages were dropped since the start, by the route's pattern: an object as JSON.
    pub fn dropped_messages(&self) -> String {
        serde_json::json!(self.host.engine().stats().dropped_messages).to_string()
    }

    /// How long calls of user code took lately, as JSON; `None` while the control API is off.
    pub fn handler_time(&self) -> Option<String> {
        let time = self.host.engine().handler_time(self.host.now)?;
        Some(serde_json::json!(time).to_string())
    }

    /// How many messages broke the contract of their route since the start, by its pattern, as JSON.
    pub fn contract_violations(&self) -> String {
        serde_json::json!(self.host.engine().stats().contract_violations).to_string()
    }

    /// How many messages were not what a recording or a scenario expects, by the route's pattern, as JSON.
    pub fn mismatches(&self) -> String {
        serde_json::json!(self.host.engine().stats().mismatches).to_string()
    }
}
