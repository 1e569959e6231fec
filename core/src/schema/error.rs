//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;

use serde_json::Value;

use crate::schema::suggest::nearest;

/// A configuration that cannot be used. Displays as one line that begins with the key's path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The key, such as `routes[1].perMessageDeflate.serverMaxWindowBits`. Empty for the text as a whole.
    pub path: String,
    /// What is wrong, and what is right.
    pub message: String,
    /// The known name that was probably meant.
    pub suggestion: Option<String>,
}

impl ConfigError {
    pub(crate) fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), suggestion: None }
    }

    /// The same error seen from one level further up.
    pub(crate) fn under(mut self, parent: &str) -> Self {
        self.path = match self.path.as_str() {
            "" => parent.to_owned(),
            path if path.starts_with('[') => format!("{parent}{path}"),
            path => format!("{parent}.{path}"),
        };
        self
    }

    pub(crate) fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
        Self::at("", format!("not TOML: line {line}, column {column}: {}", error.message()))
    }

    /// Puts serde's messages into the user's words. Their form is fixed by `serde::de::Error`'s methods.
    pub(crate) fn explain(path: String, message: &str) -> Self {
        if let Some(rest) = message.strip_prefix("unknown field `") {
            let (key, known) = split_known(rest);
            let path = if is_last(&path, key) { path } else { Self::at(key, "").under(&path).path };
            return Self::unknown_key(path, key, &known);
        }
        if let Some(rest) = message.strip_prefix("unknown variant `") {
            let (value, known) = split_known(rest);
            let suggestion = nearest(value, known.iter().copied()).map(str::to_owned);
            let known: Vec<String> = known.iter().map(|known| format!("{known:?}")).collect();
            return Self {
                path,
                message: format!("expected {}, got {value:?}", known.join(" or ")),
                suggestion,
            };
        }
        if let Some(key) = message.strip_prefix("missing field `") {
            return Self::at(path, format!("the key {:?} is missing", key.trim_end_matches('`')));
        }
        if let Some(rest) = message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "))
            && let Some((got, expected)) = rest.rsplit_once(", expected ")
        {
            return Self::at(path, format!("expected {}, got {}", in_words(expected), got_in_words(got)));
        }
        Self::at(path, message)
    }

    /// An unknown key, for hosts with options of their own.
    pub fn unknown_key(path: String, key: &str, known: &[&str]) -> Self {
        let meant =
            RENAMED.iter().find(|(other, new)| *other == key && known.contains(new)).map(|(_, new)| *new);
        // Only routes have a pattern.
        let callbacks: &[&str] = if known.contains(&"pattern") { CALLBACKS } else { &[] };
        let candidates = known.iter().chain(callbacks).copied().filter(|candidate| *candidate != key);
        let suggestion = meant.or_else(|| nearest(key, candidates)).map(str::to_owned);
        let message = match &suggestion {
            _ if CALLBACKS.contains(&key) => {
                "is a callback; give it in the options of the plugin, or write a handler in Rust".to_owned()
            }
            Some(_) => "unknown key".to_owned(),
            None if known.is_empty() => "unknown key; there are none here".to_owned(),
            None => format!("unknown key; known here are {}", known.join(", ")),
        };
        Self { path, message, suggestion: suggestion.filter(|_| !CALLBACKS.contains(&key)) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean {suggestion:?}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// What kind of value was given, in words: `text "30s"`, `the number -1`, `an object`.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("text {text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Keys of vite-plugin-universal-api and of common sense with ours.
const RENAMED: &[(&str, &str)] = &[
    ("wsHandlers", "routes"),
    ("handlers", "routes"),
    ("endpointPrefix", "prefix"),
    ("host", "listen"),
    ("port", "listen"),
    ("path", "pattern"),
    ("url", "pattern"),
    ("enabled", "disabled"),
    ("maxSize", "maxPayload"),
    ("actions", "do"),
    ("when", "match"),
    ("send", "reply"),
];

/// What only a host can add to a route.
const CALLBACKS: &[&str] =
    &["onConnect", "onMessage", "onPing", "onPong", "onClose", "onError", "transformRawData"];

/// The name in serde's "unknown field" and "unknown variant" messages, and the names it knows.
fn split_known(rest: &str) -> (&str, Vec<&str>) {
    let split = rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, there are no "));
    let Some((name, known)) = split else { return (rest, Vec::new()) };
    (name, known.split('`').skip(1).step_by(2).collect())
}

/// Whether a path ends with this key.
fn is_last(path: &str, key: &str) -> bool {
    path.strip_suffix(key).is_some_and(|parent| parent.is_empty() || parent.ends_with('.'))
}

/// What serde says was expected, in words.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i64" => "a whole number",
        "f64" => "a number",
        "a string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        expected if expected.starts_with("struct ") || expected.starts_with("internally tagged") => {
            "an object"
        }
        expected => expected,
    }
}

/// What serde says it got, in words.
fn got_in_words(got: &str) -> String {
    match got {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "unit value" => "null".to_owned(),
        got => match got.split_once(' ') {
            Some(("string", text)) => format!("text {text}"),
            Some(("integer", number)) => format!("the number {}", number.trim_matches('`')),
            Some(("boolean", value)) => value.trim_matches('`').to_owned(),
            Some(("floating", number)) => {
                format!("the number {}", number.trim_start_matches("point ").trim_matches('`'))
            }
            _ => got.to_owned(),
        },
    }
}
