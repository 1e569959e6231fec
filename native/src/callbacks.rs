//! Handlers made of async closures.

mod call;
mod convert;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use switchboard_core::{
    CloseCause, CloseFrame, HandlerError, HandlerResult, Hooks, Message, ResponseAudience, Verdict,
};

use crate::connection::Peer;
use crate::handshake::Handshake;
use crate::incoming::Incoming;

pub(crate) use call::run;
pub use convert::{IntoHandlerResult, IntoResponseMessage, IntoVerdict};

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Callback<A, T = HandlerResult> = Box<dyn Fn(Peer, A) -> BoxFuture<T> + Send + Sync>;
type Authenticate = Box<dyn Fn(Handshake) -> BoxFuture<Result<Verdict, HandlerError>> + Send + Sync>;
type Matcher = Box<dyn Fn(&Peer, &Incoming) -> bool + Send + Sync>;

/// What a route does, as async closures. What is left out costs nothing.
///
/// Callbacks of one connection run one after another, in the order of what they are about, each awaited before
/// the next; those of different connections run side by side. A callback may return nothing, or a `Result`;
/// an error, as a panic, goes to [`on_error`](Self::on_error), and one of [`on_connect`](Self::on_connect)
/// closes the connection with 1011.
///
/// ```
/// use switchboard::{Audience, Callbacks, HandlerResult, Incoming, Message, Peer};
///
/// async fn chat(peer: Peer, message: Incoming) -> HandlerResult {
///     let room = message.value()["room"].as_str().unwrap_or("lobby").to_owned();
///     peer.join_room(&room)?;
///     peer.broadcast_with(Message::json(&message.value()), Audience::room(room));
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

    /// Decides before the upgrade whether a client may come in: by a `bool`, a [`Verdict`], or a `Result` of
    /// either. False is answered 401, an error 500.
    pub fn authenticate<F, R>(mut self, callback: impl Fn(Handshake) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoVerdict,
    {
        self.authenticate = Some(Box::new(move |handshake| {
            let future = callback(handshake);
            Box::pin(async move { future.await.into_verdict() })
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

    /// Whether there is an `authenticate`.
    pub(crate) fn authenticates(&self) -> bool {
        self.authenticate.is_some()
    }

    /// Which hooks the engine has to call.
    pub(crate) fn hooks(&self) -> Hooks {
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

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Callbacks").field(&self.hooks()).finish()
    }
}
