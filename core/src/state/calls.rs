//! Questions to the host's code whose answers are awaited.

use std::time::Duration;

use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::hook::{CallId, Hook, HookKind};
use crate::state::State;
use crate::state::timers::Timer;
use crate::time::{Now, WallTime};

/// A hook whose answer is awaited.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) id: ConnectionId,
    pub(crate) kind: HookKind,
    /// When it was called.
    pub(crate) began: WallTime,
}

impl State {
    /// Calls a hook, and remembers that its connection waits for the answer.
    pub(crate) fn call(
        &mut self,
        id: ConnectionId,
        hook: Hook,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Option<CallId> {
        let timeout = match hook.kind() {
            HookKind::Authenticate => Some(self.limits.authenticate_timeout),
            _ => self.limits.handler_timeout,
        };
        self.call_within(timeout, id, hook, now, effects)
    }

    /// The same with another timeout; `None`: without one.
    pub(crate) fn call_within(
        &mut self,
        timeout: Option<Duration>,
        id: ConnectionId,
        hook: Hook,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Option<CallId> {
        let connection = self.connections.get_mut(id)?;
        let kind = hook.kind();
        let call = CallId(self.next_call);
        self.next_call += 1;
        connection.inbox.calls += 1;
        self.calls.insert(call, Call { id, kind, began: now.wall });
        if let Some(timeout) = timeout {
            self.timers.set(Timer::Call(call), now.instant + timeout);
        }
        effects.push(Effect::Call { call, id, route: connection.route, hook });
        Some(call)
    }

    /// The first call for a connection among those made since `next` was the next one, if its answer is awaited.
    pub(crate) fn call_of(&self, id: ConnectionId, next: CallId) -> Option<CallId> {
        (next.0..self.next_call)
            .map(CallId)
            .find(|call| self.calls.get(call).is_some_and(|made| made.id == id))
    }

    /// The id that the next call will have.
    pub(crate) fn next_call(&self) -> CallId {
        CallId(self.next_call)
    }

    /// Takes a call that was answered or given up; its connection may go on.
    pub(crate) fn finish_call(&mut self, call: CallId) -> Option<Call> {
        let finished = self.calls.remove(&call)?;
        self.timers.cancel(Timer::Call(call));
        if let Some(connection) = self.connections.get_mut(finished.id) {
            connection.inbox.calls = connection.inbox.calls.saturating_sub(1);
            if self.upstreams.has_waiting(finished.id) {
                self.due.push(finished.id);
            }
        }
        Some(finished)
    }
}
