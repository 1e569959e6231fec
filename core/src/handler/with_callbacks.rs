//! The host's callbacks on a route that has a behaviour of its own.

use bytes::Bytes;
use serde_json::Value;

use crate::cluster::{EntryChange, Node};
use crate::feed::FeedValue;
use crate::handler::context::Context;
use crate::handler::deferred::{Deferred, Hooks};
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::file_part::{FilePart, ReadId};
use crate::interface::hook::{Answer, HookKind};
use crate::interface::http_endpoint::HttpEndpoint;
use crate::interface::upstream::{UpstreamEvent, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::Refusal;
use crate::routing::authentication::Admission;
use crate::routing::route::RouteSettings;

/// Does what the inner handler does, then lets the callbacks see it: an `onMessage` on a relay watches the relay.
pub struct WithCallbacks {
    inner: Box<dyn Handler>,
    callbacks: Deferred,
    has_authenticate: bool,
    has_error: bool,
    handles_errors: bool,
}

impl WithCallbacks {
    /// A handler together with these callbacks. `handles_errors`: it recovers from errors itself, and has to be told of
    /// them even if there is an `onError`.
    pub fn new(inner: Box<dyn Handler>, hooks: Hooks, handles_errors: bool) -> Self {
        let (has_authenticate, has_error) = (hooks.authenticate, hooks.error);
        Self { inner, has_authenticate, has_error, handles_errors, callbacks: Deferred::new(hooks) }
    }

    /// The handler that the callbacks watch.
    pub(crate) fn inner(&mut self) -> &mut dyn Handler {
        self.inner.as_mut()
    }
}

impl Handler for WithCallbacks {
    fn settings(&self, settings: RouteSettings) -> RouteSettings {
        self.callbacks.settings(self.inner.settings(settings))
    }

    fn warning(&self, settings: &RouteSettings) -> Option<&'static str> {
        self.inner.warning(settings)
    }

    fn authenticate(&mut self, cx: &mut Context<'_>) -> Option<Admission> {
        match self.inner.authenticate(cx) {
            Some(Admission::Accept { .. }) if self.has_authenticate => self.callbacks.authenticate(cx),
            admission => admission,
        }
    }

    fn admit(&self, settings: &RouteSettings, request: &http::Request<()>) -> Result<(), Refusal> {
        self.inner.admit(settings, request)
    }

    fn delays_handshake(&mut self, cx: &mut Context<'_>) -> Result<bool, HandlerError> {
        self.inner.delays_handshake(cx)
    }

    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        self.inner.connect(cx)?;
        self.callbacks.connect(cx)
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        self.inner.message(cx, message.clone())?;
        self.callbacks.message(cx, message)
    }

    fn answers_pings(&self) -> bool {
        self.inner.answers_pings() && self.callbacks.answers_pings()
    }

    fn ping(&mut self, cx: &mut Context<'_>, payload: Bytes) -> HandlerResult {
        self.inner.ping(cx, payload.clone())?;
        self.callbacks.ping(cx, payload)
    }

    fn pong(&mut self, cx: &mut Context<'_>, payload: Bytes) -> HandlerResult {
        self.inner.pong(cx, payload.clone())?;
        self.callbacks.pong(cx, payload)
    }

    fn close(&mut self, cx: &mut Context<'_>, frame: &CloseFrame, cause: CloseCause) -> HandlerResult {
        self.inner.close(cx, frame, cause)?;
        self.callbacks.close(cx, frame, cause)
    }

    fn error(&mut self, cx: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        if self.handles_errors || !self.has_error {
            self.inner.error(cx, error)?;
        }
        match self.has_error {
            true => self.callbacks.error(cx, error),
            false => Ok(()),
        }
    }

    fn answer(&mut self, cx: &mut Context<'_>, hook: HookKind, answer: Answer) -> HandlerResult {
        match hook.is_of_dialect() {
            true => self.inner.answer(cx, hook, answer),
            false => self.callbacks.answer(cx, hook, answer),
        }
    }

    fn succeed(&mut self, cx: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        if !self.inner.succeed(cx, predecessor) {
            return false;
        }
        if let Some(WithCallbacks { callbacks, .. }) = predecessor.outermost() {
            self.callbacks.take_over(cx, callbacks);
        }
        true
    }

    fn timeout(&mut self, cx: &mut Context<'_>, key: u64) -> HandlerResult {
        self.inner.timeout(cx, key)
    }

    fn command(&mut self, cx: &mut Context<'_>, name: &str, payload: Value) -> HandlerResult {
        self.inner.command(cx, name, payload)
    }

    fn publish(&mut self, cx: &mut Context<'_>, feed: &str, value: &FeedValue) -> HandlerResult {
        self.inner.publish(cx, feed, value)
    }

    fn node_message(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<&str>,
        header: Bytes,
        message: Message,
    ) -> HandlerResult {
        self.inner.node_message(cx, room, header, message)
    }

    fn deliver_kept(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        self.inner.deliver_kept(cx)
    }

    fn node_entries(
        &mut self,
        cx: &mut Context<'_>,
        node: &Node,
        entries: Vec<EntryChange>,
    ) -> HandlerResult {
        self.inner.node_entries(cx, node, entries)
    }

    fn upstream(
        &mut self,
        cx: &mut Context<'_>,
        upstream: UpstreamId,
        event: UpstreamEvent,
    ) -> HandlerResult {
        self.inner.upstream(cx, upstream, event)
    }

    fn file_part(
        &mut self,
        cx: &mut Context<'_>,
        read: ReadId,
        content: Result<FilePart, String>,
    ) -> HandlerResult {
        self.inner.file_part(cx, read, content)
    }

    fn drained(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        self.inner.drained(cx)
    }

    fn wants_preparation(&self) -> bool {
        self.inner.wants_preparation()
    }

    fn prepare(&mut self, cx: &mut Context<'_>) {
        self.inner.prepare(cx);
    }

    fn presence(&self, cx: &Context<'_>) -> Vec<(String, Value)> {
        self.inner.presence(cx)
    }

    fn endpoints(&self) -> Vec<HttpEndpoint> {
        self.inner.endpoints()
    }

    fn request(
        &mut self,
        cx: &mut Context<'_>,
        request: &http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HandlerError> {
        self.inner.request(cx, request)
    }
}
