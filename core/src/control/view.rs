//! What the control API shows of a server.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::contract::ContractMode;
use crate::control::event::Cause;
use crate::protocol::Traffic;

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

/// The routes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRoutes"))]
pub(crate) struct RoutesView {
    /// In the order in which they are tried.
    pub(crate) routes: Vec<RouteView>,
}

/// One route with the options in force.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRoute"))]
pub(crate) struct RouteView {
    /// The pattern with its first prefix, which names the route elsewhere.
    pub(crate) route: String,
    /// The pattern with each of its prefixes; none while it is disabled.
    pub(crate) patterns: Vec<String>,
    /// A path that the route serves, and messages that it understands; `null`: none was found.
    pub(crate) example: Option<ExampleView>,
    /// What speaks there: `handlers`, `relay`, `phoenix`, …
    pub(crate) dialect: &'static str,
    /// How many connections are open on it.
    pub(crate) connections: usize,
    /// How many of its rooms have members.
    pub(crate) rooms: usize,
    /// Who may connect: `everyone`, `header`, `token`, `function` or `dialect`.
    pub(crate) authentication: &'static str,
    /// The subprotocols that it speaks; `*` is any.
    pub(crate) subprotocols: Vec<String>,
    /// Whether permessage-deflate is agreed to.
    pub(crate) compression: bool,
    /// The room that every connection joins first.
    pub(crate) default_room: Option<String>,
    /// How long each message waits before it is handled, in ms.
    pub(crate) delay: u64,
    /// Time between pings in ms; `null`: none are sent.
    pub(crate) heartbeat: Option<u64>,
    /// The longest silence in ms; `null`: there is no limit.
    pub(crate) inactivity_timeout: Option<u64>,
    /// The largest message taken, in bytes.
    pub(crate) max_payload: usize,
    /// How much may wait for a client that does not read, in bytes.
    pub(crate) max_outbound: usize,
    /// What happens when more waits: `close`, `dropOldest` or `pause`.
    pub(crate) overflow: &'static str,
    /// The feeds whose values it serves.
    pub(crate) feeds: Vec<String>,
    /// How many messages for clients that read too slowly were dropped since the start.
    pub(crate) dropped_messages: u64,
    /// What becomes of messages that break the route's contract; `null`: it has none.
    pub(crate) contract: Option<ContractMode>,
    /// How many messages broke the contract since the start.
    pub(crate) contract_violations: u64,
    /// How many messages of clients were not what its recording or scenario expects, since the start.
    pub(crate) mismatches: u64,
}

/// How to try a route.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlExample"))]
pub(crate) struct ExampleView {
    /// A path to connect to, with the query that the dialect wants. A token is not in it.
    pub(crate) path: String,
    /// Text messages to send.
    pub(crate) messages: Vec<String>,
}

/// A page of connections.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlConnections"))]
pub(crate) struct ConnectionsView {
    /// The connections.
    pub(crate) connections: Vec<ConnectionView>,
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// For `after`, to get the next page; `null`: this is the last one.
    pub(crate) next: Option<String>,
}

/// One connection, from its opening handshake to its last callback, and for a while afterwards.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlConnection"))]
pub(crate) struct ConnectionView {
    /// Its id, as handlers see it: a UUID.
    pub(crate) id: String,
    /// Its route: the pattern with its first prefix.
    pub(crate) route: String,
    /// The path of its opening handshake, without the query.
    pub(crate) path: String,
    /// What the pattern's `{name}` parts stand for.
    pub(crate) params: BTreeMap<String, String>,
    /// The client's address, if the host knows it.
    pub(crate) address: Option<String>,
    /// The subprotocol both sides agreed on.
    pub(crate) subprotocol: Option<String>,
    /// Where it stands: `opening`, `open`, `closing` or `closed`.
    pub(crate) state: &'static str,
    /// When it opened, in ms since 1970; `null` before, and for one that was open when the API was switched on.
    pub(crate) opened_at: Option<u64>,
    /// Whether permessage-deflate was agreed on.
    pub(crate) compression: bool,
    /// How many messages came.
    pub(crate) messages_in: u64,
    /// How many messages were sent, those that were dropped later included.
    pub(crate) messages_out: u64,
    /// The payloads of the messages that came, in bytes, as they are without compression.
    pub(crate) bytes_in: u64,
    /// The payloads of the messages that were sent, in bytes, as they are without compression.
    pub(crate) bytes_out: u64,
    /// What came on the wire, in bytes: frames with their headers, compressed, and with control frames.
    pub(crate) wire_bytes_in: u64,
    /// What was written to the wire, in bytes: frames with their headers, compressed, and with control frames.
    pub(crate) wire_bytes_out: u64,
    /// How many messages were dropped, as the client reads too slowly.
    pub(crate) dropped_messages: u64,
    /// The rooms that it is in, in the order in which it joined them; at most 100.
    pub(crate) rooms: Vec<String>,
    /// In how many rooms it is.
    pub(crate) room_count: usize,
    /// Whether authentication gave data about the client.
    pub(crate) has_auth_data: bool,
    /// That data. Only with `reveal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_data: Option<Value>,
    /// The query string of its opening handshake. Only with `reveal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) query: Option<String>,
    /// Bytes of messages that came and wait for their handler.
    pub(crate) waiting_bytes: usize,
    /// Bytes that came and are not decoded yet.
    pub(crate) undecoded_bytes: usize,
    /// Bytes of frames that wait to be taken by the client.
    pub(crate) queued_bytes: usize,
    /// Calls of user code for it that are running.
    pub(crate) calls: u32,
    /// When it ended, in ms since 1970; left out before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) closed_at: Option<u64>,
    /// The close code; 1005: none was sent, 1006: there was no close frame. Left out while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) close_code: Option<u16>,
    /// The close reason; left out while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) close_reason: Option<String>,
    /// Who ended it; left out while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) close_cause: Option<Cause>,
    /// Whether it is not read: its handler is far behind, it reads too slowly itself, or this API has paused it.
    pub(crate) is_reading_paused: bool,
    /// How many of its messages breakpoints hold, in both directions.
    pub(crate) held_messages: usize,
}

/// What passed on a connection lately.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlMessages"))]
pub(crate) struct MessagesView {
    /// As live events tell it, with at most 4096 bytes of each payload, the oldest first. What is no longer kept is left out.
    #[cfg_attr(feature = "json-schema", schemars(with = "Vec<crate::control::event::Event<'static>>"))]
    pub(crate) messages: Vec<Value>,
}

/// What the socket of a connection holds in its host, and what has passed on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketCounts {
    /// Bytes that were read and are not decoded yet.
    pub undecoded: usize,
    /// Bytes to be written.
    pub queued: usize,
    /// What came ([`Reader::take_traffic`](crate::protocol::Reader::take_traffic), added up).
    pub received: Traffic,
    /// What was sent ([`Writer::traffic`](crate::protocol::Writer::traffic)).
    pub sent: Traffic,
    /// Messages that were dropped ([`Outbox::dropped_messages`](crate::protocol::Outbox::dropped_messages)).
    pub dropped_messages: u64,
}

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

/// The feeds.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFeeds"))]
pub(crate) struct FeedsView {
    /// In the order of the configuration.
    pub(crate) feeds: Vec<FeedView>,
}

/// One feed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFeed"))]
pub(crate) struct FeedView {
    /// Its name.
    pub(crate) name: String,
    /// How many values were published on it since the start.
    pub(crate) published: u64,
    /// How many values it keeps.
    pub(crate) kept: usize,
}

/// One feed with values.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFeedValues"))]
pub(crate) struct FeedValuesView {
    /// Its name.
    pub(crate) name: String,
    /// How many values were published on it since the start.
    pub(crate) published: u64,
    /// How many values it keeps.
    pub(crate) kept: usize,
    /// The latest of them, the latest first.
    pub(crate) values: Vec<FeedValueView>,
}

/// A value that was published.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlFeedValue"))]
pub(crate) struct FeedValueView {
    /// When, in ms since 1970.
    pub(crate) at: u64,
    /// The value.
    pub(crate) value: Value,
}

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

/// What is recorded now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRecordings"))]
pub(crate) struct RecordingsView {
    /// The files, in the order in which they were begun.
    pub(crate) recordings: Vec<RecordingView>,
}

/// A file that is being recorded.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRecording"))]
pub(crate) struct RecordingView {
    /// The file's name, without its folder.
    pub(crate) name: String,
    /// The routes whose configuration names the file.
    pub(crate) routes: Vec<String>,
    /// Whether it was started while the server runs, so that it can be stopped.
    pub(crate) is_started: bool,
    /// How many events were recorded.
    pub(crate) events: u64,
    /// How many bytes that made.
    pub(crate) bytes: u64,
    /// How many events were left out, as the disk was too slow.
    pub(crate) missed: u64,
    /// How many bytes wait to be written.
    pub(crate) waiting: usize,
    /// Whether the file could not be written: then nothing more is recorded, and the log says why.
    pub(crate) has_failed: bool,
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
