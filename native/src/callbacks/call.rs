//! Runs the callback that the engine called for, and brings its answer.

use std::sync::Arc;

use switchboard_core::{Answer, CallId, HandlerError, Hook, HookKind, Input, Message};

use super::{Callback, Callbacks};
use crate::connection::Peer;
use crate::handshake::Handshake;
use crate::host::Host;
use crate::incoming::Incoming;
use crate::outcome::Called;

/// Runs a callback in a task of its own. However it ends, the engine gets one answer.
pub(crate) fn run(host: &Arc<Host>, called: Called) {
    let Called { call, route, peer, hook } = called;
    let pending = Pending { host: host.clone(), call, kind: hook.kind(), answer: None };
    let (Some(callbacks), Some(data)) = (host.callbacks(route).cloned(), peer) else {
        return pending.settle(Err("the route has no callbacks".into()));
    };
    let peer = Peer::new(host.clone(), data);
    host.runtime().spawn(async move {
        pending.settle(answer(&callbacks, peer, hook).await);
    });
}

/// A callback under way. Dropped without an answer it panicked, or the runtime stops.
struct Pending {
    host: Arc<Host>,
    call: CallId,
    kind: HookKind,
    answer: Option<Answer>,
}

impl Pending {
    fn settle(mut self, result: Result<Answer, HandlerError>) {
        self.answer = Some(result.unwrap_or_else(|error| Answer::Failed { message: error.to_string() }));
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let panicked = || Answer::Failed { message: format!("{} panicked", self.kind.name()) };
        let answer = self.answer.take().unwrap_or_else(panicked);
        let call = self.call;
        self.host.turn(|turn| turn.input(Input::Answer { call, answer }));
    }
}

async fn answer(callbacks: &Callbacks, peer: Peer, hook: Hook) -> Result<Answer, HandlerError> {
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
        Hook::Error { message } => done(&callbacks.error, peer, message.into()).await,
        Hook::Custom { name, .. } => Err(format!("there is no callback named {name}").into()),
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
