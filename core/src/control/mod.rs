//! The control API: how a program, a test or an inspector looks at a running server and acts on it.
//!
//! Plain HTTP below [`PATH`], JSON in and out, and one WebSocket, [`EVENTS_PATH`], that tells what happens. Off unless a host
//! switches it on ([`Engine::set_control`](crate::Engine::set_control)); then a token is asked for with every request. What it
//! takes and gives is described by `openapi`.
//!
//! What lives here: who may ask ([`ControlSettings`]), the operations, the shape of requests, responses and events, and which
//! events a subscriber wants. What they do to a server is in `engine/control`.

pub(crate) mod access;
pub(crate) mod body;
pub(crate) mod breakpoint;
pub(crate) mod clock;
pub(crate) mod event;
pub(crate) mod example;
pub(crate) mod handler_times;
pub(crate) mod history;
#[cfg(feature = "json-schema")]
mod openapi;
pub(crate) mod operation;
pub(crate) mod query;
pub(crate) mod recording_file;
pub(crate) mod subscriber;
pub(crate) mod subscription;
pub(crate) mod view;

pub use access::{ControlSettings, admits_page};
pub use clock::{ClockStep, HostClock};
#[cfg(feature = "json-schema")]
pub use openapi::openapi;
pub use recording_file::RecordingFile;
pub use view::SocketCounts;

use crate::control::breakpoint::BreakpointView;
use crate::control::handler_times::HandlerTimes;
use crate::control::history::History;
use crate::control::subscriber::Subscribers;
use crate::control::view::FaultView;

/// The root of the API. The number grows when a change would break its clients.
pub const PATH: &str = "/__switchboard/api/v1";

/// Where live events are told.
pub const EVENTS_PATH: &str = "/__switchboard/api/v1/events";

/// The largest body of a request in bytes; a larger one is answered 413. 1 MiB.
pub const MAX_BODY: usize = 1 << 20;

/// Where a host serves the inspector, a page that uses the API.
pub const INSPECTOR_PATH: &str = "/__switchboard/";

/// Whether a path, which is without the query, is the API's.
pub(crate) fn is_path(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The control API of one engine, while it is on.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) settings: ControlSettings,
    /// The index of the route that tells live events. No router knows it.
    pub(crate) route: usize,
    pub(crate) subscribers: Subscribers,
    pub(crate) history: History,
    pub(crate) handler_times: HandlerTimes,
    /// What was added and not taken back.
    pub(crate) faults: Vec<FaultView>,
    /// The breakpoints as they were asked for; some may have ended.
    pub(crate) breakpoints: Vec<BreakpointView>,
}
