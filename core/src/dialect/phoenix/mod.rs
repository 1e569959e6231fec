//! Phoenix Channels, as Phoenix 1.7 and 1.8 speak them: topics that clients join over one socket.
//!
//! The handshake's `vsn` chooses the wire format: none or 1.0.x is V1, 2.0.x is V2, anything else is HTTP 403.
//! A client that sends objects on V2, as hand-written ones do, is answered in objects.
//!
//! | | V2 | V1 |
//! |---|---|---|
//! | client's message | `[join_ref, ref, topic, event, payload]` | `{"topic","event","payload","ref"}` |
//! | reply | `[join_ref, ref, topic, "phx_reply", {"response","status"}]` | the same keys |
//! | push | `[join_ref, null, topic, event, payload]` | `"ref":null` |
//! | broadcast | `[null, null, topic, event, payload]` | `"ref":null` |
//! | bytes | binary frames, see `v2_binary` | none |
//!
//! | in | out |
//! |---|---|
//! | `heartbeat` on `phoenix` | ok, join_ref `null` |
//! | `phx_join`, a channel lets in | ok with its response, join_ref echoed |
//! | `phx_join`, a channel refuses | error with its response |
//! | `phx_join`, a channel fails | error `{"reason":"join crashed"}` |
//! | `phx_join`, no channel; any event where it has not joined | error `{"reason":"unmatched topic"}`, join_ref `null` |
//! | `phx_join` once more | the reply, then `phx_close` with the old join_ref as both refs |
//! | `phx_leave` | ok, then `phx_close` with the join_ref as both refs |
//! | `phx_leave` where it has not joined | ok |
//! | `phx_leave` with the join_ref of another join | nothing |
//! | an event, a channel replies | the reply with the channel's join_ref |
//! | an event, a channel fails | `phx_error` with the join_ref as both refs; the client may join again |
//! | a frame that is no message | Close 1011 |
//! | no frame, ping or pong for the timeout | Close 1000 |
//!
//! On a route with a `history` clients get what they missed, if their join asks for it: see `history`.
//!
//! A channel is a [`Channel`] in Rust, the host's [`CallbackChannel`], or declared: [`Broadcast`], [`Realtime`],
//! [`Killmails`].

mod broadcast;
mod callbacks;
mod carried;
mod channel;
mod command;
mod elsewhere;
mod handler;
mod history;
mod killmails;
mod membership;
mod message;
mod nodes;
mod options;
mod presence;
mod realtime;
mod serializer;
mod sockets;
mod step;
mod succession;
mod topic;
mod v1;
mod v2;
mod v2_binary;

pub use broadcast::Broadcast;
pub use callbacks::CallbackChannel;
pub use channel::{Channel, ChannelContext, Reply};
pub use handler::Phoenix;
pub use killmails::{Killmails, KillmailsOptions, RateLimitOptions};
pub use options::{ChannelOptions, PhoenixOptions, PresenceOptions, PushOptions, RealtimeOptions};
pub use realtime::Realtime;
pub use topic::TopicPattern;

pub use crate::interface::channel::{ChannelReply, Status, Termination};
pub use crate::interface::payload::Payload;
