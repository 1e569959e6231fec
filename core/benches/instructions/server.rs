//! An engine with its clients and without a host: what goes in, and the effects that come out.

use serde_json::Value;
use switchboard_core::config::Config;
use switchboard_core::time::{Instant, Now, WallTime};
use switchboard_core::{Command, ConnectionId, ConnectionIds, Effect, Engine, Input, Message};

/// 2026-11-20T10:00:00Z. It stays so: what waits for time is not measured here.
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
        let engine = config.engine([7; 32]).unwrap();
        Self { engine, ids: ConnectionIds::default(), effects: Vec::new() }
    }

    /// A client of this path whose opening handshake is done.
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

    /// That many of them.
    pub(crate) fn connect_all(&mut self, path: &str, count: usize) -> Vec<ConnectionId> {
        (0..count).map(|_| self.connect(path)).collect()
    }

    /// The client's transport is gone.
    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        self.input(Input::Disconnected { id });
        assert!(matches!(self.effects.last(), Some(Effect::Removed { .. })), "{:?}", self.effects);
        self.ids.release(id);
    }

    /// The client said this; returns how many receive something for it, counted by message.
    pub(crate) fn say(&mut self, id: ConnectionId, message: &Message) -> usize {
        self.input(Input::Message { id, message: message.clone() })
    }

    /// One thing happens; returns how many receive something for it, counted by message.
    pub(crate) fn input(&mut self, input: Input) -> usize {
        self.effects.clear();
        self.engine.handle_input(NOW, input, &mut self.effects);
        self.deliveries()
    }

    /// User code asks for something; returns how many receive something for it, counted by message.
    pub(crate) fn command(&mut self, id: ConnectionId, command: Command) -> usize {
        self.effects.clear();
        self.engine.command(NOW, id, command, &mut self.effects).unwrap();
        self.deliveries()
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
