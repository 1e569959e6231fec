//! A route for a server, and its description.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::config::{Config, Dialect, Example, RouteCallbacks, RouteConfig};
use switchboard_core::{Authentication, Handler, Route, RouteKey, RouteSettings, WithCallbacks};

use crate::callbacks::{Callbacks, SocketTask};

/// A handler with the settings of its route. Made of a [`Handler`] or of [`Callbacks`] with `from`.
pub struct Endpoint {
    settings: RouteSettings,
    handler: Box<dyn Handler>,
    callbacks: Option<Arc<Callbacks>>,
    dialect: Dialect,
    kind: &'static str,
    example: Example,
    /// What distinguishes it from its earlier configurations.
    fingerprint: Option<u64>,
}

impl Endpoint {
    /// The same handler with these settings.
    pub fn with_settings(mut self, settings: RouteSettings) -> Self {
        self.settings = settings;
        self
    }

    /// The same handler with callbacks in addition: they answer its calls ([`Callbacks::on_custom`]), and are called after
    /// it has handled an event. Both are told of errors. Earlier callbacks are replaced.
    pub fn with_callbacks(mut self, callbacks: Callbacks) -> Self {
        self.handler = Box::new(WithCallbacks::new(self.handler, callbacks.hooks(), true));
        self.callbacks = Some(Arc::new(callbacks));
        self
    }

    /// A route of a configuration, with callbacks in addition to its dialect; `None` if the handler is missing.
    pub(crate) fn configured(
        config: &Config,
        route: &RouteConfig,
        callbacks: Option<Arc<Callbacks>>,
    ) -> Option<Self> {
        if callbacks.is_none() && route.dialect() == Dialect::Handlers {
            return None;
        }
        let has = callbacks.as_ref().map(|callbacks| RouteCallbacks {
            hooks: callbacks.hooks(),
            proxied: callbacks.proxied(),
            revision: 0,
        });
        let has = has.unwrap_or_default();
        let fingerprint = Some(config.fingerprint(route, &has));
        let Route { settings, handler } = config.route(route, has);
        let kind = match route.dialect() {
            Dialect::Handlers => "callbacks",
            dialect => dialect.name(),
        };
        Some(Self {
            settings,
            handler,
            callbacks,
            dialect: route.dialect(),
            kind,
            example: Example::of(route),
            fingerprint,
        })
    }

    /// Gives it its index; fails if its callbacks are wrong.
    pub(crate) fn at(mut self, key: &mut RouteKey) -> Result<Self, String> {
        if let Some(callbacks) = &self.callbacks {
            callbacks.check(self.dialect)?;
            if self.dialect != Dialect::Handlers {
                self.example = callbacks.example(&key.pattern)?;
            }
        }
        key.trailing_slash |= self.dialect.ignores_trailing_slash();
        Ok(self)
    }

    pub(crate) fn info(&self, pattern: String) -> EndpointInfo {
        EndpointInfo {
            example: self.example.path(&pattern, &self.settings),
            message: self.example.message.clone(),
            subprotocols: self.settings.subprotocols.clone(),
            pattern,
            kind: self.kind,
            heartbeat: self.settings.heartbeat,
            is_compressed: self.settings.deflate.is_some(),
            is_guarded: self.authenticates()
                || match &self.settings.authentication {
                    Authentication::Open => false,
                    // A dialect may refuse clients in a way of its own, even if everyone may connect.
                    Authentication::Handler => !self.example.is_open,
                    _ => true,
                },
        }
    }

    /// Whether it was given in Rust, and not made of a configuration.
    pub(crate) fn is_given(&self) -> bool {
        self.fingerprint.is_none()
    }

    /// The route for the engine, and the callbacks that it will call.
    pub(crate) fn into_route(self) -> EndpointParts {
        EndpointParts {
            route: Route { settings: self.settings, handler: self.handler },
            callbacks: self.callbacks,
            fingerprint: self.fingerprint,
        }
    }

    /// Fails if there is an `authenticate` callback as well as a setting that decides who may connect.
    pub(crate) fn check_authentication(&self) -> Result<(), String> {
        match self.settings.authentication {
            Authentication::Header(_) | Authentication::Token(_) if self.authenticates() => {
                Err("both a rule and a callback say who may come in, and only the callback would be asked; leave out \
                     one of them, or look at the token in the callback"
                    .to_owned())
            }
            _ => Ok(()),
        }
    }

    fn authenticates(&self) -> bool {
        self.callbacks.as_ref().is_some_and(|callbacks| callbacks.authenticates())
    }
}

impl<H: Handler + 'static> From<H> for Endpoint {
    fn from(handler: H) -> Self {
        Self {
            settings: RouteSettings::default(),
            handler: Box::new(handler),
            callbacks: None,
            dialect: Dialect::Handlers,
            kind: "handler",
            example: Example::default(),
            fingerprint: None,
        }
    }
}

impl From<Callbacks> for Endpoint {
    fn from(callbacks: Callbacks) -> Self {
        let dialect = callbacks.dialect();
        let settings = RouteSettings { kind: dialect.name(), ..RouteSettings::default() };
        let kind = match dialect {
            Dialect::Handlers => "callbacks",
            dialect => dialect.name(),
        };
        let (handler, example) = (callbacks.handler(), Example::default());
        let callbacks = Some(Arc::new(callbacks));
        Self { settings, handler, callbacks, dialect, kind, example, fingerprint: None }
    }
}

impl From<SocketTask> for Endpoint {
    fn from(task: SocketTask) -> Self {
        Self { kind: "task", ..Self::from(task.into_callbacks()) }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("kind", &self.kind)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What an endpoint is made of.
pub(crate) struct EndpointParts {
    /// For the engine.
    pub(crate) route: Route,
    /// What it will call.
    pub(crate) callbacks: Option<Arc<Callbacks>>,
    pub(crate) fingerprint: Option<u64>,
}

/// The description of a route: one line of the table of endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointInfo {
    /// The paths it serves, prefix included.
    pub pattern: String,
    /// The dialect; for handlers in Rust `handler`, `callbacks` or `task`.
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
        let endpoint = Endpoint::from(Callbacks::new().authenticate(|_| async { true }));
        let info = endpoint.with_settings(settings).info("/ws".to_owned());
        assert_eq!((info.kind, info.rules().as_str()), ("callbacks", "authenticated, heartbeat 30 s"));
        assert_eq!(in_words(Duration::from_millis(1500)), "1500 ms");
    }
}
