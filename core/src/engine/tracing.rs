//! Tells a debug log what happens to connections, from the inputs and effects that pass the engine.

use http::header::{SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};

use super::Engine;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Accept, Effect, Level};
use crate::interface::input::Input;
use crate::protocol::Refusal;
use crate::state::connection::Connection;
use crate::state::trace::{Trace, who};
use crate::time::Now;

impl Engine {
    /// Whether the log is told, at [`Level::Debug`], who connects, each message in short, and how connections are refused
    /// and end. Messages that may hold a secret are not shown, headers and query strings never are. Default false: then it
    /// costs nothing.
    pub fn set_trace(&mut self, is_on: bool) {
        self.state.trace = is_on.then(Trace::default);
    }

    /// Handles an input, and tells the log of it.
    #[cold]
    #[inline(never)]
    pub(super) fn traced_input(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        let asked = self.asked_for(&input);
        if let Input::Message { id, message } = &input
            && let Some(connection) =
                self.state.connections.get(*id).filter(|connection| connection.is_open())
        {
            let who = who(connection);
            self.note(|trace| trace.message(&who, '←', message));
        }
        let start = effects.len();
        self.note(|trace| trace.is_handling = true);
        // Not a function for both ways: what handles an input is inlined where it is called from one place only.
        self.handle_input(now, input, effects);
        self.note(|trace| trace.is_handling = false);
        self.trace_effects(asked, start, effects);
    }

    /// Tells the log of the effects from `start` on.
    pub(super) fn trace_effects(&mut self, asked: Option<String>, start: usize, effects: &mut Vec<Effect>) {
        for effect in &effects[start..] {
            match effect {
                Effect::Accept(accept) => {
                    let line =
                        self.state.connections.get(accept.id).map(|connection| accepted(connection, accept));
                    self.note(|trace| trace.lines.extend(line));
                }
                Effect::Refuse { refusal, .. } => {
                    let line = format!(
                        "{} is {}",
                        asked.as_deref().unwrap_or("an opening handshake"),
                        refused(refusal)
                    );
                    self.note(|trace| trace.lines.push(line));
                }
                Effect::Send { to, message } => {
                    let first = to.first().and_then(|id| self.state.connections.get(*id));
                    let who = match (first, to.len()) {
                        (Some(connection), 1) => who(connection),
                        (Some(connection), count) => {
                            let pattern = &self.state.routes[connection.route].label;
                            format!("{pattern} to {count} connections")
                        }
                        (None, _) => continue,
                    };
                    self.note(|trace| trace.message(&who, '→', message));
                }
                _ => {}
            }
        }
        let lines = self.state.trace.as_mut().map(|trace| std::mem::take(&mut trace.lines));
        let lines = lines.into_iter().flatten();
        effects.extend(lines.map(|text| Effect::Log { level: Level::Debug, text }));
    }

    /// A client is refused for a reason that nothing else tells the log of. `path` is the request's.
    pub(super) fn note_refusal(
        &mut self,
        now: Now,
        route: usize,
        path: &str,
        how: impl FnOnce() -> String,
        effects: &mut Vec<Effect>,
    ) {
        // A debug log has a line for each.
        if self.state.trace.is_none() {
            let text = || format!("an opening handshake for {path} is {}", how());
            self.state.log_throttle.note(now.instant, (route, "refused"), Level::Info, text, effects);
        }
    }

    /// The same for a connection that is there.
    pub(super) fn note_refused(
        &mut self,
        now: Now,
        id: ConnectionId,
        refusal: &Refusal,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(connection) = self.state.connections.get(id) {
            let (route, path) = (connection.route, connection.path().to_owned());
            self.note_refusal(now, route, &path, || refused(refusal), effects);
        }
    }

    fn note(&mut self, tell: impl FnOnce(&mut Trace)) {
        if let Some(trace) = &mut self.state.trace {
            tell(trace);
        }
    }

    /// What an input that may be answered with a refusal is about.
    fn asked_for(&self, input: &Input) -> Option<String> {
        let path = match input {
            Input::Upgrade { request, .. } | Input::Mounted { request, .. } => request.uri().path(),
            Input::Answer { call, .. } => self.state.connections.get(self.state.calls.get(call)?.id)?.path(),
            _ => return None,
        };
        Some(format!("an opening handshake for {path}"))
    }
}

/// How a refusal reads in the log.
pub(super) fn refused(refusal: &Refusal) -> String {
    format!("refused with HTTP {}: {}", refusal.status.as_u16(), refusal.reason)
}

fn accepted(connection: &Connection, accept: &Accept) -> String {
    let header = |name| accept.response.headers().get(name).and_then(|value| value.to_str().ok());
    let from = connection.address.map(|address| format!(" from {address}")).unwrap_or_default();
    let subprotocol = header(SEC_WEBSOCKET_PROTOCOL).unwrap_or("no subprotocol");
    let compression = header(SEC_WEBSOCKET_EXTENSIONS).unwrap_or("no compression");
    format!("{} connects{from}: {subprotocol}, {compression}", who(connection))
}
