//! Without the feature `javascript` no server has handler files.

use switchboard_core::{Config, Limits};

use crate::error::ServerError;
use crate::plan::GivenCallbacks;
use crate::server::Builder;

/// Nothing.
#[derive(Clone, Default)]
pub(crate) struct Files;

impl Files {
    pub(crate) fn start(_: &mut Builder) -> Result<Self, ServerError> {
        Ok(Self)
    }

    pub(crate) fn reload(&self, _: &Config, _: &Limits) -> Result<Self, ServerError> {
        Ok(Self)
    }

    pub(crate) fn apply(&self, _: &mut Config, _: &mut GivenCallbacks) {}
}
