//! Which way a message goes.

use serde::Serialize;

/// Which way a message goes, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlMessageDirection"))]
pub(crate) enum MessageDirection {
    /// From a client.
    In,
    /// To clients.
    Out,
}
