//! Which handler a configured route gets.

use super::{Config, Dialect, RouteConfig};
use crate::dialect::proxy::{Proxy, ProxyHooks};
use crate::dialect::{Echo, Relay, RulesHandler, actions, commands, events, topics};
use crate::handler::Handler;
use crate::handler::deferred::{Deferred, Hooks};
use crate::handler::watched::Watched;

/// The handler of a configured route; `None` where the host has to bring one.
pub fn handler(config: &Config, route: &RouteConfig) -> Option<Box<dyn Handler>> {
    match route.dialect() {
        Dialect::Handlers => None,
        Dialect::Echo => Some(Box::new(Echo)),
        Dialect::Relay => Some(Box::new(Relay::new(route.room.clone()))),
        Dialect::Actions => Some(Box::new(actions::Actions::new(route.actions.clone().unwrap_or_default()))),
        Dialect::Commands => {
            Some(Box::new(commands::Commands::new(route.commands.clone().unwrap_or_default())))
        }
        Dialect::Events => {
            let events = events::Events::new(route.events.clone().unwrap_or_default());
            let events = events.with_heartbeat(route.heartbeat.as_ms());
            Some(Box::new(if route.disabled { events.switched_off() } else { events }))
        }
        Dialect::Topics => Some(Box::new(topics::Topics::new(route.topics.clone().unwrap_or_default()))),
        Dialect::Phoenix => {
            let prefixes = config.prefixes(route);
            let path = format!("{}{}", prefixes.first().map_or("", String::as_str), route.pattern);
            let options = route.phoenix.clone().unwrap_or_default();
            Some(Box::new(options.build(path.trim_end_matches("/websocket"))))
        }
        Dialect::Proxy => proxy(config, route).map(|proxy| Box::new(proxy) as Box<dyn Handler>),
        Dialect::Rules => {
            let rules = route.compiled_rules();
            Some(Box::new(RulesHandler::new(rules, route.parse, config.limits.json_depth)))
        }
    }
}

/// The handler of a configured route with the host's callbacks beside its dialect. Where there is no dialect, they are
/// all there is.
pub fn with_callbacks(
    config: &Config,
    route: &RouteConfig,
    hooks: Hooks,
    proxied: ProxyHooks,
) -> Box<dyn Handler> {
    let handler = match route.dialect() {
        Dialect::Proxy => {
            proxy(config, route).map(|proxy| Box::new(proxy.with_hooks(proxied)) as Box<dyn Handler>)
        }
        _ => handler(config, route),
    };
    // The others only tell their clients of an error, which `onError` does instead.
    let handles_errors = !matches!(route.dialect(), Dialect::Echo | Dialect::Relay | Dialect::Rules);
    match handler {
        None => Box::new(Deferred::new(hooks)),
        Some(handler) if hooks == Hooks::default() => handler,
        Some(handler) => Box::new(Watched::new(handler, hooks, handles_errors)),
    }
}

/// The proxy of a configured route, if that is what it is.
fn proxy(config: &Config, route: &RouteConfig) -> Option<Proxy> {
    let proxy = Proxy::new(route.proxy.clone()?).with_max_message(route.max_payload);
    Some(match route.pattern.segments_before_rest() {
        Some(segments) => proxy.with_rest_behind(config.prefixes(route).to_vec(), segments),
        None => proxy,
    })
}
