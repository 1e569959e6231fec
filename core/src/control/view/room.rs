//! Rooms, and who is present.

use serde::Serialize;
use serde_json::Value;

/// A page of rooms.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRooms"))]
pub(crate) struct RoomsView {
    /// The rooms.
    pub(crate) rooms: Vec<RoomView>,
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// For `after`, to get the next page; `null`: this is the last one.
    pub(crate) next: Option<String>,
}

/// A room with members.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRoom"))]
pub(crate) struct RoomView {
    /// Its route: the pattern with its first prefix.
    pub(crate) route: String,
    /// Its name.
    pub(crate) room: String,
    /// How many connections are in it.
    pub(crate) members: usize,
}

/// Who is present.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlPresences"))]
pub(crate) struct PresencesView {
    /// By route and topic.
    pub(crate) presences: Vec<PresenceView>,
    /// How many there are, whatever the limit.
    pub(crate) total: usize,
}

/// Who is present on one topic.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlPresence"))]
pub(crate) struct PresenceView {
    /// The route: the pattern with its first prefix.
    pub(crate) route: String,
    /// The topic; empty where the dialect keeps presence for the whole route.
    pub(crate) topic: String,
    /// Who, in the dialect's own form: for `phoenix` the `presence_state`.
    pub(crate) state: Value,
}
