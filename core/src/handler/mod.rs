//! What a route does with its connections.

pub(crate) mod command;
pub(crate) mod context;
pub(crate) mod deferred;
pub(crate) mod receiving;
pub(crate) mod succession;
pub(crate) mod with_callbacks;

use bytes::Bytes;
use serde_json::Value;
use std::any::Any;

use crate::cluster::{EntryChange, Node};
use crate::feed::FeedValue;
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::interface::close_cause::CloseCause;
use crate::interface::file_part::{FilePart, ReadId};
pub use crate::interface::handler_error::HandlerError;
use crate::interface::hook::{Answer, HookKind};
use crate::interface::http_endpoint::HttpEndpoint;
use crate::interface::upstream::{UpstreamEvent, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::Refusal;
use crate::routing::authentication::Admission;
use crate::routing::route::RouteSettings;

/// The result of a handler's method. An error costs at most this connection: it goes to
/// [`Handler::error`], and after a failed [`connect`](Handler::connect) the connection is closed with 1011.
pub type HandlerResult = Result<(), HandlerError>;

/// The behaviour of one route: a dialect, rules, callbacks, or a type of yours.
///
/// Methods are called one at a time and, for one connection, in strict order: `connect`, then everything
/// the client sends as it came, then `close`. After a [`Context::call`] the connection's next event waits
/// for the answer; other connections do not. The state of the whole route lives in `self`.
///
/// ```
/// use switchboard_core::{Context, Handler, HandlerResult, Message};
///
/// /// Tells everyone else on the route what each client says.
/// struct Shout;
///
/// impl Handler for Shout {
///     fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
///         let text = message.as_text().ok_or("only text can be shouted")?.to_uppercase();
///         cx.broadcast(text);
///         Ok(())
///     }
/// }
/// ```
pub trait Handler: Any + Send {
    /// Adjusts the settings of its route, once before it serves: a dialect may speak a subprotocol of its own, or have
    /// to authenticate clients itself. The default returns them unchanged.
    fn settings(&self, settings: RouteSettings) -> RouteSettings {
        settings
    }

    /// What somebody who starts the server should know of the route, such as what it lets every client do: a line for the
    /// log, after the route's pattern. `settings` are the final ones. The default is nothing.
    fn warning(&self, settings: &RouteSettings) -> Option<&'static str> {
        let _ = settings;
        None
    }

    /// Decides whether a client may connect, on routes whose
    /// [`Authentication`](crate::Authentication) is `Handler`. `None`: a hook was called and its answer
    /// ([`Answer::Admission`]) decides. The connection has no rooms yet and nothing can be sent.
    fn authenticate(&mut self, cx: &mut Context<'_>) -> Option<Admission> {
        let _ = cx;
        Some(Admission::accept())
    }

    /// Checks what the dialect demands of an opening handshake in addition to RFC 6455, before authentication. The default
    /// demands nothing. A panic is answered 500.
    fn admit(&self, settings: &RouteSettings, request: &http::Request<()>) -> Result<(), Refusal> {
        let _ = (settings, request);
        Ok(())
    }

    /// Whether the opening handshake of an admitted client is answered only when an outgoing connection has opened or
    /// failed: this method opens it ([`Context::dial`]), and [`upstream`](Self::upstream) answers
    /// ([`Context::accept`], [`Context::reject`]). It may also answer at once, or [postpone](Context::postpone) the answer. If it opens none, or that ends without an answer, the client is
    /// answered 502. The default answers at once. An error is answered 500.
    fn delays_handshake(&mut self, cx: &mut Context<'_>) -> Result<bool, HandlerError> {
        let _ = cx;
        Ok(false)
    }

    /// The connection is open, in its default room, and its timers run.
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let _ = cx;
        Ok(())
    }

    /// A message came.
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult;

    /// Whether pings are answered automatically. If not, [`ping`](Self::ping) has to answer them.
    fn answers_pings(&self) -> bool {
        true
    }

    /// A ping came.
    fn ping(&mut self, cx: &mut Context<'_>, payload: Bytes) -> HandlerResult {
        let _ = (cx, payload);
        Ok(())
    }

    /// A pong came.
    fn pong(&mut self, cx: &mut Context<'_>, payload: Bytes) -> HandlerResult {
        let _ = (cx, payload);
        Ok(())
    }

    /// The connection has ended. It receives no broadcast any more, but its rooms can still be looked at, and what it
    /// broadcasts still reaches the others. Called exactly once for every `connect`.
    fn close(&mut self, cx: &mut Context<'_>, frame: &CloseFrame, cause: CloseCause) -> HandlerResult {
        let _ = (cx, frame, cause);
        Ok(())
    }

    /// Another method or hook failed, or the client broke the protocol. The default tells the client
    /// `{"type":"error","message":…}`, unless a close frame was sent.
    fn error(&mut self, cx: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        cx.send_error_frame(error);
        Ok(())
    }

    /// A hook that this handler called has answered. Failures of hooks go to [`error`](Self::error) instead.
    fn answer(&mut self, cx: &mut Context<'_>, hook: HookKind, answer: Answer) -> HandlerResult {
        let _ = (cx, hook, answer);
        Ok(())
    }

    /// User code gives a command of this dialect, such as a push on a channel, on behalf of a connection or of none.
    fn command(&mut self, cx: &mut Context<'_>, name: &str, payload: Value) -> HandlerResult {
        let _ = (cx, payload);
        Err(format!("this route knows no command {name:?}").into())
    }

    /// A value was published on one of the route's feeds. In a cluster each node is told, and sends to its own clients; on a
    /// route with a history the node where it was published sends to those of all nodes.
    fn publish(&mut self, cx: &mut Context<'_>, feed: &str, value: &FeedValue) -> HandlerResult {
        let _ = (cx, feed, value);
        Ok(())
    }

    /// This handler has published a message on another node of the cluster
    /// ([`Context::publish_to_nodes`]), and somebody here is in the room; or it has sent the message to this node
    /// ([`Context::send_to_node`]), without a room. An error is logged.
    fn node_message(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<&str>,
        header: Bytes,
        message: Message,
    ) -> HandlerResult {
        let _ = (cx, room, header, message);
        Ok(())
    }

    /// The route's history has something for clients whose form only this handler knows
    /// ([`RouteSettings::history_by_handler`](crate::RouteSettings::history_by_handler)). An error is logged.
    #[doc(hidden)]
    fn deliver_kept(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let _ = cx;
        Ok(())
    }

    /// Entries that this handler has set on another node of the cluster ([`Context::set_entry`]) are new, or different, or gone
    /// with `None`; those that become known together come together. The entries of a node that has left or died are gone. An
    /// error is logged.
    fn node_entries(
        &mut self,
        cx: &mut Context<'_>,
        node: &Node,
        entries: Vec<EntryChange>,
    ) -> HandlerResult {
        let _ = (cx, node, entries);
        Ok(())
    }

    /// An outgoing connection that this handler opened ([`Context::dial`]) for the connection in focus.
    fn upstream(
        &mut self,
        cx: &mut Context<'_>,
        upstream: UpstreamId,
        event: UpstreamEvent,
    ) -> HandlerResult {
        let _ = (cx, upstream, event);
        Ok(())
    }

    /// A part of a file came that this handler asked for ([`Context::read_file_part`]), for the connection in focus or for
    /// the route.
    fn file_part(
        &mut self,
        cx: &mut Context<'_>,
        read: ReadId,
        content: Result<FilePart, String>,
    ) -> HandlerResult {
        let _ = (cx, read, content);
        Ok(())
    }

    /// The client has taken so much of what waited for it that more may be sent: after
    /// [`Context::is_outbox_full`].
    fn drained(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let _ = cx;
        Ok(())
    }

    /// Whether [`prepare`](Self::prepare) is to be called. The default is false.
    fn wants_preparation(&self) -> bool {
        false
    }

    /// The server starts, or has got this route: what may be prepared before clients come. One may come earlier nevertheless.
    fn prepare(&mut self, cx: &mut Context<'_>) {
        let _ = cx;
    }

    /// The plain HTTP paths that this handler answers, asked once at the start.
    fn endpoints(&self) -> Vec<HttpEndpoint> {
        Vec::new()
    }

    /// A request for one of [`endpoints`](Self::endpoints).
    fn request(
        &mut self,
        cx: &mut Context<'_>,
        request: &http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HandlerError> {
        let _ = (cx, request);
        Err("this route answers no HTTP requests".into())
    }

    /// Who is present on the route, in the dialect's own form, by topic; an empty topic is the whole route. For those who look
    /// at a running server ([`control`](crate::control)). The default is nobody, as most dialects keep no presence.
    fn presence(&self, cx: &Context<'_>) -> Vec<(String, Value)> {
        let _ = cx;
        Vec::new()
    }

    /// Takes over the route, with all of its connections, from the handler that served it before the engine was
    /// [reconfigured](crate::Engine::reconfigure). Both are of the same dialect ([`RouteSettings::kind`]).
    ///
    /// What the connections keep (metadata, rooms, timers) is there already; the state that lives in the predecessor is to be
    /// taken from it ([`Predecessor::get`]). No connection is in focus; [`Context::everyone`] are the open ones, of which some
    /// may have waited with their `connect`. The predecessor is not called again. Calls of it that are under way are answered
    /// to this handler.
    ///
    /// False: the predecessor stays as it is, with its connections, which are closed with 1012. That is the default, as a
    /// handler may have state of its connections that this one does not know. A handler without such state writes
    /// `predecessor.get::<Self>().is_some()`.
    fn succeed(&mut self, cx: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        let _ = (cx, predecessor);
        false
    }

    /// A timer that this handler set is due: [`Context::set_timer`] with a connection,
    /// [`Context::set_route_timer`] without.
    fn timeout(&mut self, cx: &mut Context<'_>, key: u64) -> HandlerResult {
        let _ = (cx, key);
        Ok(())
    }
}
