//! Handlers that are one async function per connection.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use switchboard_core::HandlerError;

use super::socket::{Inlet, Socket};
use super::{BoxFuture, Callbacks, Handshake, IntoAdmission, IntoHandlerResult, Peer};
use crate::host::Host;
use crate::host::user_code::Pending;

/// A handler that is one async function: it gets each connection as a [`Socket`] and receives in a loop.
///
/// The connection is closed when the function has returned: with 1000, or after an error or a panic, which is logged,
/// with 1011. A socket that the function has given to another task keeps it open until it is dropped there.
///
/// Messages that are not received wait, at most [`pending_messages`](crate::Limits::pending_messages) or 1 MiB of them;
/// then the client is not read until there is room again, however long that takes.
///
/// ```
/// use switchboard::{HandlerResult, Server, Socket, SocketTask};
///
/// async fn count(mut socket: Socket) -> HandlerResult {
///     let mut bytes = 0;
///     while let Some(message) = socket.recv().await {
///         bytes += message.len();
///         socket.send(format!("{bytes} bytes so far"));
///     }
///     println!("{} is gone", socket.id());
///     Ok(())
/// }
///
/// let builder = Server::builder().route("/count", SocketTask::new(count));
/// ```
pub struct SocketTask {
    callbacks: Callbacks,
}

/// The function behind it.
pub(crate) type Run = Box<dyn Fn(Socket) -> BoxFuture<Result<(), HandlerError>> + Send + Sync>;

impl SocketTask {
    /// Calls `run` for each connection once it is open, in a task of its own.
    pub fn new<F, R>(run: impl Fn(Socket) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoHandlerResult,
    {
        let run: Run = Box::new(move |socket| {
            let future = run(socket);
            Box::pin(async move { future.await.into_handler_result() })
        });
        Self { callbacks: Callbacks { task: Some(run), ..Callbacks::default() } }
    }

    /// Decides before the upgrade whether a client may connect, as [`Callbacks::authenticate`] does.
    pub fn authenticate<F, R>(mut self, callback: impl Fn(Handshake) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoAdmission,
    {
        self.callbacks = self.callbacks.authenticate(callback);
        self
    }

    pub(crate) fn into_callbacks(self) -> Callbacks {
        self.callbacks
    }
}

impl fmt::Debug for SocketTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketTask").finish_non_exhaustive()
    }
}

/// Starts the task of a connection that has opened.
pub(super) fn start(host: &Arc<Host>, callbacks: Arc<Callbacks>, peer: Peer, opened: Pending) {
    let inlet = Arc::new(Inlet::default());
    peer.data().set_inlet(inlet.clone());
    host.runtime().spawn(async move {
        opened.done();
        let mut ending = Ending { peer: peer.clone(), inlet: inlet.clone(), result: None };
        if let Some(run) = &callbacks.task {
            ending.result = Some(run(Socket::new(peer, inlet)).await);
        }
    });
}

/// Closes the connection when its function has returned, or has panicked, in which case there is no result.
struct Ending {
    peer: Peer,
    inlet: Arc<Inlet>,
    result: Option<Result<(), HandlerError>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let path = self.peer.path();
        match self.result.take() {
            Some(Ok(())) => return self.inlet.returned(&self.peer),
            Some(Err(error)) => tracing::warn!("the task of a connection to {path} failed: {error}"),
            None if std::thread::panicking() => {
                tracing::error!("the task of a connection to {path} panicked");
            }
            // The runtime stops.
            None => return,
        }
        self.inlet.abandon();
        let _ = self.peer.close(1011, "Internal error");
    }
}
