//! Timers that are due.

use super::Engine;
use crate::handler::HandlerError;
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::interface::hook::{CallId, HookKind};
use crate::message::{CloseCode, CloseFrame};
use crate::state::connection::{Connection, Phase};
use crate::state::heartbeat::{Heartbeat, Inactivity};
use crate::state::timers::Timer;
use crate::time::Now;

impl Engine {
    pub(super) fn tick(&mut self, now: Now, effects: &mut Vec<Effect>) {
        while let Some(timer) = self.state.timers.pop(now.instant) {
            match timer {
                Timer::Opening(id) => self.state.terminate(id, CloseCause::Server, effects),
                Timer::Closing(id) => self.close_due(now, id, effects),
                Timer::Delay(id) => self.deliver(now, id, effects),
                Timer::Heartbeat(id) => self.beat(now, id, effects),
                Timer::Inactivity(id) => self.silence(now, id, effects),
                Timer::Call(call) => self.overdue(now, call, effects),
                Timer::Connection(id, key) => self.handler_timer(now, Some(id), key, effects),
                Timer::Route(route, key) => self.route_timer(now, route, key, effects),
                Timer::Relay(id) => self.deliver_upstreams(now, id, effects),
                Timer::Answers(id) => self.state.release_answers(id),
                Timer::Upstream(upstream) => self.upstream_due(now, upstream, effects),
                Timer::Source(place) => self.source_due(now, place, effects),
                Timer::Fault(id) => self.fault_due(now, id, effects),
                Timer::Held => self.held_due(now, effects),
                Timer::Breakpoints => self.breakpoints_due(now, effects),
                Timer::Entries => self.entries_due(now, effects),
                Timer::Cluster => self.cluster_due(now, effects),
                Timer::Start => {
                    self.warn(effects);
                    let routes = self.indices.clone();
                    self.prepare_handlers(now, &routes, effects);
                }
                Timer::Grace => self.drop_everyone(effects),
            }
            self.go_on(now, effects);
        }
    }

    /// Tells the log what the router and the routes warn of.
    fn warn(&self, effects: &mut Vec<Effect>) {
        let warnings = self.router.warnings().iter();
        effects.extend(warnings.map(|text| Effect::Log { level: Level::Warn, text: text.clone() }));
        for &index in &self.indices {
            if let Some(text) = self.warning(index) {
                self.log_warning(index, text, effects);
            }
        }
    }

    /// What a route warns of.
    pub(super) fn warning(&self, index: usize) -> Option<&'static str> {
        self.handlers[index].warning(&self.state.routes[index].settings)
    }

    pub(super) fn log_warning(&self, index: usize, text: &str, effects: &mut Vec<Effect>) {
        let text = format!("{}: {text}", self.state.routes[index].label);
        effects.push(Effect::Log { level: Level::Warn, text });
    }

    fn beat(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let is_unheard = self.keeps_pongs(id);
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        let Some(interval) = connection.heartbeat.interval else {
            return;
        };
        // While a connection is not read, its pongs cannot come.
        let alive = is_unheard || connection.inbox.pause.inbox || connection.heartbeat.tick();
        if alive {
            self.state.timers.set(Timer::Heartbeat(id), now.instant + interval.get());
            effects.push(Effect::Ping { id, payload: Heartbeat::PAYLOAD.into() });
        } else {
            let frame = CloseFrame::new(CloseCode::NORMAL, Heartbeat::REASON);
            self.state.start_closing(id, Some(frame), now, effects);
        }
    }

    fn silence(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        if self.is_kept_silent(id)
            && let Some(connection) = self.state.connections.get_mut(id)
        {
            connection.inactivity.touch(now.instant);
        }
        let Some(deadline) = self.state.connections.get(id).and_then(|c| c.inactivity.deadline()) else {
            return;
        };
        if deadline > now.instant {
            return self.state.timers.set(Timer::Inactivity(id), deadline);
        }
        let frame = CloseFrame::new(CloseCode::NORMAL, Inactivity::REASON);
        self.state.start_closing(id, Some(frame), now, effects);
    }

    /// A hook that does not settle in time counts as failed; the host is told to stop it, and a late answer is ignored.
    fn overdue(&mut self, now: Now, call: CallId, effects: &mut Vec<Effect>) {
        let Some(finished) = self.state.finish_call(call) else {
            return;
        };
        let id = finished.id;
        effects.push(Effect::CancelCall { call, id });
        let asked = self.state.connections.get(id).filter(|c| c.phase == Phase::Authenticating(call));
        if let Some(route) = asked.map(|connection| connection.route) {
            let admission = crate::Admission::refuse_with(http::StatusCode::SERVICE_UNAVAILABLE);
            let ms = self.state.limits.authenticate_timeout.as_millis();
            let text = || format!("authenticate did not settle within {ms} ms: answered 503");
            let key = (route, "authenticate time");
            self.state.log_throttle.note(now.instant, key, crate::Level::Error, text, effects);
            self.state.explain(id, || {
                format!("authenticate did not settle within {ms} ms; make it faster, or raise limits.authenticateTimeout")
            });
            return self.decided(now, id, admission, effects);
        }
        let ms = self.state.limits.handler_timeout.unwrap_or_default().as_millis();
        let error =
            HandlerError::from(format!("timeout: {} did not settle within {ms} ms", finished.kind.name()));
        self.state.answered = Some(call);
        self.conclude(now, id, finished.kind, Err(error), effects);
        self.state.answered = None;
        if !self.state.due.contains(&id) {
            self.deliver(now, id, effects);
        }
    }

    fn handler_timer(&mut self, now: Now, id: Option<ConnectionId>, key: u64, effects: &mut Vec<Effect>) {
        let Some((id, route)) = id.and_then(|id| self.state.connections.get(id)).map(|c| (c.id(), c.route()))
        else {
            return;
        };
        let result = self.run(now, route, Some(id), effects, |handler, cx| handler.timeout(cx, key));
        self.conclude(now, id, HookKind::Custom, result, effects);
    }

    fn drop_everyone(&mut self, effects: &mut Vec<Effect>) {
        let everyone: Vec<_> = self.state.connections.iter().map(Connection::id).collect();
        for id in everyone {
            self.state.terminate(id, CloseCause::Server, effects);
        }
    }
}
