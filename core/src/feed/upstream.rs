//! Values that come from another WebSocket server.

use std::time::Duration;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::field;
use crate::interface::upstream::Dial;
use crate::message::Message;

/// The server, and how its messages become values. Times are in ms.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpstreamSettings {
    /// `ws://` or `wss://`.
    pub url: String,
    /// Headers of the opening handshake, credentials included. Default none.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Subprotocols to offer. Default none.
    #[serde(default)]
    pub subprotocols: Vec<String>,
    /// The messages to send whenever it has opened, such as `[{ action = "sub", channel = "killstream" }]`: text is sent
    /// as it is, everything else as JSON. Default none.
    #[serde(default)]
    pub send: Vec<Value>,
    /// The field of each message that is the value; a dot goes into an object. Messages without it are ignored. Default:
    /// the whole message.
    #[serde(default)]
    pub field: Option<String>,
    /// How long the opening handshake may take. Default 10000.
    #[serde(default = "default_timeout")]
    pub timeout: u64,
    /// The pause before the first attempt to reconnect; it doubles with each attempt that fails. Default 1000.
    #[serde(default = "default_retry")]
    pub retry: u64,
    /// The longest pause. Default 60000.
    #[serde(default = "default_max_retry")]
    pub max_retry: u64,
    /// The largest message in bytes. Default 16 MiB (16777216).
    #[serde(default = "default_max_message")]
    pub max_message: usize,
}

impl UpstreamSettings {
    /// This server, whose messages are the values.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: IndexMap::new(),
            subprotocols: Vec::new(),
            send: Vec::new(),
            field: None,
            timeout: default_timeout(),
            retry: default_retry(),
            max_retry: default_max_retry(),
            max_message: default_max_message(),
        }
    }

    pub(crate) fn dial(&self) -> Dial {
        let mut dial = Dial::new(&self.url);
        dial.headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        dial.protocols.clone_from(&self.subprotocols);
        dial.timeout = Duration::from_millis(self.timeout);
        dial.max_message = self.max_message;
        dial
    }

    /// The URL for a log: without its query, which may carry credentials.
    pub(crate) fn place(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    pub(crate) fn openings(&self) -> impl Iterator<Item = Message> {
        self.send.iter().map(|message| match message {
            Value::String(text) => text.as_str().into(),
            value => Message::from(value),
        })
    }

    /// The value in a message; there is none in a binary message and in text that is not JSON.
    pub(crate) fn value(&self, message: &Message) -> Option<Value> {
        let value: Value = serde_json::from_str(message.as_text()?).ok()?;
        match &self.field {
            Some(path) => field(&value, path).cloned(),
            None => Some(value),
        }
    }
}

/// How long to wait before the next attempt.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: u64,
    most: u64,
    next: u64,
}

impl Backoff {
    pub(crate) fn new(settings: &UpstreamSettings) -> Self {
        let first = settings.retry.max(1);
        Self { first, most: settings.max_retry.max(first), next: first }
    }

    /// The pause after a failure: half of it is random, so that many clients do not reconnect at once.
    pub(crate) fn failed(&mut self, random: u64) -> u64 {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.most);
        pause / 2 + random % (pause - pause / 2 + 1)
    }

    /// A message came: the next pause is the first one again.
    pub(crate) fn succeeded(&mut self) {
        self.next = self.first;
    }
}

fn default_timeout() -> u64 {
    10_000
}

fn default_retry() -> u64 {
    1_000
}

fn default_max_retry() -> u64 {
    60_000
}

fn default_max_message() -> usize {
    16 << 20
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let settings = UpstreamSettings { retry: 100, max_retry: 300, ..UpstreamSettings::new("ws://x") };
        let mut backoff = Backoff::new(&settings);
        assert_eq!([0, 0, 0, 0].map(|random| backoff.failed(random)), [50, 100, 150, 150]);
        backoff.succeeded();
        assert_eq!([50, 100].map(|random| backoff.failed(random)), [100, 200]);
    }

    #[test]
    fn a_value_is_the_message_or_a_field_of_it() {
        let whole = UpstreamSettings::new("ws://x");
        let part = UpstreamSettings { field: Some("data.kill".into()), ..whole.clone() };
        for (text, of_whole, of_part) in [
            (r#"{"data":{"kill":5}}"#, Some(json!({ "data": { "kill": 5 } })), Some(json!(5))),
            ("5", Some(json!(5)), None),
            ("no JSON", None, None),
        ] {
            let message = Message::from(text);
            assert_eq!((whole.value(&message), part.value(&message)), (of_whole, of_part), "{text}");
        }
        assert_eq!(whole.value(&Message::Binary("5".into())), None);
    }
}
