//! Notes what happens to connections, from the inputs and effects that pass the engine: for a debug log, and for those who are
//! told live events by the control API, and for recordings. Without any of them it costs nothing.

use std::sync::Arc;

use http::StatusCode;
use http::header::{SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};

use super::Engine;
use crate::control::event::{ControlFrame, Happening, MessageDirection, What};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Accept, Effect, Level};
use crate::interface::input::Input;
use crate::message::Message;
use crate::protocol::Refusal;
use crate::routing::router::Found;
use crate::state::connection::{Connection, Phase};
use crate::state::trace::{Trace, who};
use crate::time::Now;

impl Engine {
    /// Whether the log is told, at [`Level::Debug`], who connects, each message in short, and how connections are refused
    /// and end. Messages that may hold a secret are not shown, headers and query strings never are. Default false: then it
    /// costs nothing.
    pub fn set_trace(&mut self, is_on: bool) {
        self.state.note(|trace| trace.is_logged = is_on);
    }

    /// Whether a debug log has a line for everything.
    pub(super) fn has_debug_log(&self) -> bool {
        self.state.trace.as_ref().is_some_and(|trace| trace.is_logged)
    }

    /// Handles an input, notes it, and lets faults happen to it.
    #[cold]
    #[inline(never)]
    pub(super) fn observed_input(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        let asked = self.state.trace.as_ref().and_then(|_| self.asked_for(&input));
        match &input {
            Input::Upgrade { id, request, .. } | Input::Mounted { id, request, .. } => {
                let route = asked.as_ref().and_then(|asked| asked.route);
                self.record(|recorder| recorder.asked(*id, route, request));
            }
            Input::Message { id, message } => self.note_passed(*id, MessageDirection::In, message, None),
            Input::Opened { id } => self.note_opened(now, *id),
            Input::Ping { id, payload } => {
                self.note_control_frame(*id, MessageDirection::In, || ControlFrame::Ping(payload.clone()));
            }
            Input::Pong { id, payload } => {
                self.note_control_frame(*id, MessageDirection::In, || ControlFrame::Pong(payload.clone()));
            }
            Input::CloseReceived { id, frame } => {
                self.note_control_frame(*id, MessageDirection::In, || ControlFrame::Close(frame.clone()));
            }
            _ => {}
        }
        let start = effects.len();
        self.receive(now, input, effects);
        self.observe_effects(now, asked.as_ref(), start, effects);
    }

    /// Handles an input that was noted, and to which faults have happened.
    pub(super) fn input(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        self.state.is_observed = false;
        // Not a function for both ways: what handles an input is inlined where it is called from one place only.
        self.handle_input(now, input, effects);
        self.state.update_observation();
    }

    /// Notes the effects from `start` on, and lets faults happen to them.
    #[inline]
    pub(super) fn observe_effects(
        &mut self,
        now: Now,
        asked: Option<&AskedFor>,
        start: usize,
        effects: &mut Vec<Effect>,
    ) {
        if self.state.is_observed {
            self.observe_each(now, asked, start, effects);
        }
    }

    #[cold]
    #[inline(never)]
    fn observe_each(&mut self, now: Now, asked: Option<&AskedFor>, start: usize, effects: &mut Vec<Effect>) {
        if self.state.trace.is_some() {
            self.trace_effects(now, asked, start, effects);
        }
        self.impair(now, start, effects);
        // What faults have done is noted too.
        if self.state.trace.as_ref().is_some_and(Trace::has_noted) {
            self.trace_effects(now, None, effects.len(), effects);
        }
    }

    /// Notes the effects from `start` on, and tells what was noted since.
    pub(super) fn trace_effects(
        &mut self,
        now: Now,
        asked: Option<&AskedFor>,
        start: usize,
        effects: &mut Vec<Effect>,
    ) {
        let noted = self.state.trace.as_mut().map(|trace| std::mem::take(&mut trace.happenings));
        let rooms = self.state.trace.as_mut().map(|trace| std::mem::take(&mut trace.rooms));
        let explanations = self.state.trace.as_mut().map(|trace| std::mem::take(&mut trace.explanations));
        let explanations = explanations.unwrap_or_default();
        let mut rooms = rooms.unwrap_or_default().into_iter().peekable();
        // What a closed connection was sent was sent before.
        let (mut closed, before): (Vec<_>, Vec<_>) = noted
            .unwrap_or_default()
            .into_iter()
            .partition(|noted| matches!(noted.what, What::Closed { .. }));
        self.note(|trace| trace.happenings = before);
        for (place, effect) in (start..).zip(&effects[start..]) {
            let mut room = None;
            while let Some((_, name)) = rooms.next_if(|(of, _)| *of <= place) {
                room = Some(name);
            }
            match effect {
                Effect::Accept(accept) => {
                    let line =
                        self.state.connections.get(accept.id).map(|connection| accepted(connection, accept));
                    self.note(|trace| trace.lines.extend(line.filter(|_| trace.is_logged)));
                    self.record(|recorder| recorder.accepted(accept));
                    self.note_compression(accept);
                }
                Effect::Refuse { id, refusal } => {
                    self.record(|recorder| recorder.refused(now, *id, refusal));
                    let path = asked.map_or("", |asked| asked.path.as_str());
                    let is_unclaimed = refusal.status == StatusCode::NOT_FOUND
                        && asked.is_some_and(|asked| asked.is_unclaimed);
                    let status = Some(refusal.status.as_u16());
                    let explained =
                        || explanations.iter().find(|(of, _)| of == id).map(|(_, text)| text.clone());
                    let what = match is_unclaimed {
                        true => self.unclaimed_upgrade(path, status),
                        false => What::Refused {
                            path: path.to_owned(),
                            status,
                            code: None,
                            reason: explained().unwrap_or_else(|| refusal.reason.to_owned()),
                        },
                    };
                    self.note(|trace| {
                        trace.line(|| match path {
                            "" => format!("an opening handshake is {}", refused(refusal)),
                            path => format!("an opening handshake for {path} is {}", refused(refusal)),
                        });
                        trace.happened(asked.and_then(|asked| asked.route), Arc::default, || what);
                    });
                }
                Effect::Send { to, message } => match to[..] {
                    [id] => self.note_passed(id, MessageDirection::Out, message, room),
                    _ => self.note_broadcast(to, message, room),
                },
                Effect::Close { id, .. }
                | Effect::Disconnect { id }
                | Effect::Terminate { id }
                | Effect::Removed { id } => {
                    if let Effect::Close { frame, .. } = effect {
                        let close = || ControlFrame::Close(frame.clone());
                        self.note_control_frame(*id, MessageDirection::Out, close);
                        self.record(|recorder| recorder.closing(now, *id, frame.as_ref()));
                    }
                    let is_its =
                        |noted: &mut Happening| noted.peer.as_ref().is_some_and(|peer| peer.id == *id);
                    let its: Vec<_> = closed.extract_if(.., is_its).collect();
                    self.note(|trace| trace.happenings.extend(its));
                }
                Effect::Ping { id, payload } => {
                    let frame = || ControlFrame::Ping(payload.clone());
                    self.note_control_frame(*id, MessageDirection::Out, frame);
                }
                Effect::Pong { id, payload } => {
                    let frame = || ControlFrame::Pong(payload.clone());
                    self.note_control_frame(*id, MessageDirection::Out, frame);
                }
                Effect::Log { level, text } => self.note(|trace| {
                    trace.happened(None, Arc::default, || What::Logged { level: *level, text: text.clone() });
                }),
                _ => {}
            }
        }
        let Some(trace) = &mut self.state.trace else { return };
        let (lines, mut happenings) =
            (std::mem::take(&mut trace.lines), std::mem::take(&mut trace.happenings));
        effects.extend(lines.into_iter().map(|text| Effect::Log { level: Level::Debug, text }));
        happenings.extend(closed);
        self.record_happenings(now, &happenings, start, effects);
        self.tell_happenings(now, happenings, effects);
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
        if !self.has_debug_log() {
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

    pub(super) fn note(&mut self, tell: impl FnOnce(&mut Trace)) {
        if let Some(trace) = &mut self.state.trace {
            tell(trace);
        }
    }

    fn note_opened(&mut self, now: Now, id: ConnectionId) {
        let Some((trace, connection)) = self.state.traced(id) else { return };
        if connection.phase == Phase::Accepted {
            trace.about(connection, || What::Opened {
                address: connection.address().map(|address| address.to_string()),
                subprotocol: connection.subprotocol.clone(),
            });
            if let Some(control) = &mut self.state.control {
                control.history.known(id).opened_at = Some(now.wall.as_ms());
            }
        }
    }

    fn note_control_frame(
        &mut self,
        id: ConnectionId,
        direction: MessageDirection,
        frame: impl FnOnce() -> ControlFrame,
    ) {
        if let Some((trace, connection)) = self.state.traced(id) {
            trace.control_frame(connection, direction, frame);
        }
    }

    fn note_compression(&mut self, accept: &Accept) {
        let is_client =
            self.state.connections.get(accept.id).is_some_and(|connection| self.is_client(connection));
        if let Some(control) = self.state.control.as_mut().filter(|_| is_client) {
            control.history.known(accept.id).is_compressed = accept.socket.deflate.is_some();
        }
    }

    fn note_passed(
        &mut self,
        id: ConnectionId,
        direction: MessageDirection,
        message: &Message,
        room: Option<Arc<str>>,
    ) {
        let Some((trace, connection)) = self.state.traced(id) else { return };
        if direction == MessageDirection::Out || connection.is_open() {
            trace.passed(connection, direction, message, room);
        }
    }

    fn note_broadcast(&mut self, to: &[ConnectionId], message: &Message, room: Option<Arc<str>>) {
        let Some(route) = to.first().and_then(|id| self.state.connections.get(*id)).map(Connection::route)
        else {
            return;
        };
        let Some(trace) = &mut self.state.trace else { return };
        let count = to.len();
        let what = || What::message(MessageDirection::Out, message, count, room);
        trace.happened(Some(route), || to.into(), what);
        if trace.is_logged {
            let who = format!("{} to {count} connections", self.state.routes[route].label);
            trace.message(&who, '→', message);
        }
    }

    /// What an input that may be answered with a refusal is about.
    fn asked_for(&self, input: &Input) -> Option<AskedFor> {
        let (path, route) = match input {
            Input::Upgrade { request, .. } => (request.uri().path(), None),
            Input::Mounted { request, mounted, .. } => (request.uri().path(), Some(mounted.route)),
            Input::Answer { call, .. } => {
                let connection = self.state.connections.get(self.state.calls.get(call)?.id)?;
                (connection.path(), Some(connection.route))
            }
            _ => return None,
        };
        let is_foreign = route.is_none();
        let (found, is_unclaimed) = match self.router.find(path) {
            Found::Route { index, .. } => (self.indices.get(index).copied(), false),
            Found::Unmatched { .. } | Found::Foreign => (None, is_foreign),
        };
        Some(AskedFor { path: path.to_owned(), route: route.or(found), is_unclaimed })
    }
}

/// What somebody has asked for who may be refused.
pub(super) struct AskedFor {
    path: String,
    route: Option<usize>,
    /// No route serves the path.
    is_unclaimed: bool,
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
