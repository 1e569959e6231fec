//! Connections, and what passed on them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::control::event::Cause;
use crate::protocol::Traffic;

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
