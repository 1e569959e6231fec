//! What distinguishes a configured route from its earlier configurations.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{AuthenticateConfig, Config, RouteCallbacks, RouteConfig};
use crate::dialect::proxy::{ProxyAuth, Secret, TargetOptions};

impl Config {
    /// A number that is the same where everything about a route is the same, its callbacks by their
    /// [`revision`](RouteCallbacks::revision). Two processes may have different ones.
    pub fn fingerprint(&self, route: &RouteConfig, callbacks: &RouteCallbacks) -> u64 {
        let mut hasher = DefaultHasher::new();
        let settings = self.route_settings(route);
        let debug = format!("{:?}", (route, settings, callbacks, self.limits.json_depth));
        (self.prefixes(route), debug).hash(&mut hasher);
        // Nothing that can be printed has them.
        if let AuthenticateConfig::Token(token) = &route.authenticate {
            token.token.values.iter().for_each(|(token, data)| (token, data.to_string()).hash(&mut hasher));
        }
        let proxy = route.proxy.as_ref();
        let targets = proxy.into_iter().flat_map(|proxy| proxy.target.iter().chain(proxy.targets.values()));
        targets.flat_map(secrets).for_each(|Secret(secret)| secret.hash(&mut hasher));
        let events = route.events.iter().flat_map(|events| &events.admin_tokens);
        events.for_each(|Secret(secret)| secret.hash(&mut hasher));
        hasher.finish()
    }
}

fn secrets(target: &TargetOptions) -> Vec<&Secret> {
    let mut secrets: Vec<&Secret> = target.headers.values().collect();
    match &target.auth {
        Some(ProxyAuth::Bearer { token }) => secrets.push(token),
        Some(ProxyAuth::Basic { username, password }) => secrets.extend([username, password]),
        Some(ProxyAuth::ApiKey { value, .. }) => secrets.push(value),
        None => {}
    }
    secrets
}
