//! What becomes of messages that breakpoints hold.
//!
//! A breakpoint stops one direction of one connection:
//!
//! | What | while a message that came is held | while a message to the client is held |
//! |---|---|---|
//! | messages behind it, whether they match or not | wait in their order | wait in their order |
//! | more of them than may wait | the client is not read | as the route's `overflow` says; what is held is not dropped |
//! | the other direction, other connections | go on | go on |
//! | pings, pongs, heartbeats | go on | go on |
//! | inactivity timeout | begins anew when nothing is held any more | the same |
//! | the client closes | its close frame waits until the message is decided, at most until the timeout | what is held is dropped: the client listens no more |
//! | the server closes | what is held is dropped: its handler listens no more | the close frame waits until the message is decided, at most until the timeout; then the close timeout begins |
//! | the connection is dropped or lost | what is held is dropped | what is held is dropped |
//! | the server stops, or the breakpoint is taken back | it goes on | it goes on |

use super::super::Engine;
use super::Faults;
use super::breakpoints::{AddedBreakpoint, Breakpoint, Held, MOST};
use super::link::Link;
use super::receiving::client_bytes;
use super::rules::FaultScope;
use super::sending::server_bytes;
use crate::control::event::{MessageDirection, Release};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::input::Input;
use crate::message::Message;
use crate::schema::ConfigError;
use crate::state::State;
use crate::state::connection::{Connection, Phase};
use crate::state::timers::Timer;
use crate::time::Now;

/// How long in ms breakpoints are kept that end when nobody is told live events any more: a page may be loading again.
const KEPT: u64 = 10_000;

/// What becomes of a message that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Decision {
    Pass,
    /// Another message takes its place.
    Edit(Message),
    Drop,
}

impl Engine {
    /// Adds a breakpoint, and gives its number.
    pub(in crate::engine) fn add_breakpoint(
        &mut self,
        now: Now,
        scope: FaultScope,
        added: AddedBreakpoint,
    ) -> Result<u64, ConfigError> {
        let (reach, room) = self.reach(scope)?;
        let faults = self.faults_mut();
        if faults.breakpoints.all.len() >= MOST {
            let text = format!("there are {MOST} breakpoints already; take one back first");
            return Err(ConfigError::at("", text));
        }
        let id = faults.breakpoints.add(added, reach, room);
        faults.breakpoints.kept_until = Some(now.instant + KEPT);
        self.find_reached();
        Ok(id)
    }

    /// Takes back one breakpoint, or all; what they hold goes on. How many there were.
    pub(in crate::engine) fn remove_breakpoints(
        &mut self,
        now: Now,
        id: Option<u64>,
        effects: &mut Vec<Effect>,
    ) -> usize {
        self.remove_breakpoints_if(now, |breakpoint, _| id.is_none_or(|id| breakpoint == id), effects)
    }

    pub(in crate::engine) fn has_breakpoints(&self) -> bool {
        self.breakpoints().next().is_some()
    }

    /// The breakpoints, in the order in which they were added.
    pub(in crate::engine) fn breakpoints(&self) -> impl Iterator<Item = &Breakpoint> {
        self.faults.iter().flat_map(|faults| &faults.breakpoints.all)
    }

    /// What is held, the oldest first.
    pub(in crate::engine) fn held(&self) -> impl Iterator<Item = (u64, &Held)> {
        self.faults.iter().flat_map(|faults| &faults.breakpoints.held).map(|(id, held)| (*id, held))
    }

    /// How many messages of a connection are held.
    pub(in crate::engine) fn held_of(&self, id: ConnectionId) -> usize {
        self.between(id).map_or(0, Link::held)
    }

    /// Somebody asks for what is held: breakpoints are kept for as long as they are when a page is closed.
    pub(in crate::engine) fn keep_breakpoints(&mut self, now: Now) {
        if let Some(faults) = &mut self.faults
            && faults.breakpoints.kept_until.is_some()
        {
            faults.breakpoints.kept_until = Some(now.instant + KEPT);
        }
    }

    /// Decides about a message that is held. False: it no longer is.
    pub(in crate::engine) fn decide_held(
        &mut self,
        now: Now,
        id: u64,
        decision: Decision,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let how = match decision {
            Decision::Pass => Release::Passed,
            Decision::Edit(_) => Release::Edited,
            Decision::Drop => Release::Dropped,
        };
        self.release_held(now, id, how, decision, effects)
    }

    /// Messages were held for as long as they may be.
    pub(in crate::engine) fn held_due(&mut self, now: Now, effects: &mut Vec<Effect>) {
        while let Some(faults) = &mut self.faults
            && let Some(id) = faults.breakpoints.due(now.instant)
        {
            self.release_held(now, id, Release::Timeout, Decision::Pass, effects);
        }
        if let Some(faults) = &mut self.faults {
            faults.breakpoints.armed = None;
        }
    }

    /// Nobody has looked at breakpoints for too long: those that nobody wanted to persist end.
    pub(in crate::engine) fn breakpoints_due(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.remove_breakpoints_if(now, |_, persist| !persist, effects);
        if let Some(faults) = &mut self.faults {
            faults.breakpoints.kept_until = None;
        }
    }

    /// Takes breakpoints back, and lets what they hold go on.
    fn remove_breakpoints_if(
        &mut self,
        now: Now,
        is_removed: impl Fn(u64, bool) -> bool,
        effects: &mut Vec<Effect>,
    ) -> usize {
        let Some(faults) = &mut self.faults else { return 0 };
        let (removed, held) = faults.breakpoints.remove(is_removed);
        for id in held {
            self.release_held(now, id, Release::Passed, Decision::Pass, effects);
        }
        self.find_reached();
        removed
    }

    fn release_held(
        &mut self,
        now: Now,
        id: u64,
        how: Release,
        decision: Decision,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(faults) = &mut self.faults else { return false };
        let edited = match &decision {
            Decision::Edit(message) => Some(message),
            Decision::Pass | Decision::Drop => None,
        };
        let Some(held) = faults.breakpoints.take(id, how, edited) else { return false };
        let (of, message) = (held.connection.id, edited.cloned().unwrap_or(held.message));
        let Some(link) = faults.link(of) else { return true };
        let is_dropped = decision == Decision::Drop;
        match held.direction {
            MessageDirection::In if is_dropped => link.received.drop_held(id),
            MessageDirection::Out if is_dropped => link.sent.drop_held(id),
            MessageDirection::In => link.received.release(id, |input| {
                let bytes = client_bytes(message.len());
                if let Input::Message { message: place, .. } = input {
                    *place = message;
                }
                bytes
            }),
            MessageDirection::Out => link.sent.release(id, |effect| {
                let bytes = server_bytes(message.len());
                if let Effect::Send { message: place, .. } | Effect::SendDamaged { message: place, .. } =
                    effect
                {
                    *place = message;
                }
                bytes
            }),
        };
        let is_last = link.held() == 0;
        faults.touched.push(of);
        faults.due.push(of);
        self.go_on_receiving(now, of, effects);
        if is_last && let Some(connection) = self.state.connections.get_mut(of) {
            connection.inactivity.touch(now.instant);
            if matches!(connection.phase, Phase::Closing(_)) {
                self.state.await_close_anew(of, now);
            }
        }
        true
    }

    /// Finds out which connections breakpoints may be for.
    fn find_reached(&mut self) {
        let Some(faults) = &mut self.faults else { return };
        let Faults { breakpoints, links, touched, .. } = &mut **faults;
        for (&id, link) in links.iter_mut() {
            link.has_breakpoint = false;
            touched.push(id);
        }
        let subscribers = self.state.control.as_ref().map(|control| control.route);
        let open = self.state.connections.iter().filter(|connection| connection.is_open());
        for connection in open.filter(|connection| subscribers != Some(connection.route)) {
            if breakpoints.may_reach(connection) {
                links.entry(connection.id).or_insert_with(|| Box::new(Link::to(connection))).has_breakpoint =
                    true;
            }
        }
    }

    /// What lies between the engine and a connection, if anything does.
    pub(super) fn between(&self, id: ConnectionId) -> Option<&Link> {
        self.faults.as_ref()?.links.get(&id).map(|link| &**link)
    }
}

impl Faults {
    /// Drops what is held of a connection that ends, or in one direction of it.
    pub(super) fn end_held(&mut self, id: ConnectionId, direction: Option<MessageDirection>) {
        if self.links.get(&id).is_none_or(|link| link.held() == 0) {
            return;
        }
        for held in self.breakpoints.of(id, direction) {
            if let Some(link) = self.links.get_mut(&id) {
                let _ = link.received.drop_held(held) || link.sent.drop_held(held);
            }
            self.breakpoints.take(held, Release::Ended, None);
        }
        self.touched.push(id);
    }

    /// What the engine gives a connection the last frame of: what is held that nobody would hear any more is dropped.
    pub(super) fn end_unheard(&mut self, connection: &Connection) {
        self.end_held(connection.id, Some(MessageDirection::In));
        if let Phase::Closing(closure) = &connection.phase
            && closure.cause == CloseCause::Client
        {
            self.end_held(connection.id, Some(MessageDirection::Out));
        }
    }

    /// Arms the timers for what is held and for breakpoints that nobody looks at, and tells what was noted.
    pub(super) fn settle_breakpoints(&mut self, now: Now, state: &mut State) {
        let breakpoints = &mut self.breakpoints;
        let next = breakpoints.next();
        if next != breakpoints.armed {
            breakpoints.armed = next;
            match next {
                Some(at) => state.timers.set(Timer::Held, at),
                None => state.timers.cancel(Timer::Held),
            }
        }
        let is_watched = state.control.as_ref().is_some_and(|control| !control.subscribers.is_empty());
        let is_passing = breakpoints.is_passing();
        breakpoints.kept_until = match breakpoints.kept_until {
            _ if !is_passing || is_watched => None,
            None => Some(now.instant + KEPT),
            until => until,
        };
        match breakpoints.kept_until {
            Some(at) if state.timers.deadline(Timer::Breakpoints) != Some(at) => {
                state.timers.set(Timer::Breakpoints, at);
            }
            None => state.timers.cancel(Timer::Breakpoints),
            Some(_) => {}
        }
        let told = std::mem::take(&mut breakpoints.told);
        if let Some(trace) = state.trace.as_mut().filter(|trace| trace.is_told) {
            trace.happenings.extend(told);
        }
    }
}
