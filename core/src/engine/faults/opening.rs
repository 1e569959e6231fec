//! Faults of opening handshakes.

use http::StatusCode;

use super::super::Engine;
use super::link::Link;
use crate::fault::{ClientConditions, Condition};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::protocol::Refusal;
use crate::state::connection::{Connection, Phase};
use crate::state::timers::Timer;
use crate::time::Now;

impl Engine {
    /// Lets faults happen to an opening handshake that is valid. True: it is answered, or is not to be for now.
    pub(in crate::engine) fn impair_opening(
        &mut self,
        now: Now,
        id: ConnectionId,
        effects: &mut Vec<Effect>,
    ) -> bool {
        match self.chosen_condition(id) {
            Ok(Some(condition)) => self.add_chosen(id, condition.faults()),
            Ok(None) => {}
            Err(()) => {
                let reason = "switchboard-fault names no condition that this route lets clients choose";
                self.refuse_with(now, id, Box::new(Refusal::bad_request(reason)), effects);
                return true;
            }
        }
        let (Some(faults), Some(connection)) = (&mut self.faults, self.state.connections.get(id)) else {
            return false;
        };
        let (opening, silenced_by) = faults.draw_opening(connection, now);
        if let Some(number) = silenced_by {
            let link = faults.links.entry(id).or_insert_with(|| Box::new(Link::to(connection)));
            link.silenced_by = Some(number);
        }
        if let Some(status) = opening.refuse.and_then(|status| StatusCode::from_u16(status).ok()) {
            self.note_fault(
                now,
                id,
                "refused",
                |path| format!("a fault refuses {path} with {status}"),
                effects,
            );
            self.state.explain(id, || {
                "refused on purpose: a fault is switched on for this path; take it back to let clients in"
                    .to_owned()
            });
            let refusal = Refusal::new(status, "refused on purpose: a fault is switched on for this path");
            self.refuse_with(now, id, Box::new(refusal), effects);
            return true;
        }
        if !(opening.terminate || opening.hang || opening.latency > 0) {
            return false;
        }
        if let Some(connection) = self.state.connections.get_mut(id) {
            connection.phase = Phase::Held;
        }
        if opening.terminate {
            self.note_fault(
                now,
                id,
                "drops",
                |path| format!("a fault leaves {path} without an answer"),
                effects,
            );
            effects.push(Effect::Terminate { id });
        } else if opening.hang {
            self.note_fault(now, id, "hangs", |path| format!("a fault never answers {path}"), effects);
        } else {
            self.state.timers.set(Timer::Fault(id), now.instant + opening.latency);
        }
        true
    }

    /// What the client has chosen for itself, where its route allows that; an error if there is no such thing.
    fn chosen_condition(&self, id: ConnectionId) -> Result<Option<Condition>, ()> {
        let Some(connection) = self.state.connections.get(id) else { return Ok(None) };
        let allowed = self.state.routes[connection.route].settings.client_conditions.as_slice();
        if allowed.is_empty() {
            return Ok(None);
        }
        let Some(name) = chosen_name(connection) else { return Ok(None) };
        let condition = Condition::named(&name).filter(|condition| allowed.contains(condition));
        condition.map(Some).ok_or(())
    }

    /// Tells the log what a fault does to a connection.
    pub(super) fn note_fault(
        &mut self,
        now: Now,
        id: ConnectionId,
        key: &'static str,
        text: impl FnOnce(&str) -> String,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(connection) = self.state.connections.get(id) {
            let (route, path) = (connection.route, connection.path().to_owned());
            let text = text(&path);
            if let Some(recorder) = &mut self.state.recorder
                && connection.has_opened()
            {
                recorder.fault(now, connection, &text);
                recorder.flush(effects);
            }
            self.state.log_throttle.note(now.instant, (route, key), Level::Info, || text, effects);
        }
    }
}

/// The value of the query's parameter, or of the header.
fn chosen_name(connection: &Connection) -> Option<String> {
    let mut query = form_urlencoded::parse(connection.query().as_bytes());
    let in_query =
        query.find(|(name, _)| name == ClientConditions::NAME).map(|(_, value)| value.into_owned());
    in_query.or_else(|| {
        let request = connection.request();
        Some(request.headers().get(ClientConditions::NAME)?.to_str().unwrap_or_default().to_owned())
    })
}
