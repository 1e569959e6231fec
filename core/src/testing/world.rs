//! The engine, the clock, and what the engine asked for.

use std::collections::{HashMap, HashSet, VecDeque};

use super::client::Client;
use crate::cluster::BackplaneEffect;
use crate::control::HostClock;
use crate::time::{Instant, Now, WallTime};
use crate::{
    CallId, CloseFrame, Configuration, ConfiguredRoute, ConnectionId, ConnectionIds, Dial, Effect, Engine,
    FaultId, FaultList, FaultScope, FilePart, Hook, Input, Level, Limits, Message, ReadId, Reconfiguration,
    Route, RouteKey, Router, UpstreamEvent, UpstreamId,
};

/// Where the clock begins: 2026-11-20T10:00:00Z.
const START: u64 = 1_795_168_800_000_000;

/// The engine with everything that a host would put around it.
pub struct World {
    /// The engine, to look at it.
    pub engine: Engine,
    ms: u64,
    pub(super) ids: ConnectionIds,
    pub(super) clients: HashMap<ConnectionId, Client>,
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
    /// What the control API is told of the clock. Default: it shows real time.
    pub clock: HostClock,
    /// Files that were asked for, with the feed.
    pub files: Vec<(String, String)>,
    /// Files of which parts are read, by name: at once, unless [`is_disk_stalled`](Self::is_disk_stalled).
    pub disk: HashMap<String, Vec<u8>>,
    /// Parts of files are read by [`read_part`](Self::read_part) alone, and files are not written until
    /// [`write`](Self::write).
    pub is_disk_stalled: bool,
    /// Parts of files that were asked for and not read.
    reads: VecDeque<(ReadId, String, u64, u32)>,
    /// What was appended to files.
    pub written: HashMap<String, Vec<u8>>,
    /// What was to be appended since, by file.
    pub unwritten: Vec<(String, usize)>,
    /// Outgoing connections that were asked for.
    pub dials: Vec<(UpstreamId, Dial)>,
    /// What went out on them: text as it is, `<binary …>`, `<close …>`, `<end>`.
    pub upstream: Vec<(UpstreamId, String)>,
    /// Those that are not read.
    pub paused_upstreams: HashSet<UpstreamId>,
    /// Their other sides take nothing until [`target_takes`](Self::target_takes).
    pub are_targets_stalled: bool,
    /// What was asked of the broker of the cluster.
    pub backplane: Vec<BackplaneEffect>,
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
            clock: HostClock::Real,
            files: Vec::new(),
            disk: HashMap::new(),
            is_disk_stalled: false,
            reads: VecDeque::new(),
            written: HashMap::new(),
            unwritten: Vec::new(),
            dials: Vec::new(),
            upstream: Vec::new(),
            paused_upstreams: HashSet::new(),
            are_targets_stalled: false,
            backplane: Vec::new(),
        }
    }

    /// The engine takes another configuration, such as [`Config::configuration`](crate::Config::configuration).
    pub fn reconfigure(&mut self, configuration: Configuration) -> Reconfiguration {
        let mut effects = Vec::new();
        let reconfiguration = self.engine.reconfigure(self.now(), configuration, &mut effects);
        self.carry_out(effects);
        reconfiguration.expect("patterns that fit a router, and a server that is not stopping")
    }

    /// An upgrade request for this path was left to others, and nobody took it.
    pub fn unclaimed(&mut self, path: &str) {
        let mut effects = Vec::new();
        self.engine.unclaimed(self.now(), path, &mut effects);
        self.carry_out(effects);
    }

    /// The engine takes other routes and no feeds, with the default limits.
    pub fn reroute(&mut self, routes: Vec<(RouteKey, Route)>) -> Reconfiguration {
        let routes = routes.into_iter().map(|(key, route)| ConfiguredRoute {
            key,
            route: Some(route),
            fingerprint: None,
        });
        self.reconfigure(Configuration { routes: routes.collect(), ..Configuration::default() })
    }

    /// Adds faults, which have to be some.
    pub fn add_faults(&mut self, scope: FaultScope, faults: impl Into<FaultList>) -> FaultId {
        let mut effects = Vec::new();
        let added = self.engine.add_faults(self.now(), scope, faults, &mut effects);
        self.carry_out(effects);
        added.expect("faults, and a connection that is there")
    }

    /// Takes faults back that were added; whether they were there.
    pub fn remove_faults(&mut self, id: FaultId) -> bool {
        let mut effects = Vec::new();
        let were_there = self.engine.remove_faults(self.now(), id, &mut effects);
        self.carry_out(effects);
        were_there
    }

    /// Takes back all faults that were added.
    pub fn clear_faults(&mut self) {
        let mut effects = Vec::new();
        self.engine.clear_faults(self.now(), &mut effects);
        self.carry_out(effects);
    }

    /// What the clocks show.
    pub fn now(&self) -> Now {
        Now { instant: Instant::from_ms(self.ms), wall: WallTime::from_us(START + self.ms * 1000) }
    }

    /// Lets so many ms pass, and wakes the engine exactly when it asked to be woken. What is due runs in order; hooks that
    /// it calls wait for their [answers](Self::answer).
    pub fn advance(&mut self, ms: u64) {
        let end = self.ms + ms;
        while self.engine.poll_timeout().is_some_and(|deadline| deadline.as_ms() <= end) {
            self.run_next();
        }
        self.ms = end;
    }

    /// Moves on to the next deadline and wakes the engine. Gives the ms that passed; `None` when nothing is due ever.
    pub fn run_next(&mut self) -> Option<u64> {
        let deadline = self.engine.poll_timeout()?;
        let before = self.ms;
        self.ms = before.max(deadline.as_ms());
        self.timeout();
        assert_ne!(
            self.engine.poll_timeout(),
            Some(deadline),
            "a deadline that does not move would be an endless loop"
        );
        Some(self.ms - before)
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

    /// Reports that everything was written which was to be appended.
    pub fn write(&mut self) {
        for (file, bytes) in std::mem::take(&mut self.unwritten) {
            self.input(Input::Appended { file: file.into(), bytes, result: Ok(()) });
        }
    }

    /// What a file holds by now, as text.
    pub fn file(&self, name: &str) -> &str {
        let bytes = self.written.get(name).map_or(&[][..], Vec::as_slice);
        std::str::from_utf8(bytes).expect("text")
    }

    /// Does what the engine asks for.
    pub fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut gone = Vec::new();
        let mut taken = Vec::new();
        let mut unsent = Vec::new();
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
                Effect::SendDamaged { id, damage, .. } => {
                    self.hear(id, format!("<damaged {}>", damage.name()))
                }
                Effect::Ping { id, payload } => {
                    self.hear(id, format!("<ping {}>", String::from_utf8_lossy(&payload)));
                }
                Effect::Pong { id, payload } => {
                    self.hear(id, format!("<pong {}>", String::from_utf8_lossy(&payload)));
                }
                Effect::Close { id, frame } => {
                    self.client_mut(id).is_told_closed = true;
                    self.hear(id, closed(frame));
                }
                Effect::ReportUnsent { id } => unsent.push(id),
                Effect::Disconnect { id } => {
                    let note = (!self.client_mut(id).is_told_closed).then_some("<eof>");
                    gone.push((id, note));
                }
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
                Effect::ReadFilePart { read, file, offset, length } => {
                    self.reads.push_back((read, file, offset, length));
                }
                Effect::AppendFile { file, bytes } => {
                    self.written.entry(file.to_string()).or_default().extend_from_slice(&bytes);
                    self.unwritten.push((file.to_string(), bytes.len()));
                }
                Effect::Backplane(effect) => self.backplane.push(effect),
                Effect::Log { level, text } => self.log.push((level, text)),
            }
        }
        if !self.is_disk_stalled {
            self.write();
        }
        if !self.are_targets_stalled {
            for upstream in taken {
                self.input(Input::Upstream { upstream, event: UpstreamEvent::Sent { messages: 1 } });
            }
        }
        for id in unsent {
            let bytes = self.clients[&id].unsent;
            self.input(Input::Unsent { id, bytes });
        }
        while !self.is_disk_stalled && self.read_part().is_some() {}
        for (id, note) in gone {
            if let Some(note) = note.filter(|_| self.clients[&id].accepted.is_some()) {
                self.hear(id, note.into());
            }
            self.cut(id);
        }
    }

    /// Reads the next part of a file that was asked for; gives its length, and `None` where none was.
    pub fn read_part(&mut self) -> Option<usize> {
        let (read, file, offset, length) = self.reads.pop_front()?;
        let content = match self.disk.get(&file) {
            None => Err("no such file".to_owned()),
            Some(content) => {
                let start = content.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
                let end = content.len().min(start + length as usize);
                let bytes = content[start..end].to_vec().into();
                Ok(FilePart { bytes, is_last: end == content.len() })
            }
        };
        let length = content.as_ref().map_or(0, |part: &FilePart| part.bytes.len());
        self.input(Input::FilePart { read, content });
        Some(length)
    }

    pub(super) fn client_mut(&mut self, id: ConnectionId) -> &mut Client {
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
