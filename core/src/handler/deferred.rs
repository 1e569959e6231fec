//! The handler whose behaviour is user code in the host: JavaScript callbacks, async closures.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::hook::{Answer, CallId, Hook, HookKind};
use crate::message::{CloseFrame, Message};
use crate::routing::authentication::{Admission, Authentication};
use crate::routing::route::RouteSettings;

/// Which hooks the user's code has. What is absent is never called and costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// `authenticate`, as a function.
    pub authenticate: bool,
    /// `onConnect`.
    pub connect: bool,
    /// `transformRawData`.
    pub transform: bool,
    /// `responses`: where each entry's response goes, in order.
    pub responses: Vec<ResponseAudience>,
    /// `onMessage`.
    pub message: bool,
    /// `onPing`. Pings are then answered by the user's code or not at all.
    pub ping: bool,
    /// `onPong`.
    pub pong: bool,
    /// `onClose`.
    pub close: bool,
    /// `onError`.
    pub error: bool,
}

/// Where the response of a matching entry of `responses` goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ResponseAudience {
    /// To the sender.
    #[default]
    Sender,
    /// `broadcast: true`: to the others in all of the sender's rooms.
    AllRooms,
    /// `broadcast: {room, includeSelf}`.
    Broadcast {
        /// To this room; `None`: to everyone on the route.
        room: Option<String>,
        /// Also to the sender.
        include_self: bool,
    },
}

/// Calls the host's hooks for everything.
#[derive(Debug)]
pub struct Deferred {
    hooks: Hooks,
    /// The `responses` of predecessors, for their calls that are still under way.
    earlier: HashMap<CallId, Arc<[ResponseAudience]>>,
}

impl Deferred {
    /// A handler that calls these hooks.
    pub fn new(hooks: Hooks) -> Self {
        Self { hooks, earlier: HashMap::new() }
    }

    /// Takes over the answers to the predecessor's calls.
    pub(crate) fn take_over(&mut self, cx: &Context<'_>, predecessor: &mut Deferred) {
        self.earlier = std::mem::take(&mut predecessor.earlier);
        let responses: Arc<[ResponseAudience]> = predecessor.hooks.responses.as_slice().into();
        for call in cx.calls_under_way(HookKind::Respond) {
            self.earlier.entry(call).or_insert_with(|| responses.clone());
        }
    }

    /// The `responses` of the predecessor that made the call whose answer this is.
    fn take_earlier(&mut self, cx: &Context<'_>) -> Option<Arc<[ResponseAudience]>> {
        // As a rule there is none, and looking for it would cost a hash.
        if self.earlier.is_empty() {
            return None;
        }
        cx.answered().and_then(|call| self.earlier.remove(&call))
    }

    /// The step after the raw message was transformed, or instead of that.
    fn respond(&self, cx: &mut Context<'_>, message: Option<Message>) {
        if !self.hooks.responses.is_empty() {
            cx.call(Hook::Respond { message });
        } else if self.hooks.message {
            cx.call(Hook::Message { message });
        }
    }
}

impl Handler for Deferred {
    fn settings(&self, settings: RouteSettings) -> RouteSettings {
        match self.hooks.authenticate {
            true => RouteSettings { authentication: Authentication::Handler, ..settings },
            false => settings,
        }
    }

    fn authenticate(&mut self, cx: &mut Context<'_>) -> Option<Admission> {
        if !self.hooks.authenticate {
            return Some(Admission::accept());
        }
        let params = cx.connection().map(|connection| connection.params().clone()).unwrap_or_default();
        cx.call(Hook::Authenticate { params });
        None
    }

    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        if self.hooks.connect {
            cx.call(Hook::Connect);
        }
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        if self.hooks.transform {
            cx.call(Hook::Transform { message });
        } else {
            self.respond(cx, Some(message));
        }
        Ok(())
    }

    fn answers_pings(&self) -> bool {
        !self.hooks.ping
    }

    fn ping(&mut self, cx: &mut Context<'_>, payload: Bytes) -> HandlerResult {
        if self.hooks.ping {
            cx.call(Hook::Ping(payload));
        }
        Ok(())
    }

    fn pong(&mut self, cx: &mut Context<'_>, payload: Bytes) -> HandlerResult {
        if self.hooks.pong {
            cx.call(Hook::Pong(payload));
        }
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, frame: &CloseFrame, cause: CloseCause) -> HandlerResult {
        if self.hooks.close {
            cx.call(Hook::Close { frame: frame.clone(), cause });
        }
        Ok(())
    }

    fn succeed(&mut self, cx: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        let Some(predecessor) = predecessor.get::<Self>() else {
            return false;
        };
        self.take_over(cx, predecessor);
        true
    }

    fn error(&mut self, cx: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        self.take_earlier(cx);
        if self.hooks.error {
            cx.call(Hook::Error { error: error.clone() });
        } else {
            cx.send_error_frame(error);
        }
        Ok(())
    }

    fn answer(&mut self, cx: &mut Context<'_>, hook: HookKind, answer: Answer) -> HandlerResult {
        let earlier = self.take_earlier(cx);
        match (hook, answer) {
            (HookKind::Transform, _) => self.respond(cx, None),
            (HookKind::Respond, Answer::Response { index, message: Some(message) }) => {
                match earlier.as_deref().unwrap_or(&self.hooks.responses).get(index) {
                    Some(ResponseAudience::Sender) | None => cx.send(message),
                    Some(ResponseAudience::AllRooms) => cx.broadcast_all_rooms(false, message),
                    Some(ResponseAudience::Broadcast { room: Some(room), include_self }) => {
                        cx.broadcast_to([room], *include_self, message);
                    }
                    Some(ResponseAudience::Broadcast { room: None, include_self: true }) => {
                        cx.broadcast_to_all(message);
                    }
                    Some(ResponseAudience::Broadcast { room: None, include_self: false }) => {
                        cx.broadcast(message);
                    }
                }
            }
            // The value is already with the host.
            (HookKind::Respond, Answer::NoMatch) if self.hooks.message => {
                cx.call(Hook::Message { message: None });
            }
            _ => {}
        }
        Ok(())
    }
}
