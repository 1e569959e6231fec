//! Runs callbacks: which one a hook calls, and what it answers.

use std::sync::Arc;

use switchboard_core::{Answer, Direction, HandlerError, Hook, Message};

use super::channel::ChannelRun;
use super::handshake::Handshake;
use super::incoming::Incoming;
use super::peer::{Peer, PeerData};
use super::{Callback, Callbacks, socket_task};
use crate::host::Host;
use crate::host::user_code::{Pending, Prepared};

/// A hook on its way to its callback.
pub(super) struct CallbackRun {
    pub(super) callbacks: Arc<Callbacks>,
    pub(super) peer: Arc<PeerData>,
    pub(super) hook: Hook,
}

impl Prepared for CallbackRun {
    /// Runs the callback when all others of its connection are done.
    fn run(self: Box<Self>, host: &Arc<Host>, pending: Pending) {
        let Self { callbacks, peer: data, hook } = *self;
        if let Some(foreign) = &callbacks.foreign {
            data.known_to(foreign);
            return foreign.run(host, &data, hook, pending);
        }
        let peer = Peer::new(host.clone(), data.clone());
        let rest = match callbacks.task {
            Some(_) => run_task(host, &callbacks, &peer, hook, pending),
            None => Some((hook, pending)),
        };
        let Some((hook, pending)) = rest else { return };
        let step = Step::new(&peer, hook);
        host.runtime().spawn(pending.run(async move {
            let _alone = data.callback().lock().await;
            answer(&callbacks, peer, step).await
        }));
    }
}

/// Gives a hook to the connection's own task, or back if it is not for the task.
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
pub(super) fn start(host: &Arc<Host>, callbacks: &Arc<Callbacks>) {
    if let Some(foreign) = &callbacks.foreign {
        return foreign.start(host);
    }
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

/// What a hook runs: a callback of the route, or of one of its channels.
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
        // Steps of channels are handled above.
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

/// The message that came with the hook, or that the previous hook has left.
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
