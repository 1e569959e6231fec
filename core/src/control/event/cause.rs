//! Who ended a connection, as events tell it.

use serde::Serialize;

use crate::interface::close_cause::CloseCause;

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlCloseCause"))]
pub(crate) enum Cause {
    /// The client sent a close frame first.
    Client,
    /// The server closed it: a handler, a timer, a limit, a protocol violation, a shutdown, or this API.
    Server,
    /// The transport ended without a close frame.
    Lost,
}

impl From<CloseCause> for Cause {
    fn from(cause: CloseCause) -> Self {
        match cause {
            CloseCause::Client => Cause::Client,
            CloseCause::Server => Cause::Server,
            CloseCause::Lost => Cause::Lost,
        }
    }
}
