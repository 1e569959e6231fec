//! The handler of routes where each connection has a task of the user's in the host, which receives when it is ready.

use super::deferred::{Deferred, Hooks};
use super::{Handler, HandlerResult};
use crate::handler::context::Context;
use crate::interface::close_cause::CloseCause;
use crate::interface::hook::Hook;
use crate::message::{CloseFrame, Message};
use crate::routing::authentication::Admission;
use crate::routing::route::RouteSettings;

/// Hands each message to the host and waits until the user's task has received it, for however long that takes.
///
/// - [`Hook::Connect`]: start the task. It is answered when the task has begun, not when it has ended.
/// - [`Hook::Message`]: keep it for the task. It is answered when the task has received it, and has no timeout. What the
///   client sends meanwhile waits in its inbox, and at the inbox's bound reading pauses.
/// - [`Hook::Close`]: nothing more comes. It is answered when the task has ended; until then the connection is known, and
///   what the task broadcasts reaches the others.
#[derive(Debug)]
pub struct Receiving {
    authentication: Deferred,
}

impl Receiving {
    /// A handler whose connections have such tasks; `authenticates`: a hook decides who may connect.
    pub fn new(authenticates: bool) -> Self {
        let hooks = Hooks { authenticate: authenticates, ..Hooks::default() };
        Self { authentication: Deferred::new(hooks) }
    }
}

impl Handler for Receiving {
    fn settings(&self, settings: RouteSettings) -> RouteSettings {
        self.authentication.settings(settings)
    }

    fn authenticate(&mut self, cx: &mut Context<'_>) -> Option<Admission> {
        self.authentication.authenticate(cx)
    }

    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        cx.call(Hook::Connect);
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        cx.call_without_timeout(Hook::Message { message: Some(message) });
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, frame: &CloseFrame, cause: CloseCause) -> HandlerResult {
        cx.call(Hook::Close { frame: frame.clone(), cause });
        Ok(())
    }
}
