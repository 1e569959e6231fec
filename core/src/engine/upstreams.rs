//! Outgoing connections: their events reach their owners in order, and each side waits for the other's queue.

use std::time::Duration;

use super::Engine;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::hook::HookKind;
use crate::interface::upstream::{UpstreamEvent, UpstreamId};
use crate::state::Owner;
use crate::state::connection::Connection;
use crate::state::timers::Timer;
use crate::state::upstreams::Phase;
use crate::time::{self, Now};

/// In which the host carries out the effects of a delivery.
const RELAY_INTERVAL: Duration = Duration::from_millis(1);

impl Engine {
    /// Something happened to an outgoing connection.
    pub(super) fn upstream(
        &mut self,
        now: Now,
        upstream: UpstreamId,
        event: UpstreamEvent,
        effects: &mut Vec<Effect>,
    ) {
        let Some(known) = self.state.upstreams.get(upstream) else {
            return;
        };
        let (owner, phase) = (known.owner, known.phase);
        match &event {
            UpstreamEvent::Sent { messages } => return self.state.upstream_took(upstream, *messages, now),
            last if last.is_last() && matches!(phase, Phase::Closing { .. }) => {
                return self.state.forget_upstream(upstream);
            }
            _ if matches!(phase, Phase::Closing { .. } | Phase::Ended) => return,
            UpstreamEvent::Opened { .. } => self.state.upstream_opened(upstream),
            UpstreamEvent::Message(message) => self.state.upstream_bytes.received += message.len() as u64,
            _ => self.state.upstream_ended(upstream),
        }
        match owner {
            Owner::Source(place) => {
                if event.is_last() {
                    self.state.forget_upstream(upstream);
                }
                self.source_upstream(now, place, upstream, event, effects);
            }
            Owner::Handler(id) => {
                let takes = self.state.connections.get(id).is_some_and(Connection::takes_upstream_events);
                if takes && !self.state.upstreams.has_waiting(id) {
                    return self.tell(now, id, upstream, event, effects);
                }
                let Some(known) = self.state.upstreams.get_mut(upstream) else { return };
                known.push_waiting(event);
                if known.is_behind() {
                    self.state.pause_upstream(upstream, true, now, effects);
                }
            }
        }
    }

    /// Tells a handler what came on the outgoing connections of one of its clients, until it has been told everything, or
    /// has to wait for a hook or the client.
    ///
    /// Only when the effects are carried out can the host say that the client's outbox is full. So no more is told at once
    /// than an outbox takes; the rest comes a ms later.
    pub(super) fn deliver_upstreams(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        if self.state.timers.is_set(Timer::Relay(id)) {
            return;
        }
        let route = self.state.connections.get(id).map(Connection::route);
        let most = route.map_or(0, |route| self.state.routes[route].settings.max_outbound);
        let mut told = 0;
        while self.state.connections.get(id).is_some_and(Connection::takes_upstream_events)
            && let Some((upstream, event)) = self.state.upstreams.pop_waiting(id)
        {
            if let UpstreamEvent::Message(message) = &event {
                told += message.len();
            }
            self.tell(now, id, upstream, event, effects);
            if told >= most && self.state.upstreams.has_waiting(id) {
                self.state.timers.set(Timer::Relay(id), now.instant + RELAY_INTERVAL);
                break;
            }
        }
        if self.state.connections.get(id).is_some_and(|connection| !connection.inbox.is_outbox_full) {
            for upstream in self.state.upstreams.of(id).to_vec() {
                if self.state.upstreams.get(upstream).is_some_and(|known| known.has_room()) {
                    self.state.pause_upstream(upstream, false, now, effects);
                }
            }
        }
    }

    fn tell(
        &mut self,
        now: Now,
        id: ConnectionId,
        upstream: UpstreamId,
        event: UpstreamEvent,
        effects: &mut Vec<Effect>,
    ) {
        let Some(route) = self.state.connections.get(id).map(Connection::route) else {
            return;
        };
        let is_open = matches!(event, UpstreamEvent::Opened { .. });
        if event.is_last() {
            self.state.forget_upstream(upstream);
        }
        let told =
            self.run(now, route, Some(id), effects, |handler, cx| handler.upstream(cx, upstream, event));
        self.answer_delayed(now, id, effects);
        self.conclude(now, id, HookKind::Custom, told, effects);
        if is_open {
            self.state.release(upstream);
            let is_full = self.state.connections.get(id).is_some_and(|it| it.inbox.is_outbox_full);
            self.state.pause_upstream(upstream, is_full, now, effects);
        }
    }

    /// The deadline of an outgoing connection has come.
    pub(super) fn upstream_due(&mut self, now: Now, upstream: UpstreamId, effects: &mut Vec<Effect>) {
        let Some(known) = self.state.upstreams.get(upstream) else {
            return;
        };
        let message = match known.phase {
            Phase::Dialling => format!("no answer within {} ms", time::ms(known.timeout)),
            Phase::Open => match known.send_deadline() {
                None => return,
                Some(deadline) if deadline > now.instant => {
                    return self.state.timers.set(Timer::Upstream(upstream), deadline);
                }
                Some(_) => format!("no message was taken within {} ms", time::ms(known.send_timeout)),
            },
            Phase::Closing { .. } => return self.state.terminate_upstream(upstream, effects),
            Phase::Ended => return,
        };
        effects.push(Effect::TerminateUpstream { upstream });
        self.upstream(now, upstream, UpstreamEvent::TimedOut { message }, effects);
    }

    /// The outbox of a client has reached its limit: what fills it has to wait.
    pub(super) fn full(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get_mut(id).filter(|connection| connection.is_open())
        else {
            return;
        };
        connection.inbox.is_outbox_full = true;
        let upstreams = self.state.upstreams.of(id).to_vec();
        if upstreams.is_empty() && !std::mem::replace(&mut connection.inbox.pause.outbox, true) {
            // Most likely the client's own messages fill it.
            if !connection.inbox.pause.inbox {
                effects.push(Effect::Pause { id });
            }
        }
        for upstream in upstreams {
            self.state.pause_upstream(upstream, true, now, effects);
        }
    }

    /// There is room in the outbox of a client again.
    pub(super) fn drained(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        connection.inbox.is_outbox_full = false;
        if std::mem::take(&mut connection.inbox.pause.outbox) && !connection.inbox.pause.is_on() {
            effects.push(Effect::Resume { id });
        }
        self.state.due.push(id);
        self.tell_drained(now, id, effects);
    }

    /// Goes on with connections that had to wait. A client and its outgoing connections take turns, so that neither
    /// waits for ever for the other's callbacks.
    pub(super) fn go_on(&mut self, now: Now, effects: &mut Vec<Effect>) {
        while let Some(id) = self.state.due.pop() {
            if !self.state.wanted_faults.is_empty() {
                self.add_wanted_faults(now, effects);
            }
            if self.state.upstreams.take_turn(id) {
                self.deliver_upstreams(now, id, effects);
                self.deliver(now, id, effects);
            } else {
                self.deliver(now, id, effects);
                self.deliver_upstreams(now, id, effects);
            }
        }
    }
}
