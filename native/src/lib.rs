//! Switchboard's native WebSocket server: the engine of [`switchboard_core`] on axum and tokio.
//!
//! The binary `switchboard` serves a configuration file. This library serves handlers written in Rust, alone or
//! together with the routes of such a file:
//!
//! ```no_run
//! use switchboard::{Audience, Callbacks, HandlerResult, Incoming, Peer, Server};
//!
//! async fn on_message(peer: Peer, message: Incoming) -> HandlerResult {
//!     let text = message.as_text().ok_or("only text, please")?;
//!     peer.broadcast_with(format!("{}: {text}", peer.id()), Audience::default().including_self());
//!     Ok(())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let chat = Callbacks::new()
//!         .on_connect(|peer: Peer| async move { peer.send("Welcome!") })
//!         .on_message(on_message);
//!     let server = Server::builder().route("/ws/chat", chat).bind("127.0.0.1:4004").await?;
//!     println!("ws://{}/ws/chat", server.local_addr());
//!     server.serve().await?;
//!     Ok(())
//! }
//! ```
//!
//! # Three kinds of handlers
//!
//! * [`Callbacks`]: async closures that get a [`Peer`]. They may await whatever they like; the messages of one
//!   connection wait for each other, connections do not.
//! * [`SocketTask`]: one async function per connection, which receives in a loop:
//!   `while let Some(message) = socket.recv().await`. What it does not receive waits, and then the client is not read.
//! * [`Handler`]: a trait of plain methods that get a [`Context`]. They run inside the engine, one at a time for
//!   the whole server, so they must not block; they cost no task and keep their route's state in `self`.
//!
//! Each goes to [`Builder::route`], with [`RouteSettings`] if the defaults do not suit:
//!
//! ```
//! use std::time::Duration;
//!
//! use switchboard::{Context, Endpoint, Handler, HandlerResult, Message, RouteSettings, Server};
//!
//! struct Counter(u64);
//!
//! impl Handler for Counter {
//!     fn message(&mut self, cx: &mut Context<'_>, _message: Message) -> HandlerResult {
//!         self.0 += 1;
//!         cx.broadcast_to_all(self.0.to_string());
//!         Ok(())
//!     }
//! }
//!
//! let settings = RouteSettings { heartbeat: Some(Duration::from_secs(30)), ..RouteSettings::default() };
//! let builder = Server::builder().route("/count", Endpoint::from(Counter(0)).with_settings(settings));
//! ```
//!
//! # Together with a configuration
//!
//! [`Builder::callbacks`] adds callbacks to a route of a configuration file: to see what the clients of its dialect do,
//! and to answer calls that only that dialect makes, such as the joins of a Phoenix channel ([`ChannelCallbacks`]), the
//! server events of Rakit ([`CommandsEvents`]), or messages that pass a proxy ([`Callbacks::on_client_message`]).
//!
//! # From outside of a handler
//!
//! [`Switchboard::route`] gives a handle on a [`Route`]: for timers, HTTP handlers, and everything else that is not a
//! callback.
//!
//! ```no_run
//! # fn run(server: switchboard::Server) -> Result<(), switchboard::UnknownRoute> {
//! let chat = server.switchboard().route("/ws/chat")?;
//! chat.room("lobby").send("Good morning!");
//! println!("{} clients", chat.count());
//! # Ok(())
//! # }
//! ```
//!
//! # Faults
//!
//! [`Switchboard::faults`] lets things go wrong on purpose while the server runs: [`Faults`].
//! [`Switchboard::recordings`] records what passes: [`Recordings`].
//!
//! # Inside another axum application
//!
//! [`Builder::build`] gives a [`Switchboard`] without a listener; its [`router`](Switchboard::router) takes the
//! requests that no other route of the application takes. Or the application mounts a route itself, behind its own
//! extractors and with its state: [`Upgrade`].
//!
//! # TLS
//!
//! [`Builder::tls`], or `listen.tls` in a configuration, serves `wss://` and `https://`.
//!
//! # Tests
//!
//! With the feature `testing` there is a kit to test a [`Handler`] with, without a network and with exact time:
//! `switchboard::testing`.
#![deny(unsafe_code)]
// Standard output and standard error may be closed, and these would panic.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod error;
pub use error::ServerError;

mod server;
pub use server::{Builder, Server, ShutdownHandle};

mod tls;
pub use tls::{Tls, TlsError};

mod switchboard;
pub use switchboard::Switchboard;

mod faults;
pub use faults::{FaultHandle, Faults};

mod recordings;
pub use recordings::{Recording, Recordings};

mod route;
pub use route::{Room, Route, UnknownRoute};

mod endpoint;
pub use endpoint::Endpoint;
#[doc(inline)]
pub use switchboard_core::config::{EndpointInfo, Listing};

mod callbacks;
pub use callbacks::{
    Audience, Callbacks, ChannelCallbacks, ChannelSocket, CommandsEvents, Handshake, Incoming, IntoAdmission,
    IntoChannelReply, IntoHandlerResult, IntoPassed, IntoResponseMessage, Peer, Socket, SocketTask,
};

mod accept;
pub use accept::mounted::Upgrade;

mod cluster;
mod connection;
mod documents;
#[cfg(feature = "javascript")]
mod files;
#[cfg(not(feature = "javascript"))]
#[path = "no_files.rs"]
mod files;
pub use documents::load;
mod flush;
mod host;
mod page;
mod plan;
mod recording_file;
#[cfg(feature = "javascript")]
mod script;
#[cfg(feature = "javascript")]
pub use script::{HandlerFiles, ScriptError};
mod upstream;

#[cfg(feature = "testing")]
#[doc(inline)]
pub use switchboard_core::testing;

#[doc(inline)]
pub use switchboard_core::dialect::commands::{CommandsAudience, CommandsClient};
#[doc(inline)]
pub use switchboard_core::dialect::phoenix::{ChannelReply, Payload, Termination as LeaveReason};

#[doc(inline)]
pub use switchboard_core::control::{self, ControlSettings};

#[doc(inline)]
pub use switchboard_core::recording::{self, RecordSettings};

#[doc(inline)]
pub use switchboard_core::{
    Admission, Authentication, ByteCounts, ClientConditions, CloseCause, CloseCode, CloseFrame, ClusterView,
    CommandError, Condition, Config, ConfigError, Connection, Context, Damage, Delay, Dial, Fault, FaultId,
    FaultList, FaultScope, FaultStage, FaultTrigger, Handler, HandlerError, HandlerResult, HistorySettings,
    Hosts, HttpEndpoint, Limits, Message, Origins, Params, Predecessor, Reconfiguration, ReconfigureError,
    RecordingId, ResponseAudience, RouteSettings, Stats, TokenPlace, TokenRefusal, TokenRule, UpstreamEvent,
    UpstreamId, json_response, protocol::DeflateConfig, protocol::Overflow, protocol::Pushed,
};
