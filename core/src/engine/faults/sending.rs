//! What the engine asks for, on its way to the host.

use super::super::Engine;
use super::link::Fill;
use super::receiving::truncated;
use super::{Faults, Overflowing};
use crate::control::event::MessageDirection;
use crate::fault::FaultStage;
use crate::fault::course::Fate;
use crate::fault::line::{Kind, Passage};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Recipients};
use crate::message::Message;
use crate::protocol::{self, Overflow};
use crate::state::State;
use crate::state::timers::Timer;
use crate::time::Now;

/// The longest close frame.
const CLOSE_BYTES: usize = 2 + 125;

impl Engine {
    /// Lets faults happen to the effects from `start` on, and adds those that are due.
    pub(in crate::engine) fn impair(&mut self, now: Now, start: usize, effects: &mut Vec<Effect>) {
        let mut start = start;
        loop {
            let Some(faults) = &mut self.faults else { return };
            if !faults.links.is_empty() {
                faults.pass_all(now, start, &mut self.state, effects);
            }
            let (ends, overflows) = (std::mem::take(&mut faults.ends), std::mem::take(&mut faults.overflows));
            let hurried = std::mem::take(&mut faults.hurried);
            if ends.is_empty() && overflows.is_empty() && hurried.is_empty() {
                break;
            }
            start = effects.len();
            for id in hurried {
                self.go_on_receiving(now, id, effects);
            }
            for (id, (number, end)) in ends {
                self.end_by_fault(now, id, number, end, effects);
            }
            for (id, overflowing) in overflows {
                match overflowing {
                    Overflowing::Close => self.overflowed(now, id, effects),
                    Overflowing::Dropped(messages) => self.dropped(now, id, messages, effects),
                    Overflowing::Full => self.full(now, id, effects),
                    Overflowing::Drained => self.drained(now, id, effects),
                }
            }
            self.go_on(now, effects);
        }
        let is_wanted =
            |route: &crate::state::RouteState| !route.settings.client_conditions.as_slice().is_empty();
        if let Some(faults) = &mut self.faults {
            faults.settle_breakpoints(now, &mut self.state);
        }
        if self.faults.as_ref().is_some_and(|faults| faults.is_idle())
            && !self.state.routes.iter().any(is_wanted)
        {
            let faults = self.faults.take();
            self.breakpoint_numbers =
                faults.map_or(self.breakpoint_numbers, |faults| faults.breakpoints.numbers);
            self.state.has_faults = false;
            self.state.update_observation();
        }
    }
}

impl Faults {
    fn pass_all(&mut self, now: Now, start: usize, state: &mut State, effects: &mut Vec<Effect>) {
        let asked = effects.split_off(start);
        for id in std::mem::take(&mut self.due) {
            self.go_on_sending(now, id, effects);
        }
        for effect in asked {
            self.pass(now, state, effect, effects);
        }
        let touched = std::mem::take(&mut self.touched);
        for &id in &touched {
            self.update_reading(id, state.limits.pending_messages, effects);
            if let Some(link) = self.link(id)
                && link.fill.line
                && link.sent.bytes() < outbound(state, id).0
            {
                self.fill(id, |fill| fill.line = false);
            }
            match self.link(id).map(|link| (link.is_idle(), link.next())) {
                Some((true, _)) => {
                    self.links.remove(&id);
                    state.timers.cancel(Timer::Fault(id));
                }
                Some((false, Some(next))) => state.timers.set(Timer::Fault(id), next),
                Some((false, None)) => state.timers.cancel(Timer::Fault(id)),
                None => {}
            }
        }
    }

    fn pass(&mut self, now: Now, state: &mut State, effect: Effect, effects: &mut Vec<Effect>) {
        match effect {
            Effect::Send { to: Recipients::Many(mut ids), message } => {
                let impaired: Vec<_> = ids.extract_if(.., |id| self.links.contains_key(id)).collect();
                if !ids.is_empty() {
                    effects.push(Effect::Send { to: Recipients::Many(ids), message: message.clone() });
                }
                for id in impaired {
                    self.send(now, id, message.clone(), state);
                    self.go_on_sending(now, id, effects);
                }
            }
            Effect::Send { to: Recipients::One(id), message } if self.links.contains_key(&id) => {
                self.send(now, id, message, state);
                self.go_on_sending(now, id, effects);
            }
            Effect::Ping { id, .. }
            | Effect::Pong { id, .. }
            | Effect::Close { id, .. }
            | Effect::Disconnect { id }
                if self.links.contains_key(&id) =>
            {
                self.control(now, id, effect, state);
                self.go_on_sending(now, id, effects);
            }
            Effect::Terminate { id } => {
                self.end_held(id, None);
                let Some(link) = self.link(id) else { return effects.push(effect) };
                link.sent.clear();
                match link.is_gone {
                    // Its end is on the way, and need not be any more.
                    true => {
                        link.received.hurry(now.instant);
                        self.hurried.push(id);
                    }
                    false => effects.push(effect),
                }
                self.touched.push(id);
            }
            Effect::ReportUnsent { id } if self.link(id).is_some_and(|link| link.is_gone) => {}
            Effect::Pause { id } | Effect::Resume { id } if self.links.contains_key(&id) => {
                if let Some(link) = self.link(id) {
                    link.reading.engine_pauses = matches!(effect, Effect::Pause { .. });
                }
                self.touched.push(id);
                self.update_reading(id, state.limits.pending_messages, effects);
            }
            Effect::Removed { id } | Effect::Refuse { id, .. } => {
                self.forget(id);
                state.timers.cancel(Timer::Fault(id));
                effects.push(effect);
            }
            effect => effects.push(effect),
        }
    }

    fn go_on_sending(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        self.touched.push(id);
        let Some(link) = self.link(id) else { return };
        effects.extend(std::iter::from_fn(|| link.sent.take_due(now.instant)));
    }

    /// Decides what becomes of a message to one connection, and puts it on its way.
    fn send(&mut self, now: Now, id: ConnectionId, message: Message, state: &State) {
        let Self { rules, links, ends, overflows, breakpoints, .. } = self;
        let (Some(link), Some(connection)) = (links.get_mut(&id), state.connections.get(id)) else { return };
        if link.silenced_by.is_some() || link.is_gone || link.is_ending || link.is_overflowed {
            return;
        }
        let mut fate = Fate::default();
        (fate.passage.bytes, fate.passage.kind) = (server_bytes(message.len()), Kind::Message);
        let mut ending = None;
        for (number, course) in &mut link.courses {
            if let Some(rule) = rules.get_mut(number)
                && rule.fault.is_about(FaultStage::Send)
            {
                let is_for = rule.is_for(connection);
                course.pass(&rule.fault, &mut rule.used, is_for, now.instant, &mut fate);
                if ending.is_none() && fate.end.is_some() {
                    ending = Some(*number);
                }
            }
        }
        if let (Some(number), Some(end)) = (ending, fate.end.take()) {
            link.is_ending = true;
            ends.push((id, (number, end)));
        }
        if fate.is_lost {
            return;
        }
        let message = truncated(message, fate.truncate);
        for _ in 0..fate.copies() {
            let (bound, overflow) = outbound(state, id);
            let waiting = link.sent.bytes();
            if waiting >= bound {
                match overflow {
                    Overflow::Close => {
                        link.is_overflowed = true;
                        return overflows.push((id, Overflowing::Close));
                    }
                    Overflow::DropOldest => {
                        let dropped = link.sent.drop_oldest(bound);
                        overflows.push((id, Overflowing::Dropped(dropped)));
                    }
                    Overflow::Pause if waiting >= bound.saturating_mul(2) => {
                        overflows.push((id, Overflowing::Dropped(1)));
                        continue;
                    }
                    Overflow::Pause => {}
                }
            }
            let held = match link.has_breakpoint {
                true => breakpoints.catch(now, connection, MessageDirection::Out, &message),
                false => None,
            };
            let message = message.clone();
            let effect = match fate.damage {
                Some(damage) => Effect::SendDamaged { id, message, damage },
                None => Effect::Send { to: Recipients::One(id), message },
            };
            link.sent.push(now.instant, effect, Passage { held, ..fate.passage });
        }
        let (bound, overflow) = outbound(state, id);
        // What goes on at once does not wait.
        let waits = link.sent.held() > 0 || link.sent.next().is_some_and(|next| next > now.instant);
        if overflow == Overflow::Pause && waits && link.sent.bytes() >= bound {
            self.fill(id, |fill| fill.line = true);
        }
    }

    /// Puts a control frame, or the end behind everything, on its way.
    fn control(&mut self, now: Now, id: ConnectionId, effect: Effect, state: &State) {
        let is_end = matches!(effect, Effect::Close { .. } | Effect::Disconnect { .. });
        if let Some(connection) = state.connections.get(id).filter(|_| is_end) {
            self.end_unheard(connection);
        }
        let Self { rules, links, ends, .. } = self;
        let (Some(link), Some(connection)) = (links.get_mut(&id), state.connections.get(id)) else { return };
        if is_end {
            // The client's own close frame has to be read.
            link.reading.paused_until = None;
            // The engine ends it before the fault does.
            link.is_ending = false;
            ends.retain(|(other, _)| *other != id);
        }
        if link.silenced_by.is_some() || link.is_gone || link.is_ending || link.is_leaving {
            return;
        }
        link.is_leaving = matches!(effect, Effect::Disconnect { .. });
        let payload = match &effect {
            Effect::Ping { payload, .. } | Effect::Pong { payload, .. } => payload.len(),
            Effect::Close { frame: Some(frame), .. } => (2 + frame.reason.as_str().len()).min(CLOSE_BYTES),
            _ => 0,
        };
        let kind = if is_end { Kind::Last } else { Kind::Control };
        let mut passage = Passage { bytes: server_bytes(payload), kind, ..Passage::default() };
        for (number, course) in &link.courses {
            if let Some(rule) = rules.get(number)
                && rule.fault.on == Some(FaultStage::Send)
                && rule.is_for(connection)
            {
                course.pass_control(&rule.fault, rule.used, now.instant, &mut passage);
            }
        }
        link.sent.push(now.instant, effect, passage);
    }

    /// Notes that a bound is reached or no longer is, and has the engine told if that changes anything for it.
    pub(super) fn fill(&mut self, id: ConnectionId, change: impl FnOnce(&mut Fill)) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let fill = &mut link.fill;
        change(fill);
        let is_full = fill.outbox || fill.line;
        if std::mem::replace(&mut fill.is_told, is_full) != is_full {
            self.overflows.push((id, if is_full { Overflowing::Full } else { Overflowing::Drained }));
        }
    }
}

/// How many bytes may wait for a connection, and what happens then.
fn outbound(state: &State, id: ConnectionId) -> (usize, Overflow) {
    let route = state.connections.get(id).and_then(|connection| state.routes.get(connection.route));
    route
        .map_or((usize::MAX, Overflow::Close), |route| (route.settings.max_outbound, route.settings.overflow))
}

/// The bytes of a server's frame.
pub(super) fn server_bytes(payload: usize) -> usize {
    protocol::encoded_length(payload) + payload
}
