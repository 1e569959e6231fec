//! The handlers of configured routes.

use super::{Config, Dialect, RouteCallbacks, RouteConfig};
use crate::dialect::proxy::{Proxy, ProxyHooks};
use crate::dialect::{Echo, Relay, RulesHandler, actions, commands, events, replay, topics};
use crate::engine::Route;
use crate::handler::Handler;
use crate::handler::deferred::{Deferred, Hooks};
use crate::handler::with_callbacks::WithCallbacks;

impl Config {
    /// A route for the engine: its settings, and the handler of its dialect together with the host's callbacks. On a
    /// route of the dialect `handlers` the callbacks are the whole behaviour.
    pub fn route(&self, route: &RouteConfig, callbacks: RouteCallbacks) -> Route {
        let RouteCallbacks { hooks, proxied, .. } = callbacks;
        // The other dialects only send their clients an error message, which `onError` does instead.
        let handles_errors = !matches!(route.dialect(), Dialect::Echo | Dialect::Relay | Dialect::Rules);
        let handler = match self.handler(route, proxied) {
            None => Box::new(Deferred::new(hooks)),
            Some(handler) if hooks == Hooks::default() => handler,
            Some(handler) => Box::new(WithCallbacks::new(handler, hooks, handles_errors)),
        };
        Route { settings: self.route_settings(route), handler }
    }

    /// The handler of a route's dialect; `None` where the dialect is `handlers`.
    fn handler(&self, route: &RouteConfig, proxied: ProxyHooks) -> Option<Box<dyn Handler>> {
        Some(match route.dialect() {
            Dialect::Handlers => return None,
            Dialect::Echo => Box::new(Echo),
            Dialect::Relay => Box::new(Relay::new(route.room.clone())),
            Dialect::Actions => Box::new(actions::Actions::new(route.actions.clone().unwrap_or_default())),
            Dialect::Commands => {
                Box::new(commands::Commands::new(route.commands.clone().unwrap_or_default()))
            }
            Dialect::Events => {
                let events = events::Events::new(route.events.clone().unwrap_or_default());
                let events = events.with_heartbeat(route.heartbeat.duration());
                Box::new(if route.disabled { events.switched_off() } else { events })
            }
            Dialect::Topics => Box::new(topics::Topics::new(route.topics.clone().unwrap_or_default())),
            Dialect::Phoenix => {
                let options = route.phoenix.clone().unwrap_or_default();
                Box::new(options.build(&self.route_key(route).patterns()))
            }
            Dialect::Proxy => Box::new(self.proxy(route)?.with_hooks(proxied)),
            Dialect::Replay => Box::new(replay::Replay::new(route.replay.clone()?)),
            Dialect::Scenario => Box::new(replay::Replay::scenario(
                route.scenario.clone()?,
                &format!("{} scenario", route.pattern),
            )),
            Dialect::Rules => {
                let rules = route.compiled_rules();
                Box::new(RulesHandler::new(rules, route.parse, self.limits.json_depth))
            }
        })
    }

    fn proxy(&self, route: &RouteConfig) -> Option<Proxy> {
        let proxy = Proxy::new(route.proxy.clone()?).with_max_message(route.max_payload);
        Some(match route.pattern.segments_before_rest() {
            Some(segments) => proxy.with_rest_behind(self.prefixes(route).to_vec(), segments),
            None => proxy,
        })
    }
}
