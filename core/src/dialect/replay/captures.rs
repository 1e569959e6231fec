//! What this client sends, put into the server's messages in place of what was recorded.

use std::borrow::Cow;
use std::collections::VecDeque;

use hashlink::LinkedHashMap;
use serde_json::Value;

use super::phoenix;
use super::scalars::MAX_DEPTH;
use super::scalars::{self, Scalar};
use crate::dialect::json;
use crate::message::Message;

/// The keys whose values identify a message, a request or a moment: what another client sends there is another value.
pub(super) const CAPTURED: [&str; 13] = [
    "id",
    "ref",
    "join_ref",
    "joinRef",
    "requestId",
    "request_id",
    "correlationId",
    "correlation_id",
    "seq",
    "nonce",
    "timestamp",
    "ts",
    "clientId",
];

/// How many values are remembered; the oldest are forgotten first.
const MOST_VALUES: usize = 10_000;

/// How many of the client's messages `{client.…}` is looked up in, the latest first.
const MOST_MESSAGES: usize = 16;

/// How long a message may be for its values to be remembered, in bytes.
const LONGEST: usize = 64 * 1024;

/// The values that a client has sent where others were recorded.
#[derive(Debug, Default)]
pub(super) struct Captures {
    /// By key and recorded value, as JSON.
    values: LinkedHashMap<(String, String), String>,
    /// The JSON of what the client has sent, the latest last.
    messages: VecDeque<Value>,
}

impl Captures {
    /// Remembers what a message that has come has in place of the recorded one. `others`: keys besides [`CAPTURED`].
    pub(super) fn learn(&mut self, recorded: Option<&Message>, got: &Message, others: &[String]) {
        let parse = |message: &Message| {
            let text = message.as_text().filter(|text| text.len() <= LONGEST)?;
            json::parse(text, MAX_DEPTH)
        };
        let Some(got) = parse(got) else { return };
        if let Some(recorded) = recorded.and_then(parse) {
            self.learn_of(None, &recorded, &got, others);
        }
        if self.messages.len() == MOST_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(got);
    }

    fn learn_of(&mut self, key: Option<&str>, recorded: &Value, got: &Value, others: &[String]) {
        match (recorded, got) {
            (Value::Object(recorded), Value::Object(got)) => {
                for (key, recorded) in recorded {
                    if let Some(got) = got.get(key) {
                        self.learn_of(Some(key), recorded, got, others);
                    }
                }
            }
            (Value::Array(list), Value::Array(others_list)) => {
                let is_frame = key.is_none() && phoenix::is_list(recorded) == Some(true);
                for (index, (recorded, got)) in list.iter().zip(others_list).enumerate() {
                    let key = if is_frame { Some(phoenix::FIELDS[index.min(4)]) } else { key };
                    self.learn_of(key, recorded, got, others);
                }
            }
            (Value::String(_) | Value::Number(_), Value::String(_) | Value::Number(_)) => {
                let Some(key) = key.filter(|key| is_captured(key, others)) else { return };
                let place = (key.to_owned(), recorded.to_string());
                if recorded == got {
                    self.values.remove(&place);
                } else {
                    self.values.insert(place, got.to_string());
                    if self.values.len() > MOST_VALUES {
                        self.values.pop_front();
                    }
                }
            }
            _ => {}
        }
    }

    /// A recorded message of the server as this client gets it. What there is nothing to change in stays byte for byte.
    pub(super) fn apply(&self, message: &Message, others: &[String]) -> Message {
        let Some(text) = message.as_text() else { return message.clone() };
        let has_template = text.contains("{client.");
        if self.values.is_empty() && !has_template {
            return message.clone();
        }
        let replaced = match self.values.is_empty() {
            true => Cow::Borrowed(text),
            false => self.replaced(text, others),
        };
        match has_template {
            true => Message::from(self.filled(&replaced)),
            false if matches!(replaced, Cow::Borrowed(_)) => message.clone(),
            false => Message::from(replaced.into_owned()),
        }
    }

    /// The text with remembered values in the place of recorded ones.
    fn replaced<'t>(&self, text: &'t str, others: &[String]) -> Cow<'t, str> {
        let Some(value) = json::parse(text, MAX_DEPTH) else { return Cow::Borrowed(text) };
        let is_frame = phoenix::is_list(&value) == Some(true);
        let mut edits = Vec::new();
        scalars::each(text, |Scalar { key, place, range }| {
            let key = match key {
                None if is_frame => {
                    place.and_then(|place| phoenix::FIELDS.get(place)).map(|key| Cow::Borrowed(*key))
                }
                key => key.map(Cow::Owned),
            };
            let Some(key) = key.filter(|key| is_captured(key, others)) else { return };
            // As JSON writes it, whatever the escapes.
            let Ok(value) = serde_json::from_str::<Value>(&text[range.clone()]) else { return };
            if let Some(got) = self.values.get(&(key.into_owned(), value.to_string())) {
                edits.push((range, got));
            }
        });
        if edits.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut replaced, mut at) = (String::with_capacity(text.len()), 0);
        for (range, got) in edits {
            replaced.push_str(&text[at..range.start]);
            replaced.push_str(got);
            at = range.end;
        }
        replaced.push_str(&text[at..]);
        Cow::Owned(replaced)
    }

    /// The text with the values of its `{client.…}`; one without a value stays as it is.
    fn filled(&self, text: &str) -> String {
        const START: &str = "{client.";
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(start) = rest.find(START) {
            let after = &rest[start + START.len()..];
            let name = after.split_once('}').map(|(name, _)| name);
            let Some((name, value)) = name.and_then(|name| Some((name, self.client(name)?))) else {
                filled.push_str(&rest[..start + START.len()]);
                rest = after;
                continue;
            };
            let (mut before, mut behind) = (&rest[..start], &after[name.len() + 1..]);
            let is_whole = is_json && before.ends_with('"') && behind.starts_with('"');
            if is_whole {
                (before, behind) = (&before[..before.len() - 1], &behind[1..]);
            }
            filled.push_str(before);
            match value {
                _ if is_whole => filled.push_str(&value.to_string()),
                Value::String(text) if is_json => {
                    let quoted = Value::from(text.as_str()).to_string();
                    filled.push_str(&quoted[1..quoted.len() - 1]);
                }
                Value::String(text) => filled.push_str(text),
                value if is_json => {
                    let quoted = Value::from(value.to_string()).to_string();
                    filled.push_str(&quoted[1..quoted.len() - 1]);
                }
                value => filled.push_str(&value.to_string()),
            }
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    /// The part at a dotted path of the latest message that has it.
    fn client(&self, path: &str) -> Option<&Value> {
        self.messages.iter().rev().find_map(|message| {
            path.split('.').try_fold(message, |value, key| match value {
                Value::Object(object) => object.get(key),
                Value::Array(list) => list.get(key.parse::<usize>().ok()?),
                _ => None,
            })
        })
    }
}

fn is_captured(key: &str, others: &[String]) -> bool {
    CAPTURED.contains(&key) || others.iter().any(|other| other == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server's message becomes after this exchange.
    fn apply(exchanges: &[(&str, &str)], server: &str, others: &[&str]) -> String {
        let others: Vec<String> = others.iter().map(|&key| key.to_owned()).collect();
        let mut captures = Captures::default();
        for (recorded, got) in exchanges {
            captures.learn(Some(&(*recorded).into()), &(*got).into(), &others);
        }
        captures.apply(&server.into(), &others).as_text().unwrap().to_owned()
    }

    #[test]
    fn values_of_this_client_replace_recorded_ones_under_the_same_key() {
        let call = [(r#"{"id":1,"method":"a"}"#, r#"{"id":70,"method":"a"}"#)];
        for (server, expected) in [
            (r#"{"id": 1, "result":  1.50}"#, r#"{"id": 70, "result":  1.50}"#),
            (
                r#"{"id":"1","x":{"id":1},"list":[{"id":1}]}"#,
                r#"{"id":"1","x":{"id":70},"list":[{"id":70}]}"#,
            ),
            (r#"{"seq":1}"#, r#"{"seq":1}"#),
            ("id 1", "id 1"),
        ] {
            assert_eq!(apply(&call, server, &[]), expected);
        }
        let order = [(r#"{"order":"a"}"#, r#"{"order":"é\""}"#)];
        assert_eq!(apply(&order, r#"{"order":"a"}"#, &[]), r#"{"order":"a"}"#);
        assert_eq!(apply(&order, r#"{"order":"\u0061"}"#, &["order"]), r#"{"order":"é\""}"#);
        let again = [(r#"{"id":1}"#, r#"{"id":2}"#), (r#"{"id":1}"#, r#"{"id":1}"#)];
        assert_eq!(apply(&again, r#"{"id":1}"#, &[]), r#"{"id":1}"#, "the latest counts");
    }

    #[test]
    fn references_of_phoenix_are_those_of_this_client() {
        let join = [(r#"["1","1","a","phx_join",{}]"#, r#"["5","6","a","phx_join",{}]"#)];
        let reply = r#"["1","1","a","phx_reply",{"response":{},"status":"ok","list":["1"]}]"#;
        let expected = r#"["5","6","a","phx_reply",{"response":{},"status":"ok","list":["1"]}]"#;
        assert_eq!(apply(&join, reply, &[]), expected);
        assert_eq!(apply(&join, r#"["1",null,"a","ev",{}]"#, &[]), r#"["5",null,"a","ev",{}]"#);
        let v1 = [(
            r#"{"topic":"a","event":"phx_join","payload":{},"ref":"1"}"#,
            r#"{"topic":"a","event":"phx_join","payload":{},"ref":"3"}"#,
        )];
        assert_eq!(
            apply(&v1, r#"{"topic":"a","event":"phx_reply","ref":"1"}"#, &[]),
            r#"{"topic":"a","event":"phx_reply","ref":"3"}"#
        );
    }

    #[test]
    fn templates_take_what_the_client_sent() {
        let sent = [("", r#"{"ref":7,"user":{"name":"A\"b"},"list":["x"]}"#), ("", r#"{"other":1}"#)];
        for (server, expected) in [
            (r#"{"ref":"{client.ref}"}"#, r#"{"ref":7}"#),
            (r#"{"text":"hi {client.user.name}, {client.ref}"}"#, r#"{"text":"hi A\"b, 7"}"#),
            (r#"{"user":"{client.user}"}"#, r#"{"user":{"name":"A\"b"}}"#),
            (
                "ref {client.ref} {client.list.0} {client.none} {client. {x}",
                "ref 7 x {client.none} {client. {x}",
            ),
        ] {
            assert_eq!(apply(&sent, server, &[]), expected);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut captures = Captures::default();
        for number in 0..MOST_VALUES + 50 {
            let recorded = format!("{{\"id\":{number}}}");
            captures.learn(Some(&recorded.into()), &"{\"id\":-1}".into(), &[]);
        }
        assert_eq!((captures.values.len(), captures.messages.len()), (MOST_VALUES, MOST_MESSAGES));
    }
}
