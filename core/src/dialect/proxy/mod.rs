//! A route whose clients are connected to another server, each by a connection of its own.
//!
//! | When | Client | Target |
//! |---|---|---|
//! | a client comes | is accepted at once with the first subprotocol that it offers | is dialled: the path that the pattern's `**` stands for and the query are appended, without the token that let the client in and without parameters of the target's own names; that subprotocol is offered |
//! | its path could be read as one that leaves the target's | 1011 `Proxy connection failed` | |
//! | the client speaks before the target has answered | | hears it in order once it has; more than `maxWaiting` bytes close the client with 1013 |
//! | either speaks | hears text as text, binary as binary | the same |
//! | the target closes | the same code and reason; without a code without one; 1011 where none can be passed on (1006) | |
//! | the client closes | | the same code and reason; 1001 where the client vanished |
//! | the target cannot be reached, or breaks | 1011 `Proxy error` | |
//!
//! With `announce`, as mock-api-server 1.x does it below `/ws/proxy/`, the client is told about the proxy as well:
//!
//! | When | Client |
//! |---|---|
//! | the target has answered | `{"type":"proxy_connected","clientId":…,"routeName":…,"timestamp":…}` |
//! | the path names no target | `{"type":"error","error":"Proxy route name is required","timestamp":…}`, 1008 `Route name missing` |
//! | it names an unknown one | `… Proxy route 'x' not found`, 1008 `Route not found` |
//! | it makes no URL | `… Failed to establish proxy connection`, 1011 `Proxy connection failed` |
//! | the target failed | `… Proxy connection error: <why>`, 1011 `Proxy error` |
//!
//! A subprotocol has to be agreed on before the target is asked, so the client's first offer is taken; where the
//! target speaks another one of the client's, name that one in the route's `subprotocols`.

mod address;
mod inspection;
mod link;
mod options;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName};
use serde_json::json;

use crate::dialect::timed_name::timed_name;
use crate::handler::context::Context;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::effect::Level;
use crate::interface::hook::{Answer, HookKind};
use crate::interface::upstream::{Dial, UpstreamEvent, UpstreamId};
use crate::message::{CloseCode, CloseFrame, Message};
use crate::routing::authentication::TokenPlace;
use address::{Address, rest, without_parameters};
use link::{Ending, Link, Passing, Phase, farewell};

pub use inspection::{Inspect, ProxyHooks};
pub use link::Direction;
pub use options::{ProxyAuth, ProxyOptions, Secret, TargetOptions};

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

    /// Appends to the target's path what comes behind so many segments of the client's, below the first of these
    /// prefixes that fits.
    pub fn with_rest_behind(mut self, prefixes: Vec<String>, segments: usize) -> Self {
        self.mount = Mount { prefixes, segments: Some(segments) };
        self
    }

    /// Takes messages of at most so many bytes from targets.
    pub fn with_max_message(mut self, bytes: usize) -> Self {
        self.max_message = bytes;
        self
    }

    /// Lets code look at all messages.
    pub fn with_inspector(mut self, inspector: impl Inspect + 'static) -> Self {
        self.inspector = Some(Box::new(inspector));
        self
    }

    /// Lets the host's callbacks look at messages: [`Hook::Custom`](crate::Hook::Custom) with the callback's name
    /// and `{"text":…}` or `{"base64":…}`. The answer `false` drops the message, an object of that form replaces it.
    pub fn with_hooks(mut self, hooks: ProxyHooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// The target of the connection in focus, with its name and the URL to dial.
    fn target(&self, cx: &Context<'_>) -> Result<(&TargetOptions, Arc<str>, String), Ending> {
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
        // What let the client in here is nothing for the target.
        let token = cx.token_place().and_then(TokenPlace::query);
        let query = without_parameters(query, |name| Some(name) == token);
        let address = Address::parse(&target.url).ok();
        let url = address.and_then(|address| address.join(rest, &query)).ok_or(Ending::Malformed)?;
        Ok((target, name.into(), url))
    }

    /// The headers for a target. The one with the `token` that let the client in here is not passed on.
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

    /// Lets something take its place in the line, and all go on that may.
    fn pass(&mut self, cx: &mut Context<'_>, passing: Passing) -> HandlerResult {
        let max_waiting = self.options.max_waiting;
        let Some(link) = link(cx).filter(|link| link.phase != Phase::Over) else {
            return Ok(());
        };
        // Most often nothing waits and nobody looks.
        let went = match (link.phase, link.waiting.is_empty() && link.asked.is_none()) {
            (Phase::Open, true) => return self.go(cx, passing),
            _ => link.push(passing, max_waiting),
        };
        match went {
            Ok(()) => self.advance(cx),
            Err(ending) => self.end(cx, &ending),
        }
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        while let Some(passing) = link(cx).and_then(Link::pop) {
            self.go(cx, passing)?;
        }
        Ok(())
    }

    /// Carries one thing on, or has it looked at.
    fn go(&mut self, cx: &mut Context<'_>, passing: Passing) -> HandlerResult {
        let (from, message) = match passing {
            Passing::Message(from, message) => (from, message),
            Passing::End(ending) => return self.end(cx, &ending),
        };
        let seen = match (&mut self.inspector, cx.connection()) {
            (Some(inspector), Some(client)) => inspector.inspect(client, from, message),
            _ => Some(message),
        };
        let Some(message) = seen else {
            return Ok(());
        };
        if self.hooks.wants(from) {
            if cx.call(inspection::question(from, &message)).is_some()
                && let Some(link) = link(cx)
            {
                link.asked = Some((from, message));
            }
        } else {
            deliver(cx, from, message);
        }
        Ok(())
    }

    /// Closes the client. The target, where there is still one, is closed with it.
    fn end(&mut self, cx: &mut Context<'_>, ending: &Ending) -> HandlerResult {
        if let Some(link) = link(cx) {
            link.end();
            let upstream = link.upstream;
            cx.close_upstream(upstream, Some(CloseFrame::new(CloseCode::GOING_AWAY, "")));
        }
        let path = cx.connection().map(|connection| connection.path().to_owned()).unwrap_or_default();
        match ending {
            Ending::Failed(message) => cx.log(Level::Warn, format!("the proxy {path}: {message}")),
            Ending::Overfull => cx.log(Level::Warn, format!("the proxy {path}: more than maxWaiting waits")),
            _ => {}
        }
        if self.options.announces()
            && let Some(error) = ending.error()
        {
            let timestamp = cx.now().wall.to_string();
            cx.send(Message::from(&json!({ "type": "error", "error": error, "timestamp": timestamp })));
        }
        Ok(cx.apply(ending.close())?)
    }

    fn opened(&mut self, cx: &mut Context<'_>, protocol: Option<&str>) -> HandlerResult {
        let agreed = cx.connection().and_then(|connection| connection.subprotocol());
        if agreed != protocol {
            let ending = Ending::Failed(match agreed {
                Some(agreed) => format!("the target does not speak the subprotocol {agreed}"),
                None => "the target chose a subprotocol that nobody offered".to_owned(),
            });
            return self.end(cx, &ending);
        }
        let Some(link) = link(cx) else {
            return Ok(());
        };
        link.phase = Phase::Open;
        let (client_id, target) = (link.client_id.clone(), link.target.clone());
        if self.options.announces() {
            cx.send(Message::from(&json!({
                "type": "proxy_connected",
                "clientId": *client_id,
                "routeName": *target,
                "timestamp": cx.now().wall.to_string(),
            })));
        }
        self.advance(cx)
    }
}

impl Handler for Proxy {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let client_id = timed_name(cx, "client-", '-').into();
        let (target, name, url) = match self.target(cx) {
            Ok(found) => found,
            Err(ending) => return self.end(cx, &ending),
        };
        let (client, token) = (cx.connection(), cx.token_place().and_then(TokenPlace::header));
        let dial = Dial {
            url,
            headers: client
                .map(|client| self.headers(target, client.request().headers(), token))
                .unwrap_or_default(),
            protocols: client
                .and_then(|client| client.subprotocol())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            timeout: self.options.timeout,
            max_message: self.max_message,
        };
        if let Some(upstream) = cx.dial(dial)
            && let Some(connection) = cx.connection_mut()
        {
            connection.extensions_mut().insert(Link::new(upstream, name, client_id));
        }
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        self.pass(cx, Passing::Message(Direction::Client, message))
    }

    fn upstream(&mut self, cx: &mut Context<'_>, _: UpstreamId, event: UpstreamEvent) -> HandlerResult {
        let ending = match event {
            UpstreamEvent::Opened { protocol } => return self.opened(cx, protocol.as_deref()),
            UpstreamEvent::Message(message) => {
                return self.pass(cx, Passing::Message(Direction::Target, message));
            }
            UpstreamEvent::Closed(frame) => Ending::Closed(frame),
            UpstreamEvent::Failed { message } => Ending::Failed(message),
        };
        match link(cx).map(|link| link.phase) {
            // What waits for the target will never go, so the end does not wait behind it.
            Some(Phase::Dialling) => self.end(cx, &ending),
            _ => self.pass(cx, Passing::End(ending)),
        }
    }

    fn answer(&mut self, cx: &mut Context<'_>, _: HookKind, answer: Answer) -> HandlerResult {
        let Some((from, message)) = link(cx).and_then(|link| link.asked.take()) else {
            return Ok(());
        };
        if let Some(message) = inspection::outcome(&answer, message)? {
            deliver(cx, from, message);
        }
        self.advance(cx)
    }

    /// A callback that fails costs the message that it looked at.
    fn error(&mut self, cx: &mut Context<'_>, _: &HandlerError) -> HandlerResult {
        if let Some(link) = link(cx) {
            link.asked = None;
        }
        self.advance(cx)
    }

    fn close(&mut self, cx: &mut Context<'_>, frame: &CloseFrame, _: CloseCause) -> HandlerResult {
        if let Some(upstream) = link(cx).map(|link| link.upstream) {
            cx.close_upstream(upstream, farewell(frame));
        }
        Ok(())
    }
}

fn link<'c>(cx: &'c mut Context<'_>) -> Option<&'c mut Link> {
    cx.connection_mut()?.extensions_mut().get_mut::<Link>()
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
