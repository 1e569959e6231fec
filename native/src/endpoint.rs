//! One route on its way into a server, and what can be said about it.

use std::fmt;
use std::sync::Arc;

use switchboard_core::{Authentication, Deferred, Handler, Route, RouteSettings};

use crate::callbacks::Callbacks;
use crate::example::Example;

/// A handler with the rules of its route. Made of a [`Handler`] or of [`Callbacks`] with `from`.
pub struct Endpoint {
    settings: RouteSettings,
    behaviour: Behaviour,
    kind: &'static str,
    example: Example,
}

enum Behaviour {
    Handler(Box<dyn Handler>),
    Callbacks(Arc<Callbacks>),
}

impl Endpoint {
    /// The same handler under these rules.
    pub fn with_settings(mut self, settings: RouteSettings) -> Self {
        self.settings = settings;
        self
    }

    /// A handler that the table of endpoints calls `kind`.
    pub(crate) fn named(kind: &'static str, handler: Box<dyn Handler>) -> Self {
        let behaviour = Behaviour::Handler(handler);
        Self { settings: RouteSettings::default(), behaviour, kind, example: Example::default() }
    }

    /// To be tried like this.
    pub(crate) fn with_example(mut self, example: Example) -> Self {
        self.example = example;
        self
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
            is_guarded: match (&self.settings.authentication, &self.behaviour) {
                (Authentication::Open, Behaviour::Callbacks(callbacks)) => callbacks.authenticates(),
                (Authentication::Open, _) => false,
                // A dialect asks its handler to speak its own refusals, also where everyone may come in.
                (Authentication::Handler, _) => !self.example.is_open,
                _ => true,
            },
        }
    }

    /// What the engine gets, and the callbacks that it will call for.
    pub(crate) fn into_route(self) -> (Route, Option<Arc<Callbacks>>) {
        let mut settings = self.settings;
        match self.behaviour {
            Behaviour::Handler(handler) => (Route { settings, handler }, None),
            Behaviour::Callbacks(callbacks) => {
                if callbacks.authenticates() {
                    settings.authentication = Authentication::Handler;
                }
                let handler = Box::new(Deferred::new(callbacks.hooks()));
                (Route { settings, handler }, Some(callbacks))
            }
        }
    }
}

impl<H: Handler + 'static> From<H> for Endpoint {
    fn from(handler: H) -> Self {
        Self::named("handler", Box::new(handler))
    }
}

impl From<Callbacks> for Endpoint {
    fn from(callbacks: Callbacks) -> Self {
        let behaviour = Behaviour::Callbacks(Arc::new(callbacks));
        let (settings, example) = (RouteSettings::default(), Example::default());
        Self { settings, behaviour, kind: "callbacks", example }
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

/// One line of the table of endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointInfo {
    /// The paths it serves, prefix included.
    pub pattern: String,
    /// The dialect; for handlers in Rust `handler` or `callbacks`.
    pub kind: &'static str,
    /// A path that it serves, with the query that it wants: the pattern with something filled in.
    pub example: String,
    /// A message to begin with, where the dialect has one.
    pub message: Option<String>,
    /// The subprotocols that it speaks; `*` is any.
    pub subprotocols: Vec<String>,
    /// Time between pings in ms.
    pub heartbeat: Option<u64>,
    /// Whether permessage-deflate is agreed to.
    pub is_compressed: bool,
    /// Whether not everyone may come in.
    pub is_guarded: bool,
}

impl EndpointInfo {
    /// The rules that are not the default, in words.
    pub fn rules(&self) -> String {
        let mut rules = Vec::new();
        if self.is_guarded {
            rules.push("authenticated".to_owned());
        }
        if let Some(ms) = self.heartbeat {
            rules.push(format!("heartbeat {}", duration(ms)));
        }
        if self.is_compressed {
            rules.push("compression".to_owned());
        }
        rules.join(", ")
    }
}

fn duration(ms: u64) -> String {
    match ms {
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_tells_its_rules() {
        let settings = RouteSettings { heartbeat: Some(30_000), ..RouteSettings::default() };
        let endpoint = Endpoint::from(Callbacks::new().authenticate(|_| async { true }));
        let info = endpoint.with_settings(settings).info("/ws".to_owned());
        assert_eq!((info.kind, info.rules().as_str()), ("callbacks", "authenticated, heartbeat 30 s"));
        assert_eq!(duration(1500), "1500 ms");
    }
}
