//! The rules of one endpoint, as the engine needs them.

use std::sync::Arc;
use std::time::Duration;

use crate::contract::Contract;
use crate::fault::{ClientConditions, Fault};
use crate::history::HistorySettings;
use crate::protocol::{DeflateConfig, Overflow};
use crate::recording::RecordSettings;
use crate::routing::authentication::Authentication;
use crate::routing::origin::Origins;

/// Everything about a route that is not its handler. Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct RouteSettings {
    /// Wait this long before each message is handled. Default 0.
    pub delay: Duration,
    /// Subprotocols the route speaks, `*` for any; none: the client's offer goes unanswered. Default none.
    pub subprotocols: Vec<String>,
    /// Time between pings. Default off.
    pub heartbeat: Option<Duration>,
    /// Longest silence. Default off.
    pub inactivity_timeout: Option<Duration>,
    /// The room every connection joins first. Default none.
    pub default_room: Option<Arc<str>>,
    /// permessage-deflate, if the client offers it. Default off.
    pub deflate: Option<DeflateConfig>,
    /// The largest message taken, after inflating. Default 16 MiB.
    pub max_payload: usize,
    /// Who may come in. Default everyone.
    pub authentication: Authentication,
    /// How much may wait for a client that does not read. Default 1 MiB.
    pub max_outbound: usize,
    /// What happens when more waits. Default: close 1013.
    pub overflow: Overflow,
    /// Whose pages may connect; others are answered 403. Default: the same host's and this machine's.
    pub origins: Origins,
    /// The feeds whose values the route's handler is told. Default none.
    pub feeds: Vec<String>,
    /// What goes wrong on purpose. Default nothing.
    pub faults: Arc<[Fault]>,
    /// The conditions that a client may choose for its own connection. Default none.
    pub client_conditions: ClientConditions,
    /// What messages have to be. Default anything.
    pub contract: Option<Arc<Contract>>,
    /// The file that the route is recorded in. Default none.
    pub record: Option<Arc<RecordSettings>>,
    /// How much of its rooms is kept for clients that come back. Default nothing.
    pub history: Option<HistorySettings>,
    /// Whether the route's handler itself brings what is kept into the form of its clients, and says who takes part, as
    /// Phoenix does. What it does not keep is not kept then. Default false.
    pub history_by_handler: bool,
    /// What speaks here: the dialect's name. Default `handlers`.
    pub kind: &'static str,
}

impl Default for RouteSettings {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            subprotocols: Vec::new(),
            heartbeat: None,
            inactivity_timeout: None,
            default_room: None,
            deflate: None,
            max_payload: 16 << 20,
            authentication: Authentication::Open,
            max_outbound: 1 << 20,
            overflow: Overflow::Close,
            origins: Origins::Local,
            feeds: Vec::new(),
            faults: Arc::default(),
            client_conditions: ClientConditions::default(),
            contract: None,
            record: None,
            history: None,
            history_by_handler: false,
            kind: "handlers",
        }
    }
}
