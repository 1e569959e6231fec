//! Handlers made of async closures.

mod call;
mod channel;
mod channel_reply;
mod channel_socket;
mod commands;
mod convert;
mod dialect;
mod foreign;
mod handshake;
mod incoming;
mod passed;
mod peer;
mod routes;
mod socket;
mod socket_task;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use switchboard_core::{
    Admission, CloseCause, CloseFrame, HandlerError, HandlerResult, Hooks, Message, ResponseAudience,
};

pub use channel::ChannelCallbacks;
pub use channel_reply::IntoChannelReply;
pub use channel_socket::ChannelSocket;
use channel_socket::Membership;
pub use commands::CommandsEvents;
pub use convert::{IntoAdmission, IntoHandlerResult, IntoResponseMessage};
pub(crate) use foreign::Foreign;
pub use handshake::Handshake;
pub use incoming::Incoming;
pub use passed::IntoPassed;
#[cfg(feature = "javascript")]
pub(crate) use peer::PeerData;
pub use peer::{Audience, Peer};
pub(crate) use routes::RouteCallbacks;
pub use socket::Socket;
pub use socket_task::SocketTask;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Callback<A, T = HandlerResult> = Box<dyn Fn(Peer, A) -> BoxFuture<T> + Send + Sync>;
type Authenticate = Box<dyn Fn(Handshake) -> BoxFuture<Result<Admission, HandlerError>> + Send + Sync>;
type Custom = Box<dyn Fn(Peer, Value) -> BoxFuture<Result<Value, HandlerError>> + Send + Sync>;
type Inspect = Callback<Message, Result<Option<Message>, HandlerError>>;
type Matcher = Box<dyn Fn(&Peer, &Incoming) -> bool + Send + Sync>;

/// The behaviour of a route as async closures. Those that are left out cost nothing.
///
/// In addition to a dialect ([`Builder::callbacks`](crate::Builder::callbacks)) they are called after the dialect has
/// handled an event. Some dialects have further ones: [`channel`](Self::channel), [`commands`](Self::commands),
/// [`on_client_message`](Self::on_client_message).
///
/// Callbacks of one connection run one after another, in the order of the events, each awaited before the next;
/// those of different connections run concurrently. A callback may return nothing, or a `Result`;
/// an error, as a panic, goes to [`on_error`](Self::on_error), and one of [`on_connect`](Self::on_connect)
/// closes the connection with 1011. One that takes longer than `limits.handlerTimeout` is stopped at its current await,
/// which counts as such an error, and then the next one runs.
///
/// ```
/// use switchboard::{Audience, Callbacks, HandlerResult, Incoming, Message, Peer};
///
/// async fn chat(peer: Peer, message: Incoming) -> HandlerResult {
///     let room = message.value()["room"].as_str().unwrap_or("lobby").to_owned();
///     peer.join(&room)?;
///     peer.broadcast_with(Message::from(&message.value()), Audience::room(room));
///     Ok(())
/// }
///
/// let callbacks = Callbacks::new()
///     .on_connect(|peer: Peer| async move { peer.send("welcome") })
///     .on_message(chat);
/// ```
#[derive(Default)]
pub struct Callbacks {
    authenticate: Option<Authenticate>,
    connect: Option<Callback<()>>,
    transform: Option<Callback<Message, Result<Incoming, HandlerError>>>,
    responses: Vec<Response>,
    message: Option<Callback<Incoming>>,
    ping: Option<Callback<Bytes>>,
    pong: Option<Callback<Bytes>>,
    close: Option<Callback<(CloseFrame, CloseCause)>>,
    error: Option<Callback<HandlerError>>,
    client_message: Option<Inspect>,
    target_message: Option<Inspect>,
    /// By topic.
    channels: Vec<(String, ChannelCallbacks)>,
    commands: Option<CommandsEvents>,
    /// For the calls of a custom handler, by name.
    custom: HashMap<String, Custom>,
    /// Instead of all the others but `authenticate`.
    task: Option<socket_task::Run>,
    /// Instead of all the others.
    foreign: Option<Arc<dyn Foreign>>,
}

/// One entry of `responses`.
struct Response {
    matches: Matcher,
    respond: Callback<Incoming, Result<Option<Message>, HandlerError>>,
    audience: ResponseAudience,
}

impl Callbacks {
    /// No callbacks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides before the upgrade whether a client may connect: by a `bool`, an [`Admission`], or a `Result` of either.
    /// False is answered 401, an error 500.
    pub fn authenticate<F, R>(mut self, callback: impl Fn(Handshake) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoAdmission,
    {
        self.authenticate = Some(Box::new(move |handshake| {
            let future = callback(handshake);
            Box::pin(async move { future.await.into_admission() })
        }));
        self
    }

    /// The connection is open.
    pub fn on_connect<F, R>(mut self, callback: impl Fn(Peer) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.connect = Some(boxed(move |peer, ()| callback(peer)));
        self
    }

    /// Turns each raw message into what the other callbacks get: a [`Message`] or a JSON value, made
    /// [`Incoming`] by `into()`. After an error the message is dropped.
    pub fn transform_raw_data<F>(
        mut self,
        callback: impl Fn(Peer, Message) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Incoming, HandlerError>> + Send + 'static,
    {
        self.transform = Some(Box::new(move |peer, message| Box::pin(callback(peer, message))));
        self
    }

    /// Answers messages for which `matches` is true; the first such entry answers, and
    /// [`on_message`](Self::on_message) is not called for them. A response of `None` sends nothing.
    pub fn response<F, R>(
        mut self,
        matches: impl Fn(&Peer, &Incoming) -> bool + Send + Sync + 'static,
        respond: impl Fn(Peer, Incoming) -> F + Send + Sync + 'static,
        audience: ResponseAudience,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoResponseMessage,
    {
        self.responses.push(Response {
            matches: Box::new(matches),
            respond: Box::new(move |peer, incoming| {
                let future = respond(peer, incoming);
                Box::pin(async move { future.await.into_response_message() })
            }),
            audience,
        });
        self
    }

    /// A message came that no [`response`](Self::response) matched.
    pub fn on_message<F, R>(mut self, callback: impl Fn(Peer, Incoming) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.message = Some(boxed(callback));
        self
    }

    /// A ping came. With this callback pings are answered by it ([`Peer::pong`]) or not at all.
    pub fn on_ping<F, R>(mut self, callback: impl Fn(Peer, Bytes) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.ping = Some(boxed(callback));
        self
    }

    /// A pong came.
    pub fn on_pong<F, R>(mut self, callback: impl Fn(Peer, Bytes) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.pong = Some(boxed(callback));
        self
    }

    /// The connection has ended, with which code and reason and by whom. Called once for every `on_connect`; its
    /// broadcasts still reach the others.
    pub fn on_close<F, R>(
        mut self,
        callback: impl Fn(Peer, CloseFrame, CloseCause) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.close = Some(boxed(move |peer, (frame, cause)| callback(peer, frame, cause)));
        self
    }

    /// Another callback failed, or the client broke the protocol. Without this callback the client is told
    /// `{"type":"error","message":…}`.
    pub fn on_error<F, R>(
        mut self,
        callback: impl Fn(Peer, HandlerError) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.error = Some(boxed(callback));
        self
    }

    /// The channel for these topics of Phoenix: one topic, or `room:*` for all that begin so. The first one that matches
    /// is used.
    ///
    /// On a route of the configuration the dialect has to be `phoenix`; a channel that its `channels` do not name is added
    /// after them. A route without a configuration speaks Phoenix because of this; Phoenix's clients append `/websocket`
    /// to its path.
    pub fn channel(mut self, topic: impl Into<String>, channel: ChannelCallbacks) -> Self {
        self.channels.push((topic.into(), channel));
        self
    }

    /// Functions for the server events of the dialect `commands`. A route without a configuration speaks that dialect because
    /// of this.
    pub fn commands(mut self, events: CommandsEvents) -> Self {
        self.commands = Some(events);
        self
    }

    /// Gets each message from a client of a `proxy` before it is passed on to the target: what it returns is passed on
    /// instead; `None` or an error drops the message. Messages wait for it, in order.
    pub fn on_client_message<F, R>(
        mut self,
        callback: impl Fn(Peer, Message) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoPassed,
    {
        self.client_message = Some(inspect(callback));
        self
    }

    /// Gets each message from the target of a `proxy` before it is passed on to the client, as
    /// [`on_client_message`](Self::on_client_message) does in the other direction.
    pub fn on_target_message<F, R>(
        mut self,
        callback: impl Fn(Peer, Message) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoPassed,
    {
        self.target_message = Some(inspect(callback));
        self
    }

    /// Answers the [`Hook::Custom`](switchboard_core::Hook::Custom) of this name that your own [`Handler`](crate::Handler)
    /// calls; the answer goes to its [`Handler::answer`](crate::Handler::answer).
    pub fn on_custom<F, E>(
        mut self,
        name: impl Into<String>,
        callback: impl Fn(Peer, Value) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Value, E>> + Send + 'static,
        E: Into<HandlerError>,
    {
        let custom: Custom = Box::new(move |peer, payload| {
            let future = callback(peer, payload);
            Box::pin(async move { future.await.map_err(Into::into) })
        });
        self.custom.insert(name.into(), custom);
        self
    }

    /// Functions in another language.
    #[cfg(feature = "javascript")]
    pub(crate) fn foreign(foreign: Arc<dyn Foreign>) -> Self {
        Self { foreign: Some(foreign), ..Self::default() }
    }

    /// Whether there is an `authenticate`.
    pub(crate) fn authenticates(&self) -> bool {
        match &self.foreign {
            Some(foreign) => foreign.set().authenticates(),
            None => self.authenticate.is_some(),
        }
    }

    /// What a configured route is told of them.
    pub(crate) fn told(&self) -> switchboard_core::config::RouteCallbacks {
        match &self.foreign {
            Some(foreign) => foreign.set().callbacks(),
            None => switchboard_core::config::RouteCallbacks {
                hooks: self.hooks(),
                proxied: self.proxied(),
                revision: 0,
            },
        }
    }

    /// Which hooks the engine has to call.
    pub(crate) fn hooks(&self) -> Hooks {
        if let Some(foreign) = &self.foreign {
            return foreign.set().hooks();
        }
        Hooks {
            authenticate: self.authenticates(),
            connect: self.connect.is_some(),
            transform: self.transform.is_some(),
            responses: self.responses.iter().map(|response| response.audience.clone()).collect(),
            message: self.message.is_some(),
            ping: self.ping.is_some(),
            pong: self.pong.is_some(),
            close: self.close.is_some(),
            error: self.error.is_some(),
        }
    }
}

fn boxed<A, F, R>(callback: impl Fn(Peer, A) -> F + Send + Sync + 'static) -> Callback<A>
where
    F: Future<Output = R> + Send + 'static,
    R: IntoHandlerResult,
{
    Box::new(move |peer, argument| {
        let future = callback(peer, argument);
        Box::pin(async move { future.await.into_handler_result() })
    })
}

fn inspect<F, R>(callback: impl Fn(Peer, Message) -> F + Send + Sync + 'static) -> Inspect
where
    F: Future<Output = R> + Send + 'static,
    R: IntoPassed,
{
    Box::new(move |peer, message| {
        let future = callback(peer, message);
        Box::pin(async move { future.await.into_passed() })
    })
}

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Callbacks").field(&self.hooks()).finish()
    }
}
