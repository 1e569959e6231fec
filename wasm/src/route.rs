//! Routes from outside of their callbacks: commands of user code, and what it can ask.

use switchboard_core::{ConnectionId, RouteCommand};
use wasm_bindgen::prelude::*;

use crate::{Switchboard, call};

/// A route that does not exist has no connections.
#[wasm_bindgen]
impl Switchboard {
    /// Which route has this pattern, as it was written or with one of its prefixes.
    pub fn route(&self, pattern: &str) -> Option<usize> {
        self.host.route(pattern)
    }

    /// Sends what is in scratch (1 text, 2 binary) to everyone on a route, or in its room: to how many.
    pub fn route_send(&mut self, route: usize, room: Option<String>, kind: u32, length: usize) -> usize {
        let message = call::message(kind, self.scratched(length));
        let sent =
            message.map(|message| self.host.route_command(route, RouteCommand::Send { message, room }));
        // The engine cannot refuse a message.
        sent.and_then(Result::ok).unwrap_or_default()
    }

    /// Starts the closing handshake with everyone on a route, or in its room. Gives what is wrong with a code that must
    /// not be sent.
    pub fn route_close(
        &mut self,
        route: usize,
        room: Option<String>,
        code: f64,
        reason: String,
    ) -> Option<String> {
        let closed = switchboard_core::javascript::sendable(code).and_then(|code| {
            let command = RouteCommand::Close { code: code.0, reason, room };
            self.host.route_command(route, command).map_err(|error| error.to_string())
        });
        closed.err()
    }

    /// Who is open on a route, or in its room: slot and generation of each in turn, in the order in which they came.
    pub fn route_connections(&self, route: usize, room: Option<String>) -> Vec<u32> {
        let audience = self.host.engine().audience(self.host.index(route), room.as_deref());
        audience.into_iter().flat_map(halves).collect()
    }

    /// How many are open on a route, or in its room.
    pub fn route_count(&self, route: usize, room: Option<String>) -> usize {
        self.host.engine().audience_len(self.host.index(route), room.as_deref())
    }

    /// The rooms of a route that have members, in no particular order.
    pub fn route_rooms(&self, route: usize) -> Vec<String> {
        self.host.engine().rooms(self.host.index(route)).map(str::to_owned).collect()
    }

    /// Slot and generation of the connection with this id on a route; nothing when it is not open there.
    pub fn route_connection(&self, route: usize, name: &str) -> Vec<u32> {
        let found = self.host.engine().connection_by_public_id(self.host.index(route), name);
        found.into_iter().flat_map(halves).collect()
    }
}

fn halves(id: ConnectionId) -> [u32; 2] {
    let bits = id.to_bits();
    [bits as u32, (bits >> 32) as u32]
}
