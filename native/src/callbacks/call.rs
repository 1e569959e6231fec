//! Runs the callback that the engine called for, and brings its answer.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use switchboard_core::{Answer, CallId, Direction, HandlerError, Hook, Input, Message};
use tokio::sync::oneshot;

use super::channel::ChannelRun;
use super::{Callback, Callbacks, socket_task};
use crate::callbacks::handshake::Handshake;
use crate::callbacks::incoming::Incoming;
use crate::callbacks::peer::Peer;
use crate::host::Host;
use crate::host::after_turn::Called;

thread_local! {
    /// While this thread starts callbacks: the answers of those that ended before they ran.
    static ENDED: RefCell<Option<VecDeque<Ended>>> = const { RefCell::new(None) };
}

/// Runs the callbacks that a turn called for, each in a task of its own. Those of one connection, which one step of a
/// dialect called for, run in that order.
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
            run(host, called, before.take(), done);
            before = after;
        }
    };
    if ENDED.with_borrow(Option::is_some) {
        return start_all();
    }
    ENDED.set(Some(VecDeque::new()));
    let _starting = Starting;
    start_all();
    // A runtime that ends drops a task instead of starting it. The answer to that may call for the next callback, which
    // ends the same way: in this loop, so that the stack does not grow with what a client has waiting.
    while let Some(ended) = ENDED.with_borrow_mut(|ended| ended.as_mut()?.pop_front()) {
        ended.answer();
    }
}

/// This thread starts callbacks.
struct Starting;

impl Drop for Starting {
    fn drop(&mut self) {
        ENDED.set(None);
    }
}

/// Runs a callback when the one `before` is done, and all others of its connection. However it ends, the engine gets
/// one answer, and `done` is dropped. Where the engine waits no longer, it is stopped at the await where it stands.
fn run(
    host: &Arc<Host>,
    called: Called,
    before: Option<oneshot::Receiver<()>>,
    done: Option<oneshot::Sender<()>>,
) {
    let Called { call, peer: data, callbacks, hook, stopped, .. } = called;
    let pending =
        Pending { host: host.clone(), call, name: hook.name(), answer: None, is_given_up: false, done };
    let peer = Peer::new(host.clone(), data.clone());
    let rest = match callbacks.task {
        Some(_) => run_task(host, &callbacks, &peer, hook, pending),
        None => Some((hook, pending)),
    };
    let Some((hook, pending)) = rest else { return };
    let step = Step::new(&peer, hook);
    host.runtime().spawn(async move {
        let answered = async {
            if let Some(before) = before {
                // It is done when its end is dropped.
                let _ = before.await;
            }
            let _alone = data.callback().lock().await;
            answer(&callbacks, peer, step).await
        };
        tokio::select! {
            biased;
            _ = stopped => pending.give_up(),
            answer = answered => pending.settle(answer),
        }
    });
}

/// What goes to a connection's own task; the rest comes back.
fn run_task(
    host: &Arc<Host>,
    callbacks: &Arc<Callbacks>,
    peer: &Peer,
    hook: Hook,
    pending: Pending,
) -> Option<(Hook, Pending)> {
    let inlet = peer.data().inlet();
    match (hook, inlet) {
        (Hook::Connect, _) => socket_task::start(host, callbacks.clone(), peer.clone(), pending),
        (Hook::Message { message: Some(message) }, Some(inlet)) => inlet.offer(message, pending),
        (Hook::Close { frame, cause }, Some(inlet)) => inlet.end(frame, cause, pending),
        (other, _) => return Some((other, pending)),
    }
    None
}

/// Runs what a route does when the server starts.
pub(crate) fn start(host: &Arc<Host>, callbacks: &Arc<Callbacks>) {
    if callbacks.commands.is_none() {
        return;
    }
    let callbacks = callbacks.clone();
    let started = host.runtime().spawn(async move {
        match &callbacks.commands {
            Some(events) => events.started().await,
            None => Ok(()),
        }
    });
    host.runtime().spawn(async move {
        match started.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("the callback for start failed: {error}"),
            Err(error) if error.is_panic() => tracing::error!("the callback for start panicked"),
            // The runtime stops.
            Err(_) => {}
        }
    });
}

/// A hook on its way to its callback.
enum Step {
    Hook(Hook),
    Channel(Box<ChannelRun>),
}

impl Step {
    fn new(peer: &Peer, hook: Hook) -> Self {
        match hook {
            Hook::Channel(call) => Step::Channel(Box::new(ChannelRun::new(peer, *call))),
            hook => Step::Hook(hook),
        }
    }
}

/// A callback under way. Dropped without an answer it panicked, or the runtime ends.
pub(super) struct Pending {
    host: Arc<Host>,
    call: CallId,
    name: &'static str,
    answer: Option<Answer>,
    is_given_up: bool,
    done: Option<oneshot::Sender<()>>,
}

impl Pending {
    /// Answers that it is done. This takes a turn.
    pub(super) fn done(self) {
        self.settle(Ok(Answer::Done));
    }

    /// The same from a task of its own: during a turn's end there must be no other turn.
    pub(super) fn done_soon(self) {
        let runtime = self.host.runtime().clone();
        runtime.spawn(async move { self.done() });
    }

    /// The engine has forgotten the call; nobody has to be told.
    fn give_up(mut self) {
        self.is_given_up = true;
    }

    fn settle(mut self, result: Result<Answer, HandlerError>) {
        self.answer = Some(result.unwrap_or_else(|error| Answer::Failed { error }));
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

/// A callback that is over.
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

async fn answer(callbacks: &Callbacks, peer: Peer, step: Step) -> Result<Answer, HandlerError> {
    let hook = match step {
        Step::Channel(run) => return run.run(&callbacks.channels).await.map(Answer::ChannelReply),
        Step::Hook(hook) => hook,
    };
    match hook {
        Hook::Authenticate { params } => match &callbacks.authenticate {
            Some(authenticate) => {
                let data = peer.data();
                let handshake = Handshake::new(data.request().clone(), params, data.address());
                authenticate(handshake).await.map(Answer::Admission)
            }
            None => Err("there is no authenticate".into()),
        },
        Hook::Connect => done(&callbacks.connect, peer, ()).await,
        Hook::Transform { message } => {
            let incoming = match &callbacks.transform {
                Some(transform) => transform(peer.clone(), message).await?,
                None => message.into(),
            };
            peer.data().set_current(incoming);
            Ok(Answer::Done)
        }
        Hook::Respond { message } => respond(callbacks, peer, message).await,
        Hook::Message { message } => {
            let incoming = incoming(&peer, message)?;
            done(&callbacks.message, peer, incoming).await
        }
        Hook::Ping(payload) => done(&callbacks.ping, peer, payload).await,
        Hook::Pong(payload) => done(&callbacks.pong, peer, payload).await,
        Hook::Close { frame, cause } => done(&callbacks.close, peer, (frame, cause)).await,
        Hook::Error { error } => done(&callbacks.error, peer, error).await,
        Hook::Proxied { from, message } => {
            let inspect = match from {
                Direction::Client => &callbacks.client_message,
                Direction::Target => &callbacks.target_message,
            };
            match inspect {
                Some(inspect) => inspect(peer, message).await.map(Answer::Passed),
                None => Ok(Answer::Done),
            }
        }
        Hook::ServerEvent(event) => {
            if let Some(events) = &callbacks.commands {
                events.tell(*event).await?;
            }
            Ok(Answer::Done)
        }
        // A step of a channel is taken above.
        Hook::Channel(_) => Ok(Answer::Done),
        Hook::Custom { name, payload } => match callbacks.custom.get(&*name) {
            Some(callback) => callback(peer, payload).await.map(Answer::Json),
            None => Err(format!("there is no callback named {name}").into()),
        },
    }
}

async fn respond(
    callbacks: &Callbacks,
    peer: Peer,
    message: Option<Message>,
) -> Result<Answer, HandlerError> {
    let incoming = incoming(&peer, message)?;
    let found = callbacks.responses.iter().enumerate().find(|(_, entry)| (entry.matches)(&peer, &incoming));
    match found {
        Some((index, entry)) => {
            let message = (entry.respond)(peer, incoming).await?;
            Ok(Answer::Response { index, message })
        }
        None => {
            peer.data().set_current(incoming);
            Ok(Answer::NoMatch)
        }
    }
}

/// The message that came with the hook, or that the hook before left.
fn incoming(peer: &Peer, message: Option<Message>) -> Result<Incoming, HandlerError> {
    match message {
        Some(message) => Ok(message.into()),
        None => peer.data().take_current().ok_or_else(|| "the message is gone".into()),
    }
}

async fn done<A>(callback: &Option<Callback<A>>, peer: Peer, argument: A) -> Result<Answer, HandlerError> {
    if let Some(callback) = callback {
        callback(peer, argument).await?;
    }
    Ok(Answer::Done)
}
