//! What is left out of recordings: credentials.

use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use regex::bytes::Regex as BytesRegex;
use regex::{Regex, RegexBuilder};

use crate::message::{CloseFrame, Message};
use crate::recording::{EventKind, Header, Line};
use crate::schema::ConfigError;

mod json;
mod names;
mod words;

use names::{Suspicion, is_secret_header, looks_secret, suspicion};
use words::{mask_words, overwrite_words};

/// What stands for a secret.
const MASK: &str = "***";

/// The shortest secret that is looked for as it is, in bytes: a shorter one would be found everywhere.
const SHORTEST: usize = 4;

/// The largest pattern of a user, compiled, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// Replaces secrets by `***`. What is no secret stays as it is, byte for byte.
///
/// | Where | What is a secret |
/// |---|---|
/// | headers | the values of `authorization`, `cookie`, and of every header whose name contains `token`, `secret`, `key`, `auth`, `session`, `cookie`, `passw`, `jwt`, `credential`, `signature`, but for the handshake's own |
/// | subprotocols | those that contain such a word and more, the one after a word such as `access_token`, and long ones of letters and digits |
/// | URLs | user name and password; parameters whose name is or contains `token`, `secret`, `password`, `apikey`, `jwt`, `credential`, or has the word `key`, `auth`, `session`, `sig`, `signature` |
/// | JSON | texts and numbers at keys with such names, at any depth, also in JSON in a text, as in `42["event",{"token":"…"}]`. Values of `key` and `session` only if they look like a secret: 16 characters or more, letters and digits |
/// | text | JSON Web Tokens, what follows `Bearer`, user names and passwords in URLs, what follows such a name and `=` or `:` |
/// | everywhere | what the user's own patterns match, and the tokens of the route's `authenticate` |
///
/// A binary message that is text, without control characters, is masked as text. In any other, JSON Web Tokens, what follows
/// `Bearer`, and what the patterns match are overwritten by as many `*`, so that lengths in the message stay right; names
/// of fields are not known there.
///
/// **Not found** are secrets in the middle of text without such a name before them (`my password is hunter2`), secrets that are
/// encoded or compressed inside a message, and those in a message's other half when a protocol cuts them. Patterns are for them.
///
/// ```
/// use switchboard_core::recording::Mask;
///
/// let mask = Mask::new(&["card [0-9]+"])?;
/// assert_eq!(mask.url("/feed?room=1&token=abc"), "/feed?room=1&token=***");
/// assert_eq!(mask.text(r#"{"user":"ada", "password":"x"}"#), r#"{"user":"ada", "password":"***"}"#);
/// assert_eq!(mask.text("card 1234 is empty"), "*** is empty");
/// # Ok::<(), switchboard_core::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct Mask {
    patterns: Vec<(Regex, BytesRegex)>,
    names: HashSet<String>,
    secrets: Vec<String>,
}

impl Mask {
    /// The usual secrets, and what these regular expressions match. They are those of Rust's crate `regex`: without
    /// look-around and references to groups. The error is at the pattern's index.
    pub fn new<P: AsRef<str>>(patterns: &[P]) -> Result<Self, ConfigError> {
        let compiled = patterns.iter().enumerate().map(|(index, pattern)| {
            let pattern = pattern.as_ref();
            let error = |error: regex::Error| {
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                ConfigError::at(format!("[{index}]"), format!("not a regular expression: {reason}"))
            };
            if pattern.is_empty() {
                return Err(ConfigError::at(format!("[{index}]"), "an empty pattern matches everywhere"));
            }
            let text = RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build().map_err(error)?;
            let bytes = regex::bytes::RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build();
            Ok((text, bytes.map_err(error)?))
        });
        Ok(Self { patterns: compiled.collect::<Result<_, _>>()?, ..Self::default() })
    }

    /// The same with another name of headers, parameters and keys whose values are secrets.
    pub fn and_name(mut self, name: &str) -> Self {
        self.names.insert(name.to_ascii_lowercase());
        self
    }

    /// The same with a secret that is known, wherever it stands. One of less than 4 bytes is not looked for.
    pub fn and_secret(mut self, secret: &str) -> Self {
        if secret.len() >= SHORTEST {
            self.secrets.push(secret.to_owned());
        }
        self
    }

    /// A line without its secrets.
    pub fn line(&self, line: Line) -> Line {
        match line {
            Line::Header(Header { started_at, source }) => {
                Line::Header(Header { started_at, source: source.map(|source| self.url(&source)) })
            }
            Line::Event(mut event) => {
                event.kind = self.event(event.kind);
                Line::Event(event)
            }
            Line::Gap(gap) => Line::Gap(gap),
        }
    }

    /// A URL or a path with its query.
    pub fn url(&self, url: &str) -> String {
        let query = url.find(['?', '#']).unwrap_or(url.len());
        let mut masked = url[..query].to_owned();
        for part in url[query..].split_inclusive(['?', '#', '&', ';']) {
            let end = part.strip_suffix(['?', '#', '&', ';']).map_or(part.len(), str::len);
            let (parameter, sign) = part.split_at(end);
            masked.push_str(&self.parameter(parameter));
            masked.push_str(sign);
        }
        self.text(&masked)
    }

    /// The value of a header.
    pub fn header(&self, name: &str, value: &str) -> String {
        if name.eq_ignore_ascii_case("sec-websocket-protocol") {
            return self.subprotocols(value);
        }
        if is_secret_header(name) || self.names.contains(&name.to_ascii_lowercase()) {
            return if value.is_empty() { String::new() } else { MASK.to_owned() };
        }
        self.text(value)
    }

    /// The text of a message or of a reason, or any other.
    pub fn text(&self, text: &str) -> String {
        self.patterns(json::mask_payload(text, self))
    }

    /// A message; one without secrets is not copied.
    pub fn message(&self, message: &Message) -> Message {
        match message {
            Message::Text(text) => {
                let masked = self.text(text.as_str());
                if masked == text.as_str() { message.clone() } else { Message::from(masked) }
            }
            Message::Binary(bytes) => match simdutf8::basic::from_utf8(bytes) {
                Ok(text)
                    if !text
                        .chars()
                        .any(|character| character.is_control() && !character.is_whitespace()) =>
                {
                    Message::Binary(Bytes::from(self.text(text)))
                }
                _ => Message::Binary(self.bytes(bytes)),
            },
        }
    }

    /// What happened to a connection, without its secrets.
    pub(crate) fn event(&self, kind: EventKind) -> EventKind {
        match kind {
            EventKind::Open(mut open) => {
                open.path = self.url(&open.path);
                self.headers(&mut open.headers);
                self.headers(&mut open.response_headers);
                open.subprotocol = open.subprotocol.map(|subprotocol| self.subprotocols(&subprotocol));
                EventKind::Open(open)
            }
            EventKind::Refuse(mut refuse) => {
                refuse.path = self.url(&refuse.path);
                self.headers(&mut refuse.headers);
                refuse.reason = self.text(&refuse.reason);
                EventKind::Refuse(refuse)
            }
            EventKind::Message { from, message } => {
                EventKind::Message { from, message: self.message(&message) }
            }
            EventKind::Close { by, frame } => {
                let frame = CloseFrame::new(frame.code, &self.text(frame.reason.as_str()));
                EventKind::Close { by, frame }
            }
            EventKind::Fault { effect } => EventKind::Fault { effect: self.text(&effect) },
        }
    }

    fn headers(&self, headers: &mut [(String, String)]) {
        for (name, value) in headers {
            *value = self.header(name, value);
        }
    }

    /// `name=value` of a query.
    fn parameter(&self, parameter: &str) -> String {
        let Some((name, value)) = parameter.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            return parameter.to_owned();
        };
        let decoded =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let plain = decoded(name);
        let is_named = self.names.contains(&plain.to_ascii_lowercase());
        let value_is_plain = self.text(&decoded(value)) == decoded(value);
        if is_named || suspicion(&plain) > Suspicion::None || !value_is_plain {
            return format!("{name}={MASK}");
        }
        parameter.to_owned()
    }

    /// A list of subprotocols. Pages hand over tokens in it, as they cannot set other headers.
    fn subprotocols(&self, list: &str) -> String {
        let mut is_announced = false;
        let masked = list.split(',').map(|item| {
            let name = item.trim();
            let was_announced = std::mem::take(&mut is_announced);
            let is_suspect = suspicion(name) >= Suspicion::Certain || self.text(name) != name;
            // A word alone says what the next one is.
            let is_word =
                name.len() <= 16 && !name.contains('.') && !name.bytes().any(|byte| byte.is_ascii_digit());
            is_announced = is_suspect && is_word;
            let has_long_part = || name.split(['.', '-', '_']).any(looks_secret);
            match was_announced || is_suspect && !is_word || has_long_part() {
                true if !name.is_empty() => item.replace(name, MASK),
                _ => item.to_owned(),
            }
        });
        masked.collect::<Vec<_>>().join(",")
    }

    /// What the user's patterns and known secrets say.
    fn patterns(&self, mut text: String) -> String {
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASK);
            }
        }
        for (pattern, _) in &self.patterns {
            if pattern.is_match(&text) {
                text = pattern.replace_all(&text, regex::NoExpand(MASK)).into_owned();
            }
        }
        text
    }

    /// Bytes that are no text: overwritten, so that their number stays.
    fn bytes(&self, bytes: &Bytes) -> Bytes {
        let mut masked = bytes.to_vec();
        overwrite_words(&mut masked);
        for secret in &self.secrets {
            let spans: Vec<usize> = (0..masked.len().saturating_sub(secret.len() - 1))
                .filter(|at| masked[*at..].starts_with(secret.as_bytes()))
                .collect();
            for at in spans {
                masked[at..at + secret.len()].fill(b'*');
            }
        }
        for (_, pattern) in &self.patterns {
            let spans: Vec<_> = pattern.find_iter(&masked).map(|found| found.range()).collect();
            for span in spans {
                masked[span].fill(b'*');
            }
        }
        Bytes::from(masked)
    }
}

/// Without the secrets.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns: Vec<&str> = self.patterns.iter().map(|(pattern, _)| pattern.as_str()).collect();
        let mut mask = f.debug_struct("Mask");
        mask.field("patterns", &patterns).field("names", &self.names);
        mask.field("secrets", &format_args!("<{} secrets>", self.secrets.len())).finish()
    }
}

impl json::Rules for Mask {
    fn is_named(&self, key: &str) -> bool {
        !self.names.is_empty() && self.names.contains(&key.to_ascii_lowercase())
    }

    fn text(&self, text: &str) -> String {
        self.patterns(mask_words(text))
    }
}

#[cfg(test)]
mod tests;
