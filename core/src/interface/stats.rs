//! Statistics of a server.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a server holds at one moment. Without connections all of it is 0, apart from timers of routes and feeds and
/// from what is counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Stats {
    /// Connections, from their opening handshake to their last hook.
    pub connections: usize,
    /// Rooms that have members, of all routes.
    pub rooms: usize,
    /// Armed deadlines.
    pub timers: usize,
    /// Hooks whose answer is awaited.
    pub calls: usize,
    /// Outgoing connections, such as those of proxies.
    pub upstreams: usize,
    /// What passes between the server and its clients.
    pub client_bytes: ByteCounts,
    /// What passes between the server and its outgoing connections.
    pub upstream_bytes: ByteCounts,
    /// Bytes of recordings that wait to be written, now. Beyond 16 MiB of a file events are left out.
    pub recording_bytes: usize,
    /// How many messages for clients that read too slowly were dropped since the start, by the route's pattern with its
    /// first prefix. Routes that dropped none are left out.
    pub dropped_messages: BTreeMap<String, u64>,
    /// How many messages broke the contract of their route since the start, by the route's pattern with its first prefix.
    /// Routes where none did are left out.
    pub contract_violations: BTreeMap<String, u64>,
    /// How many messages of clients were not what a recording or a scenario expects, since the start, by the route's pattern
    /// with its first prefix. Routes where none were are left out.
    pub mismatches: BTreeMap<String, u64>,
    /// The cluster, as this server sees it as one of its nodes. Left out where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterView>,
    /// How long calls of user code took that ended in the last minute. Left out while the control API is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler_time: Option<HandlerTime>,
}

/// A cluster, as one of its nodes sees it. What is counted is counted since the start of this server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClusterView {
    /// The name of this node.
    pub node: String,
    /// The names of the other nodes that are alive, sorted.
    pub others: Vec<String>,
    /// Of how many of them not all is known: it is on its way, or there is no room for it.
    pub incomplete: usize,
    /// Whether there is a link to the broker. Without one this server serves its own clients alone.
    pub is_linked: bool,
    /// To how many channels this node is subscribed.
    pub channels: usize,
    /// Messages that were given to the broker.
    pub published: u64,
    /// Messages that were not, as there was no link, no room, or the broker has refused them.
    pub unsent: u64,
    /// Messages of other nodes that came.
    pub received: u64,
    /// Messages of other nodes that were lost on the way.
    pub lost: u64,
    /// Messages that came once more, or too late, and were left out.
    pub repeated: u64,
    /// Messages of the broker that were not understood.
    pub undecodable: u64,
}

/// How long calls of user code took, from the call to its answer, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HandlerTime {
    /// How many calls there were.
    pub count: u64,
    /// Half of them took no longer, within 6 %.
    pub median: f64,
    /// 99 of 100 took no longer, within 6 %.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Bytes on their way, in the order in which they pass: how many did since the start, and how many wait now. Unless it
/// says otherwise, they are the payloads of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ByteCounts {
    /// In messages that came, since the start.
    pub received: u64,
    /// Read and not decoded yet, now: frames and messages of which not all has come, and what one read brought beyond
    /// what is decoded at once. Of clients the host counts them. Of outgoing connections it is 0: what their transport
    /// keeps of one unfinished message is bounded by the largest message that is taken.
    pub undecoded: u64,
    /// In messages that came and wait for their handler, now. Beyond the `limits` nothing is read.
    pub waiting: u64,
    /// In messages that were sent and that the other side has not taken, now. For clients the host counts them, frame
    /// headers included.
    pub queued: u64,
    /// In messages that were sent, since the start: to clients when they were queued, on outgoing connections when they
    /// were taken.
    pub sent: u64,
    /// In messages for outgoing connections that were dropped because twice the bound was reached, since the start.
    pub dropped: u64,
}
