//! Which way a message goes.

use schemars::JsonSchema;
use serde::Serialize;

/// Which way a message goes, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ControlMessageDirection")]
pub(crate) enum MessageDirection {
    /// From a client.
    In,
    /// To clients.
    Out,
}
