//! The server events of the dialect `commands`, as async closures.

use std::future::Future;

use serde::Deserialize;
use serde_json::Value;
use switchboard_core::HandlerError;
use switchboard_core::dialect::commands::ServerEvent;

use super::convert::IntoHandlerResult;
use super::{BoxFuture, Custom};

/// Somebody who is connected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CommandsClient {
    /// The id that others know.
    #[serde(rename = "client_id")]
    pub id: String,
    /// From authentication or the session. Default `Guest`.
    pub name: String,
    /// From authentication or the session, if it is known.
    pub email: Option<String>,
}

/// Whom a message of the dialect `commands` is for; with neither it is for everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CommandsAudience {
    /// One client, by the id that others know.
    pub to: Option<String>,
    /// The subscribers of a channel.
    pub channel: Option<String>,
}

/// What to do when something happens on a route of the dialect `commands`, for
/// [`Callbacks::commands`](super::Callbacks::commands). Messages of one client wait for it, in their order; an error, as
/// a panic, is an event of its own: [`crash`](Self::crash).
///
/// ```
/// use switchboard::{Callbacks, CommandsClient, CommandsEvents, Server};
///
/// let events = CommandsEvents::new()
///     .connect(|client: CommandsClient| async move { println!("{} is {}", client.id, client.name) })
///     .receive(|client_id, message| async move { println!("{client_id}: {message}") });
/// let builder = Server::builder().route("/chat", Callbacks::new().commands(events));
/// ```
#[derive(Default)]
pub struct CommandsEvents {
    pub(super) start: Option<Start>,
    pub(super) listeners: Vec<(ServerEvent, Custom)>,
}

/// Runs when the server starts.
pub(super) type Start = Box<dyn Fn() -> BoxFuture<Result<(), HandlerError>> + Send + Sync>;

/// What the engine says of an event; which fields there are depends on the event.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    message: Option<String>,
}

impl CommandsEvents {
    /// Nothing is done yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The server started. An error is logged.
    pub fn start<F, R>(mut self, callback: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.start = Some(Box::new(move || {
            let future = callback();
            Box::pin(async move { future.await.into_handler_result() })
        }));
        self
    }

    /// Somebody came.
    pub fn connect<F, R>(self, callback: impl Fn(CommandsClient) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.on(ServerEvent::Connect, move |told| Ok(callback(serde_json::from_value(told)?)))
    }

    /// Somebody went, by the id that others knew.
    pub fn disconnect<F, R>(self, callback: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.on(ServerEvent::Disconnect, move |told| Ok(callback(Told::read(told)?.client_id)))
    }

    /// A text message came: by whom, and what.
    pub fn receive<F, R>(self, callback: impl Fn(String, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.on(ServerEvent::Receive, move |told| {
            let Told { client_id, message } = Told::read(told)?;
            Ok(callback(client_id, message.unwrap_or_default()))
        })
    }

    /// A message goes out: what, and to whom.
    pub fn send<F, R>(self, callback: impl Fn(String, CommandsAudience) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.on(ServerEvent::Send, move |told| {
            let to = CommandsAudience::deserialize(&told)?;
            Ok(callback(Told::read(told)?.message.unwrap_or_default(), to))
        })
    }

    /// Something failed, one of these functions for example, while it was about this client.
    pub fn crash<F, R>(self, callback: impl Fn(HandlerError, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.on(ServerEvent::Crash, move |told| {
            let Told { client_id, message } = Told::read(told)?;
            Ok(callback(message.unwrap_or_default().into(), client_id))
        })
    }

    fn on<F, R>(
        mut self,
        event: ServerEvent,
        callback: impl Fn(Value) -> Result<F, HandlerError> + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        let listener: Custom = Box::new(move |_, told| {
            let future = callback(told);
            Box::pin(async move {
                future?.await.into_handler_result()?;
                Ok(Value::Null)
            })
        });
        self.listeners.retain(|(known, _)| *known != event);
        self.listeners.push((event, listener));
        self
    }
}

impl Told {
    fn read(told: Value) -> Result<Self, HandlerError> {
        Ok(serde_json::from_value(told)?)
    }
}
