//! Routes with their options, and how to try them.

use serde::Serialize;

use crate::contract::ContractMode;

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
