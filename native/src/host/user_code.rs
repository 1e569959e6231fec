//! The user's code, as the host sees it: it runs hooks and answers them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use switchboard_core::{Answer, CallId, Connection, ConnectionId, HandlerError, Hook, Input};
use tokio::sync::oneshot;

#[cfg(feature = "javascript")]
use crate::flush::sending_half::SendingHalf;
use crate::host::Host;
#[cfg(feature = "javascript")]
use crate::host::Turn;

/// The code of all routes.
pub(crate) trait UserCode: Send + Sync {
    /// Runs what routes do when the server starts.
    fn start(&self, host: &Arc<Host>);

    /// Prepares a hook to be run, under the host's lock; `None` if the route has no code.
    fn prepare(&self, route: usize, connection: &Connection, hook: Hook) -> Option<Box<dyn Prepared>>;

    /// The transport of a connection is gone. Its last hooks may still have to run.
    fn gone(&self, id: ConnectionId);

    /// The engine has removed a connection.
    fn forget(&self, id: ConnectionId);
}

/// A hook that is ready to be run.
pub(crate) trait Prepared: Send {
    /// Runs it, in a task of its own, and answers it.
    fn run(self: Box<Self>, host: &Arc<Host>, pending: Pending);
}

/// A hook to run once the lock is released.
pub(crate) struct Called {
    pub(crate) call: CallId,
    pub(crate) id: ConnectionId,
    pub(crate) name: &'static str,
    pub(crate) prepared: Box<dyn Prepared>,
    /// Ends when the engine no longer waits for the answer.
    pub(crate) stopped: oneshot::Receiver<()>,
}

thread_local! {
    /// While this thread starts hooks: the answers of those that ended before they ran.
    static ENDED: RefCell<Option<VecDeque<Ended>>> = const { RefCell::new(None) };
}

/// Runs the hooks that a turn called. Those of one connection, which one step of a dialect called, run in that order.
pub(crate) fn run_all(host: &Arc<Host>, calls: &mut Vec<Called>) {
    if calls.is_empty() {
        return;
    }
    let mut start_all = || {
        let mut before = None;
        let mut calls = calls.drain(..).peekable();
        while let Some(called) = calls.next() {
            let (done, after) = match calls.peek() {
                Some(next) if next.id == called.id => Some(oneshot::channel()).unzip(),
                _ => (None, None),
            };
            let Called { call, name, prepared, stopped, .. } = called;
            let (stopped, before) = (Some(stopped), std::mem::replace(&mut before, after));
            let pending = Pending {
                host: host.clone(),
                call,
                name,
                answer: None,
                is_given_up: false,
                stopped,
                before,
                done,
            };
            prepared.run(host, pending);
        }
    };
    if ENDED.with_borrow(Option::is_some) {
        return start_all();
    }
    ENDED.set(Some(VecDeque::new()));
    let _starting = Starting;
    start_all();
    // A runtime that ends drops a task instead of starting it. The answer to that may call the next hook, which ends the
    // same way: in this loop, so that the stack does not grow with what a client has waiting.
    while let Some(ended) = ENDED.with_borrow_mut(|ended| ended.as_mut()?.pop_front()) {
        ended.answer();
    }
}

/// This thread starts hooks.
struct Starting;

impl Drop for Starting {
    fn drop(&mut self) {
        ENDED.set(None);
    }
}

/// A hook that the engine waits for. However it ends, the engine gets one answer: if this is dropped without one, the
/// user's code panicked, or the runtime ends.
pub(crate) struct Pending {
    host: Arc<Host>,
    call: CallId,
    name: &'static str,
    answer: Option<Answer>,
    is_given_up: bool,
    stopped: Option<oneshot::Receiver<()>>,
    /// The hook of the same connection that has to be done first.
    before: Option<oneshot::Receiver<()>>,
    /// Dropped after the engine has the answer.
    done: Option<oneshot::Sender<()>>,
}

impl Pending {
    /// Awaits the hook before this one, then `code`, and answers. When the engine no longer waits for the answer, the code
    /// is dropped at the await where it is.
    pub(crate) async fn run(mut self, code: impl Future<Output = Result<Answer, HandlerError>>) {
        let (stopped, before) = (self.stopped.take(), self.before.take());
        let answered = async {
            if let Some(before) = before {
                // It is done when its end is dropped.
                let _ = before.await;
            }
            code.await
        };
        let stopped = async {
            if let Some(stopped) = stopped {
                let _ = stopped.await;
            }
        };
        tokio::select! {
            biased;
            () = stopped => self.is_given_up = true,
            answer = answered => self.settle(answer),
        }
    }

    /// Answers that it is done. This takes a turn.
    pub(crate) fn done(self) {
        self.settle(Ok(Answer::Done));
    }

    /// The same from a task of its own: during a turn's end there must be no other turn.
    pub(crate) fn done_soon(self) {
        let runtime = self.host.runtime().clone();
        runtime.spawn(async move { self.done() });
    }

    fn settle(mut self, result: Result<Answer, HandlerError>) {
        self.answer = Some(result.unwrap_or_else(|error| Answer::Failed { error }));
    }
}

/// For code that is not a future, and answers many at once.
#[cfg(feature = "javascript")]
impl Pending {
    /// What to wait for when it is not [`run`](Self::run): the hook of the same connection that has to be done first, and the
    /// engine's loss of interest.
    pub(crate) fn waits(&mut self) -> (Option<oneshot::Receiver<()>>, Option<oneshot::Receiver<()>>) {
        (self.before.take(), self.stopped.take())
    }

    /// Answers in one turn with what is done `before` that, and leaves the sockets that are to be written to `touched`.
    pub(crate) fn settle_gathered(
        mut self,
        answer: Answer,
        touched: &mut Vec<Arc<SendingHalf>>,
        before: impl FnOnce(&mut Turn<'_>),
    ) {
        self.is_given_up = true;
        let call = self.call;
        self.host.gathered_turn(touched, |turn| {
            before(turn);
            turn.input(Input::Answer { call, answer });
        });
    }

    /// The engine no longer waits for the answer.
    pub(crate) fn give_up(mut self) {
        self.is_given_up = true;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.is_given_up {
            return;
        }
        let panicked = || Answer::Failed { error: format!("{} panicked", self.name).into() };
        let answer = self.answer.take().unwrap_or_else(panicked);
        let mut ended =
            Some(Ended { host: self.host.clone(), call: self.call, answer, _done: self.done.take() });
        ENDED.with_borrow_mut(|queue| {
            if let Some(queue) = queue {
                queue.extend(ended.take());
            }
        });
        if let Some(ended) = ended {
            ended.answer();
        }
    }
}

/// A hook that is over.
struct Ended {
    host: Arc<Host>,
    call: CallId,
    answer: Answer,
    /// Dropped after the engine has the answer.
    _done: Option<oneshot::Sender<()>>,
}

impl Ended {
    fn answer(self) {
        let Self { host, call, answer, .. } = self;
        host.turn(|turn| turn.input(Input::Answer { call, answer }));
    }
}
