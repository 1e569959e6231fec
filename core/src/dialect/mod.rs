//! Handlers for known wire protocols: one file or folder for each, a [`Handler`](crate::Handler) with its options.
//!
//! # Other options while connections are open
//!
//! When the engine is [reconfigured](crate::Engine::reconfigure), each dialect takes over its clients with all that they have.
//! What other options mean for them:
//!
//! | Dialect | Stays | Applies at once | Applies to newcomers | Closes all with 1012 |
//! |---|---|---|---|---|
//! | `handlers` | rooms, metadata, messages that wait; a call under way ends with the code that it began with | callbacks, `parse` | | a task per connection instead of callbacks, and the reverse |
//! | `echo` | | | | |
//! | `relay` | the room | | `room` | |
//! | `rules` | rooms; the sequence of random values | `rules`, `responses`, `parse` | `rules` of `on = "connect"` | |
//! | `actions` | subscriptions, also beyond a lower `maxChannels` | `channels`, `maxChannels` | | |
//! | `topics` | topics, also beyond a lower `maxTopics`; a pong that is due | `feed`, `pingInterval` (counted from the last ping), `pingTimeout` (from the next), `maxTopics`, paths | | `generation`, `stream` |
//! | `commands` | ids, names, channels | `profile`, `presence`, `commands`, `disconnect`, `pingTimeout` (the silence so far counts), `events` | `session`, `allowedHosts`, `…Required` | |
//! | `events` | subscriptions by the event's name; counters, walks, the sequence of random values | data; an `interval`, counted from the last event; new events with an interval start under `autoStart`; `heartbeat`; paths, `adminToken` | `greeting`, `seed` | |
//! | `phoenix` | joins, presence, killmail subscriptions and preloads, of channels with the same topic pattern and of the same sort | all options of channels, `timeout` (the silence so far counts) | `join`, `pushes`, `presence`: with the next join | none; a channel that is gone, of another sort, or behind another one for the topic ends with `phx_error` |
//! | `replay`, `scenario` | conversations go on with the recording or the steps that they began with; how many clients each path has had | | all options; the file is read anew | |
//! | `proxy` | the connection to the target | callbacks, `announce` | targets, headers, credentials, `forward`, `handshake`, `timeout`, `sendTimeout`, `maxWaiting` | |

pub mod actions;
pub mod commands;
mod echo;
pub mod events;
mod json;
pub mod phoenix;
pub mod proxy;
mod relay;
pub mod replay;
pub mod rules;
mod timed_name;
pub mod topics;

pub use echo::Echo;
pub use relay::Relay;
pub use rules::RulesHandler;
