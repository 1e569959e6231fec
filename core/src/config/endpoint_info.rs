//! The description of a route: one line of the table of endpoints.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Config, Dialect, Example, RouteConfig};
use crate::control::PATH;
use crate::interface::http_endpoint::HttpEndpoint;
use crate::routing::authentication::Authentication;
use crate::routing::route::RouteSettings;

/// The description of a route: one line of the table of endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointInfo {
    /// The paths it serves, prefix included.
    pub pattern: String,
    /// The dialect; for handlers in Rust `handler`, `callbacks` or `task`, for handlers in JavaScript `callbacks`.
    pub kind: &'static str,
    /// An example of a path that it serves, with the query that it needs.
    pub example: String,
    /// An example of a first message, if the dialect has one.
    pub message: Option<String>,
    /// The subprotocols that it speaks; `*` is any.
    pub subprotocols: Vec<String>,
    /// Time between pings.
    pub heartbeat: Option<Duration>,
    /// Whether permessage-deflate is agreed to.
    pub is_compressed: bool,
    /// Whether clients have to authenticate.
    pub is_guarded: bool,
}

impl EndpointInfo {
    /// Of a route that serves this pattern. `authenticates` tells whether a callback decides who may connect.
    pub fn new(
        pattern: String,
        kind: &'static str,
        example: &Example,
        settings: &RouteSettings,
        authenticates: bool,
    ) -> Self {
        Self {
            example: example.path(&pattern, settings),
            message: example.message.clone(),
            subprotocols: settings.subprotocols.clone(),
            pattern,
            kind,
            heartbeat: settings.heartbeat,
            is_compressed: settings.deflate.is_some(),
            is_guarded: authenticates
                || match &settings.authentication {
                    Authentication::Open => false,
                    // A dialect may refuse clients in a way of its own, even if everyone may connect.
                    Authentication::Handler => !example.is_open,
                    _ => true,
                },
        }
    }

    /// Of a configured route: one for each of its prefixes.
    pub fn configured(config: &Config, route: &RouteConfig, authenticates: bool) -> Vec<Self> {
        let (example, settings) = (Example::of(route), config.route_settings(route));
        let kind = Self::kind(route.dialect());
        let patterns = config.route_key(route).patterns().into_iter();
        patterns.map(|pattern| Self::new(pattern, kind, &example, &settings, authenticates)).collect()
    }

    /// What [`kind`](Self::kind) is for a route of this dialect.
    pub fn kind(dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Handlers => "callbacks",
            dialect => dialect.name(),
        }
    }

    /// The settings that are not the default, as text.
    pub fn rules(&self) -> String {
        let mut rules = Vec::new();
        if self.is_guarded {
            rules.push("authenticated".to_owned());
        }
        if let Some(interval) = self.heartbeat {
            rules.push(format!("heartbeat {}", in_words(interval)));
        }
        if self.is_compressed {
            rules.push("compression".to_owned());
        }
        rules.join(", ")
    }
}

/// What is served where, for pages that let somebody try it: `start.json` of the inspector.
pub fn inventory(endpoints: &[EndpointInfo], http: &[HttpEndpoint]) -> Value {
    let websockets = endpoints.iter().map(|endpoint| {
        json!({
            "pattern": endpoint.pattern,
            "kind": endpoint.kind,
            "rules": endpoint.rules(),
            "example": endpoint.example,
            "message": endpoint.message,
            "subprotocols": endpoint.subprotocols,
        })
    });
    // The control API is no endpoint to try: whoever may use it has its token.
    let plain = http
        .iter()
        .filter(|known| known.path != PATH)
        .map(|known| json!({ "method": known.method.as_str(), "path": known.path }));
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "endpoints": websockets.collect::<Value>(),
        "http": plain.collect::<Value>(),
    })
}

fn in_words(duration: Duration) -> String {
    match duration.subsec_nanos() {
        0 => format!("{} s", duration.as_secs()),
        _ => format!("{} ms", duration.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_tells_its_rules() {
        let settings = RouteSettings { heartbeat: Some(Duration::from_secs(30)), ..RouteSettings::default() };
        let info = EndpointInfo::new("/ws".to_owned(), "callbacks", &Example::default(), &settings, true);
        assert_eq!((info.kind, info.rules().as_str()), ("callbacks", "authenticated, heartbeat 30 s"));
        assert_eq!(in_words(Duration::from_millis(1500)), "1500 ms");
    }

    #[test]
    fn a_configured_route_has_one_for_each_prefix() {
        let config = Config::from_toml(
            "prefix = ['/a', '/b']\n[[routes]]\npattern = '/x/{id}'\ndialect = 'echo'\ncompression = true",
        );
        let config = config.expect("a configuration");
        let infos = EndpointInfo::configured(&config, &config.routes[0], false);
        let told: Vec<_> =
            infos.iter().map(|info| (info.pattern.as_str(), info.example.as_str(), info.rules())).collect();
        assert_eq!(
            told,
            [
                ("/a/x/{id}", "/a/x/id", "compression".to_owned()),
                ("/b/x/{id}", "/b/x/id", "compression".to_owned())
            ]
        );
    }
}
