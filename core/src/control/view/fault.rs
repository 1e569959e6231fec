//! Faults that were added.

use serde::Serialize;
use serde_json::Value;

/// The faults that this API has added.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFaults"))]
pub(crate) struct FaultsView {
    /// Those that were not taken back, in the order in which they were added. Those of a connection stay here when it is gone.
    pub(crate) faults: Vec<FaultView>,
    /// How many single faults were added to the server, also by its own code, and are still there.
    pub(crate) added: usize,
}

/// Faults that were added together.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFault"))]
pub(crate) struct FaultView {
    /// Names them, to take them back.
    pub(crate) id: u64,
    /// The connection that they are for, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection: Option<String>,
    /// The route or the pattern of paths, if they are for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<String>,
    /// The room, if they are for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) room: Option<String>,
    /// The faults, as they were written.
    pub(crate) faults: Value,
}
