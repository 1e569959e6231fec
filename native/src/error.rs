//! Why a server does not start, or does not take another configuration.

use std::io;

use switchboard_core::{ConfigError, PatternError, ReconfigureError, RouteKey};

use crate::tls::TlsError;

/// Why a server does not start, or does not take another configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A route's pattern is malformed.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The configuration has a route of the dialect `handlers` for which there is no handler.
    #[error(
        "the route {0} has the dialect \"handlers\" and no handler: give it rules, another dialect, or a handler in Rust"
    )]
    NoHandler(String),
    /// The configuration asks for callbacks that its routes do not have.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// [`Builder::callbacks`](crate::Builder::callbacks) names a route that the configuration does not have.
    #[error("the configuration has no route {0} for these callbacks: write its pattern as it stands there")]
    NoRoute(String),
    /// A route's callbacks are not for its dialect.
    #[error("the callbacks of the route {pattern}: {message}")]
    Callbacks {
        /// The route's.
        pattern: String,
        /// What is wrong.
        message: String,
    },
    /// A handler file cannot be served.
    #[cfg(feature = "javascript")]
    #[error(transparent)]
    Script(#[from] crate::script::ScriptError),
    /// The address cannot be listened on.
    #[error("cannot listen: {0}")]
    Bind(#[source] io::Error),
    /// The certificate cannot be shown.
    #[error("listen.tls: {0}")]
    Tls(#[from] TlsError),
    /// The engine does not take another configuration.
    #[error(transparent)]
    Reconfigure(#[from] ReconfigureError),
    /// The cluster of the configuration cannot be joined.
    #[error("{0}")]
    Cluster(String),
    /// The system has no source of randomness.
    #[error("no randomness: {0}")]
    Random(String),
}

impl ServerError {
    /// What is wrong with the callbacks of this route.
    pub(crate) fn callbacks(key: &RouteKey) -> impl Fn(String) -> Self {
        |message| ServerError::Callbacks { pattern: key.pattern.to_string(), message }
    }
}
