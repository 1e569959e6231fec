//! What handlers, and user code by a [`Command`], do with the connection in focus: rooms, closing, heartbeat, inactivity.

use std::time::Duration;

use super::Context;
use crate::handler::command::{Command, CommandError};
use crate::interface::close_cause::CloseCause;
use crate::message::{CloseCode, CloseFrame};
use crate::state::connection::Connection;
use crate::state::heartbeat::{Heartbeat, Inactivity};
use crate::state::limits::Limits;
use crate::state::timers::Timer;
use crate::time;

impl Context<'_> {
    /// Joins a room. Joining twice is joining once.
    pub fn join(&mut self, room: &str) -> Result<(), CommandError> {
        let limits = &self.state.limits;
        let Some(connection) = self.id.and_then(|id| self.state.connections.get_mut(id)) else {
            return Ok(());
        };
        if !connection.is_open() || connection.is_in_room(room) {
            return Ok(());
        }
        check_room(limits, connection, room)?;
        let name = self.state.routes[self.route].rooms.join(connection.id, room);
        if let Some(trace) = &mut self.state.trace {
            trace.joined(connection, &name);
        }
        connection.rooms.get_or_insert_default().insert(name.clone());
        self.state.has_entered(self.route, Some(&name), self.effects);
        if self.state.routes[self.route].history.is_some() {
            self.tell_history(room);
        }
        Ok(())
    }

    /// Leaves a room; nothing happens when it was not in it.
    pub fn leave(&mut self, room: &str) {
        if let Some(connection) = self.id.and_then(|id| self.state.connections.get_mut(id))
            && connection.rooms.as_mut().is_some_and(|rooms| rooms.shift_remove(room))
        {
            let route = &mut self.state.routes[self.route];
            route.rooms.leave(connection.id, room);
            if let Some(history) = &mut route.history {
                history.has_left(connection.id, room);
            }
            if let Some(trace) = &mut self.state.trace {
                trace.left(connection, room);
            }
            self.state.has_left(self.route, Some(room));
        }
    }

    /// Starts the closing handshake. Nothing can be sent after it.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), CommandError> {
        if !code.is_sendable() {
            return Err(CommandError::CloseCode(code.0));
        }
        if let Some(id) = self.id {
            let frame = CloseFrame::new(code, reason);
            self.state.start_closing(id, Some(frame), self.now, self.effects);
        }
        Ok(())
    }

    /// Drops the connection without a close frame; the client sees 1006.
    pub fn terminate(&mut self) {
        if let Some(id) = self.id {
            self.state.terminate(id, CloseCause::Server, self.effects);
        }
    }

    /// Ends the connection without a close frame when what was sent is written; the client sees 1006.
    pub fn disconnect(&mut self) {
        if let Some(id) = self.id {
            self.state.disconnect(id, self.now, self.effects);
        }
    }

    /// Starts the heartbeat anew; `None` or zero stops it.
    pub fn set_heartbeat(&mut self, interval: Option<Duration>) {
        let now = self.now.instant;
        let Some(connection) = self.connection_mut().filter(|connection| connection.is_open()) else {
            return;
        };
        connection.heartbeat = Heartbeat::start(interval.map(time::ms));
        let (timer, interval) = (Timer::Heartbeat(connection.id), connection.heartbeat.interval);
        match interval {
            Some(ms) => self.state.timers.set(timer, now + ms.get()),
            None => self.state.timers.cancel(timer),
        }
    }

    /// Starts the inactivity timeout anew; `None` or zero stops it.
    pub fn set_inactivity_timeout(&mut self, timeout: Option<Duration>) {
        let now = self.now.instant;
        let Some(connection) = self.connection_mut().filter(|connection| connection.is_open()) else {
            return;
        };
        connection.inactivity = Inactivity::start(timeout.map(time::ms), now);
        let (timer, deadline) = (Timer::Inactivity(connection.id), connection.inactivity.deadline());
        match deadline {
            Some(deadline) => self.state.timers.set(timer, deadline),
            None => self.state.timers.cancel(timer),
        }
    }

    /// Changes the inactivity timeout that this handler had set for the connection. Where a handler sets none, the route's
    /// own counts. The silence so far counts.
    pub(crate) fn change_inactivity_timeout(&mut self, timeouts: (Option<Duration>, Option<Duration>)) {
        let own = self.state.routes[self.route].settings.inactivity_timeout;
        if let Some(id) = self.id {
            let timeouts = (timeouts.0.or(own), timeouts.1.or(own));
            self.state.change_inactivity(id, timeouts, self.now.instant);
        }
    }

    /// Carries out a request of the user's code for this connection.
    pub fn apply(&mut self, command: Command) -> Result<(), CommandError> {
        match command {
            Command::Send(message) => {
                let id = self.id.ok_or(CommandError::Closed)?;
                return self.try_send_to(id, message);
            }
            Command::Broadcast { message, rooms: None, include_self: true } => {
                self.broadcast_to_all(message);
            }
            Command::Broadcast { message, rooms: None, include_self: false } => self.broadcast(message),
            Command::Broadcast { message, rooms: Some(rooms), include_self } => {
                self.broadcast_to(rooms, include_self, message);
            }
            Command::BroadcastAllRooms { message, include_self } => {
                self.broadcast_all_rooms(include_self, message);
            }
            Command::Join(room) => return self.join(&room),
            Command::Leave(room) => self.leave(&room),
            Command::Recover { room, position } => return self.recover(&room, position.as_deref()),
            Command::Ping(payload) => return self.ping(payload),
            Command::Pong(payload) => return self.pong(payload),
            Command::Close { code: Some(code), reason } => return self.close(CloseCode(code), &reason),
            Command::Close { code: None, .. } => {
                if let Some(id) = self.id {
                    self.state.start_closing(id, None, self.now, self.effects);
                }
            }
            Command::Terminate => self.terminate(),
            Command::Heartbeat(interval) => self.set_heartbeat(interval),
            Command::InactivityTimeout(timeout) => self.set_inactivity_timeout(timeout),
            Command::ResetMissedPongs => {
                if let Some(connection) = self.connection_mut() {
                    connection.heartbeat.answered();
                }
            }
        }
        Ok(())
    }
}

/// Whether a connection may join one more room, of this name.
pub(super) fn check_room(limits: &Limits, connection: &Connection, room: &str) -> Result<(), CommandError> {
    let (max_name, max_rooms) = (limits.room_name_bytes, limits.rooms_per_connection);
    if room.len() > max_name {
        return Err(CommandError::RoomName { length: room.len(), limit: max_name });
    }
    if connection.rooms_len() >= max_rooms {
        return Err(CommandError::TooManyRooms(max_rooms));
    }
    Ok(())
}
