//! How the engine's effects are carried out.

use switchboard_core::protocol::Burst;
use switchboard_core::time::Now;
use switchboard_core::{
    Answer, CallId, Connection, ConnectionId, Damage, Effect, Hook, Input, Level, Message, Recipients,
    UpstreamId,
};
use tokio::sync::oneshot;

use super::{HostState, UpgradeAnswer};
use crate::flush::sending::{Ending, Fill, Sending};
use crate::host::after_turn::{AfterTurn, WantedPart};
use crate::host::user_code::Called;
use crate::upstream::{Dialled, Orders};

impl HostState {
    /// Carries out all effects, and those of the inputs that they cause.
    pub(crate) fn carry_out(&mut self, now: Now, after: &mut AfterTurn) {
        let mut effects = std::mem::take(&mut self.effects);
        loop {
            let mut drained = effects.drain(..).peekable();
            while let Some(effect) = drained.next() {
                match effect {
                    Effect::Send { to, message } => {
                        let burst = Effect::gather(&to, message, &mut drained);
                        self.send(&to, burst, after);
                    }
                    other => self.perform(other, after),
                }
            }
            drop(drained);
            if self.inputs.is_empty() {
                break;
            }
            for input in self.inputs.drain(..) {
                self.engine.handle_input(now, input, &mut effects);
            }
        }
        self.effects = effects;
        let next = self.engine.poll_timeout();
        after.is_alarm_earlier = match (next, self.alarm) {
            (Some(next), Some(alarm)) => next < alarm,
            (next, None) => next.is_some(),
            (None, Some(_)) => false,
        };
        if after.is_alarm_earlier {
            self.alarm = next;
        }
    }

    fn perform(&mut self, effect: Effect, after: &mut AfterTurn) {
        match effect {
            Effect::Send { to, message } => self.send(&to, Burst::new(message, to.len()), after),
            Effect::SendDamaged { id, message, damage } => self.send_damaged(id, &message, damage, after),
            Effect::Ping { id, payload } => self.touch(id, after, |socket| socket.ping(&payload)),
            Effect::Pong { id, payload } => self.touch(id, after, |socket| socket.pong(&payload)),
            Effect::Close { id, frame } => self.touch(id, after, |socket| socket.close(frame.as_ref())),
            Effect::Disconnect { id } => self.touch(id, after, |socket| socket.end(Ending::Disconnect)),
            Effect::ReportUnsent { id } => {
                let bytes = self.socket(id).map_or(0, |socket| socket.unsent_bytes());
                self.inputs.push(Input::Unsent { id, bytes });
            }
            Effect::Terminate { id } => {
                self.decide(id, UpgradeAnswer::Terminate, after);
                self.touch(id, after, |socket| socket.end(Ending::Terminate));
            }
            Effect::Pause { id } => self.touch(id, after, |socket| socket.set_paused(true)),
            Effect::Resume { id } => self.touch(id, after, |socket| socket.set_paused(false)),
            Effect::Accept(accept) => self.decide(accept.id, UpgradeAnswer::Accept(accept), after),
            Effect::Refuse { id, refusal } => {
                self.decide(id, UpgradeAnswer::Refuse(*refusal), after);
                self.ids.release(id);
            }
            Effect::Ignore { id } => {
                self.decide(id, UpgradeAnswer::Ignore, after);
                self.ids.release(id);
            }
            Effect::Call { call, id, route, hook } => self.call(call, id, route, hook, after),
            Effect::CancelCall { call, .. } => drop(self.running.remove(&call)),
            Effect::Dial { upstream, dial } => {
                let (orders, dialled) = Dialled::new(upstream, dial);
                self.upstreams.insert(upstream, orders);
                after.dials.push(dialled);
            }
            Effect::SendUpstream { upstream, message } => {
                self.order(upstream, |orders| orders.send(message));
            }
            Effect::PauseUpstream { upstream } => self.order(upstream, |orders| orders.set_paused(true)),
            Effect::ResumeUpstream { upstream } => self.order(upstream, |orders| orders.set_paused(false)),
            Effect::CloseUpstream { upstream, frame } => {
                self.order(upstream, |orders| orders.close(frame));
            }
            Effect::TerminateUpstream { upstream } => {
                self.upstreams.remove(&upstream);
            }
            Effect::ReadFile { feed, file } => after.files.push((feed, file)),
            Effect::ReadFilePart { read, file, offset, length } => {
                after.parts.push(WantedPart { read, file, offset, length });
            }
            Effect::AppendFile { file, bytes } => {
                // Under the lock, so that what two threads have to append stays in order.
                after.appendings.extend(self.appender.append(file, bytes));
            }
            Effect::Removed { id } => {
                self.remove(id);
                self.user_code.forget(id);
                self.ids.release(id);
                after.is_empty |= self.engine.connections() == 0;
            }
            Effect::Backplane(effect) => {
                // Under the lock, so that what two threads publish stays in order.
                if let Some(orders) = &self.backplane {
                    orders.give(effect);
                }
            }
            Effect::Log { level, text } => after.log.push((level, text)),
        }
    }

    fn send(&mut self, to: &Recipients, mut burst: Burst, after: &mut AfterTurn) {
        for &id in to.iter() {
            if let Some(socket) = self.socket(id) {
                let (fill, dropped) = socket.send(&mut burst, &mut after.touched);
                self.filled(id, fill, dropped);
            }
        }
    }

    fn send_damaged(&mut self, id: ConnectionId, message: &Message, damage: Damage, after: &mut AfterTurn) {
        if let Some(socket) = self.socket(id) {
            let mut sent = (Fill::HasRoom, 0);
            socket.change(&mut after.touched, |socket| sent = socket.send_damaged(message, damage));
            self.filled(id, sent.0, sent.1);
        }
    }

    /// Tells the engine what a message has made of an outbox.
    fn filled(&mut self, id: ConnectionId, fill: Fill, dropped: usize) {
        match fill {
            Fill::HasRoom => {}
            Fill::Full => self.inputs.push(Input::Full { id }),
            Fill::Overflowed => self.inputs.push(Input::Overflowed { id }),
        }
        if dropped > 0 {
            self.inputs.push(Input::Dropped { id, messages: dropped });
        }
    }

    /// Runs a callback. If there is none, the answer is an input like any other, so that many calls in a row do not recurse.
    fn call(&mut self, call: CallId, id: ConnectionId, route: usize, hook: Hook, after: &mut AfterTurn) {
        let connection = self.engine.connection(id);
        let (kind, name) = (hook.kind(), hook.name());
        if let Some(prepared) =
            connection.and_then(|connection| self.user_code.prepare(route, connection, hook))
        {
            let (running, stopped) = oneshot::channel();
            self.running.insert(call, running);
            return after.calls.push(Called { call, id, name, prepared, stopped });
        }
        if self.is_told.insert(route) {
            let path = connection.map(Connection::path).unwrap_or_default();
            let text = format!(
                "the handler of {path} calls for {}, but its route has no callbacks: give it some with \
                 Endpoint::with_callbacks or Builder::callbacks",
                kind.name()
            );
            after.log.push((Level::Error, text));
        }
        let answer = Answer::Failed { error: "the route has no callbacks".into() };
        self.inputs.push(Input::Answer { call, answer });
    }

    fn touch(&self, id: ConnectionId, after: &mut AfterTurn, act: impl FnOnce(&mut Sending)) {
        if let Some(socket) = self.socket(id) {
            socket.change(&mut after.touched, act);
        }
    }

    fn decide(&mut self, id: ConnectionId, decision: UpgradeAnswer, after: &mut AfterTurn) {
        if let Some(sender) = self.openings.remove(&id) {
            after.decisions.push((sender, decision));
        }
    }

    /// Tells an outgoing connection something.
    fn order(&self, upstream: UpstreamId, tell: impl FnOnce(&Orders)) {
        if let Some(orders) = self.upstreams.get(&upstream) {
            tell(orders);
        }
    }
}
