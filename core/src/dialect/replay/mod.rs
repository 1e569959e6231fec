//! The dialects `replay` and `scenario`: the server's side of a conversation, played from a recording or from a list of steps.
//!
//! # Replay
//!
//! A client gets a connection of a [recording](crate::recording): what the server sent then it sends again, at the pace of
//! then, and where the client of then sent something, it waits until this client sends [something alike](Matching). A recorded
//! refusal is a refusal again. How a recorded connection ends:
//!
//! | Recorded | Replayed |
//! |---|---|
//! | closed by the server | closed with the same code and reason; with 1006 the transport is dropped |
//! | closed by the client, lost, or not at all | nothing: the client ends it |
//!
//! Messages that the client sent one after another may come in any order. What comes before it is expected waits. What does
//! not match is logged with what differs, counted, told as a live event, and fails the tests of `vite-plugin-switchboard`.
//!
//! Values at keys such as `id`, `ref` and `timestamp` are other ones for each client: where this client sends another value
//! than the recorded client did, later messages of the server have it in place of the recorded value under the same key.
//! `{client.ref}`, written by hand in a message of the server, is the value at `ref` in the latest message of this client
//! that has one. With Phoenix Channels, heartbeats are answered at once, and references are this client's own.
//!
//! The file is read part by part: once at the start for the places of its connections, and once for each client. It should
//! not change while the server runs; it is read anew when the route is configured anew.
//!
//! # Scenario
//!
//! The same player with [steps](ScenarioStep) that are written by hand: wait for a message, send one, wait, go wrong, close.
//!
//! ```
//! use switchboard_core::Config;
//!
//! let route = r#"
//! [[routes]]
//! pattern = "/login"
//! scenario = [
//!     { expect = { type = "hello" } },
//!     { send = { type = "welcome", name = "{message.name}" } },
//!     { wait = 1000 },
//!     { close = { code = 4000, reason = "come back" } },
//! ]
//! "#;
//! assert!(Config::from_toml(route).is_ok());
//! let error = Config::from_toml(&route.replace("wait", "wiat")).unwrap_err();
//! assert_eq!(error.to_string(), "routes[0].scenario[2].wiat: unknown key; did you mean \"wait\"?");
//! ```

mod captures;
mod difference;
mod handler;
mod index;
mod matching;
mod material;
mod mismatch;
mod options;
mod phoenix;
mod player;
mod scalars;
mod scenario;
mod step;
mod track;

pub use difference::Difference;
pub use handler::Replay;
pub use matching::Matching;
pub(crate) use mismatch::Mismatch;
pub use options::{ConnectionChoice, MismatchOption, ReplayOptions, Speed, StartAt};
pub use scenario::{Choice, ScenarioOptions, ScenarioScript, ScenarioStep};
