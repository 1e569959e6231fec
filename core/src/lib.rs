//! The sans-IO WebSocket engine of Switchboard.
#![forbid(unsafe_code)]

mod message;
pub use message::{CloseCode, CloseFrame, Message, Text};

pub mod time;

pub mod protocol;

mod pattern;
pub use pattern::{Params, Pattern, PatternError};

mod router;
pub use router::{Found, RouteKey, Router};

mod engine;
pub use engine::{Engine, Route};

mod input;
pub use input::Input;

mod effect;
pub use effect::{Accept, Effect, Level, Recipients};

mod connection;
pub use connection::{CloseCause, Connection, ConnectionId, ConnectionIds};

mod handler;
pub use handler::{Handler, HandlerError, HandlerResult};

mod context;
pub use context::Context;

mod command;
pub use command::{Command, CommandError};

mod hook;
pub use hook::{Answer, CallId, Hook, HookKind};

mod deferred;
pub use deferred::{Deferred, Hooks, ResponseAudience};

mod route;
pub use route::RouteSettings;

mod auth;
pub use auth::{Authentication, Denial, TokenPlace, TokenRule, Verdict};

mod limits;
pub use limits::Limits;

mod feed;
pub use feed::{Feed, FeedSettings, FeedValue};

mod http_endpoint;
pub use http_endpoint::{HttpEndpoint, json_response};

mod upstream;
pub use upstream::{Dial, UpstreamEvent, UpstreamId};

mod heartbeat;
mod inbox;
mod rooms;
mod timers;

mod suggest;

mod template;
pub use template::{ConnectionScope, Scope, Template, TemplateError, ValueTemplate};

pub mod rules;

pub mod config;
pub use config::{Config, ConfigError, RouteConfig};

pub mod dialect;
