//! What becomes of messages that breakpoints hold.

use serde::Serialize;

/// What has become of a message that a breakpoint held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRelease"))]
pub(crate) enum Release {
    /// It went on as it was, as somebody decided or took the breakpoint back.
    Passed,
    /// Another message went on in its place.
    Edited,
    /// It was dropped.
    Dropped,
    /// It went on as it was, as nobody decided in time.
    Timeout,
    /// It was dropped, as its connection has ended.
    Ended,
    /// It was never held, as too much is held already, and went on.
    Full,
}
