//! How an open connection ends.

use std::time::Duration;

use super::{Engine, ServerPhase};
use crate::handler::HandlerError;
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::interface::hook::HookKind;
use crate::message::{CloseCode, CloseFrame};
use crate::protocol::Violation;
use crate::state::connection::{Closure, Connection, Phase};
use crate::state::inbox::Inbound;
use crate::state::timers::Timer;
use crate::time::Now;

impl Engine {
    /// The client's close frame: it starts the closing handshake, or answers ours.
    pub(super) fn close_received(
        &mut self,
        now: Now,
        id: ConnectionId,
        frame: Option<CloseFrame>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        match connection.phase {
            Phase::Open => {
                let echo = frame.clone();
                let frame = frame.unwrap_or_else(|| CloseFrame::new(CloseCode::NO_STATUS, ""));
                self.state.end(id, Closure::new(frame, CloseCause::Client));
                effects.push(Effect::Close { id, frame: echo });
            }
            Phase::Closing(_) | Phase::Refusing(_) => {}
            Phase::Authenticating(_) | Phase::Held | Phase::Delayed | Phase::Accepted | Phase::Closed(_) => {
                return;
            }
        }
        self.state.await_close(id, now);
        effects.push(Effect::Disconnect { id });
    }

    /// A peer broke the protocol. What it sent before is handled and answered first.
    pub(super) fn violated(
        &mut self,
        now: Now,
        id: ConnectionId,
        violation: Violation,
        effects: &mut Vec<Effect>,
    ) {
        match self.state.connections.get_mut(id) {
            Some(connection) if connection.is_open() && !connection.inbox.is_idle() => {
                connection.inbox.push(now.instant, Inbound::Violation(violation));
            }
            _ => self.fail(now, id, violation, effects),
        }
    }

    /// Closes the connection of a peer that broke the protocol, without waiting for its close frame.
    pub(super) fn fail(
        &mut self,
        now: Now,
        id: ConnectionId,
        violation: Violation,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        let (route, open) = (connection.route, connection.is_open());
        let error = HandlerError::from(violation.reason);
        if open {
            let frame = CloseFrame::new(violation.code, violation.reason);
            self.state.start_closing(id, Some(frame), now, effects);
        }
        effects.push(Effect::Disconnect { id });
        if open {
            let told = self.run(now, route, Some(id), effects, |handler, cx| handler.error(cx, &error));
            self.conclude(now, id, HookKind::Error, told, effects);
        }
    }

    /// A reader holds so many bytes now. Beyond the limit for all of them the connections that hold the most are closed,
    /// which frees what they hold.
    pub(super) fn buffered(&mut self, now: Now, id: ConnectionId, bytes: usize, effects: &mut Vec<Effect>) {
        if !self.state.connections.get(id).is_some_and(Connection::is_open) {
            return;
        }
        self.state.incomplete.set(id, bytes);
        let limit = self.state.limits.inbound_bytes;
        while self.state.incomplete.total() > limit
            && let Some((largest, bytes)) = self.state.incomplete.largest()
        {
            let (code, reason) = match bytes > limit {
                true => (CloseCode::MESSAGE_TOO_BIG, "Message too big"),
                false => (CloseCode::TRY_AGAIN_LATER, "Too many incomplete messages"),
            };
            self.state.incomplete.set(largest, 0);
            if let Some(connection) = self.state.connections.get(largest) {
                let (route, path) = (connection.route, connection.path().to_owned());
                let text = || {
                    format!(
                        "incomplete messages hold more than limits.inboundBytes ({limit}): the largest, {bytes} bytes of a \
                         client of {path}, is closed with {}",
                        code.0
                    )
                };
                self.state.log_throttle.note(now.instant, (route, "inbound"), Level::Warn, text, effects);
            }
            self.state.start_closing(largest, Some(CloseFrame::new(code, reason)), now, effects);
        }
    }

    /// More than the limit waits for a client that reads too slowly.
    pub(super) fn overflowed(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get(id).filter(|connection| connection.is_open())
        else {
            return;
        };
        let (route, path) = (connection.route, connection.path().to_owned());
        let text = || format!("a client of {path} reads too slowly and is closed with 1013");
        self.state.log_throttle.note(now.instant, (route, "overflow"), Level::Warn, text, effects);
        let frame = CloseFrame::new(CloseCode::TRY_AGAIN_LATER, "Reading too slowly");
        self.state.start_closing(id, Some(frame), now, effects);
    }

    /// Messages for a client that reads too slowly were dropped, perhaps before its connection started to close. They are
    /// counted, and the first of a burst is logged.
    pub(super) fn dropped(&mut self, now: Now, id: ConnectionId, messages: usize, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        let route = connection.route;
        self.state.routes[route].dropped_messages += messages as u64;
        let text = || {
            let pattern = &self.state.routes[route].label;
            format!(
                "{pattern} drops messages for connection {}, which reads too slowly",
                connection.public_id()
            )
        };
        self.state.log_throttle.note_burst(now.instant, (route, "dropped"), Level::Warn, text, effects);
    }

    /// The transport is gone.
    pub(super) fn disconnected(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        let closure = match connection.phase.clone() {
            Phase::Authenticating(_)
            | Phase::Held
            | Phase::Delayed
            | Phase::Accepted
            | Phase::Refusing(_) => {
                self.state.timers.cancel_all(id);
                self.forget(now, id, effects);
                return effects.push(Effect::Removed { id });
            }
            Phase::Open => {
                let frame = CloseFrame::new(CloseCode::ABNORMAL, "");
                let closure = Closure::new(frame, CloseCause::Lost);
                self.state.end(id, closure.clone());
                closure
            }
            Phase::Closing(closure) => closure,
            Phase::Closed(_) => return,
        };
        self.state.timers.cancel(Timer::Closing(id));
        if let Some(connection) = self.state.connections.get_mut(id) {
            connection.phase = Phase::Closed(closure);
        }
        self.state.release_all(id);
        self.put(now, id, Inbound::Close, effects);
    }

    /// The host is asked how much the client still has to take; one that takes nothing for too long is dropped.
    pub(super) fn close_due(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        if self.holds_close(id) {
            return self.state.await_close_anew(id, now);
        }
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        match &connection.phase {
            Phase::Closing(closure)
                if let Some(wait) = closure.wait.as_ref().filter(|wait| !wait.is_overdue(now.instant)) =>
            {
                self.state.timers.set(Timer::Closing(id), wait.next_check(now.instant));
                effects.push(Effect::ReportUnsent { id });
            }
            _ => self.state.terminate(id, CloseCause::Server, effects),
        }
    }

    /// So many bytes wait for a client whose connection is being closed.
    pub(super) fn unsent(&mut self, now: Now, id: ConnectionId, bytes: usize, effects: &mut Vec<Effect>) {
        let phase = self.state.connections.get_mut(id).map(|connection| &mut connection.phase);
        let Some(Phase::Closing(closure)) = phase else { return };
        let Some(wait) = &mut closure.wait else { return };
        wait.note_unsent(now.instant, bytes);
        if wait.is_over(now.instant) {
            self.state.terminate(id, CloseCause::Server, effects);
        }
    }

    /// Removes a connection, whose last hook has run if it had any.
    pub(super) fn forget(
        &mut self,
        now: Now,
        id: ConnectionId,
        effects: &mut Vec<Effect>,
    ) -> Option<Connection> {
        if self.state.control.is_some() {
            self.keep_ended(now, id);
        }
        let connection = self.state.connections.remove(id)?;
        self.state.abandon_upstreams(id, now, effects);
        self.free_if_unused(connection.route);
        Some(connection)
    }

    /// Stops the server: no new connections, a close frame for the others, and a deadline.
    pub(super) fn shutdown(
        &mut self,
        now: Now,
        frame: CloseFrame,
        grace: Duration,
        effects: &mut Vec<Effect>,
    ) {
        self.phase = ServerPhase::Draining;
        self.stop_sources(now, effects);
        self.remove_breakpoints(now, None, effects);
        let everyone: Vec<_> = self.state.connections.iter().map(Connection::id).collect();
        for id in everyone {
            match self.state.connections.get(id).map(|connection| connection.phase.clone()) {
                Some(Phase::Authenticating(_) | Phase::Held | Phase::Delayed) => self.decided(
                    now,
                    id,
                    crate::Admission::refuse_with(http::StatusCode::SERVICE_UNAVAILABLE),
                    effects,
                ),
                // The close frame follows when it has opened.
                Some(Phase::Accepted) => {
                    if let Some(connection) = self.state.connections.get_mut(id) {
                        connection.phase = Phase::Refusing(Box::new(frame.clone()));
                    }
                }
                _ => self.state.start_closing(id, Some(frame.clone()), now, effects),
            }
        }
        self.state.timers.set(Timer::Grace, now.instant + grace);
    }
}
