//! From what was given in Rust and a configuration to the routes of an engine, at the start and while it runs.

use std::sync::Arc;

use switchboard_core::config::{Assembly, EndpointInfo};
use switchboard_core::{Config, RouteKey, RouteSettings};

use crate::callbacks::Callbacks;
use crate::endpoint::{Endpoint, EndpointParts};
use crate::error::ServerError;

/// Callbacks for routes of the configuration, by pattern.
pub(crate) type GivenCallbacks = Vec<(String, Arc<Callbacks>)>;

/// One route as it is to be.
pub(crate) enum Planned {
    /// With a new handler.
    New(Box<Endpoint>),
    /// With the handler that it has.
    Kept(Vec<EndpointInfo>),
}

/// A route whose handler was given in Rust, so that there is no other one for it.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) key: RouteKey,
    infos: Vec<EndpointInfo>,
    /// Whether its place and its settings come from the configuration.
    pub(crate) is_configured: bool,
}

impl Given {
    /// Its plan when it goes on.
    pub(crate) fn kept(&self) -> (RouteKey, Planned) {
        (self.key.clone(), Planned::Kept(self.infos.clone()))
    }

    /// Whether a configured route is this one.
    pub(crate) fn is(&self, key: &RouteKey) -> bool {
        let of = |key: &RouteKey| (key.pattern.to_string(), key.patterns());
        of(&self.key) == of(key)
    }
}

/// The routes of the configuration. `handler` gives a handler in Rust for a route of the dialect `handlers`.
pub(crate) fn configured(
    config: &mut Config,
    callbacks: &GivenCallbacks,
    mut handler: impl FnMut(&RouteKey, RouteSettings) -> Option<Planned>,
) -> Result<Vec<(RouteKey, Planned)>, ServerError> {
    let mut left: Vec<&(String, Arc<Callbacks>)> = callbacks.iter().collect();
    let keys: Vec<RouteKey> = config.route_keys().collect();
    let mut planned = Vec::with_capacity(keys.len());
    for (index, key) in keys.into_iter().enumerate() {
        let given = left.iter().position(|(pattern, _)| *pattern == key.pattern.as_str());
        let given = given.map(|given| left.remove(given).1.clone());
        if let Some(callbacks) = &given {
            callbacks.declare(&mut config.routes[index]).map_err(ServerError::callbacks(&key))?;
        }
        config.check_callbacks(index, |needed| given.as_ref().is_some_and(|given| given.has(needed)))?;
        let route = &config.routes[index];
        let plan = match Endpoint::configured(config, route, given) {
            Some(endpoint) => Some(Planned::New(Box::new(endpoint))),
            None => handler(&key, config.route_settings(route)),
        };
        let plan = plan.ok_or_else(|| ServerError::NoHandler(key.pattern.to_string()))?;
        planned.push((key, plan));
    }
    match left.first() {
        Some((pattern, _)) => Err(ServerError::NoRoute(pattern.clone())),
        None => Ok(planned),
    }
}

/// The routes of an engine, and what the host knows of them.
#[derive(Default)]
pub(crate) struct Assembled {
    pub(crate) assembly: Assembly,
    /// The table of endpoints. A pattern is listed for the first route that serves it.
    pub(crate) infos: Vec<EndpointInfo>,
    /// By route; `None`: those that it has.
    pub(crate) callbacks: Vec<Option<Option<Arc<Callbacks>>>>,
}

impl Assembled {
    /// Collects these routes; fails if one is asked twice who may come in.
    pub(crate) fn of(routes: Vec<(RouteKey, Planned)>) -> Result<Self, ServerError> {
        let mut assembled = Self::default();
        for (key, planned) in routes {
            assembled.add(key, planned)?;
        }
        Ok(assembled)
    }

    fn add(&mut self, key: RouteKey, planned: Planned) -> Result<(), ServerError> {
        match planned {
            Planned::Kept(infos) => {
                self.list(infos);
                self.assembly.kept(key);
                self.callbacks.push(None);
            }
            Planned::New(endpoint) => {
                endpoint.check_authentication().map_err(ServerError::callbacks(&key))?;
                self.list(infos(&key, &endpoint));
                let EndpointParts { route, callbacks, fingerprint } = endpoint.into_route();
                self.assembly.fingerprinted(key, route, fingerprint);
                self.callbacks.push(Some(callbacks));
            }
        }
        Ok(())
    }

    fn list(&mut self, infos: Vec<EndpointInfo>) {
        for info in infos {
            if !self.infos.iter().any(|known| known.pattern == info.pattern) {
                self.infos.push(info);
            }
        }
    }
}

/// Those of these routes whose handlers were given in Rust.
pub(crate) fn given(routes: &[(RouteKey, Planned)], own: usize) -> Vec<Given> {
    let given = routes.iter().enumerate().filter_map(|(index, (key, planned))| {
        let infos = match planned {
            Planned::New(endpoint) if index < own || endpoint.is_given() => infos(key, endpoint),
            Planned::New(_) => return None,
            Planned::Kept(infos) => infos.clone(),
        };
        Some(Given { key: key.clone(), infos, is_configured: index >= own })
    });
    given.collect()
}

fn infos(key: &RouteKey, endpoint: &Endpoint) -> Vec<EndpointInfo> {
    key.patterns().into_iter().map(|pattern| endpoint.info(pattern)).collect()
}
