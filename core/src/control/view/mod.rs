//! What the control API shows of a server.

mod connection;
mod fault;
mod feed;
mod recording;
mod room;
mod route;

use serde::Serialize;

pub use connection::SocketCounts;
pub(crate) use connection::{ConnectionView, ConnectionsView, MessagesView};
pub(crate) use fault::{FaultView, FaultsView};
pub(crate) use feed::{FeedValueView, FeedValuesView, FeedView, FeedsView};
pub(crate) use recording::{RecordingView, RecordingsView};
pub(crate) use room::{PresenceView, PresencesView, RoomView, RoomsView};
pub(crate) use route::{ExampleView, RouteView, RoutesView};

/// What serves, and what it can be asked.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlServer"))]
pub(crate) struct ServerView {
    /// The version of the server.
    pub(crate) version: &'static str,
    /// The version of the API, as in its path.
    pub(crate) api: u32,
    /// The time of the server, in ms since 1970.
    pub(crate) now: u64,
    /// Whether `authData` and query strings are shown.
    pub(crate) reveal: bool,
    /// Whether the server takes new connections; it does not while it stops.
    pub(crate) is_serving: bool,
}

/// The time of the server.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlClock"))]
pub(crate) struct ClockView {
    /// In ms since 1970.
    pub(crate) now: u64,
    /// Ms until the next timer of the server is due; `null`: there is none.
    pub(crate) next: Option<u64>,
    /// Whether it only moves when it is told to.
    pub(crate) is_manual: bool,
    /// Whether it can be stopped and moved.
    pub(crate) is_movable: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlDone"))]
pub(crate) struct DoneView {
    /// For how many connections; for a feed, how many routes serve it.
    pub(crate) count: usize,
}

/// Why nothing was done.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlError"))]
pub(crate) struct ErrorView {
    /// What was wrong, and what to write.
    pub(crate) error: String,
}
