//! A kit to test handlers with, behind the feature `testing`: the engine without a network, a clock that only moves when
//! told, and clients made of lists.
//!
//! ```
//! use switchboard_core::testing::{World, route};
//! use switchboard_core::{Context, Handler, HandlerResult, Message, RouteSettings};
//!
//! /// Tells everyone else what each client says, and who has been silent for a minute.
//! struct Shout;
//!
//! impl Handler for Shout {
//!     fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
//!         cx.set_timer(0, std::time::Duration::from_secs(60));
//!         cx.broadcast(message.as_text().ok_or("only text can be shouted")?.to_uppercase());
//!         Ok(())
//!     }
//!
//!     fn timeout(&mut self, cx: &mut Context<'_>, _key: u64) -> HandlerResult {
//!         cx.broadcast_to_all("somebody is silent");
//!         Ok(())
//!     }
//! }
//!
//! let mut world = World::new(vec![route("/shout", RouteSettings::default(), Shout)]);
//! let (ada, bob) = (world.connect("/shout"), world.connect("/shout"));
//! world.text(ada, "hi");
//! assert_eq!(world.received(bob), ["HI"]);
//! world.advance(60_000);
//! assert_eq!(world.received(ada), ["somebody is silent"]);
//! world.close(bob, 1000, "");
//! assert_eq!(world.received(bob), ["somebody is silent", "<close 1000>"]);
//! ```
//!
//! A test that asks for what cannot be, such as a pattern that is none or a client that was never there, panics, and so
//! does an engine that breaks its word: an effect for a client that was not accepted, or a deadline that does not move.

mod client;

use std::collections::{HashMap, HashSet, VecDeque};

use crate::protocol::Violation;
use crate::time::{Instant, Now, WallTime};
use crate::{
    Answer, CallId, CloseCode, CloseFrame, Command, CommandError, ConnectionId, ConnectionIds, Dial, Effect,
    Engine, Handler, HandlerResult, Hook, Input, Level, Limits, Message, Mounted, Pattern, Route,
    RouteCommand, RouteKey, RouteSettings, Router, UpstreamEvent, UpstreamId,
};

pub use client::Client;

/// Where the clock begins: 2026-11-20T10:00:00Z.
const START: u64 = 1_795_168_800_000_000;

/// One route of a [`World`].
pub fn route(pattern: &str, settings: RouteSettings, handler: impl Handler + 'static) -> (RouteKey, Route) {
    let key = RouteKey::new(Pattern::new(pattern).expect("a pattern"));
    (key, Route { settings, handler: Box::new(handler) })
}

/// The engine with everything that a host would put around it.
pub struct World {
    /// The engine, to look at it.
    pub engine: Engine,
    ms: u64,
    ids: ConnectionIds,
    clients: HashMap<ConnectionId, Client>,
    /// Hooks that wait for their answer.
    pub calls: VecDeque<(CallId, ConnectionId, Hook)>,
    /// Hooks that are no longer waited for.
    pub cancelled: Vec<CallId>,
    /// The lines for the host's log.
    pub log: Vec<(Level, String)>,
    /// How often the engine said that it forgot a connection.
    pub removed: HashMap<ConnectionId, usize>,
    /// Where the next clients come from.
    pub address: Option<std::net::IpAddr>,
    /// Files that were asked for, with the feed.
    pub files: Vec<(String, String)>,
    /// Outgoing connections that were asked for.
    pub dials: Vec<(UpstreamId, Dial)>,
    /// What went out on them: text as it is, `<binary …>`, `<close …>`, `<end>`.
    pub upstream: Vec<(UpstreamId, String)>,
    /// Those that are not read.
    pub paused_upstreams: HashSet<UpstreamId>,
    /// Their other sides take nothing until [`target_takes`](Self::target_takes).
    pub are_targets_stalled: bool,
}

impl World {
    /// A server of these routes, with the default limits.
    pub fn new(routes: Vec<(RouteKey, Route)>) -> Self {
        Self::with_limits(routes, Limits::default())
    }

    /// A server of these routes.
    pub fn with_limits(routes: Vec<(RouteKey, Route)>, limits: Limits) -> Self {
        let (keys, routes): (Vec<_>, Vec<_>) = routes.into_iter().unzip();
        Self::with_engine(Engine::new(
            Router::new(keys).expect("patterns that fit a router"),
            routes,
            limits,
            [7; 32],
        ))
    }

    /// Around an engine, such as one made of a configuration.
    pub fn with_engine(engine: Engine) -> Self {
        Self {
            engine,
            ms: 0,
            ids: ConnectionIds::default(),
            clients: HashMap::new(),
            calls: VecDeque::new(),
            cancelled: Vec::new(),
            log: Vec::new(),
            removed: HashMap::new(),
            address: None,
            files: Vec::new(),
            dials: Vec::new(),
            upstream: Vec::new(),
            paused_upstreams: HashSet::new(),
            are_targets_stalled: false,
        }
    }

    /// What the clocks show.
    pub fn now(&self) -> Now {
        Now { instant: Instant::from_ms(self.ms), wall: WallTime::from_us(START + self.ms * 1000) }
    }

    /// An opening handshake as browsers send it.
    pub fn upgrade(&mut self, path: &str) -> ConnectionId {
        self.upgrade_with(path, &[])
    }

    /// The same with these headers besides.
    pub fn upgrade_with(&mut self, path: &str, headers: &[(&str, &str)]) -> ConnectionId {
        let (request, address) = (opening(path, headers), self.address);
        self.ask(|id| Input::Upgrade { id, request, address })
    }

    /// An opening handshake that the host's own application has found a route for.
    pub fn mount(&mut self, path: &str, headers: &[(&str, &str)], mounted: Mounted) -> ConnectionId {
        let (request, address) = (opening(path, headers), self.address);
        self.ask(|id| Input::Mounted { id, request, address, mounted: Box::new(mounted) })
    }

    fn ask(&mut self, input: impl FnOnce(ConnectionId) -> Input) -> ConnectionId {
        let id = self.ids.allocate();
        self.clients.insert(id, Client::default());
        self.input(input(id));
        id
    }

    /// Something happens to the latest outgoing connection.
    pub fn target(&mut self, event: UpstreamEvent) {
        let (upstream, _) = self.dials.last().expect("nothing was dialled");
        self.input(Input::Upstream { upstream: *upstream, event });
    }

    /// The latest outgoing connection takes so many messages of what was sent on it.
    pub fn target_takes(&mut self, messages: usize) {
        self.target(UpstreamEvent::Sent { messages });
    }

    /// Whether the latest outgoing connection is not read.
    pub fn is_target_paused(&self) -> bool {
        self.dials.last().is_some_and(|(upstream, _)| self.paused_upstreams.contains(upstream))
    }

    /// What went out on all outgoing connections since the last look.
    pub fn told_targets(&mut self) -> Vec<String> {
        std::mem::take(&mut self.upstream).into_iter().map(|(_, text)| text).collect()
    }

    /// A client that came in.
    pub fn connect(&mut self, path: &str) -> ConnectionId {
        let id = self.upgrade(path);
        self.open(id);
        id
    }

    /// The host wrote the 101.
    pub fn open(&mut self, id: ConnectionId) {
        assert!(self.clients[&id].accepted.is_some(), "not accepted: {:?}", self.clients[&id]);
        self.input(Input::Opened { id });
    }

    /// What became of a client.
    pub fn client(&self, id: ConnectionId) -> &Client {
        &self.clients[&id]
    }

    /// The client sends text.
    pub fn text(&mut self, id: ConnectionId, text: &str) {
        self.message(id, text);
    }

    /// The client sends a message.
    pub fn message(&mut self, id: ConnectionId, message: impl Into<Message>) {
        self.input(Input::Message { id, message: message.into() });
    }

    /// The client sends a ping.
    pub fn ping(&mut self, id: ConnectionId, payload: &'static [u8]) {
        self.input(Input::Ping { id, payload: payload.into() });
    }

    /// The client sends a pong.
    pub fn pong(&mut self, id: ConnectionId, payload: &'static [u8]) {
        self.input(Input::Pong { id, payload: payload.into() });
    }

    /// The client's close frame.
    pub fn close(&mut self, id: ConnectionId, code: u16, reason: &str) {
        self.input(Input::CloseReceived { id, frame: Some(CloseFrame::new(CloseCode(code), reason)) });
    }

    /// The client's cable is cut.
    pub fn cut(&mut self, id: ConnectionId) {
        if !std::mem::replace(&mut self.client_mut(id).gone, true) {
            self.input(Input::Disconnected { id });
        }
    }

    /// The client breaks the protocol.
    pub fn violate(&mut self, id: ConnectionId, code: CloseCode, reason: &'static str) {
        self.input(Input::Violated { id, violation: Violation::new(code, reason) });
    }

    /// User code asks something of a connection.
    pub fn command(&mut self, id: ConnectionId, command: Command) -> Result<(), CommandError> {
        let mut effects = Vec::new();
        let result = self.engine.command(self.now(), id, command, &mut effects);
        self.carry_out(effects);
        result
    }

    /// A command of user code for a whole route.
    pub fn route_command(&mut self, route: usize, command: RouteCommand) -> Result<usize, CommandError> {
        let mut effects = Vec::new();
        let result = self.engine.route_command(self.now(), route, command, &mut effects);
        self.carry_out(effects);
        result
    }

    /// A command of user code for the dialect of the first route.
    pub fn dialect_command(
        &mut self,
        id: Option<ConnectionId>,
        name: &str,
        payload: serde_json::Value,
    ) -> HandlerResult {
        let mut effects = Vec::new();
        let result = self.engine.dialect_command(self.now(), 0, id, name, payload, &mut effects);
        self.carry_out(effects);
        result
    }

    /// The oldest hook that waits.
    pub fn next_call(&mut self) -> (CallId, ConnectionId, Hook) {
        self.calls.pop_front().expect("no hook was called")
    }

    /// A hook comes back.
    pub fn answer(&mut self, call: CallId, answer: Answer) {
        self.input(Input::Answer { call, answer });
    }

    /// Answers the oldest hook that waits; gives it back.
    pub fn answer_next(&mut self, answer: Answer) -> Hook {
        let (call, _, hook) = self.next_call();
        self.answer(call, answer);
        hook
    }

    /// What came since the last look: text as it is, `<binary …>`, `<ping …>`, `<pong …>`, `<close …>`, `<end>`.
    pub fn received(&mut self, id: ConnectionId) -> Vec<String> {
        std::mem::take(&mut self.client_mut(id).received)
    }

    /// The oldest thing that came and was not looked at.
    pub fn next_received(&mut self, id: ConnectionId) -> Option<String> {
        let received = &mut self.clients.get_mut(&id)?.received;
        (!received.is_empty()).then(|| received.remove(0))
    }

    /// A plain HTTP request: status and body.
    pub fn http(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = http::Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.body(bytes::Bytes::copy_from_slice(body.as_bytes())).expect("a request");
        self.request(&request).map_or((404, String::new()), |response| {
            (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
        })
    }

    /// A plain HTTP request; `None` when no endpoint is there for it.
    pub fn request(&mut self, request: &http::Request<bytes::Bytes>) -> Option<http::Response<bytes::Bytes>> {
        let mut effects = Vec::new();
        let response = self.engine.request(self.now(), request, &mut effects);
        self.carry_out(effects);
        response
    }

    /// Lets time pass, waking exactly when the engine asked to be woken.
    pub fn advance(&mut self, ms: u64) {
        let end = self.ms + ms;
        while let Some(deadline) = self.engine.poll_timeout().filter(|deadline| deadline.as_ms() <= end) {
            self.ms = self.ms.max(deadline.as_ms());
            self.timeout();
            assert_ne!(
                self.engine.poll_timeout(),
                Some(deadline),
                "a deadline that does not move would be an endless loop"
            );
        }
        self.ms = end;
    }

    /// Calls `handle_timeout` now, due or not.
    pub fn timeout(&mut self) {
        let mut effects = Vec::new();
        self.engine.handle_timeout(self.now(), &mut effects);
        self.carry_out(effects);
    }

    /// Anything happens.
    pub fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.engine.handle_input(self.now(), input, &mut effects);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut gone = Vec::new();
        let mut taken = Vec::new();
        for effect in effects {
            match effect {
                Effect::Ignore { id } => self.refuse(id, |client| client.ignored = true),
                Effect::Refuse { id, refusal } => {
                    self.refuse(id, |client| client.rejected = Some(refusal.status.as_u16()));
                }
                Effect::Accept(accept) => {
                    let client = self.client_mut(accept.id);
                    assert!(client.accepted.is_none(), "accepted twice");
                    client.accepted = Some(*accept);
                }
                Effect::Send { to, message } => {
                    for id in to.iter() {
                        self.hear(*id, told(&message));
                    }
                }
                Effect::Ping { id, payload } => {
                    self.hear(id, format!("<ping {}>", String::from_utf8_lossy(&payload)));
                }
                Effect::Pong { id, payload } => {
                    self.hear(id, format!("<pong {}>", String::from_utf8_lossy(&payload)));
                }
                Effect::Close { id, frame } => self.hear(id, closed(frame)),
                Effect::Disconnect { id } => gone.push((id, None)),
                Effect::Terminate { id } => gone.push((id, Some("<end>"))),
                Effect::Pause { id } => self.client_mut(id).paused = true,
                Effect::Resume { id } => self.client_mut(id).paused = false,
                Effect::Call { call, id, hook, .. } => self.calls.push_back((call, id, hook)),
                Effect::CancelCall { call, .. } => self.cancelled.push(call),
                Effect::Removed { id } => {
                    *self.removed.entry(id).or_default() += 1;
                    self.ids.release(id);
                }
                Effect::Dial { upstream, dial } => self.dials.push((upstream, *dial)),
                Effect::SendUpstream { upstream, message } => {
                    self.upstream.push((upstream, told(&message)));
                    taken.push(upstream);
                }
                Effect::PauseUpstream { upstream } => {
                    assert!(self.paused_upstreams.insert(upstream), "paused twice");
                }
                Effect::ResumeUpstream { upstream } => {
                    assert!(self.paused_upstreams.remove(&upstream), "not paused");
                }
                Effect::TerminateUpstream { upstream } => self.upstream.push((upstream, "<end>".to_owned())),
                Effect::CloseUpstream { upstream, frame } => self.upstream.push((upstream, closed(frame))),
                Effect::ReadFile { feed, file } => self.files.push((feed, file)),
                Effect::Log { level, text } => self.log.push((level, text)),
            }
        }
        if !self.are_targets_stalled {
            for upstream in taken {
                self.input(Input::Upstream { upstream, event: UpstreamEvent::Sent { messages: 1 } });
            }
        }
        for (id, note) in gone {
            if let Some(note) = note {
                self.hear(id, note.into());
            }
            self.cut(id);
        }
    }

    fn client_mut(&mut self, id: ConnectionId) -> &mut Client {
        self.clients.get_mut(&id).expect("a client of this world")
    }

    fn refuse(&mut self, id: ConnectionId, note: impl FnOnce(&mut Client)) {
        note(self.client_mut(id));
        self.ids.release(id);
    }

    fn hear(&mut self, id: ConnectionId, text: String) {
        let client = self.client_mut(id);
        assert!(client.accepted.is_some(), "{text} for a client that was not accepted");
        assert!(!client.gone, "{text} for a client that is gone");
        client.received.push(text);
    }
}

fn opening(path: &str, headers: &[(&str, &str)]) -> Box<http::Request<()>> {
    let mut request = http::Request::get(path).body(()).expect("a path");
    let own = [
        ("host", "localhost"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (name, value) in own.iter().chain(headers) {
        let name: http::HeaderName = name.parse().expect("a header's name");
        request.headers_mut().append(name, value.parse().expect("a header's value"));
    }
    Box::new(request)
}

fn told(message: &Message) -> String {
    match message {
        Message::Text(text) => text.as_str().to_owned(),
        Message::Binary(bytes) => format!("<binary {bytes:?}>"),
    }
}

fn closed(frame: Option<CloseFrame>) -> String {
    match frame {
        Some(frame) => format!("<close {} {}>", frame.code, frame.reason.as_str()).replace(" >", ">"),
        None => "<close>".to_owned(),
    }
}
