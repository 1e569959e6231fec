//! Parts of files for handlers, and what handlers ask for besides while they run.

use super::Engine;
use crate::engine::faults::FaultScope;
use crate::handler::HandlerError;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::interface::file_part::{FilePart, ReadId};
use crate::interface::hook::HookKind;
use crate::time::Now;

impl Engine {
    /// The host read a part of a file, or could not.
    #[cold]
    #[inline(never)]
    pub(super) fn file_part(
        &mut self,
        now: Now,
        read: ReadId,
        content: Result<FilePart, String>,
        effects: &mut Vec<Effect>,
    ) {
        let Some((route, id)) = self.state.reads.take(read) else { return };
        if let Some(id) = id {
            // The route of a connection is another one when its handler was replaced.
            let Some(route) = self.state.connections.get(id).map(|connection| connection.route) else {
                return;
            };
            let result =
                self.run(now, route, Some(id), effects, |handler, cx| handler.file_part(cx, read, content));
            return self.conclude(now, id, HookKind::Custom, result, effects);
        }
        let result = self.run(now, route, None, effects, |handler, cx| handler.file_part(cx, read, content));
        self.note_failure(result, effects);
        self.answer_postponed(now, effects);
    }

    /// A timer of a route's handler is due.
    pub(super) fn route_timer(&mut self, now: Now, route: usize, key: u64, effects: &mut Vec<Effect>) {
        let result = self.run(now, route, None, effects, |handler, cx| handler.timeout(cx, key));
        self.note_failure(result, effects);
        self.answer_postponed(now, effects);
    }

    /// Lets the handlers of these routes begin that have to do something before clients come.
    pub(super) fn prepare_handlers(&mut self, now: Now, routes: &[usize], effects: &mut Vec<Effect>) {
        for &route in routes {
            if self.handlers.get(route).is_some_and(|handler| handler.wants_preparation()) {
                let result = self.run(now, route, None, effects, |handler, cx| {
                    handler.prepare(cx);
                    Ok(())
                });
                self.note_failure(result, effects);
            }
        }
    }

    /// The outbox of a client has room again: its handler may wait for that.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_drained(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get(id).filter(|connection| connection.is_open())
        else {
            return;
        };
        let route = connection.route;
        let result = self.run(now, route, Some(id), effects, |handler, cx| handler.drained(cx));
        self.conclude(now, id, HookKind::Custom, result, effects);
    }

    /// Adds the faults that handlers have asked for.
    #[cold]
    #[inline(never)]
    pub(super) fn add_wanted_faults(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for (id, faults) in std::mem::take(&mut self.state.wanted_faults) {
            if let Err(error) = self.add_faults(now, FaultScope::Connection(id), faults, effects) {
                let text = format!("faults cannot be added: {error}");
                effects.push(Effect::Log { level: Level::Warn, text });
            }
        }
    }

    fn note_failure(&self, result: Result<(), HandlerError>, effects: &mut Vec<Effect>) {
        if let Err(error) = result {
            effects.push(Effect::Log { level: Level::Error, text: error.to_string() });
        }
    }
}
