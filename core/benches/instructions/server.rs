//! An engine with its clients and without a host: what goes in, and the effects that come out.

use serde_json::Value;
use switchboard_core::config::{Assembly, Config, RouteCallbacks};
use switchboard_core::dialect::proxy::ProxyHooks;
use switchboard_core::time::{Instant, Now, WallTime};
use switchboard_core::{
    CallId, Command, ConnectionId, ConnectionIds, Effect, Engine, Hook, Input, Message, UpstreamId,
};

/// 2026-11-20T10:00:00Z. Time stands still: timers are not measured here.
const NOW: Now = Now { instant: Instant::from_ms(1000), wall: WallTime::from_us(1_795_168_800_000_000) };

/// A server in the memory of one process.
pub(crate) struct Server {
    engine: Engine,
    ids: ConnectionIds,
    effects: Vec<Effect>,
}

impl Server {
    /// With this configuration, all of whose routes have a dialect.
    pub(crate) fn new(config: Value) -> Self {
        let config = Config::from_value(config).unwrap();
        Self::of(config.engine([7; 32]).unwrap())
    }

    /// The same with callbacks for all that passes its proxies; those of channels are configured.
    pub(crate) fn with_callbacks(config: Value) -> Self {
        let config = Config::from_value(config).unwrap();
        let proxied = ProxyHooks { client: true, target: true };
        let mut assembly = Assembly::default();
        assembly.configured(&config, |_, _| RouteCallbacks { proxied, ..RouteCallbacks::default() });
        let router = assembly.router().unwrap().claim_all();
        Self::of(assembly.engine(router, config.engine_limits(), [7; 32]))
    }

    fn of(engine: Engine) -> Self {
        Self { engine, ids: ConnectionIds::default(), effects: Vec::new() }
    }

    /// Connects a client to this path.
    pub(crate) fn connect(&mut self, path: &str) -> ConnectionId {
        let id = self.ids.allocate();
        let request = http::Request::get(path)
            .header("host", "localhost")
            .header("upgrade", "websocket")
            .header("connection", "Upgrade")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        self.input(Input::Upgrade { id, request: Box::new(request.body(()).unwrap()), address: None });
        assert!(matches!(self.effects[..], [Effect::Accept(_)]), "{:?}", self.effects);
        self.input(Input::Opened { id });
        id
    }

    /// Connects so many clients.
    pub(crate) fn connect_all(&mut self, path: &str, count: usize) -> Vec<ConnectionId> {
        (0..count).map(|_| self.connect(path)).collect()
    }

    /// The client's transport is gone.
    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        self.input(Input::Disconnected { id });
        assert!(matches!(self.effects.last(), Some(Effect::Removed { .. })), "{:?}", self.effects);
        self.ids.release(id);
    }

    /// A client's message; returns how many messages are sent for it.
    pub(crate) fn say(&mut self, id: ConnectionId, message: &Message) -> usize {
        self.input(Input::Message { id, message: message.clone() })
    }

    /// Handles an input; returns how many messages are sent for it.
    pub(crate) fn input(&mut self, input: Input) -> usize {
        self.effects.clear();
        self.engine.handle_input(NOW, input, &mut self.effects);
        self.deliveries()
    }

    /// Carries out a command of user code; returns how many messages are sent for it.
    pub(crate) fn command(&mut self, id: ConnectionId, command: Command) -> usize {
        self.effects.clear();
        self.engine.command(NOW, id, command, &mut self.effects).unwrap();
        self.deliveries()
    }

    /// The question to the host's code that the latest input gave rise to.
    pub(crate) fn called(&mut self) -> (CallId, Hook) {
        let called = self.effects.drain(..).find_map(|effect| match effect {
            Effect::Call { call, hook, .. } => Some((call, hook)),
            _ => None,
        });
        called.unwrap()
    }

    /// The outgoing connection that the latest input gave rise to.
    pub(crate) fn dialled(&self) -> UpstreamId {
        let dialled = self.effects.iter().find_map(|effect| match effect {
            Effect::Dial { upstream, .. } => Some(*upstream),
            _ => None,
        });
        dialled.unwrap()
    }

    /// Whether the latest input sent something on an outgoing connection.
    pub(crate) fn has_sent_upstream(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::SendUpstream { .. }))
    }

    /// The text that was sent last.
    pub(crate) fn last_text(&self) -> &str {
        let sent = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Send { message, .. } => message.as_text(),
            _ => None,
        });
        sent.unwrap_or_default()
    }

    fn deliveries(&self) -> usize {
        let receivers = |effect: &Effect| match effect {
            Effect::Send { to, .. } => to.len(),
            _ => 0,
        };
        self.effects.iter().map(receivers).sum()
    }
}
