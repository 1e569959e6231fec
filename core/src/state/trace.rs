//! What is noted of connections while somebody wants to know: who connects, what passes, how each ends. A debug log gets lines
//! of it; those who are told live events by the control API, and recordings, get it as it is.

use std::fmt::Write;
use std::sync::Arc;

use crate::control::event::{ControlFrame, Happening, MessageDirection, Peer, What};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::message::Message;
use crate::state::connection::{Closure, Connection};

/// How many characters of a message are shown.
const SHOWN: usize = 100;

/// How much of a message is searched for words that stand beside secrets, in bytes.
const SEARCHED: usize = 4096;

/// A message with one of these words, in lower case, is not shown: what stands beside it may be a secret.
const SECRETS: [&str; 12] = [
    "token",
    "secret",
    "passw",
    "authorization",
    "bearer",
    "apikey",
    "api_key",
    "api-key",
    "cookie",
    "session",
    "jwt",
    "credential",
];

/// Collects what is noted between the input that causes it and the end of its effects.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Whether there is a debug log.
    pub(crate) is_logged: bool,
    /// Whether somebody is told live events.
    pub(crate) is_told: bool,
    /// Whether something is recorded.
    pub(crate) is_recorded: bool,
    /// Whether somebody is told control frames.
    pub(crate) tells_control_frames: bool,
    /// Whether the latest events are kept.
    pub(crate) is_kept: bool,
    /// Why clients are about to be refused, and what to change.
    pub(crate) explanations: Vec<(ConnectionId, String)>,
    /// The rooms that were sent to, each with the place of its effect.
    pub(crate) rooms: Vec<(usize, Arc<str>)>,
    pub(crate) lines: Vec<String>,
    pub(crate) happenings: Vec<Happening>,
}

impl Trace {
    /// Whether something was noted that is not told yet.
    pub(crate) fn has_noted(&self) -> bool {
        !self.lines.is_empty() || !self.happenings.is_empty()
    }

    /// Whether nobody wants to know any more.
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_logged && !self.wants_happenings()
    }

    /// Whether anybody but a debug log wants to know what happens.
    fn wants_happenings(&self) -> bool {
        self.is_told || self.is_recorded || self.is_kept
    }

    /// A line for the debug log, if there is one.
    pub(crate) fn line(&mut self, line: impl FnOnce() -> String) {
        if self.is_logged {
            self.lines.push(line());
        }
    }

    /// Something happened to a connection.
    pub(crate) fn about(&mut self, connection: &Connection, what: impl FnOnce() -> What) {
        if self.wants_happenings() {
            let peer = Some(Peer::of(connection));
            let route = Some(connection.route);
            self.happenings.push(Happening { route, peer, receivers: Arc::default(), what: what() });
        }
    }

    /// Something happened that is about no connection, or about several.
    pub(crate) fn happened(
        &mut self,
        route: Option<usize>,
        receivers: impl FnOnce() -> Arc<[ConnectionId]>,
        what: impl FnOnce() -> What,
    ) {
        if self.wants_happenings() {
            self.happenings.push(Happening { route, peer: None, receivers: receivers(), what: what() });
        }
    }

    /// A message came from a connection, or goes to it; perhaps as to a member of a room.
    pub(crate) fn passed(
        &mut self,
        connection: &Connection,
        direction: MessageDirection,
        message: &Message,
        room: Option<Arc<str>>,
    ) {
        if self.is_logged {
            let arrow = if direction == MessageDirection::In { '←' } else { '→' };
            self.message(&who(connection), arrow, message);
        }
        self.about(connection, || What::message(direction, message, 1, room));
    }

    /// A control frame came from a connection, or goes to it.
    pub(crate) fn control_frame(
        &mut self,
        connection: &Connection,
        direction: MessageDirection,
        frame: impl FnOnce() -> ControlFrame,
    ) {
        if self.tells_control_frames {
            self.about(connection, || What::Control { direction, frame: frame() });
        }
    }

    /// A connection has joined a room.
    pub(crate) fn joined(&mut self, connection: &Connection, room: &Arc<str>) {
        self.about(connection, || What::Joined { room: room.clone() });
    }

    /// A connection has left a room.
    pub(crate) fn left(&mut self, connection: &Connection, room: &str) {
        self.about(connection, || What::Left { room: room.into() });
    }

    /// A message came or goes; `arrow` is its direction as seen from the client's path.
    pub(crate) fn message(&mut self, who: &str, arrow: char, message: &Message) {
        let (kind, bytes) = match message {
            Message::Text(_) => ("text", message.len()),
            Message::Binary(_) => ("binary", message.len()),
        };
        let mut line = format!("{who} {arrow} {kind}, {bytes} bytes");
        if let Some(text) = message.as_text().filter(|text| !text.is_empty()) {
            line.push_str(": ");
            push_excerpt(&mut line, text);
        }
        self.lines.push(line);
    }

    /// An open connection ends.
    pub(crate) fn closed(&mut self, connection: &Connection, closure: &Closure) {
        self.about(connection, || {
            let (code, cause) = (closure.frame.code.0, closure.cause);
            What::Closed { code, reason: closure.frame.reason.as_str().to_owned(), cause }
        });
        if !self.is_logged {
            return;
        }
        let by = match closure.cause {
            CloseCause::Client => "by the client",
            CloseCause::Server => "by the server",
            CloseCause::Lost => "without a close frame: the transport is gone",
        };
        let mut line = format!("{} closed {by}, code {}", who(connection), closure.frame.code.0);
        if !closure.frame.reason.as_str().is_empty() {
            let _ = write!(line, ", reason {:?}", closure.frame.reason.as_str());
        }
        self.lines.push(line);
    }
}

impl Peer {
    pub(crate) fn of(connection: &Connection) -> Self {
        let (id, public_id) = (connection.id, connection.public_id().clone());
        Self { id, public_id, path: connection.path().to_owned() }
    }
}

/// A connection in a line of the log: its path, without the query, and the beginning of its id.
pub(crate) fn who(connection: &Connection) -> String {
    let id = connection.public_id();
    format!("{} {}", connection.path(), id.get(..8).unwrap_or(id))
}

fn push_excerpt(line: &mut String, text: &str) {
    let head = text[..text.floor_char_boundary(SEARCHED)].to_ascii_lowercase();
    if SECRETS.iter().any(|word| head.contains(word)) || text.contains("eyJ") {
        return line.push_str("(not shown: it may hold a secret)");
    }
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(at, _)| at);
    line.push_str(&text[..end]);
    if end < text.len() {
        line.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_shown_in_short_and_secrets_not_at_all() {
        let long = "é".repeat(200);
        let cut = format!("/a → text, 400 bytes: {}…", "é".repeat(SHOWN));
        for (text, expected) in [
            ("", "/a → text, 0 bytes"),
            ("hello", "/a → text, 5 bytes: hello"),
            (r#"{"Access_Token":"abc"}"#, "/a → text, 22 bytes: (not shown: it may hold a secret)"),
            ("my PASSWORD is x", "/a → text, 16 bytes: (not shown: it may hold a secret)"),
            ("eyJhbGciOiJIUzI1NiJ9", "/a → text, 20 bytes: (not shown: it may hold a secret)"),
            (&long, &cut),
        ] {
            let mut trace = Trace::default();
            trace.message("/a", '→', &Message::from(text));
            assert_eq!(trace.lines, [expected]);
        }
        let mut trace = Trace::default();
        trace.message("/a", '←', &Message::Binary(vec![1, 2, 3].into()));
        assert_eq!(trace.lines, ["/a ← binary, 3 bytes"]);
    }
}
