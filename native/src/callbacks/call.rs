//! Runs the callback that the engine called for, and brings its answer.

use std::sync::Arc;

use switchboard_core::{Answer, CallId, HandlerError, Hook, HookKind, Input, Message};
use tokio::sync::oneshot;

use super::channel::ChannelCall;
use super::{Callback, Callbacks, socket_task};
use crate::callbacks::handshake::Handshake;
use crate::callbacks::incoming::Incoming;
use crate::callbacks::peer::Peer;
use crate::host::Host;
use crate::host::outcome::Called;

/// Runs a callback in a task of its own, when the one `before` is done. However it ends, the engine gets one answer,
/// and `done` is dropped.
pub(crate) fn run(
    host: &Arc<Host>,
    called: Called,
    before: Option<oneshot::Receiver<()>>,
    done: Option<oneshot::Sender<()>>,
) {
    let Called { call, route, peer, hook, .. } = called;
    let pending = Pending { host: host.clone(), call, kind: hook.kind(), answer: None, _done: done };
    let (Some(callbacks), Some(data)) = (host.callbacks(route).cloned(), peer) else {
        return pending.settle(Err("the route has no callbacks".into()));
    };
    let peer = Peer::new(host.clone(), data);
    let rest = match callbacks.task {
        Some(_) => run_task(host, &callbacks, &peer, hook, pending),
        None => Some((hook, pending)),
    };
    let Some((hook, pending)) = rest else { return };
    let step = Step::new(&callbacks, &peer, hook);
    host.runtime().spawn(async move {
        if let Some(before) = before {
            // It is done when its end is dropped.
            let _ = before.await;
        }
        pending.settle(answer(&callbacks, peer, step).await);
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
    if callbacks.start.is_none() {
        return;
    }
    let callbacks = callbacks.clone();
    let started = host.runtime().spawn(async move {
        match &callbacks.start {
            Some(start) => start().await,
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
    Channel(Box<ChannelCall>),
}

impl Step {
    fn new(callbacks: &Callbacks, peer: &Peer, hook: Hook) -> Self {
        if !callbacks.channels.is_empty()
            && let Hook::Custom { name, payload } = &hook
            && let Some(call) = ChannelCall::new(peer, name, payload.clone())
        {
            return Step::Channel(Box::new(call));
        }
        Step::Hook(hook)
    }
}

/// A callback under way. Dropped without an answer it panicked, or the runtime stops.
pub(super) struct Pending {
    host: Arc<Host>,
    call: CallId,
    kind: HookKind,
    answer: Option<Answer>,
    /// Dropped last, after the engine has the answer.
    _done: Option<oneshot::Sender<()>>,
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

    fn settle(mut self, result: Result<Answer, HandlerError>) {
        self.answer = Some(result.unwrap_or_else(|error| Answer::Failed { error }));
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let panicked = || Answer::Failed { error: format!("{} panicked", self.kind.name()).into() };
        let answer = self.answer.take().unwrap_or_else(panicked);
        let call = self.call;
        self.host.turn(|turn| turn.input(Input::Answer { call, answer }));
    }
}

async fn answer(callbacks: &Callbacks, peer: Peer, step: Step) -> Result<Answer, HandlerError> {
    let hook = match step {
        Step::Channel(call) => return call.run(&callbacks.channels).await.map(Answer::Json),
        Step::Hook(hook) => hook,
    };
    match hook {
        Hook::Authenticate { params } => match &callbacks.authenticate {
            Some(authenticate) => {
                let data = peer.data();
                let handshake = Handshake::new(data.request().clone(), params, data.address());
                authenticate(handshake).await.map(Answer::Verdict)
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
