//! The server events of the dialect `commands`, as async closures.

use std::future::Future;

use switchboard_core::dialect::commands::{CommandsAudience, CommandsClient, ServerEvent, ServerEventKind};
use switchboard_core::{HandlerError, HandlerResult};

use super::BoxFuture;
use super::convert::IntoHandlerResult;

/// Functions for the server events of a route of the dialect `commands`, for
/// [`Callbacks::commands`](super::Callbacks::commands). Messages of one client wait for them, in order; an error or a
/// panic is an event of its own: [`crash`](Self::crash).
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
    start: Option<Start>,
    connect: Option<Listener<CommandsClient>>,
    disconnect: Option<Listener<String>>,
    receive: Option<Listener<(String, String)>>,
    send: Option<Listener<(String, CommandsAudience)>>,
    crash: Option<Listener<(HandlerError, String)>>,
}

/// Runs when the server starts.
type Start = Box<dyn Fn() -> BoxFuture<HandlerResult> + Send + Sync>;
type Listener<A> = Box<dyn Fn(A) -> BoxFuture<HandlerResult> + Send + Sync>;

impl CommandsEvents {
    /// No functions.
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

    /// A client has connected.
    pub fn connect<F, R>(mut self, callback: impl Fn(CommandsClient) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.connect = Some(listener(callback));
        self
    }

    /// A client has disconnected, by its id.
    pub fn disconnect<F, R>(mut self, callback: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.disconnect = Some(listener(callback));
        self
    }

    /// A text message came: the client's id, and the text.
    pub fn receive<F, R>(mut self, callback: impl Fn(String, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.receive = Some(listener(move |(client_id, message)| callback(client_id, message)));
        self
    }

    /// A message is sent: the text, and its receivers.
    pub fn send<F, R>(
        mut self,
        callback: impl Fn(String, CommandsAudience) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.send = Some(listener(move |(message, audience)| callback(message, audience)));
        self
    }

    /// Something failed for this client, such as one of these functions.
    pub fn crash<F, R>(mut self, callback: impl Fn(HandlerError, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        self.crash = Some(listener(move |(error, client_id)| callback(error, client_id)));
        self
    }

    /// Runs the function for the start of the server.
    pub(super) async fn started(&self) -> HandlerResult {
        match &self.start {
            Some(start) => start().await,
            None => Ok(()),
        }
    }

    /// The events that have a function.
    pub(super) fn kinds(&self) -> Vec<ServerEventKind> {
        [
            (ServerEventKind::Connect, self.connect.is_some()),
            (ServerEventKind::Disconnect, self.disconnect.is_some()),
            (ServerEventKind::Receive, self.receive.is_some()),
            (ServerEventKind::Send, self.send.is_some()),
            (ServerEventKind::Crash, self.crash.is_some()),
        ]
        .into_iter()
        .filter_map(|(kind, is_given)| is_given.then_some(kind))
        .collect()
    }

    /// Runs the function for this event.
    pub(super) async fn tell(&self, event: ServerEvent) -> HandlerResult {
        match event {
            ServerEvent::Connect(client) => run(&self.connect, client).await,
            ServerEvent::Disconnect { client_id } => run(&self.disconnect, client_id).await,
            ServerEvent::Receive { client_id, message } => {
                run(&self.receive, (client_id, message.as_str().to_owned())).await
            }
            ServerEvent::Send { message, audience } => {
                run(&self.send, (message.as_str().to_owned(), audience)).await
            }
            ServerEvent::Crash { client_id, error } => run(&self.crash, (error, client_id)).await,
            other => Err(format!("there is no function for the event {}", other.kind().name()).into()),
        }
    }
}

fn listener<A, F, R>(callback: impl Fn(A) -> F + Send + Sync + 'static) -> Listener<A>
where
    F: Future<Output = R> + Send + 'static,
    R: IntoHandlerResult,
{
    Box::new(move |argument| {
        let future = callback(argument);
        Box::pin(async move { future.await.into_handler_result() })
    })
}

async fn run<A>(listener: &Option<Listener<A>>, argument: A) -> HandlerResult {
    match listener {
        Some(listener) => listener(argument).await,
        None => Ok(()),
    }
}
