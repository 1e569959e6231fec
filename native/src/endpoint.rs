//! A route for a server, and its description.

use std::fmt;
use std::sync::Arc;

use switchboard_core::config::{Config, Dialect, EndpointInfo, Example, RouteConfig};
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
        let has = callbacks.as_ref().map(|callbacks| callbacks.told()).unwrap_or_default();
        let fingerprint = Some(config.fingerprint(route, &has));
        let Route { settings, handler } = config.route(route, has);
        let kind = EndpointInfo::kind(route.dialect());
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
        EndpointInfo::new(pattern, self.kind, &self.example, &self.settings, self.authenticates())
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
        let kind = EndpointInfo::kind(dialect);
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
