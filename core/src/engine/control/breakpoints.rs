//! Breakpoints, what they hold, and paused reading through the control API.

use bytes::Bytes;
use http::Response;

use super::acting::done;
use super::{Failure, bad_request, not_found, view};
use crate::control::PATH;
use crate::control::body::{self, Target};
use crate::control::breakpoint::{
    Action, AddBreakpoint, BreakpointView, BreakpointsView, DecideAllHeld, DecideHeld, HeldView, Pause,
    Resume,
};
use crate::engine::Engine;
use crate::engine::faults::{AddedBreakpoint, Decision, FaultScope, Held};
use crate::interface::effect::Effect;
use crate::time::Now;

type Answer = Result<Response<Bytes>, Failure>;

impl Engine {
    pub(super) fn view_breakpoints(&mut self, now: Now) -> Answer {
        self.keep_breakpoints(now);
        let asked = self.state.control.iter().flat_map(|control| &control.breakpoints);
        let breakpoints = self.breakpoints().filter_map(|breakpoint| {
            let mut shown = asked.clone().find(|asked| asked.id == breakpoint.id)?.clone();
            (shown.caught, shown.missed) = (breakpoint.caught, breakpoint.missed);
            Some(shown)
        });
        let held = self.held().map(|(id, held)| self.shown_held(id, held, false));
        view(&BreakpointsView { breakpoints: breakpoints.collect(), held: held.collect() })
    }

    pub(super) fn add_written_breakpoint(&mut self, now: Now, body: &[u8]) -> Answer {
        let add: AddBreakpoint = body::read(body).map_err(bad_request)?;
        let scope = match add.target().map_err(bad_request)? {
            Target::Everyone => FaultScope::Everything,
            Target::Connection(name) => FaultScope::Connection(self.named_connection(&name)?.id()),
            Target::Route { route, room: Some(room) } => FaultScope::Room { pattern: route, room },
            Target::Route { route, room: None } => FaultScope::Pattern(route),
        };
        let timeout = add.timeout().map_err(bad_request)?;
        let added = AddedBreakpoint {
            criteria: add.criteria().map_err(bad_request)?,
            limit: add.limit().map_err(bad_request)?,
            timeout,
            persist: add.persist(),
        };
        let id = self.add_breakpoint(now, scope, added).map_err(|error| bad_request(error.to_string()))?;
        let shown = BreakpointView::of(id, add, timeout);
        let there: Vec<u64> = self.breakpoints().map(|breakpoint| breakpoint.id).collect();
        if let Some(control) = &mut self.state.control {
            control.breakpoints.retain(|breakpoint| there.contains(&breakpoint.id));
            control.breakpoints.push(shown.clone());
        }
        view(&shown)
    }

    pub(super) fn remove_named_breakpoint(
        &mut self,
        now: Now,
        name: &str,
        effects: &mut Vec<Effect>,
    ) -> Answer {
        let removed = match name.parse() {
            Ok(id) => self.remove_breakpoints(now, Some(id), effects),
            Err(_) => 0,
        };
        if removed == 0 {
            let shown: String = name.chars().take(100).collect();
            let text = format!(
                "there is no breakpoint {shown:?}; {PATH}/breakpoints lists them, and it may have ended"
            );
            return Err(not_found(text));
        }
        done(removed)
    }

    pub(super) fn view_held(&mut self, now: Now, name: &str) -> Answer {
        self.keep_breakpoints(now);
        let id = self.named_held(name)?;
        let found = self.held().find(|(known, _)| *known == id);
        view(&found.map(|(id, held)| self.shown_held(id, held, true)))
    }

    pub(super) fn decide_named(
        &mut self,
        now: Now,
        name: &str,
        body: &[u8],
        effects: &mut Vec<Effect>,
    ) -> Answer {
        self.keep_breakpoints(now);
        let (action, message) =
            body::read::<DecideHeld>(body).and_then(DecideHeld::parts).map_err(bad_request)?;
        let id = self.named_held(name)?;
        let decision = match (action, message) {
            (Action::Drop, _) => Decision::Drop,
            (Action::Pass, Some(message)) => Decision::Edit(message),
            (Action::Pass, None) => Decision::Pass,
        };
        done(usize::from(self.decide_held(now, id, decision, effects)))
    }

    pub(super) fn decide_all(&mut self, now: Now, body: &[u8], effects: &mut Vec<Effect>) -> Answer {
        self.keep_breakpoints(now);
        let DecideAllHeld { action, connection } = body::read(body).map_err(bad_request)?;
        let of = connection.map(|name| self.named_connection(&name).map(|found| found.id())).transpose()?;
        let decision = match action {
            Action::Pass => Decision::Pass,
            Action::Drop => Decision::Drop,
        };
        let is_of = |held: &Held| of.is_none_or(|of| held.connection.id == of);
        let ids: Vec<u64> = self.held().filter(|(_, held)| is_of(held)).map(|(id, _)| id).collect();
        done(ids.into_iter().filter(|id| self.decide_held(now, *id, decision.clone(), effects)).count())
    }

    pub(super) fn pause(&mut self, now: Now, body: &[u8]) -> Answer {
        let (target, timeout) = body::read::<Pause>(body).and_then(Pause::parts).map_err(bad_request)?;
        let ids = self.targeted(target)?;
        done(self.pause_reading(now, &ids, timeout))
    }

    pub(super) fn resume(&mut self, now: Now, body: &[u8]) -> Answer {
        let target = body::read::<Resume>(body).and_then(Resume::target).map_err(bad_request)?;
        let ids = self.targeted(target)?;
        done(self.resume_reading(now, &ids))
    }

    fn named_held(&self, name: &str) -> Result<u64, Failure> {
        let id: Option<u64> = name.parse().ok();
        id.filter(|id| self.held().any(|(known, _)| known == *id)).ok_or_else(|| {
            let shown: String = name.chars().take(100).collect();
            not_found(format!(
                "no message {shown:?} is held; it may have been decided, its time may be over, or its connection has ended"
            ))
        })
    }

    fn shown_held(&self, id: u64, held: &Held, is_whole: bool) -> HeldView {
        let route = self.state.routes.get(held.route).map(|route| route.label.clone());
        let shown = HeldView {
            id,
            breakpoint: held.breakpoint,
            connection: held.connection.public_id.to_string(),
            route: route.unwrap_or_default(),
            path: held.connection.path.clone(),
            direction: held.direction,
            at: held.at,
            until: held.at + held.timeout,
            size: 0,
            text: None,
            binary: None,
            is_cut: false,
        };
        shown.with(&held.message, is_whole)
    }
}
