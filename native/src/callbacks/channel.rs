//! Phoenix channels made of async closures.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use serde_json::Value;
use switchboard_core::dialect::phoenix::{Payload, Termination};
use switchboard_core::{ChannelCall, ChannelReply, ChannelStep, HandlerError};

use super::BoxFuture;
use super::channel_reply::IntoChannelReply;
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

    /// A client wants to join. What is pushed meanwhile is sent after the reply. Default: everyone may join, and is
    /// answered `{}`.
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

    /// The client is no longer on the topic, and why. Called once for every join that was accepted.
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

/// One run of a channel's function. Memberships change when it is made, in the engine's order; when it runs is up to
/// the runtime.
pub(super) struct ChannelRun {
    channel: Arc<str>,
    step: Step,
}

enum Step {
    Join(Joining, Payload),
    HandleIn(ChannelSocket, String, Payload),
    Leave(ChannelSocket, Termination),
    /// The client is not on the topic.
    Nothing,
}

/// Takes a client off its topic again unless its join is accepted.
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

impl ChannelRun {
    pub(super) fn new(peer: &Peer, call: ChannelCall) -> Self {
        let ChannelCall { channel, topic, step } = call;
        let on_topic = |reference| {
            let membership = peer.data().channels().get(&topic).cloned();
            membership.map(|joined| ChannelSocket::new(peer.clone(), joined, reference))
        };
        let step = match step {
            ChannelStep::Join { payload, reference } => {
                let joined = Arc::new(Membership::new(topic.clone()));
                peer.data().channels().insert(topic, joined.clone());
                let socket = ChannelSocket::new(peer.clone(), joined, reference);
                Step::Join(Joining { socket, is_in: false }, payload)
            }
            ChannelStep::HandleIn { event, payload, reference } => {
                on_topic(reference).map_or(Step::Nothing, |socket| Step::HandleIn(socket, event, payload))
            }
            ChannelStep::Leave { reason } => on_topic(Value::Null).map_or(Step::Nothing, |socket| {
                socket.end();
                Step::Leave(socket, reason)
            }),
        };
        Self { channel, step }
    }

    /// Runs the function, and returns the answer to the hook.
    pub(super) async fn run(
        self,
        channels: &[(String, ChannelCallbacks)],
    ) -> Result<ChannelReply, HandlerError> {
        let Self { channel: topic, step } = self;
        let found = channels.iter().find(|(known, _)| **known == *topic);
        let Some((_, channel)) = found else {
            return Err(format!("there are no callbacks for the channel {topic}").into());
        };
        match step {
            Step::Nothing => Ok(ChannelReply::none()),
            Step::Join(mut joining, payload) => {
                let reply = match &channel.join {
                    Some(join) => join(joining.socket.clone(), payload).await?,
                    None => ChannelReply::none(),
                };
                joining.is_in = !reply.refuses();
                Ok(reply)
            }
            Step::HandleIn(socket, event, payload) => match (channel.events.get(&event), &channel.any) {
                (Some(handle), _) => handle(socket, payload).await,
                (None, Some(handle)) => handle(socket, event, payload).await,
                (None, None) => Ok(ChannelReply::reason("unmatched event")),
            },
            Step::Leave(socket, reason) => {
                if let Some(leave) = &channel.leave {
                    leave(socket, reason).await?;
                }
                Ok(ChannelReply::none())
            }
        }
    }
}
