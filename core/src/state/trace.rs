//! The lines of a debug log about connections: who connects, what passes, how each ends.

use std::fmt::Write;

use crate::interface::close_cause::CloseCause;
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

/// Collects lines between the input that causes them and the end of its effects.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) lines: Vec<String>,
    /// Whether an input is being handled that was noted.
    pub(crate) is_handling: bool,
}

impl Trace {
    /// Whether the next input is to be noted.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.is_handling
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
