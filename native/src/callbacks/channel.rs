//! Phoenix channels made of async closures.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use switchboard_core::HandlerError;
use switchboard_core::dialect::phoenix::{Payload, Termination};

use super::BoxFuture;
use super::channel_reply::{ChannelReply, IntoChannelReply};
use super::channel_socket::{ChannelSocket, Membership};
use super::convert::IntoHandlerResult;
use crate::callbacks::peer::Peer;

type Event =
    Box<dyn Fn(ChannelSocket, Payload) -> BoxFuture<Result<ChannelReply, HandlerError>> + Send + Sync>;
type AnyEvent = Box<
    dyn Fn(ChannelSocket, String, Payload) -> BoxFuture<Result<ChannelReply, HandlerError>> + Send + Sync,
>;
type Leave = Box<dyn Fn(ChannelSocket, Termination) -> BoxFuture<Result<(), HandlerError>> + Send + Sync>;

/// A channel, for [`Callbacks::channel`](super::Callbacks::channel).
///
/// The functions of one client are awaited one after another. One that fails or panics costs the client this channel: a
/// join is refused with `join crashed`, a channel that was joined ends with `phx_error`, after which Phoenix's clients
/// join again. A function may return nothing, a [`ChannelReply`], or a `Result` of either.
///
/// ```
/// use serde_json::json;
/// use switchboard::{Callbacks, ChannelCallbacks, ChannelReply, ChannelSocket, Payload, Server};
///
/// async fn join(socket: ChannelSocket, payload: Payload) -> ChannelReply {
///     let Some(name) = payload.json()["name"].as_str() else {
///         return ChannelReply::error(json!({ "reason": "a name is needed" }));
///     };
///     socket.track(name, json!({}));
///     socket.push_presence_state();
///     ChannelReply::ok(json!({ "welcome": name }))
/// }
///
/// let room = ChannelCallbacks::new()
///     .join(join)
///     .handle_in("shout", |socket, payload| async move { socket.broadcast("shout", payload) })
///     .handle_in("whoami", |socket, _| async move {
///         ChannelReply::ok(json!({ "id": socket.peer().id() }))
///     });
/// let socket = Callbacks::new().channel("room:*", room);
/// let builder = Server::builder().route("/socket/websocket", socket);
/// ```
#[derive(Default)]
pub struct ChannelCallbacks {
    join: Option<Event>,
    events: HashMap<String, Event>,
    any: Option<AnyEvent>,
    leave: Option<Leave>,
}

impl ChannelCallbacks {
    /// A channel that everyone may join and that answers no event.
    pub fn new() -> Self {
        Self::default()
    }

    /// A client wants to join. What is pushed meanwhile comes after the reply. Default: everyone may, and is answered
    /// `{}`.
    pub fn join<F, R>(
        mut self,
        callback: impl Fn(ChannelSocket, Payload) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoChannelReply,
    {
        self.join = Some(boxed(callback));
        self
    }

    /// The client sent this event. An event without a function is answered with the error `unmatched event`.
    pub fn handle_in<F, R>(
        mut self,
        event: impl Into<String>,
        callback: impl Fn(ChannelSocket, Payload) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoChannelReply,
    {
        self.events.insert(event.into(), boxed(callback));
        self
    }

    /// The client sent an event that has no [`handle_in`](Self::handle_in) of its own.
    pub fn handle_any<F, R>(
        mut self,
        callback: impl Fn(ChannelSocket, String, Payload) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoChannelReply,
    {
        self.any = Some(Box::new(move |socket, event, payload| {
            let future = callback(socket, event, payload);
            Box::pin(async move { future.await.into_channel_reply() })
        }));
        self
    }

    /// The client is no longer on the topic, and why. Called once for every join that was let in.
    pub fn leave<F, R>(
        mut self,
        callback: impl Fn(ChannelSocket, Termination) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.leave = Some(Box::new(move |socket, why| {
            let future = callback(socket, why);
            Box::pin(async move { future.await.into_handler_result() })
        }));
        self
    }
}

fn boxed<F, R>(callback: impl Fn(ChannelSocket, Payload) -> F + Send + Sync + 'static) -> Event
where
    F: Future<Output = R> + Send + 'static,
    R: IntoChannelReply,
{
    Box::new(move |socket, payload| {
        let future = callback(socket, payload);
        Box::pin(async move { future.await.into_channel_reply() })
    })
}

/// What the engine says of a call; which fields there are depends on the hook.
#[derive(Deserialize)]
struct Told {
    channel: String,
    topic: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    payload: Value,
    #[serde(default, rename = "ref")]
    reference: Value,
    reason: Option<Termination>,
}

/// One call of a channel's function. Who is on which topic is settled when it is made, which is in the engine's
/// order; when it runs is the runtime's business.
pub(super) struct ChannelCall {
    told: Told,
    step: Step,
}

enum Step {
    Join(Joining),
    In(ChannelSocket),
    Leave(ChannelSocket),
    /// The client is not on the topic.
    Nothing,
}

/// Takes a client off its topic again unless it is let in.
struct Joining {
    socket: ChannelSocket,
    is_in: bool,
}

impl Drop for Joining {
    fn drop(&mut self) {
        if !self.is_in {
            self.socket.end();
        }
    }
}

impl ChannelCall {
    /// `None` for hooks that are none of a channel's.
    pub(super) fn new(peer: &Peer, name: &str, payload: Value) -> Option<Self> {
        let told: Told = match name {
            "join" | "handleIn" | "leave" => serde_json::from_value(payload).ok()?,
            _ => return None,
        };
        let on_topic = || {
            let membership = peer.data().channels().get(&told.topic).cloned();
            membership.map(|joined| ChannelSocket::new(peer.clone(), joined, told.reference.clone()))
        };
        let step = match name {
            "join" => {
                let joined = Arc::new(Membership::new(told.topic.clone()));
                peer.data().channels().insert(told.topic.clone(), joined.clone());
                let socket = ChannelSocket::new(peer.clone(), joined, told.reference.clone());
                Step::Join(Joining { socket, is_in: false })
            }
            "handleIn" => on_topic().map_or(Step::Nothing, Step::In),
            _ => on_topic().map_or(Step::Nothing, |socket| {
                socket.end();
                Step::Leave(socket)
            }),
        };
        Some(Self { told, step })
    }

    /// Runs the function; gives the answer to the hook.
    pub(super) async fn run(self, channels: &[(String, ChannelCallbacks)]) -> Result<Value, HandlerError> {
        let Self { told, step } = self;
        let found = channels.iter().find(|(topic, _)| *topic == told.channel);
        let Some((_, channel)) = found else {
            return Err(format!("there are no callbacks for the channel {}", told.channel).into());
        };
        let payload = Payload::from_user(told.payload);
        match step {
            Step::Nothing => Ok(Value::Null),
            Step::Join(mut joining) => {
                let reply = match &channel.join {
                    Some(join) => join(joining.socket.clone(), payload).await?,
                    None => ChannelReply::none(),
                };
                joining.is_in = !reply.refuses();
                Ok(reply.into_value())
            }
            Step::In(socket) => {
                let reply = match (channel.events.get(&told.event), &channel.any) {
                    (Some(handle), _) => handle(socket, payload).await?,
                    (None, Some(handle)) => handle(socket, told.event, payload).await?,
                    (None, None) => ChannelReply::reason("unmatched event"),
                };
                Ok(reply.into_value())
            }
            Step::Leave(socket) => {
                if let Some(leave) = &channel.leave {
                    leave(socket, told.reason.unwrap_or(Termination::Closed)).await?;
                }
                Ok(Value::Null)
            }
        }
    }
}
