//! What comes from clients, on its way to the engine.

use super::super::Engine;
use super::Faults;
use crate::control::event::MessageDirection;
use crate::fault::FaultStage;
use crate::fault::course::Fate;
use crate::fault::line::{Kind, Passage};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::input::Input;
use crate::message::{Message, Text};
use crate::protocol;
use crate::state::State;
use crate::time::Now;

/// From so many bytes on that are on their way from a client, it is not read: as many as may wait for a handler.
const MOST_RECEIVED: usize = 512 * 1024;

/// How long in ms a client that closes may wait for the answer of a connection that is half open. Clients give up before.
const UNHEARD_CLOSE: u64 = 60_000;

/// A client's frame has a mask.
const MASK_BYTES: usize = 4;

impl Engine {
    /// Takes an input, which may be lost, late or changed.
    pub(in crate::engine) fn receive(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        let Some(faults) = &mut self.faults else { return self.input(now, input, effects) };
        match input {
            Input::Message { id, .. }
            | Input::Ping { id, .. }
            | Input::Pong { id, .. }
            | Input::CloseReceived { id, .. }
            | Input::Violated { id, .. }
            | Input::Disconnected { id }
                if faults.links.contains_key(&id) =>
            {
                faults.touched.push(id);
                faults.take(now, id, input, &self.state);
                self.go_on_receiving(now, id, effects);
            }
            Input::Opened { id } => {
                self.input(now, input, effects);
                if let Some(faults) = &mut self.faults {
                    faults.meet(id, &self.state, now);
                    faults.restart(id, now);
                    faults.begin(id, &self.state, now);
                }
            }
            Input::Unsent { id, bytes } => {
                let waiting = faults.link(id).map_or(0, |link| link.sent.bytes());
                self.input(now, Input::Unsent { id, bytes: bytes + waiting }, effects);
            }
            Input::Full { id } | Input::Drained { id } if faults.links.contains_key(&id) => {
                let is_full = matches!(input, Input::Full { .. });
                faults.fill(id, |fill| fill.outbox = is_full);
            }
            input => self.input(now, input, effects),
        }
    }

    /// Gives the engine what has come by now.
    pub(super) fn go_on_receiving(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        while let Some(link) = self.faults.as_mut().and_then(|faults| faults.link(id))
            && let Some(input) = link.received.take_due(now.instant)
        {
            self.input(now, input, effects);
        }
    }
}

impl Faults {
    /// Decides what becomes of an input, and puts it on its way.
    fn take(&mut self, now: Now, id: ConnectionId, input: Input, state: &State) {
        let Self { rules, links, ends, breakpoints, .. } = self;
        let (Some(link), Some(connection)) = (links.get_mut(&id), state.connections.get(id)) else { return };
        if let Input::Disconnected { .. } = input {
            // What it has sent before comes first; nothing can be sent to it any more.
            self.end_held(id, None);
            let Some(link) = self.links.get_mut(&id) else { return };
            link.is_gone = true;
            link.sent.clear();
            let passage = Passage { kind: Kind::Last, ..Passage::default() };
            return link.received.push(now.instant, input, passage);
        }
        if link.silenced_by.is_some() {
            if let Input::CloseReceived { .. } = input {
                link.given_up_at = Some(now.instant + UNHEARD_CLOSE);
            }
            return;
        }
        let Input::Message { id, message } = input else {
            let kind = match input {
                Input::CloseReceived { .. } | Input::Violated { .. } => Kind::Last,
                _ => Kind::Control,
            };
            let mut passage = Passage { bytes: client_bytes(0), kind, ..Passage::default() };
            for (number, course) in &link.courses {
                if let Some(rule) = rules.get(number)
                    && rule.fault.on == Some(FaultStage::Receive)
                    && rule.is_for(connection)
                {
                    course.pass_control(&rule.fault, rule.used, now.instant, &mut passage);
                }
            }
            return link.received.push(now.instant, input, passage);
        };
        let mut fate = Fate::default();
        (fate.passage.bytes, fate.passage.kind) = (client_bytes(message.len()), Kind::Message);
        let mut ending = None;
        for (number, course) in &mut link.courses {
            if let Some(rule) = rules.get_mut(number)
                && rule.fault.is_about(FaultStage::Receive)
            {
                let is_for = rule.is_for(connection);
                course.pass(&rule.fault, &mut rule.used, is_for, now.instant, &mut fate);
                if ending.is_none() && fate.end.is_some() {
                    ending = Some(*number);
                }
            }
        }
        if !fate.is_lost {
            let message = truncated(message, fate.truncate);
            for _ in 0..fate.copies() {
                let held = match link.has_breakpoint {
                    true => breakpoints.catch(now, connection, MessageDirection::In, &message),
                    false => None,
                };
                let (message, passage) = (message.clone(), Passage { held, ..fate.passage });
                link.received.push(now.instant, Input::Message { id, message }, passage);
            }
        }
        if let (Some(number), Some(end)) = (ending, fate.end) {
            link.is_ending = true;
            ends.push((id, (number, end)));
        }
    }

    /// Whether a client is to be read, by what is on its way from it.
    pub(super) fn update_reading(&mut self, id: ConnectionId, limit: usize, effects: &mut Vec<Effect>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let (messages, bytes) = (link.received.len(), link.received.bytes());
        let reading = &mut link.reading;
        reading.line_pauses = match reading.line_pauses {
            false => messages >= limit.max(1) || bytes >= MOST_RECEIVED,
            true => messages > limit / 2 || bytes > MOST_RECEIVED / 2,
        };
        let is_paused = reading.line_pauses || reading.engine_pauses || reading.paused_until.is_some();
        if std::mem::replace(&mut reading.is_paused, is_paused) != is_paused && !link.is_gone {
            effects.push(if is_paused { Effect::Pause { id } } else { Effect::Resume { id } });
        }
    }
}

/// The bytes of a client's frame.
pub(super) fn client_bytes(payload: usize) -> usize {
    protocol::encoded_length(payload) + MASK_BYTES + payload
}

/// The beginning of a message; text ends before a character that does not fit.
pub(super) fn truncated(message: Message, left: Option<usize>) -> Message {
    match (message, left) {
        (message, None) => message,
        (Message::Binary(bytes), Some(left)) => Message::Binary(bytes.slice(..left.min(bytes.len()))),
        (Message::Text(text), Some(left)) => {
            let text = text.as_str();
            Message::Text(Text::from(&text[..text.floor_char_boundary(left)]))
        }
    }
}
