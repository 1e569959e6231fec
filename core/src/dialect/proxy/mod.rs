//! A route whose clients are connected to another server, each by a connection of its own.
//!
//! | When | Client | Target |
//! |---|---|---|
//! | a client comes | its opening handshake waits for the target's answer | is dialled: the path that the pattern's `**` stands for and the query are appended, without the token that let the client in and without parameters of the target's own names; the client's subprotocols are offered |
//! | its path could be read as one that leaves the target's | 400 | |
//! | the target answers 101 | 101 with the subprotocol that the target chose | |
//! | the target refuses, cannot be reached, does not answer | the target's status if that is an error, 502, 504 | |
//! | either sends a message | receives text as text, binary as binary | the same |
//! | either does not read | waits, when `maxWaiting` or `outbound` is reached | the same |
//! | the target closes | the same code and reason; without a code without one; without a close frame without one | |
//! | the client closes | | the same |
//! | the target breaks the protocol, or takes nothing for `sendTimeout` | 1011 `Proxy error` | |
//!
//! With `handshake: "proxy"` the client is accepted at once, with the first subprotocol that it offers, and what it
//! says waits for the target. A path that leads nowhere is 1011 `Proxy connection failed`, and whatever is not a close frame is 1011 to the client, and 1001 to the target.
//! A target that speaks another subprotocol of the client's is 1011 too; name that one in the route's `subprotocols`.
//!
//! With `announce`, as mock-api-server 1.x does it below `/ws/proxy/`, the client is told about the proxy as well:
//!
//! | When | Client |
//! |---|---|
//! | the target has answered | `{"type":"proxy_connected","clientId":…,"routeName":…,"timestamp":…}` |
//! | the path names no target | `{"type":"error","error":"Proxy route name is required","timestamp":…}`, 1008 `Route name missing` |
//! | it names an unknown one | `… Proxy route 'x' not found`, 1008 `Route not found` |
//! | it makes no URL | `… Failed to establish proxy connection`, 1011 `Proxy connection failed` |
//! | the target failed | `… Proxy connection error: <why>`, 1011 `Proxy error`; addresses are in the log alone |

mod address;
mod inspection;
mod link;
mod options;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName};
use serde_json::json;

use crate::dialect::timed_name::timed_name;
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::effect::Level;
use crate::interface::hook::{Answer, Hook, HookKind};
use crate::interface::upstream::{Dial, UpstreamEvent, UpstreamId};
use crate::message::{CloseCode, CloseFrame, Message};
use crate::routing::authentication::TokenPlace;
use address::{Address, rest, without_parameters};
use link::{Ending, Link, Phase, farewell};

pub use crate::interface::direction::Direction;
pub use crate::schema::Secret;
pub use inspection::{Inspect, ProxyHooks};
pub use options::{ProxyAuth, ProxyHandshake, ProxyOptions, TargetOptions};

/// The handler of a proxy.
pub struct Proxy {
    options: ProxyOptions,
    mount: Mount,
    max_message: usize,
    inspector: Option<Box<dyn Inspect>>,
    hooks: ProxyHooks,
}

/// Which part of a client's path is the route's own.
#[derive(Clone, Debug, Default)]
struct Mount {
    prefixes: Vec<String>,
    /// The pattern's segments before a `**` at its end; `None`: the whole path is the route's own.
    segments: Option<usize>,
}

impl Proxy {
    /// A proxy with these settings. Messages from targets have at most 16 MiB.
    pub fn new(options: ProxyOptions) -> Self {
        Self {
            options,
            mount: Mount::default(),
            max_message: 16 << 20,
            inspector: None,
            hooks: ProxyHooks::default(),
        }
    }

    /// Appends to the target's path what follows this many segments of the client's path, after the first of these
    /// prefixes that matches.
    pub fn with_rest_behind(mut self, prefixes: Vec<String>, segments: usize) -> Self {
        self.mount = Mount { prefixes, segments: Some(segments) };
        self
    }

    /// Takes messages of at most so many bytes from targets.
    pub fn with_max_message(mut self, bytes: usize) -> Self {
        self.max_message = bytes;
        self
    }

    /// Lets code see, drop and replace all messages.
    pub fn with_inspector(mut self, inspector: impl Inspect + 'static) -> Self {
        self.inspector = Some(Box::new(inspector));
        self
    }

    /// Lets the host's callbacks look at messages, by [`Hook::Proxied`]: [`Answer::Passed`] replaces or drops a message,
    /// every other answer lets it pass as it is.
    pub fn with_hooks(mut self, hooks: ProxyHooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// The target of the connection in focus, with its name and the URL to dial.
    fn target(&self, cx: &Context<'_>) -> Result<(TargetOptions, Arc<str>, String), Ending> {
        let (path, query) = cx.connection().map(|c| (c.path(), c.query())).unwrap_or_default();
        let rest = self.mount.segments.map_or("", |segments| rest(path, &self.mount.prefixes, segments));
        let (target, name, rest) = match &self.options.target {
            Some(target) => (target, "", rest),
            None => {
                let named = rest.trim_start_matches('/');
                let (name, rest) = named.split_at(named.find('/').unwrap_or(named.len()));
                if name.is_empty() {
                    return Err(Ending::Unnamed);
                }
                let target = self.options.targets.get(name);
                (target.ok_or_else(|| Ending::Unknown(name.to_owned()))?, name, rest)
            }
        };
        let target = target.at(cx.port());
        // The client's token for this server is not passed on.
        let token = cx.token_place().and_then(TokenPlace::query);
        let query = without_parameters(query, |name| Some(name) == token);
        let address = Address::parse(&target.url).ok();
        let url = address.and_then(|address| address.join(rest, &query)).ok_or(Ending::Malformed)?;
        Ok((target, name.into(), url))
    }

    /// The headers for a target. The one with the client's `token` for this server is not passed on.
    fn headers(
        &self,
        target: &TargetOptions,
        client: &HeaderMap,
        token: Option<&HeaderName>,
    ) -> Vec<(String, String)> {
        let is_token = |name: &str| token.is_some_and(|token| token.as_str().eq_ignore_ascii_case(name));
        let forwarded = self.options.forward.iter().filter(|name| !is_token(name)).flat_map(|name| {
            client
                .get_all(name)
                .iter()
                .filter_map(|value| Some((name.clone(), value.to_str().ok()?.to_owned())))
        });
        let own = target.headers.iter().map(|(name, Secret(value))| (name.clone(), value.clone()));
        let auth = target.auth.as_ref().map(|auth| match auth {
            ProxyAuth::Bearer { token: Secret(token) } => {
                ("authorization".to_owned(), format!("Bearer {token}"))
            }
            ProxyAuth::Basic { username: Secret(username), password: Secret(password) } => {
                let credentials = STANDARD.encode(format!("{username}:{password}"));
                ("authorization".to_owned(), format!("Basic {credentials}"))
            }
            ProxyAuth::ApiKey { header, value: Secret(value) } => (header.clone(), value.clone()),
        });
        forwarded.chain(own).chain(auth).collect()
    }

    /// Whether the target answers the client's opening handshake, and its end is passed on as it is.
    fn is_transparent(&self) -> bool {
        self.options.handshake() == ProxyHandshake::Target
    }

    /// The same for the connection in focus, whose target may have been dialled by a predecessor.
    fn is_transparent_for(&self, cx: &mut Context<'_>) -> bool {
        link(cx).map_or(self.is_transparent(), |link| link.is_transparent)
    }

    /// Dials the target of the connection in focus, whose opening handshake it answers if the proxy `is_transparent`.
    fn dial(&self, cx: &mut Context<'_>, protocols: Vec<String>, is_transparent: bool) -> Result<(), Ending> {
        let client_id = timed_name(cx, "client-", '-').into();
        let (target, name, url) = self.target(cx)?;
        let token = cx.token_place().and_then(TokenPlace::header);
        let headers = cx.connection().map(|client| self.headers(&target, client.request().headers(), token));
        let mut dial = Dial::new(url);
        dial.headers = headers.unwrap_or_default();
        dial.protocols = protocols;
        dial.timeout = self.options.timeout;
        dial.send_timeout = self.options.send_timeout;
        dial.max_message = self.max_message;
        dial.max_queued = self.options.max_waiting;
        if let Some(upstream) = cx.dial(dial)
            && let Some(connection) = cx.connection_mut()
        {
            let link = Link::new(upstream, name, client_id, is_transparent);
            connection.metadata_mut().insert(link);
        }
        Ok(())
    }

    /// Passes a message on, or gives it to a callback first.
    fn pass(&mut self, cx: &mut Context<'_>, from: Direction, message: Message) -> HandlerResult {
        // A client that left before the target answered loses what it sent.
        if link(cx).is_none_or(|link| link.phase != Phase::Open) {
            return Ok(());
        }
        let seen = match (&mut self.inspector, cx.connection()) {
            (Some(inspector), Some(client)) => inspector.inspect(client, from, message),
            _ => Some(message),
        };
        let Some(message) = seen else {
            return Ok(());
        };
        if self.hooks.wants(from) {
            // The connection's next event, from either side, waits for the answer.
            if cx.call(Hook::Proxied { from, message: message.clone() }).is_some()
                && let Some(link) = link(cx)
            {
                link.asked = Some((from, message));
            }
        } else {
            deliver(cx, from, message);
        }
        Ok(())
    }

    /// Closes the client, and its target if there is still one.
    fn end(&mut self, cx: &mut Context<'_>, ending: &Ending) -> HandlerResult {
        if let Some(link) = link(cx) {
            link.phase = Phase::Over;
            let upstream = link.upstream;
            cx.close_upstream(upstream, Some(CloseFrame::new(CloseCode::GOING_AWAY, "")));
        }
        if let Ending::Failed { message, detail, .. } = ending {
            let message = detail.as_ref().unwrap_or(message);
            let path = cx.connection().map(|connection| connection.path().to_owned()).unwrap_or_default();
            cx.log_throttled("proxy", Level::Warn, || format!("the proxy {path}: {message}"));
        }
        if !cx.connection().is_some_and(|connection| connection.is_open()) {
            cx.reject(ending.status());
            return Ok(());
        }
        if ending.is_abrupt() && self.is_transparent_for(cx) {
            cx.disconnect();
            return Ok(());
        }
        if self.options.announces()
            && let Some(error) = ending.error()
        {
            let timestamp = cx.now().wall.to_string();
            cx.send(Message::from(&json!({ "type": "error", "error": error, "timestamp": timestamp })));
        }
        Ok(cx.apply(ending.close())?)
    }

    /// The target has answered 101.
    fn opened(&mut self, cx: &mut Context<'_>, protocol: Option<&str>) -> HandlerResult {
        let is_transparent = self.is_transparent_for(cx);
        let is_agreed = match protocol {
            Some(protocol) if is_transparent => cx.offered_subprotocols().iter().any(|it| it == protocol),
            None if is_transparent => true,
            protocol => cx.connection().and_then(|connection| connection.subprotocol()) == protocol,
        };
        if !is_agreed {
            let agreed = cx.connection().and_then(|connection| connection.subprotocol());
            let message = match agreed {
                Some(agreed) => format!("the target does not speak the subprotocol {agreed}"),
                None => "the target chose a subprotocol that nobody offered".to_owned(),
            };
            return self.end(cx, &Ending::failed(message, StatusCode::BAD_GATEWAY));
        }
        if let Some(link) = link(cx) {
            link.phase = Phase::Open;
        }
        if is_transparent {
            cx.accept(protocol);
        } else {
            self.announce(cx);
        }
        Ok(())
    }

    /// Tells the client that the target has answered, if it is told about the proxy.
    fn announce(&self, cx: &mut Context<'_>) {
        if self.options.announces()
            && let Some(link) = link(cx)
        {
            let (client_id, target) = (link.client_id.clone(), link.target.clone());
            cx.send(Message::from(&json!({
                "type": "proxy_connected",
                "clientId": *client_id,
                "routeName": *target,
                "timestamp": cx.now().wall.to_string(),
            })));
        }
    }
}

impl Handler for Proxy {
    fn delays_handshake(&mut self, cx: &mut Context<'_>) -> Result<bool, HandlerError> {
        if !self.is_transparent() {
            return Ok(false);
        }
        let offered = cx.offered_subprotocols();
        if let Err(ending) = self.dial(cx, offered, true) {
            self.end(cx, &ending)?;
        }
        Ok(true)
    }

    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        // The target has opened already.
        if link(cx).is_some() {
            self.announce(cx);
            return Ok(());
        }
        let agreed = cx.connection().and_then(|client| client.subprotocol()).map(str::to_owned);
        match self.dial(cx, agreed.into_iter().collect(), false) {
            Ok(()) => Ok(()),
            Err(ending) => self.end(cx, &ending),
        }
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        self.pass(cx, Direction::Client, message)
    }

    fn upstream(&mut self, cx: &mut Context<'_>, _: UpstreamId, event: UpstreamEvent) -> HandlerResult {
        match event {
            UpstreamEvent::Opened { protocol } => self.opened(cx, protocol.as_deref()),
            UpstreamEvent::Message(message) => self.pass(cx, Direction::Target, message),
            event => match Ending::of(event) {
                Some(ending) => self.end(cx, &ending),
                None => Ok(()),
            },
        }
    }

    /// Clients stay connected to their targets.
    fn succeed(&mut self, _: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        predecessor.get::<Self>().is_some()
    }

    fn answer(&mut self, cx: &mut Context<'_>, kind: HookKind, answer: Answer) -> HandlerResult {
        if !matches!(kind, HookKind::ClientMessage | HookKind::TargetMessage) {
            return Ok(());
        }
        let Some((from, message)) = link(cx).and_then(|link| link.asked.take()) else {
            return Ok(());
        };
        let passed = match answer {
            Answer::Passed(passed) => passed,
            _ => Some(message),
        };
        if let Some(message) = passed {
            deliver(cx, from, message);
        }
        Ok(())
    }

    /// A callback that fails costs the message that it looked at.
    fn error(&mut self, cx: &mut Context<'_>, _: &HandlerError) -> HandlerResult {
        if let Some(link) = link(cx) {
            link.asked = None;
        }
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, frame: &CloseFrame, _: CloseCause) -> HandlerResult {
        if let Some(upstream) = link(cx).map(|link| link.upstream) {
            let is_transparent = self.is_transparent_for(cx);
            cx.close_upstream(upstream, farewell(frame, is_transparent));
        }
        Ok(())
    }
}

fn link<'c>(cx: &'c mut Context<'_>) -> Option<&'c mut Link> {
    cx.connection_mut()?.metadata_mut().get_mut::<Link>()
}

fn deliver(cx: &mut Context<'_>, from: Direction, message: Message) {
    match from {
        Direction::Target => cx.send(message),
        Direction::Client => {
            if let Some(upstream) = link(cx).map(|link| link.upstream) {
                cx.send_upstream(upstream, message);
            }
        }
    }
}
