//! What user code asks of a connection.

use std::time::Duration;

use switchboard_core::javascript::sendable;
use switchboard_core::{Command, CommandError, Message};
use wasm_bindgen::prelude::*;

use crate::{Switchboard, call, id};

/// Nothing happens on a connection that is gone. What the arguments forbid is given back as text and leaves the
/// connection as it was. Nothing throws: an exception means that the engine is broken.
#[wasm_bindgen]
impl Switchboard {
    /// Passes a command to a route's dialect, in the name of a connection or of nobody. Throws an `Error` for what
    /// the dialect does not take.
    pub fn dialect_command(
        &mut self,
        route: usize,
        slot: Option<u32>,
        generation: u32,
        name: &str,
        payload: &str,
    ) -> Option<String> {
        let payload = serde_json::from_str(payload).map_err(|error| error.to_string());
        let id = slot.map(|slot| id(slot, generation));
        payload.and_then(|payload| self.host.dialect_command(route, id, name, payload)).err()
    }

    /// Sends what is in scratch: 1 text, 2 binary.
    pub fn send(&mut self, slot: u32, generation: u32, kind: u32, length: usize) {
        self.message(slot, generation, kind, length, Command::Send);
    }

    /// Sends what is in scratch to members of any of `rooms`, or to everyone on the route.
    pub fn broadcast(
        &mut self,
        slot: u32,
        generation: u32,
        kind: u32,
        length: usize,
        rooms: Option<Vec<String>>,
        include_self: bool,
    ) {
        let to_rooms = |message| Command::Broadcast { message, rooms, include_self };
        self.message(slot, generation, kind, length, to_rooms);
    }

    /// Sends what is in scratch to all rooms of the connection; without rooms to everyone on the route.
    pub fn broadcast_all_rooms(
        &mut self,
        slot: u32,
        generation: u32,
        kind: u32,
        length: usize,
        include_self: bool,
    ) {
        let to_all = |message| Command::BroadcastAllRooms { message, include_self };
        self.message(slot, generation, kind, length, to_all);
    }

    /// Joins a room.
    pub fn join(&mut self, slot: u32, generation: u32, room: String) -> Option<String> {
        self.command(slot, generation, Command::Join(room))
    }

    /// Leaves a room.
    pub fn leave(&mut self, slot: u32, generation: u32, room: String) -> Option<String> {
        self.command(slot, generation, Command::Leave(room))
    }

    /// Takes part in the route's history, in a room or on the whole route, and gets what was missed after a position.
    pub fn recover(&mut self, slot: u32, generation: u32, room: String, position: String) -> Option<String> {
        self.command(slot, generation, Command::Recover { room, position: Some(position) })
    }

    /// Sends a ping of what is in scratch.
    pub fn ping(&mut self, slot: u32, generation: u32, length: usize) -> Option<String> {
        let payload = bytes::Bytes::copy_from_slice(self.scratched(length));
        self.command(slot, generation, Command::Ping(payload))
    }

    /// Sends a pong of what is in scratch.
    pub fn pong(&mut self, slot: u32, generation: u32, length: usize) -> Option<String> {
        let payload = bytes::Bytes::copy_from_slice(self.scratched(length));
        self.command(slot, generation, Command::Pong(payload))
    }

    /// Starts the closing handshake.
    pub fn close(&mut self, slot: u32, generation: u32, code: f64, reason: String) -> Option<String> {
        match sendable(code) {
            Ok(code) => self.command(slot, generation, Command::Close { code: Some(code.0), reason }),
            Err(error) => Some(error),
        }
    }

    /// Drops the connection without a close frame.
    pub fn terminate(&mut self, slot: u32, generation: u32) -> Option<String> {
        self.command(slot, generation, Command::Terminate)
    }

    /// Pings every so many ms; 0 stops.
    pub fn heartbeat(&mut self, slot: u32, generation: u32, ms: f64) -> Option<String> {
        self.command(slot, generation, Command::Heartbeat(Some(Duration::from_millis(ms as u64))))
    }

    /// Closes after so many ms of silence; 0 stops.
    pub fn inactivity_timeout(&mut self, slot: u32, generation: u32, ms: f64) -> Option<String> {
        self.command(slot, generation, Command::InactivityTimeout(Some(Duration::from_millis(ms as u64))))
    }

    /// Counts no pong as missed.
    pub fn reset_missed_pongs(&mut self, slot: u32, generation: u32) -> Option<String> {
        self.command(slot, generation, Command::ResetMissedPongs)
    }
}

impl Switchboard {
    fn command(&mut self, slot: u32, generation: u32, command: Command) -> Option<String> {
        let result = self.host.command(id(slot, generation), command);
        result.err().map(|error: CommandError| error.to_string())
    }

    /// Of a message there is nothing that the engine could refuse, and a call that gives nothing back is much cheaper.
    fn message(
        &mut self,
        slot: u32,
        generation: u32,
        kind: u32,
        length: usize,
        command: impl FnOnce(Message) -> Command,
    ) {
        if let Some(message) = call::message(kind, self.scratched(length)) {
            // The only error that there can be is that the connection is gone.
            let _ = self.host.command(id(slot, generation), command(message));
        }
    }
}
