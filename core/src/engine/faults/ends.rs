//! Connections that faults end, and what is due for faults.

use super::super::Engine;
use crate::fault::course::End;
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::message::{CloseCode, CloseFrame};
use crate::state::connection::{Closure, Connection, Phase};
use crate::time::Now;

impl Engine {
    /// Something is due: a frame, an end, or the answer to an opening handshake.
    pub(in crate::engine) fn fault_due(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get(id) else { return };
        if connection.phase == Phase::Held {
            let route = connection.route;
            return self.authenticate(now, id, route, effects);
        }
        self.go_on_receiving(now, id, effects);
        if self
            .between(id)
            .and_then(|link| link.reading.paused_until)
            .is_some_and(|until| until <= now.instant)
        {
            self.read_on(now, id);
        }
        let Some(faults) = &mut self.faults else { return };
        faults.due.push(id);
        faults.begin(id, &self.state, now);
        let Some(link) = faults.link(id) else { return };
        if link.given_up_at.is_some_and(|at| at <= now.instant) {
            link.given_up_at = None;
            self.state.terminate(id, CloseCause::Lost, effects);
        }
    }

    /// Ends an open connection as its fault says.
    pub(super) fn end_by_fault(
        &mut self,
        now: Now,
        id: ConnectionId,
        number: u64,
        end: End,
        effects: &mut Vec<Effect>,
    ) {
        let Some(link) = self.faults.as_mut().and_then(|faults| faults.link(id)) else { return };
        link.is_ending = false;
        if !self.state.connections.get(id).is_some_and(Connection::is_open) {
            return;
        }
        match end {
            End::Close(frame) => {
                let text = |path: &str| format!("a fault closes a connection of {path} with {}", frame.code);
                self.note_fault(now, id, "closed", text, effects);
                self.state.start_closing(id, Some(frame), now, effects);
            }
            End::Terminate => {
                let text = |path: &str| format!("a fault ends a connection of {path} without a close frame");
                self.note_fault(now, id, "ended", text, effects);
                // What was sent before still reaches the client, so that the same inputs give the same outcome.
                let lost = CloseFrame::new(CloseCode::ABNORMAL, "");
                self.state.end(id, Closure::new(lost, CloseCause::Lost));
                self.state.await_close(id, now);
                effects.push(Effect::Disconnect { id });
            }
            End::HalfOpen => {
                link.silenced_by = Some(number);
                let text = |path: &str| format!("a fault makes a connection of {path} half open");
                self.note_fault(now, id, "half open", text, effects);
            }
        }
    }
}
