//! The handler files of a server, if it has any.

use std::path::PathBuf;

use switchboard_core::{Config, Limits};

use crate::error::ServerError;
use crate::plan::GivenCallbacks;
use crate::script::Loaded;
use crate::server::Builder;

/// What was loaded of them.
#[derive(Clone, Default)]
pub(crate) struct Files(Option<Loaded>);

impl Files {
    /// Loads the files that a builder was given.
    pub(crate) fn start(builder: &mut Builder) -> Result<Self, ServerError> {
        let limits = builder.engine_limits();
        let loaded =
            builder.take_files().map(|files| files.load(builder.configuration(), &limits)).transpose();
        Ok(Self(loaded?))
    }

    /// Loads what has changed.
    pub(crate) fn reload(&self, config: &Config, limits: &Limits) -> Result<Self, ServerError> {
        let loaded = self.0.as_ref().map(|loaded| loaded.reload(config, limits)).transpose();
        Ok(Self(loaded?))
    }

    /// Puts their routes before those of a configuration, and their functions before those of its routes.
    pub(crate) fn apply(&self, config: &mut Config, callbacks: &mut GivenCallbacks) {
        if let Some(loaded) = &self.0 {
            callbacks.splice(..0, loaded.apply(config));
        }
    }

    /// The files that were read, and the folders in which others may appear.
    pub(crate) fn watched(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        self.0.as_ref().map(Loaded::watched).unwrap_or_default()
    }
}
