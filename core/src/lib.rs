//! The WebSocket engine of Switchboard, without sockets, clocks or threads: *sans-IO*.
//!
//! Two layers live here and neither sees the other. [`protocol`] turns one socket's bytes into messages and back
//! (RFC 6455, RFC 7692). [`Engine`] turns everyone's messages into [`Effect`]s: routes, authentication, rooms,
//! handlers, heartbeat, timers. A *host* connects the two and does the rest: it owns the sockets, tells the time
//! and carries out the effects. The native server and the npm plugin are two hosts; this page is how to write a third.
//!
//! # The host's loop
//!
//! 1. **A request comes.** Take an id from [`ConnectionIds`] and pass the head on as [`Input::Upgrade`].
//! 2. **Carry out the effects**, in order. [`Effect::Accept`]: make a [`WebSocket`](protocol::WebSocket) with the
//!    options that came along and report [`Input::Opened`] *before* the client can read the 101. A client that has read it
//!    receives everything that is sent afterwards; what is sent earlier waits behind the 101. [`Effect::Refuse`]: write
//!    the refusal, close. [`Effect::Ignore`]: the path is not for this server.
//! 3. **Bytes come.** [`Reader::receive`](protocol::Reader::receive) makes events of them; each becomes an input. It
//!    stops at its budget: carry out the effects, and if none of them was [`Effect::Pause`], go on with
//!    [`Reader::resume`](protocol::Reader::resume) until nothing is left, then read again. After [`Effect::Close`] read
//!    only once the close frame is written, and call [`Reader::expect_close`](protocol::Reader::expect_close) first;
//!    read no more when [`Reader::wants_input`](protocol::Reader::wants_input) is false.
//! 4. **Messages go.** For [`Effect::Send`] wrap the message in [`Outgoing`](protocol::Outgoing) once, so that it is
//!    encoded and compressed once, and give it to the [`Writer`](protocol::Writer) of each recipient. Carry out a
//!    whole batch first, then write the outbox of every touched socket once: system calls are what costs. Cheaper
//!    still: [`Effect::gather`] takes the sends to the same recipients that follow, and they are encoded as one.
//! 5. **The socket closes**, by itself or after [`Effect::Disconnect`] or [`Effect::Terminate`]: report
//!    [`Input::Disconnected`], once. The id is free again after [`Effect::Removed`].
//! 6. **Time passes.** Sleep until [`Engine::poll_timeout`], read again after every batch, then call
//!    [`Engine::handle_timeout`]. Calling it too early or twice does nothing.
//! 7. **User code** is called by the host: [`Effect::Call`] says which hook, [`Input::Answer`] reports its result, and
//!    the commands that it gives meanwhile go in at once through [`Engine::command`].
//!
//! # A whole host, with lists for sockets
//!
//! ```
//! use std::collections::HashMap;
//!
//! use switchboard_core::protocol::{Event, Outgoing, WebSocket, encode_head};
//! use switchboard_core::time::Now;
//! use switchboard_core::{
//!     ConnectionId, ConnectionIds, Context, Effect, Engine, Handler, HandlerResult, Input, Limits, Message, Pattern,
//!     Route, RouteKey, RouteSettings, Router,
//! };
//!
//! /// What users write: the behaviour of a route.
//! struct Greeter;
//!
//! impl Handler for Greeter {
//!     fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
//!         let name = message.as_text().ok_or("tell me your name as text")?;
//!         cx.send(format!("Hello {name}!"));
//!         Ok(())
//!     }
//! }
//!
//! struct Host {
//!     engine: Engine,
//!     sockets: HashMap<ConnectionId, (WebSocket, Vec<u8>)>,
//! }
//!
//! impl Host {
//!     fn input(&mut self, input: Input) {
//!         let mut effects = Vec::new();
//!         self.engine.handle_input(Now::default(), input, &mut effects); // a real host tells the time
//!         for effect in effects {
//!             self.carry_out(effect);
//!         }
//!     }
//!
//!     fn carry_out(&mut self, effect: Effect) {
//!         match effect {
//!             Effect::Accept(accept) => {
//!                 let head = encode_head(&accept.response);
//!                 self.sockets.insert(accept.id, (WebSocket::new(&accept.socket), head));
//!                 self.input(Input::Opened { id: accept.id });
//!             }
//!             Effect::Send { to, message } => {
//!                 let outgoing = Outgoing::new(message);
//!                 for id in to.iter() {
//!                     let Some((socket, wire)) = self.sockets.get_mut(id) else { continue };
//!                     socket.writer.send(&outgoing);
//!                     while let Some(frame) = socket.writer.outbox().pop() {
//!                         wire.extend_from_slice(&frame);
//!                     }
//!                 }
//!             }
//!             _ => {} // Reject, Ping, Pong, Close, Disconnect, Call …: the same way
//!         }
//!     }
//!
//!     fn bytes(&mut self, id: ConnectionId, bytes: &mut [u8]) {
//!         let mut events = Vec::new();
//!         if let Some((socket, _)) = self.sockets.get_mut(&id) {
//!             socket.reader.receive(bytes, &mut events);
//!             while socket.reader.has_undecoded() {
//!                 socket.reader.resume(&mut events); // a real host carries out effects between
//!             }
//!         }
//!         for event in events {
//!             self.input(match event {
//!                 Event::Message(message) => Input::Message { id, message },
//!                 Event::Ping(payload) => Input::Ping { id, payload },
//!                 Event::Pong(payload) => Input::Pong { id, payload },
//!                 Event::Close(frame) => Input::CloseReceived { id, frame },
//!                 Event::Violation(violation) => Input::Violated { id, violation },
//!             });
//!         }
//!     }
//! }
//!
//! let router = Router::new([RouteKey::new(Pattern::new("/greet")?)])?;
//! let route = Route { settings: RouteSettings::default(), handler: Box::new(Greeter) };
//! let seed = [0; 32]; // a real host takes it from the operating system
//! let engine = Engine::new(router, vec![route], Limits::default(), seed);
//! let mut host = Host { engine, sockets: HashMap::new() };
//!
//! let id = ConnectionIds::default().allocate();
//! let request = http::Request::get("/greet")
//!     .header("host", "localhost")
//!     .header("upgrade", "websocket")
//!     .header("connection", "Upgrade")
//!     .header("sec-websocket-version", "13")
//!     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
//!     .body(())?;
//! host.input(Input::Upgrade { id, request: Box::new(request), address: None });
//! // The text "Ada", masked with zeros.
//! host.bytes(id, &mut [0x81, 0x83, 0, 0, 0, 0, b'A', b'd', b'a']);
//! assert!(host.sockets[&id].1.ends_with(b"\x81\x0aHello Ada!"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! - One connection's events reach its handler one after another, in order, also when user code takes its time;
//!   connections do not wait for each other.
//! - Every `connect` of a handler has exactly one `close`, whatever ends the connection.
//! - "Everyone" is everyone on the same route. A broadcast reaches the connections that are open when it is sent.
//! - A handler that fails, panics or does not settle costs its own connection at most.
//! - Everything that a peer controls has a limit: [`Limits`], [`RouteSettings`].
//! - Another configuration ([`Engine::reconfigure`]) is noticed only by connections whose route or dialect is gone. The index
//!   of a route stays while anything refers to it.
//!
//! # More
//!
//! [`Fault`]s of a route, or added by [`Engine::add_faults`], go wrong on purpose: they lie between the engine and its host,
//! which carries out nothing but [`Effect::SendDamaged`] for them.
//!
//! [`control`] lets programs look at a running server and act on it. [`recording`] is the format of what was recorded.
//!
//! [`config`] reads all of this from TOML, JSON or JavaScript options; [`dialect`] has handlers for known wire
//! protocols; [`Deferred`] and [`Receiving`] are the handlers whose behaviour is the user's code in the host. With the feature
//! `testing` there is a kit to test handlers with, in the module `testing`; with `json-schema` there are the JSON Schemas of
//! configurations and recordings, and the OpenAPI document of the control API. Without `cluster`, which is on by default, an
//! engine is never a node of a cluster.
#![forbid(unsafe_code)]

mod message;
pub use message::{CloseCode, CloseFrame, Message, Text};

pub mod time;

pub mod protocol;

pub mod contract;

mod fault;
pub use fault::{ClientConditions, Condition, Delay, Fault, FaultList, FaultStage, FaultTrigger};
pub use protocol::Damage;

mod routing;
pub use routing::authentication::{Admission, Authentication, TokenPlace, TokenRefusal, TokenRule};
pub use routing::hosts::Hosts;
pub use routing::origin::{OriginPatterns, Origins};
pub use routing::pattern::{self, Params, Pattern, PatternError};
pub use routing::route::RouteSettings;
pub use routing::route_key::RouteKey;
pub use routing::router::{Found, Router};

mod interface;
pub use interface::channel::{ChannelCall, ChannelReply, ChannelStep};
pub use interface::close_cause::CloseCause;
pub use interface::connection_id::{ConnectionId, ConnectionIds};
pub use interface::direction::Direction;
pub use interface::effect::{Accept, Effect, Level, Recipients};
pub use interface::file_part::{FilePart, ReadId};
pub use interface::hook::{Answer, CallId, Hook, HookKind};
pub use interface::http_endpoint::{HttpEndpoint, json_response};
pub use interface::input::{Input, Mounted};
pub use interface::stats::{ByteCounts, ClusterView, Stats};
pub use interface::upstream::{Dial, UpstreamEvent, UpstreamId};

pub mod template;
pub use template::{ConnectionScope, Scope, Series, Template, TemplateError, ValueTemplate};

pub mod history;
pub use history::HistorySettings;

mod feed;
pub use feed::{
    Feed, FeedSettings, FeedSource, FeedValue, IntervalSettings, PostSettings, ReplaySettings,
    UpstreamSettings,
};

mod state;
pub use state::connection::Connection;
pub use state::limits::Limits;
pub use state::rate::MessageRate;

mod handler;
pub use handler::command::{Command, CommandError, RouteCommand};
pub use handler::context::Context;
pub use handler::deferred::{Deferred, Hooks, ResponseAudience};
pub use handler::receiving::Receiving;
pub use handler::succession::Predecessor;
pub use handler::with_callbacks::WithCallbacks;
pub use handler::{Handler, HandlerError, HandlerResult};

pub mod control;

pub mod cluster;

mod engine;
pub use engine::configuration::{Configuration, ConfiguredRoute, Reconfiguration, ReconfigureError};
pub use engine::control::Asker;
pub use engine::faults::{FaultId, FaultScope};
pub use engine::recording::RecordingId;
pub use engine::{Engine, Route};

pub mod dialect;
pub mod javascript;

pub mod recording;

mod schema;
pub use schema::Secret;

#[cfg(feature = "testing")]
pub mod testing;

pub mod config;
pub use config::{Config, ConfigError, RouteConfig};
