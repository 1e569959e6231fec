//! Delivers what clients send to handlers, in strict order per connection.

use std::time::Duration;

use bytes::Bytes;

use super::Engine;
use crate::control::event::What;
use crate::handler::HandlerError;
use crate::handler::context::Context;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::interface::hook::{Answer, CallId, HookKind};
use crate::message::{CloseCode, CloseFrame, Message};
use crate::protocol::Overflow;
use crate::state::connection::{Connection, Phase};
use crate::state::inbox::Inbound;
use crate::state::timers::Timer;
use crate::time::Now;

impl Engine {
    pub(super) fn message(
        &mut self,
        now: Now,
        id: ConnectionId,
        message: Message,
        effects: &mut Vec<Effect>,
    ) {
        let rate = self.state.limits.message_rate;
        let Some(connection) = self.open(id) else {
            return;
        };
        connection.inactivity.touch(now.instant);
        let route = connection.route;
        if let Some(rate) = rate
            && !connection.bucket.take(rate, now.instant)
        {
            let text = || "a client sends more than limits.messageRate allows: closed with 1008".to_owned();
            self.state.log_throttle.note(now.instant, (route, "rate"), Level::Warn, text, effects);
            let frame = CloseFrame::new(CloseCode::POLICY_VIOLATION, "Too many messages");
            return self.state.start_closing(id, Some(frame), now, effects);
        }
        self.state.client_bytes.received += message.len() as u64;
        let delay = self.state.routes[route].settings.delay;
        self.enqueue(now, id, delay, Inbound::Message(message), effects);
    }

    pub(super) fn ping(&mut self, now: Now, id: ConnectionId, payload: Bytes, effects: &mut Vec<Effect>) {
        let Some(connection) = self.open(id) else {
            return;
        };
        connection.inactivity.touch(now.instant);
        let route = connection.route;
        if self.handlers[route].answers_pings() {
            effects.push(Effect::Pong { id, payload: payload.clone() });
        }
        self.enqueue(now, id, Duration::ZERO, Inbound::Ping(payload), effects);
    }

    pub(super) fn pong(&mut self, now: Now, id: ConnectionId, payload: Bytes, effects: &mut Vec<Effect>) {
        let Some(connection) = self.open(id) else {
            return;
        };
        connection.heartbeat.answered();
        self.enqueue(now, id, Duration::ZERO, Inbound::Pong(payload), effects);
    }

    /// Gives a connection's inbox to its handler, until it is empty or has to wait for a hook or a delay.
    pub(super) fn deliver(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        loop {
            let Some(connection) = self.state.connections.get_mut(id) else {
                return;
            };
            let Some(ready) = connection.inbox.ready() else {
                break;
            };
            if ready > now.instant {
                self.state.timers.set(Timer::Delay(id), ready);
                break;
            }
            let Some(inbound) = connection.inbox.pop() else {
                break;
            };
            self.dispatch(now, id, inbound, effects);
        }
        self.settle(now, id, effects);
    }

    /// A hook was answered.
    pub(super) fn answer(&mut self, now: Now, call: CallId, answer: Answer, effects: &mut Vec<Effect>) {
        let Some(finished) = self.state.finish_call(call) else {
            return;
        };
        if let Some(control) = &mut self.state.control {
            control.handler_times.note(now.wall, finished.began);
        }
        let Some(connection) = self.state.connections.get(finished.id) else {
            return;
        };
        let (id, route) = (finished.id, connection.route);
        if connection.phase == Phase::Authenticating(call) {
            return match answer {
                Answer::Admission(admission) => self.decided(now, id, admission, effects),
                Answer::NotAnAdmission { message } => self.undecided(now, id, &message, effects),
                Answer::Failed { error } => self.authentication_failed(now, id, &error.to_string(), effects),
                Answer::Threw { message, stack } => {
                    self.authentication_failed(now, id, &with_stack(&message, &stack), effects);
                }
                _ => self.authentication_failed(now, id, "it gave no admission", effects),
            };
        }
        self.state.answered = Some(call);
        let result = match answer {
            Answer::Failed { error } => Err(error),
            Answer::Threw { message, stack } => {
                self.state.stack = Some(stack);
                Err(message.into())
            }
            answer => self
                .run(now, route, Some(id), effects, |handler, cx| handler.answer(cx, finished.kind, answer)),
        };
        self.conclude(now, id, finished.kind, result, effects);
        (self.state.answered, self.state.stack) = (None, None);
        if !self.state.due.contains(&id) {
            self.deliver(now, id, effects);
        }
    }

    pub(super) fn context<'a>(
        &'a mut self,
        now: Now,
        route: usize,
        id: ConnectionId,
        effects: &'a mut Vec<Effect>,
    ) -> Context<'a> {
        Context { state: &mut self.state, effects, now, route, id: Some(id) }
    }

    /// A step of `kind` ended.
    #[inline]
    pub(super) fn conclude(
        &mut self,
        now: Now,
        id: ConnectionId,
        kind: HookKind,
        result: Result<(), HandlerError>,
        effects: &mut Vec<Effect>,
    ) {
        if let Err(error) = result {
            self.failed(now, id, kind, error, effects);
        }
    }

    /// The rule for all errors: `error` is called, and a failed connect closes.
    #[cold]
    fn failed(
        &mut self,
        now: Now,
        id: ConnectionId,
        kind: HookKind,
        error: HandlerError,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        let (route, path) = (connection.route, connection.path().to_owned());
        let stack = self.state.stack.take();
        let level = if stack.is_some() { Level::Error } else { Level::Warn };
        let error_text = with_stack(&error.to_string(), stack.as_deref().unwrap_or_default());
        if let Some((trace, connection)) = self.state.traced(id) {
            trace.about(connection, || What::Failed { step: kind.name(), error: error_text.clone() });
        }
        if kind == HookKind::Error {
            let text = format!("{} for {path} failed: {error_text}", kind.name());
            return self.state.log_throttle.note(
                now.instant,
                (route, "error"),
                Level::Error,
                || text,
                effects,
            );
        }
        let text = || format!("{} for {path}: {error_text}", kind.name());
        self.state.log_throttle.note(now.instant, (route, kind.name()), level, text, effects);
        self.state.tells_error = true;
        let told = self.run(now, route, Some(id), effects, |handler, cx| handler.error(cx, &error));
        self.state.tells_error = false;
        self.conclude(now, id, HookKind::Error, told, effects);
        if kind == HookKind::Connect
            && let Some(connection) = self.state.connections.get_mut(id)
        {
            connection.inbox.push_front(now.instant, Inbound::Fail);
        }
    }

    /// An event of the connection itself: handled at once if nothing waits before it.
    pub(super) fn put(&mut self, now: Now, id: ConnectionId, inbound: Inbound, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        if connection.inbox.is_idle() {
            self.dispatch(now, id, inbound, effects);
        } else {
            connection.inbox.push(now.instant, inbound);
        }
        self.deliver(now, id, effects);
    }

    #[inline(always)]
    fn enqueue(
        &mut self,
        now: Now,
        id: ConnectionId,
        delay: Duration,
        inbound: Inbound,
        effects: &mut Vec<Effect>,
    ) {
        let limit = self.state.limits.pending_messages;
        if let Some(connection) = self.state.connections.get_mut(id) {
            let inbox = &mut connection.inbox;
            if delay.is_zero() && inbox.is_idle() {
                self.dispatch(now, id, inbound, effects);
                return self.settle(now, id, effects);
            }
            inbox.push(now.instant + delay, inbound);
            if !inbox.pause.inbox && inbox.is_full(limit) {
                inbox.pause.inbox = true;
                if !inbox.pause.outbox {
                    effects.push(Effect::Pause { id });
                }
            }
        }
        self.deliver(now, id, effects);
    }

    fn dispatch(&mut self, now: Now, id: ConnectionId, inbound: Inbound, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        let (route, before) = (connection.route, effects.len());
        let (kind, result) = match inbound {
            Inbound::Connect => (
                HookKind::Connect,
                self.run(now, route, Some(id), effects, |handler, cx| handler.connect(cx)),
            ),
            Inbound::Fail => {
                let frame = CloseFrame::new(CloseCode::INTERNAL_ERROR, "Internal error");
                return self.state.start_closing(id, Some(frame), now, effects);
            }
            Inbound::Violation(violation) => return self.fail(now, id, violation, effects),
            Inbound::Message(message) => {
                let result = if self.state.has_contracts
                    && let Err(refused) = self.state.hold_received(now, id, &message, effects)
                {
                    Err(refused)
                } else {
                    self.run(now, route, Some(id), effects, |handler, cx| handler.message(cx, message))
                };
                (HookKind::Message, result)
            }
            Inbound::Ping(payload) => (
                HookKind::Ping,
                self.run(now, route, Some(id), effects, |handler, cx| handler.ping(cx, payload)),
            ),
            Inbound::Pong(payload) => (
                HookKind::Pong,
                self.run(now, route, Some(id), effects, |handler, cx| handler.pong(cx, payload)),
            ),
            Inbound::Close => {
                let (Phase::Closing(closure) | Phase::Closed(closure)) = connection.phase.clone() else {
                    return;
                };
                (
                    HookKind::Close,
                    self.run(now, route, Some(id), effects, |handler, cx| {
                        handler.close(cx, &closure.frame, closure.cause)
                    }),
                )
            }
        };
        self.conclude(now, id, kind, result, effects);
        if self.state.routes[route].settings.overflow == Overflow::Pause && effects.len() > before {
            self.state.note_answers(id, &effects[before..], now);
        }
    }

    /// After deliveries: reads on if there is room again, and removes the connection after its last hook.
    #[inline]
    fn settle(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        if let Some(connection) = self.state.connections.get(id)
            && (connection.inbox.pause.inbox || matches!(connection.phase, Phase::Closed(_)))
        {
            self.settle_paused_or_closed(now, id, effects);
        }
    }

    fn settle_paused_or_closed(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let limit = self.state.limits.pending_messages;
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        let inbox = &mut connection.inbox;
        if inbox.pause.inbox && inbox.has_room(limit) {
            inbox.pause.inbox = false;
            if !inbox.pause.outbox {
                effects.push(Effect::Resume { id });
            }
        }
        if matches!(connection.phase, Phase::Closed(_)) && inbox.is_idle() {
            self.forget(now, id, effects);
            effects.push(Effect::Removed { id });
        }
    }

    fn open(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.state.connections.get_mut(id).filter(|connection| connection.is_open())
    }
}

/// A line for the log, followed by the stack of the error.
fn with_stack(message: &str, stack: &str) -> String {
    match stack {
        "" => message.to_owned(),
        stack => format!("{message}\n{stack}"),
    }
}
