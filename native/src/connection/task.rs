//! One connection's task, from its first byte to its last.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use crate::connection::receiver::Receiver;
use crate::flush::sending::NextStep;

/// How long a client may take to close its side after this server closed its own.
const LINGER: Duration = Duration::from_secs(1);

/// The task of one connection, stage by stage. It is kept as long as the connection is, so it is no larger than an open
/// connection needs; an async function would keep room for everything that it ever held.
///
/// ```text
/// Entering ─▶ Receiving ─▶ Lingering ─▶ Over
///     └───────────┴──(refused, dropped)──▲
/// ```
pub(crate) enum ConnectionTask {
    /// HTTP and the engine decide about it.
    Entering(Entering),
    /// It is a WebSocket.
    Receiving(Receiver),
    /// This server has closed its side.
    Lingering(Box<Lingering>),
    /// There is nothing more to do.
    Over,
}

/// Gives an open connection, if the client is admitted.
type Entering = Pin<Box<dyn Future<Output = Option<Receiver>> + Send>>;

pub(crate) struct Lingering {
    receiver: Receiver,
    end: Pin<Box<Sleep>>,
}

impl ConnectionTask {
    /// Starts the task.
    pub(crate) fn begin(entering: impl Future<Output = Option<Receiver>> + Send + 'static) {
        tokio::spawn(Self::Entering(Box::pin(entering)));
    }
}

impl Future for ConnectionTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let next = match &mut *self {
                Self::Entering(entering) => match ready!(entering.as_mut().poll(context)) {
                    Some(receiver) => Self::Receiving(receiver),
                    None => Self::Over,
                },
                Self::Receiving(receiver) => match ready!(receiver.poll_read_all(context)) {
                    NextStep::Disconnect => self.linger(),
                    _ => {
                        receiver.reset();
                        Self::Over
                    }
                },
                Self::Lingering(lingering) => {
                    // Closing a socket that holds unread bytes resets it, and the client could lose our close frame.
                    if lingering.receiver.poll_discard(context).is_pending() {
                        ready!(lingering.end.as_mut().poll(context));
                    }
                    Self::Over
                }
                Self::Over => return Poll::Ready(()),
            };
            *self = next;
        }
    }
}

impl ConnectionTask {
    fn linger(&mut self) -> Self {
        match std::mem::replace(self, Self::Over) {
            Self::Receiving(mut receiver) => {
                receiver.shutdown();
                let end = Box::pin(tokio::time::sleep(LINGER));
                Self::Lingering(Box::new(Lingering { receiver, end }))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_of_an_idle_connection_is_small() {
        // With what tokio adds it fits 256 bytes.
        assert!(size_of::<ConnectionTask>() <= 152, "{} bytes", size_of::<ConnectionTask>());
    }
}
