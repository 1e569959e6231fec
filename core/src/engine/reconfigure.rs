//! A running engine takes another configuration.
//!
//! A route's index never changes while anything refers to it: a route that goes on keeps its own, a new one gets one that is
//! free, and a route that is gone keeps its index, its handler and its state until the last of its connections is gone.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::StatusCode;

use super::configuration::{Configuration, ConfiguredRoute, Reconfiguration, ReconfigureError};
use super::{Engine, ServerPhase};
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerResult};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::message::{CloseCode, CloseFrame, Message};
use crate::routing::authentication::Admission;
use crate::routing::route::RouteSettings;
use crate::routing::route_key::RouteIdentity;
use crate::routing::router::Router;
use crate::state::connection::{Connection, Phase};
use crate::state::{RouteState, Standing};
use crate::time::Now;

impl Engine {
    /// Takes another configuration while connections are open. On an error everything is as it was.
    ///
    /// A route is the same one as before if its prefixes and its pattern are the same. If its dialect is too
    /// ([`RouteSettings::kind`](crate::RouteSettings::kind)) and its handler takes over from its predecessor
    /// ([`Handler::succeed`](crate::Handler::succeed)), its connections notice nothing: rooms, presence, subscriptions,
    /// metadata, authentication's data and what waits stay. Otherwise its connections are closed with 1012 and a reason;
    /// opening handshakes under way are refused with 503.
    ///
    /// | What | Applies |
    /// |---|---|
    /// | handlers, rules, callbacks, `origins`, hosts, the feeds of a route | at once |
    /// | `faults`, `condition` | at once; what is on its way stays on its way |
    /// | `record` | at once; a recording in the same file goes on |
    /// | `delay` | to messages that come from now on, after those that wait |
    /// | `heartbeat`, `inactivityTimeout` | at once, counted from where they stand; not where user code has set another one for the connection |
    /// | limits | at once; connections and rooms beyond a lower one stay |
    /// | `authenticate`, `clientConditions`, `subprotocols`, compression, `maxPayload`, `outbound`, `defaultRoom` | to connections that open from now on |
    /// | a feed of the same name | keeps its values, as many as it may still keep |
    /// | a source of the same kind | goes on where it is; an upstream of another address, and a replay of another file, begin anew |
    ///
    /// A call of user code that is under way ends as it began, and its answer is handled.
    pub fn reconfigure(
        &mut self,
        now: Now,
        configuration: Configuration,
        effects: &mut Vec<Effect>,
    ) -> Result<Reconfiguration, ReconfigureError> {
        if self.phase == ServerPhase::Draining {
            return Err(ReconfigureError::Stopping);
        }
        let Configuration { routes, limits, hosts, feeds, recordings } = configuration;
        let (routes, removed) = self.compare(routes);
        let start = effects.len();
        let router = Router::new(routes.iter().map(|(route, _)| route.key.clone()))?;
        let router = if self.router.claims_all() { router.claim_all() } else { router };
        for text in router.warnings().iter().filter(|text| !self.router.warnings().contains(text)) {
            effects.push(Effect::Log { level: Level::Warn, text: text.clone() });
        }
        self.router = router;
        self.state.limits = limits;
        self.state.hosts = hosts;
        self.set_recordings(recordings);

        let warned: HashMap<usize, _> =
            self.indices.iter().map(|index| (*index, self.warning(*index))).collect();
        let mut summary = Reconfiguration::default();
        let mut earlier = HashMap::new();
        let mut gone: Vec<Gone> = Vec::new();
        for (ConfiguredRoute { key, route, fingerprint }, counterpart) in routes {
            let (Some(route), index) = (route, counterpart.index()) else {
                summary.unchanged += 1;
                summary.indices.extend(counterpart.index());
                continue;
            };
            match index.map(|index| self.state.routes[index].fingerprint) {
                None => summary.added += 1,
                Some(known) if known.is_some() && known == fingerprint => summary.unchanged += 1,
                Some(_) => summary.changed += 1,
            }
            let settings = route.handler.settings(route.settings);
            let next = Next { state: RouteState::new(&key, settings, fingerprint), handler: route.handler };
            let index = match counterpart {
                Counterpart::None => self.add_route(next),
                Counterpart::Switched(index) => {
                    gone.push(Gone { index, reason: "The route was switched off".to_owned() });
                    self.add_route(next)
                }
                Counterpart::Same(index) => match self.succeed(now, index, next, effects) {
                    Ok(settings) => {
                        earlier.insert(index, settings);
                        index
                    }
                    Err(refused) => {
                        gone.push(Gone { index, reason: refused.reason });
                        self.add_route(refused.next)
                    }
                },
            };
            summary.indices.push(index);
        }
        self.state.has_contracts = self.state.routes.iter().any(|route| route.settings.contract.is_some());
        summary.removed = removed.len();
        gone.extend(
            removed.into_iter().map(|index| Gone { index, reason: "The route was removed".to_owned() }),
        );
        self.indices.clone_from(&summary.indices);
        for &index in &self.indices {
            if let Some(text) = self.warning(index)
                && warned.get(&index) != Some(&Some(text))
            {
                self.log_warning(index, text, effects);
            }
        }
        let routes = self.indices.clone();
        self.prepare_handlers(now, &routes, effects);
        for route in routes.into_iter().filter(|route| !earlier.contains_key(route)) {
            self.tell_all_entries(now, route, effects);
        }
        self.take_feeds(now, feeds, effects);
        self.hear_feeds(now, effects);
        self.hear_histories(now, effects);
        self.find_endpoints();
        self.retime(now, &earlier);
        summary.closed = self.retire(now, &gone, effects);
        let goes_on = |connection: &&Connection| self.is_client(connection) && self.goes_on(connection);
        summary.kept = self.state.connections.iter().filter(goes_on).count();
        self.go_on(now, effects);
        self.observe_effects(now, None, start, effects);
        self.take_route_faults(now, effects);
        self.take_route_recordings(now, effects);
        Ok(summary)
    }

    /// What distinguishes each route from its earlier configurations, in the router's order.
    pub(crate) fn set_fingerprints(&mut self, fingerprints: Vec<Option<u64>>) {
        for (route, fingerprint) in self.state.routes.iter_mut().zip(fingerprints) {
            route.fingerprint = fingerprint;
        }
    }

    /// The counterpart of each route among those that are served now, and the indices of those that are no longer there.
    fn compare(&self, routes: Vec<ConfiguredRoute>) -> (Vec<(ConfiguredRoute, Counterpart)>, Vec<usize>) {
        let mut known: HashMap<RouteIdentity, VecDeque<usize>> = HashMap::new();
        for &index in &self.indices {
            known.entry(self.state.routes[index].identity.clone()).or_default().push_back(index);
        }
        let mut take = |identity: &RouteIdentity| known.get_mut(identity).and_then(VecDeque::pop_front);
        let mut compared: Vec<(ConfiguredRoute, Counterpart)> = Vec::with_capacity(routes.len());
        for route in routes {
            let counterpart = take(&route.key.identity()).map_or(Counterpart::None, Counterpart::Same);
            compared.push((route, counterpart));
        }
        for (route, counterpart) in &mut compared {
            if matches!(counterpart, Counterpart::None)
                && let Some(index) = take(&route.key.identity().switched())
            {
                *counterpart = Counterpart::Switched(index);
            }
        }
        // What is to go on as it is has to be there.
        compared.retain(|(route, counterpart)| {
            route.route.is_some() || matches!(counterpart, Counterpart::Same(_))
        });
        let removed = known.into_values().flatten();
        let mut removed: Vec<usize> = removed.collect();
        removed.sort_unstable();
        (compared, removed)
    }

    /// Lets a handler take over a route; gives the settings that it had. A panic is a refusal.
    fn succeed(
        &mut self,
        now: Now,
        index: usize,
        next: Next,
        effects: &mut Vec<Effect>,
    ) -> Result<RouteSettings, Box<Refused>> {
        let Next { state: next, mut handler } = next;
        let known = &mut self.state.routes[index];
        if known.settings.kind != next.settings.kind {
            let reason = format!("The route's dialect is now {}", next.settings.kind);
            return Err(Box::new(Refused { next: Next { state: next, handler }, reason }));
        }
        let settings = std::mem::replace(&mut known.settings, next.settings.clone());
        let mut predecessor = Predecessor::new(self.handlers[index].as_mut());
        let mut context = Context { state: &mut self.state, effects, now, route: index, id: None };
        let run = AssertUnwindSafe(|| handler.succeed(&mut context, &mut predecessor));
        let has_succeeded = catch_unwind(run).unwrap_or_else(|_| {
            let text = format!("the new handler of {} panicked when it took over", next.label);
            context.log(Level::Error, text);
            false
        });
        let known = &mut self.state.routes[index];
        if !has_succeeded {
            known.settings = settings;
            let reason = "The route has changed".to_owned();
            return Err(Box::new(Refused { next: Next { state: next, handler }, reason }));
        }
        (known.label, known.fingerprint) = (next.label, next.fingerprint);
        known.history = match (known.history.take(), next.settings.history) {
            (Some(mut history), Some(settings)) => {
                history.change(settings);
                Some(history)
            }
            (_, _) => next.history,
        };
        self.handlers[index] = handler;
        Ok(settings)
    }

    /// Adds a route under an index that is free.
    fn add_route(&mut self, Next { state, handler }: Next) -> usize {
        let free = self.state.routes.iter().position(|route| route.standing == Standing::Free);
        match free {
            Some(index) => {
                self.state.routes[index] = state;
                self.handlers[index] = handler;
                index
            }
            None => {
                self.state.routes.push(state);
                self.handlers.push(handler);
                self.handlers.len() - 1
            }
        }
    }

    /// Closes the connections of routes that are gone: how many.
    fn retire(&mut self, now: Now, gone: &[Gone], effects: &mut Vec<Effect>) -> usize {
        let mut closed = 0;
        for Gone { index, reason } in gone {
            let route = &mut self.state.routes[*index];
            route.standing = Standing::Retired;
            route.settings.feeds.clear();
            let frame = CloseFrame::new(CloseCode::SERVICE_RESTART, reason);
            for id in self.connections_on(*index) {
                let Some(connection) = self.state.connections.get_mut(id) else { continue };
                closed += 1;
                match connection.phase {
                    Phase::Authenticating(_) | Phase::Held | Phase::Delayed => {
                        let refusal = Admission::refuse_with(StatusCode::SERVICE_UNAVAILABLE);
                        self.decided(now, id, refusal, effects);
                    }
                    // The close frame follows when it has opened.
                    Phase::Accepted => connection.phase = Phase::Refusing(Box::new(frame.clone())),
                    Phase::Open => self.state.start_closing(id, Some(frame.clone()), now, effects),
                    Phase::Refusing(_) | Phase::Closing(_) | Phase::Closed(_) => closed -= 1,
                }
            }
            self.state.timers.cancel_route(*index);
            self.free_if_unused(*index);
        }
        closed
    }

    /// Frees a route that is gone, when its last connection is.
    pub(super) fn free_if_unused(&mut self, index: usize) {
        let is_unused = self.state.connections.count_on(index) == 0;
        if self.state.routes[index].standing == Standing::Retired && is_unused {
            self.state.timers.cancel_route(index);
            if let Some(faults) = &mut self.faults {
                faults.route_is_gone(index, &self.state.routes[index].label);
            }
            self.state.routes[index] = RouteState::free();
            self.handlers[index] = Box::new(Vacant);
        }
    }

    /// Moves the timers of connections whose route has others now.
    fn retime(&mut self, now: Now, earlier: &HashMap<usize, RouteSettings>) {
        for (&index, earlier) in earlier {
            let settings = &self.state.routes[index].settings;
            let heartbeat = (earlier.heartbeat, settings.heartbeat);
            let inactivity = (earlier.inactivity_timeout, settings.inactivity_timeout);
            if heartbeat.0 == heartbeat.1 && inactivity.0 == inactivity.1 {
                continue;
            }
            for id in self.connections_on(index) {
                self.state.change_heartbeat(id, heartbeat, now.instant);
                self.state.change_inactivity(id, inactivity, now.instant);
            }
        }
    }

    fn connections_on(&self, index: usize) -> Vec<ConnectionId> {
        let connections = self.state.connections.iter().filter(|connection| connection.route == index);
        connections.map(Connection::id).collect()
    }

    /// Whether nothing ends a connection yet.
    fn goes_on(&self, connection: &Connection) -> bool {
        !matches!(connection.phase, Phase::Refusing(_) | Phase::Closing(_) | Phase::Closed(_))
    }
}

/// The counterpart of a route in the configuration before.
enum Counterpart {
    None,
    /// The same route.
    Same(usize),
    /// The same route, but one of the two is switched off.
    Switched(usize),
}

impl Counterpart {
    fn index(&self) -> Option<usize> {
        match self {
            Counterpart::None => None,
            Counterpart::Same(index) | Counterpart::Switched(index) => Some(*index),
        }
    }
}

/// A route that is to serve from now on.
struct Next {
    state: RouteState,
    handler: Box<dyn Handler>,
}

/// A route that does not take over the connections of the one before.
struct Refused {
    next: Next,
    /// For those connections.
    reason: String,
}

/// A route that is no longer served.
struct Gone {
    index: usize,
    /// For its connections.
    reason: String,
}

/// The handler of an index that is free.
struct Vacant;

impl Handler for Vacant {
    fn message(&mut self, _: &mut Context<'_>, _: Message) -> HandlerResult {
        Ok(())
    }
}
