//! Which fault is for which connections, and how faults come and go while the server runs.

use super::super::Engine;
use super::Faults;
use super::link::Link;
use crate::fault::course::{Course, Opening};
use crate::fault::{Fault, FaultList, FaultStage};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::routing::pattern::Pattern;
use crate::schema::ConfigError;
use crate::state::connection::{Connection, Phase};
use crate::state::{Standing, State};
use crate::time::Now;

/// The most faults that can be added to a running server.
const MOST: usize = 1000;

/// Names faults that were added together, to take them back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultId(u64);

impl FaultId {
    /// As a number, for a host that cannot keep it otherwise.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The one that [`to_bits`](Self::to_bits) gave.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// The connections that faults are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultScope {
    /// All of the server.
    #[default]
    Everything,
    /// Those of a route, by its pattern as it was written or with one of its prefixes; otherwise those whose whole path
    /// matches the pattern.
    Pattern(String),
    /// Those of a pattern while they are in a room.
    Room {
        /// As for [`Pattern`](Self::Pattern).
        pattern: String,
        /// The room.
        room: String,
    },
    /// One connection.
    Connection(ConnectionId),
}

/// One fault, and whom it is for.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) fault: Fault,
    reach: Reach,
    room: Option<String>,
    origin: Origin,
    /// How often it has happened.
    pub(super) used: u64,
    /// How many connections it has met.
    met: u64,
}

/// Which connections a rule or a breakpoint is for.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    Everything,
    Route(usize),
    Paths(Pattern),
    Connection(ConnectionId),
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The configuration of the route with this index.
    Route(usize),
    /// It was added while the server runs.
    Added(FaultId),
    /// The client has chosen it.
    Chosen(ConnectionId),
}

impl Reach {
    pub(super) fn has(&self, connection: &Connection) -> bool {
        match self {
            Reach::Everything => true,
            Reach::Route(route) => connection.route == *route,
            Reach::Paths(pattern) => pattern.matches(connection.path()).is_some(),
            Reach::Connection(id) => connection.id == *id,
        }
    }
}

impl Rule {
    /// Whether it may ever be for a connection, whatever rooms that is in.
    pub(super) fn may_reach(&self, connection: &Connection) -> bool {
        self.reach.has(connection)
    }

    /// Whether it is for a connection now.
    pub(super) fn is_for(&self, connection: &Connection) -> bool {
        let is_in = |room: &Option<String>| room.as_ref().is_none_or(|room| connection.is_in_room(room));
        is_in(&self.room) && is_in(&self.fault.room)
    }
}

impl Engine {
    /// Adds faults while the server runs, on top of those that there are. Those of open connections count from now on: an
    /// end without [`after`](Fault::after) happens at once. Faults of opening handshakes are for those that come; with
    /// [`times`](Fault::times), for the next so many.
    ///
    /// Fails if a fault or the pattern is not one, if the connection is gone, or if there are more than 1000.
    pub fn add_faults(
        &mut self,
        now: Now,
        scope: FaultScope,
        faults: impl Into<FaultList>,
        effects: &mut Vec<Effect>,
    ) -> Result<FaultId, ConfigError> {
        let start = effects.len();
        let id = self.take_faults(now, scope, faults.into())?;
        self.impair(now, start, effects);
        Ok(id)
    }

    /// The same, before the end of a turn that impairs its effects.
    pub(in crate::engine) fn take_faults(
        &mut self,
        now: Now,
        scope: FaultScope,
        faults: FaultList,
    ) -> Result<FaultId, ConfigError> {
        faults.check()?;
        let (reach, room) = self.reach(scope)?;
        let added = self.faults.as_ref().map_or(0, |faults| {
            faults.rules.values().filter(|rule| matches!(rule.origin, Origin::Added(_))).count()
        });
        if added + faults.as_slice().len() > MOST {
            let text =
                format!("there are {added} already, and at most {MOST} can be added; remove some first");
            return Err(ConfigError::at("faults", text));
        }
        let id = FaultId(self.next_fault_id);
        self.next_fault_id += 1;
        let known = self.faults_mut();
        for fault in faults.as_slice() {
            known.add(fault.clone(), reach.clone(), room.clone(), Origin::Added(id));
        }
        self.meet_everyone(now);
        Ok(id)
    }

    /// Takes back faults that were added. What they have delayed still comes late; a connection that they have made half
    /// open is heard again, and what was lost stays lost. False: they are no longer there.
    pub fn remove_faults(&mut self, now: Now, id: FaultId, effects: &mut Vec<Effect>) -> bool {
        self.drop_rules(now, effects, |origin| origin == Origin::Added(id))
    }

    /// Takes back all faults that were added. Those of the configuration stay.
    pub fn clear_faults(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.drop_rules(now, effects, |origin| matches!(origin, Origin::Added(_)));
    }

    /// How many faults were added and not taken back.
    pub fn added_faults(&self) -> usize {
        let rules = self.faults.iter().flat_map(|faults| faults.rules.values());
        rules.filter(|rule| matches!(rule.origin, Origin::Added(_))).count()
    }

    /// Takes over the faults of the routes' settings, where they have changed.
    pub(in crate::engine) fn take_route_faults(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let start = effects.len();
        let routes = &self.state.routes;
        let is_wanted = routes.iter().any(|route| {
            !route.settings.faults.is_empty() || !route.settings.client_conditions.as_slice().is_empty()
        });
        if !is_wanted && self.faults.is_none() {
            return;
        }
        for index in 0..self.state.routes.len() {
            let serving = self.state.routes[index].standing == Standing::Serving;
            let wanted =
                if serving { self.state.routes[index].settings.faults.clone() } else { Vec::new().into() };
            let known = self.faults_mut();
            let is_same = {
                let of_route = known.rules.values().filter(|rule| rule.origin == Origin::Route(index));
                of_route.map(|rule| &rule.fault).eq(wanted.iter())
            };
            if is_same {
                continue;
            }
            known.retain(|origin| origin != Origin::Route(index));
            for fault in wanted.iter() {
                known.add(fault.clone(), Reach::Route(index), None, Origin::Route(index));
            }
        }
        self.meet_everyone(now);
        self.impair(now, start, effects);
    }

    /// Adds the condition that a client has chosen for its own connection.
    pub(super) fn add_chosen(&mut self, id: ConnectionId, faults: Vec<Fault>) {
        let known = self.faults_mut();
        for fault in faults {
            known.add(fault, Reach::Connection(id), None, Origin::Chosen(id));
        }
    }

    fn drop_rules(
        &mut self,
        now: Now,
        effects: &mut Vec<Effect>,
        is_dropped: impl Fn(Origin) -> bool,
    ) -> bool {
        let Some(faults) = &mut self.faults else { return false };
        let before = faults.rules.len();
        faults.retain(|origin| !is_dropped(origin));
        let has_dropped = faults.rules.len() < before;
        let start = effects.len();
        self.impair(now, start, effects);
        has_dropped
    }

    /// The connections that are open already meet what was added.
    fn meet_everyone(&mut self, now: Now) {
        let Some(faults) = &mut self.faults else { return };
        let open = self.state.connections.iter().filter(|connection| connection.is_open());
        let ids: Vec<_> = open.map(Connection::id).collect();
        for &id in &ids {
            faults.meet(id, &self.state, now);
            faults.begin(id, &self.state, now);
        }
    }

    pub(super) fn reach(&self, scope: FaultScope) -> Result<(Reach, Option<String>), ConfigError> {
        let paths = |pattern: &str| match self.route_of(pattern) {
            Some(route) => Ok(Reach::Route(route)),
            None => Pattern::new(pattern)
                .map(Reach::Paths)
                .map_err(|error| ConfigError::at("pattern", error.to_string())),
        };
        Ok(match scope {
            FaultScope::Everything => (Reach::Everything, None),
            FaultScope::Pattern(pattern) => (paths(&pattern)?, None),
            FaultScope::Room { pattern, room } => (paths(&pattern)?, Some(room)),
            FaultScope::Connection(id) => match self.state.connections.get(id) {
                Some(_) => (Reach::Connection(id), None),
                None => return Err(ConfigError::at("connection", "it is closed, or was never there")),
            },
        })
    }
}

impl Faults {
    fn add(&mut self, fault: Fault, reach: Reach, room: Option<String>, origin: Origin) {
        self.rules.insert(self.next, Rule { fault, reach, room, origin, used: 0, met: 0 });
        self.next += 1;
    }

    fn retain(&mut self, is_kept: impl Fn(Origin) -> bool) {
        self.rules.retain(|_, rule| is_kept(rule.origin));
        let rules = &self.rules;
        for (&id, link) in &mut self.links {
            link.courses.retain(|(number, _)| rules.contains_key(number));
            link.silenced_by = link.silenced_by.filter(|number| rules.contains_key(number));
            self.touched.push(id);
        }
    }

    /// A route is gone, and its index may come to be another's. What was for it is for the paths of its pattern.
    pub(in crate::engine) fn route_is_gone(&mut self, index: usize, label: &str) {
        let rules = self.rules.values_mut().map(|rule| &mut rule.reach);
        for reach in rules.chain(self.breakpoints.all.iter_mut().map(|breakpoint| &mut breakpoint.reach)) {
            if matches!(reach, Reach::Route(route) if *route == index)
                && let Ok(pattern) = Pattern::new(label)
            {
                *reach = Reach::Paths(pattern);
            }
        }
    }

    /// The connection is gone, and with it what is for it alone.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        self.end_held(id, None);
        self.breakpoints.forget(id);
        self.links.remove(&id);
        self.rules.retain(|_, rule| {
            rule.origin != Origin::Chosen(id)
                && !matches!(rule.reach, Reach::Connection(other) if other == id)
        });
    }

    /// Prepares a connection for the faults that may happen to it, as far as it is not yet.
    pub(super) fn meet(&mut self, id: ConnectionId, state: &State, now: Now) {
        let Some(connection) = state.connections.get(id) else { return };
        // Those who are told what happens are no clients.
        if state.control.as_ref().is_some_and(|control| control.route == connection.route) {
            return;
        }
        if self.breakpoints.may_reach(connection) {
            let link = self.links.entry(id).or_insert_with(|| Box::new(Link::to(connection)));
            link.has_breakpoint = true;
        }
        for (&number, rule) in &mut self.rules {
            if rule.fault.on == Some(FaultStage::Open) || !rule.may_reach(connection) {
                continue;
            }
            let link = self.links.entry(id).or_insert_with(|| Box::new(Link::to(connection)));
            if !link.courses.iter().any(|(known, _)| *known == number) {
                let course = Course::new(&rule.fault, self.seed, number, rule.met, now.instant);
                rule.met += 1;
                link.courses.push((number, course));
            }
        }
    }

    /// Lets ends begin whose time has come.
    pub(super) fn begin(&mut self, id: ConnectionId, state: &State, now: Now) {
        let (Some(link), Some(connection)) = (self.links.get_mut(&id), state.connections.get(id)) else {
            return;
        };
        self.touched.push(id);
        let is_open = matches!(connection.phase, Phase::Open);
        for (number, course) in &mut link.courses {
            let is_due = course.begins.is_some_and(|begins| begins <= now.instant);
            let Some(rule) = self.rules.get_mut(number).filter(|_| is_due) else { continue };
            course.begins = None;
            if is_open
                && rule.is_for(connection)
                && let Some(end) = course.end(&rule.fault, &mut rule.used)
            {
                link.is_ending = true;
                self.ends.push((id, (*number, end)));
            }
        }
    }

    /// Draws what becomes of an opening handshake.
    pub(super) fn draw_opening(&mut self, connection: &Connection, now: Now) -> (Opening, Option<u64>) {
        let mut opening = Opening::default();
        let mut silenced_by = None;
        for (&number, rule) in &mut self.rules {
            if rule.fault.on != Some(FaultStage::Open) || !rule.may_reach(connection) {
                continue;
            }
            let mut course = Course::new(&rule.fault, self.seed, number, rule.met, now.instant);
            rule.met += 1;
            course.open(&rule.fault, &mut rule.used, &mut opening);
            if opening.silent && silenced_by.is_none() {
                silenced_by = Some(number);
            }
        }
        (opening, silenced_by)
    }

    /// The connection has opened: what counts by time counts from now.
    pub(super) fn restart(&mut self, id: ConnectionId, now: Now) {
        let Some(link) = self.links.get_mut(&id) else { return };
        for (number, course) in &mut link.courses {
            if let Some(rule) = self.rules.get(number) {
                course.restart(&rule.fault, now.instant);
            }
        }
    }
}
