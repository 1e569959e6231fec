use std::collections::{HashMap, HashSet, VecDeque};

use switchboard_core::protocol::Violation;
use switchboard_core::time::{Instant, Now, WallTime};
use switchboard_core::{
    Accept, Answer, CallId, CloseCode, CloseFrame, Command, CommandError, ConnectionId, ConnectionIds, Dial,
    Effect, Engine, Handler, Hook, Input, Level, Limits, Message, Mounted, Pattern, Route, RouteCommand,
    RouteKey, RouteSettings, Router, UpstreamEvent, UpstreamId,
};

/// 2026-11-20T10:00:00Z.
const START: u64 = 1_795_168_800_000_000;

/// One route of a [`World`].
pub fn route(pattern: &str, settings: RouteSettings, handler: impl Handler + 'static) -> (RouteKey, Route) {
    let key = RouteKey::new(Pattern::new(pattern).unwrap());
    (key, Route { settings, handler: Box::new(handler) })
}

/// The engine with everything that a host would put around it.
pub struct World {
    pub engine: Engine,
    ms: u64,
    ids: ConnectionIds,
    clients: HashMap<ConnectionId, Client>,
    /// Hooks that wait for their answer.
    pub calls: VecDeque<(CallId, ConnectionId, Hook)>,
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

/// What became of one upgrade.
#[derive(Debug, Default)]
pub struct Client {
    pub accepted: Option<Accept>,
    pub rejected: Option<u16>,
    pub ignored: bool,
    pub received: Vec<String>,
    pub paused: bool,
    /// The transport is gone, from either side.
    pub gone: bool,
}

impl World {
    pub fn new(routes: Vec<(RouteKey, Route)>) -> Self {
        Self::with_limits(routes, Limits::default())
    }

    pub fn with_limits(routes: Vec<(RouteKey, Route)>, limits: Limits) -> Self {
        let (keys, routes): (Vec<_>, Vec<_>) = routes.into_iter().unzip();
        Self::with_engine(Engine::new(Router::new(keys).unwrap(), routes, limits, [7; 32]))
    }

    pub fn with_engine(engine: Engine) -> Self {
        Self {
            engine,
            ms: 0,
            ids: ConnectionIds::default(),
            clients: HashMap::new(),
            calls: VecDeque::new(),
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

    pub fn now(&self) -> Now {
        Now { instant: Instant::from_ms(self.ms), wall: WallTime::from_us(START + self.ms * 1000) }
    }

    /// An opening handshake as browsers send it.
    pub fn upgrade(&mut self, path: &str) -> ConnectionId {
        self.upgrade_with(path, &[])
    }

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

    pub fn client(&self, id: ConnectionId) -> &Client {
        &self.clients[&id]
    }

    pub fn text(&mut self, id: ConnectionId, text: &str) {
        self.message(id, text);
    }

    pub fn message(&mut self, id: ConnectionId, message: impl Into<Message>) {
        self.input(Input::Message { id, message: message.into() });
    }

    pub fn ping(&mut self, id: ConnectionId, payload: &'static [u8]) {
        self.input(Input::Ping { id, payload: payload.into() });
    }

    pub fn pong(&mut self, id: ConnectionId, payload: &'static [u8]) {
        self.input(Input::Pong { id, payload: payload.into() });
    }

    /// The client's close frame.
    pub fn close(&mut self, id: ConnectionId, code: u16, reason: &str) {
        self.input(Input::CloseReceived { id, frame: Some(CloseFrame::new(CloseCode(code), reason)) });
    }

    /// The client's cable is cut.
    pub fn cut(&mut self, id: ConnectionId) {
        if !std::mem::replace(&mut self.clients.get_mut(&id).unwrap().gone, true) {
            self.input(Input::Disconnected { id });
        }
    }

    pub fn violate(&mut self, id: ConnectionId, code: CloseCode, reason: &'static str) {
        self.input(Input::Violated { id, violation: Violation::new(code, reason) });
    }

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
    ) -> switchboard_core::HandlerResult {
        let mut effects = Vec::new();
        let result = self.engine.dialect_command(self.now(), 0, id, name, payload, &mut effects);
        self.carry_out(effects);
        result
    }

    /// The oldest hook that waits.
    pub fn next_call(&mut self) -> (CallId, ConnectionId, Hook) {
        self.calls.pop_front().expect("no hook was called")
    }

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
        std::mem::take(&mut self.clients.get_mut(&id).unwrap().received)
    }

    /// The oldest thing that came and was not looked at.
    pub fn next_received(&mut self, id: ConnectionId) -> Option<String> {
        let received = &mut self.clients.get_mut(&id)?.received;
        (!received.is_empty()).then(|| received.remove(0))
    }

    /// A plain HTTP request: status and body.
    pub fn http(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = http::Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.body(bytes::Bytes::copy_from_slice(body.as_bytes())).unwrap();
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
                Effect::Reject { id, refusal } => {
                    self.refuse(id, |client| client.rejected = Some(refusal.status.as_u16()));
                }
                Effect::Accept(accept) => {
                    let client = self.clients.get_mut(&accept.id).unwrap();
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
                Effect::Pause { id } => self.clients.get_mut(&id).unwrap().paused = true,
                Effect::Resume { id } => self.clients.get_mut(&id).unwrap().paused = false,
                Effect::Call { call, id, hook, .. } => self.calls.push_back((call, id, hook)),
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

    fn refuse(&mut self, id: ConnectionId, note: impl FnOnce(&mut Client)) {
        note(self.clients.get_mut(&id).unwrap());
        self.ids.release(id);
    }

    fn hear(&mut self, id: ConnectionId, text: String) {
        let client = self.clients.get_mut(&id).unwrap();
        assert!(client.accepted.is_some(), "{text} for a client that was not accepted");
        assert!(!client.gone, "{text} for a client that is gone");
        client.received.push(text);
    }
}

fn opening(path: &str, headers: &[(&str, &str)]) -> Box<http::Request<()>> {
    let mut request = http::Request::get(path).body(()).unwrap();
    let own = [
        ("host", "localhost"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (name, value) in own.iter().chain(headers) {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
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
