//! Whether a message that came is the one that was recorded.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::difference::{Difference, Differences, shown};
use super::phoenix;
use super::scalars::MAX_DEPTH;
use crate::dialect::json;
use crate::message::Message;

/// How alike a client's message and the recorded one have to be.
///
/// | | `exact` | `shape` |
/// |---|---|---|
/// | JSON | equal as values, whatever the order of keys; 1 and 1.0 are equal | the same kinds of values and the same keys, also within; at keys that say what a message is, such as `type` and `event`, the same values |
/// | a list within JSON | equal | the elements that both have are of the same shape; one is empty only if the other is |
/// | JSON that is a list | equal | of the same length; a number or text in the first place is equal, as it says what the message is |
/// | other text | equal | equal but for digits, UUIDs and timestamps |
/// | binary | equal | both have bytes, or both are empty |
///
/// Whatever was recorded as `***`, the mask of recordings, matches anything in its place. The references of Phoenix frames
/// (`ref`, `join_ref`) are never compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Matching {
    /// The same values.
    Exact,
    /// The same kind of message: the same keys, while most values may differ.
    #[default]
    Shape,
    /// Any message.
    Any,
}

/// The keys that say what a message is.
pub(super) const DISCRIMINATING: [&str; 12] = [
    "type", "event", "action", "op", "cmd", "command", "method", "kind", "channel", "topic", "room",
    "jsonrpc",
];

/// What a recording has instead of a secret.
const MASK: &str = "***";

impl Matching {
    /// What differs; nothing if the message matches.
    pub(super) fn differences(self, recorded: &Message, got: &Message) -> Vec<Difference> {
        let mut differences = Differences::default();
        match (self, recorded, got) {
            (Matching::Any, ..) => {}
            (_, Message::Text(recorded), Message::Text(got)) => {
                self.compare_texts(recorded.as_str(), got.as_str(), &mut differences);
            }
            (Matching::Exact, Message::Binary(recorded), Message::Binary(got)) if recorded != got => {
                differences.add(bytes(recorded), bytes(got));
            }
            (_, Message::Binary(recorded), Message::Binary(got)) => {
                if recorded.is_empty() != got.is_empty() {
                    differences.add(bytes(recorded), bytes(got));
                }
            }
            _ => differences.add(kind(recorded), kind(got)),
        }
        differences.list
    }

    fn compare_texts(self, recorded: &str, got: &str, differences: &mut Differences) {
        if recorded == got {
            return;
        }
        let parse = |text| json::parse(text, MAX_DEPTH);
        match (parse(recorded), parse(got)) {
            (Some(recorded), Some(got)) => self.compare_messages(&recorded, &got, differences),
            (None, None) => {
                let is_alike = match self {
                    Matching::Exact => fits_masked(recorded, got),
                    _ => fits_masked(&normalized(recorded), &normalized(got)),
                };
                if !is_alike {
                    differences.add(format!("{recorded:?}"), format!("{got:?}"));
                }
            }
            (Some(_), None) if recorded == format!("\"{MASK}\"") => {}
            (recorded_json, _) => {
                let kind = |is_json| if is_json { "JSON" } else { "text that is no JSON" };
                let (is_json, text) = (recorded_json.is_some(), shown(got));
                differences.add(kind(is_json), format!("{} {text}", kind(!is_json)));
            }
        }
    }

    fn compare_messages(self, recorded: &Value, got: &Value, differences: &mut Differences) {
        if let (Some(is_list), Some(true)) = (phoenix::is_list(recorded), phoenix::is_list(got).map(|_| true))
            && phoenix::is_list(got) == Some(is_list)
        {
            return self.compare_frames(recorded, got, differences);
        }
        match (self, recorded, got) {
            (Matching::Shape, Value::Array(recorded), Value::Array(got)) => {
                if recorded.len() != got.len() {
                    return differences
                        .add(format!("a list of {}", recorded.len()), format!("a list of {}", got.len()));
                }
                for (index, (recorded, got)) in recorded.iter().zip(got).enumerate() {
                    let names = index == 0 && is_name(recorded);
                    differences.at_index(index, |differences| match names {
                        true => Matching::Exact.compare(recorded, got, differences),
                        false => self.compare(recorded, got, differences),
                    });
                }
            }
            _ => self.compare(recorded, got, differences),
        }
    }

    /// Frames of Phoenix Channels, of the same version: everything but their references.
    fn compare_frames(self, recorded: &Value, got: &Value, differences: &mut Differences) {
        for (index, key) in phoenix::FIELDS.iter().enumerate() {
            let field = |frame: &Value| match frame {
                Value::Array(list) => list.get(index).cloned().unwrap_or_default(),
                frame => frame.get(key).cloned().unwrap_or_default(),
            };
            let (recorded, got) = (field(recorded), field(got));
            differences.at_key(key, |differences| match *key {
                "join_ref" | "ref" => {}
                "topic" | "event" => Matching::Exact.compare(&recorded, &got, differences),
                _ => self.compare(&recorded, &got, differences),
            });
        }
    }

    fn compare(self, recorded: &Value, got: &Value, differences: &mut Differences) {
        if !differences.has_room() || recorded.as_str() == Some(MASK) {
            return;
        }
        match (recorded, got) {
            (Value::Object(recorded), Value::Object(got)) => self.compare_objects(recorded, got, differences),
            (Value::Array(recorded), Value::Array(got)) => {
                let may_differ = self == Matching::Shape && recorded.is_empty() == got.is_empty();
                if recorded.len() != got.len() && !may_differ {
                    return differences
                        .add(format!("a list of {}", recorded.len()), format!("a list of {}", got.len()));
                }
                for (index, (recorded, got)) in recorded.iter().zip(got).enumerate() {
                    differences.at_index(index, |differences| self.compare(recorded, got, differences));
                }
            }
            (Value::String(recorded), Value::String(got)) => {
                if self == Matching::Exact && !fits_masked(recorded, got) {
                    differences.add(format!("{recorded:?}"), format!("{got:?}"));
                }
            }
            (Value::Number(recorded), Value::Number(got)) => {
                let is_equal = recorded == got || recorded.as_f64() == got.as_f64();
                if self == Matching::Exact && !is_equal {
                    differences.add(recorded, got);
                }
            }
            (Value::Bool(recorded), Value::Bool(got)) => {
                if self == Matching::Exact && recorded != got {
                    differences.add(recorded, got);
                }
            }
            (Value::Null, Value::Null) => {}
            (recorded, got) => differences.add(in_short(recorded), in_short(got)),
        }
    }

    fn compare_objects(
        self,
        recorded: &Map<String, Value>,
        got: &Map<String, Value>,
        differences: &mut Differences,
    ) {
        for (key, recorded) in recorded {
            differences.at_key(key, |differences| match got.get(key) {
                None => differences.add(in_short(recorded), "nothing"),
                Some(got) if is_name(recorded) && DISCRIMINATING.contains(&key.as_str()) => {
                    Matching::Exact.compare(recorded, got, differences);
                }
                Some(got) => self.compare(recorded, got, differences),
            });
        }
        for (key, got) in got.iter().filter(|(key, _)| !recorded.contains_key(*key)) {
            differences.at_key(key, |differences| differences.add("nothing", in_short(got)));
        }
    }
}

/// Whether a value can say what a message is.
fn is_name(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_))
}

/// The text with digits, UUIDs and timestamps made alike.
fn normalized(text: &str) -> Cow<'_, str> {
    static VARYING: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let uuid = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
        let time = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?";
        Regex::new(&format!("{uuid}|{time}|[0-9]+")).ok()
    });
    match &*VARYING {
        Some(varying) => varying.replace_all(text, "0"),
        None => Cow::Borrowed(text),
    }
}

/// Whether a text is the recorded one, in which each mask stands for any text.
fn fits_masked(recorded: &str, got: &str) -> bool {
    let Some((first, mut recorded)) = recorded.split_once(MASK) else { return recorded == got };
    let Some(mut got) = got.strip_prefix(first) else { return false };
    while let Some((piece, rest)) = recorded.split_once(MASK) {
        let Some(at) = got.find(piece) else { return false };
        (recorded, got) = (rest, &got[at + piece.len()..]);
    }
    got.ends_with(recorded)
}

fn in_short(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => "an object".to_owned(),
        value => value.to_string(),
    }
}

fn kind(message: &Message) -> String {
    match message {
        Message::Text(text) => format!("text {:?}", text.as_str()),
        Message::Binary(binary) => bytes(binary),
    }
}

fn bytes(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let rest = if bytes.len() > 16 { " …" } else { "" };
    format!("{} bytes of binary {}{rest}", bytes.len(), hex.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(matching: Matching, recorded: &str, got: &str) -> String {
        let differences = matching.differences(&recorded.into(), &got.into());
        differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn shapes_are_the_same_or_say_where_they_differ() {
        for (recorded, got, expected) in [
            (r#"{"type":"join","room":"a","n":1}"#, r#"{"n":2.5,"room":"a","type":"join"}"#, ""),
            (r#"{"type":"join"}"#, r#"{"type":"leave"}"#, r#"type: recorded "join", got "leave""#),
            (r#"{"a":{"type":"x"}}"#, r#"{"a":{"type":"y"}}"#, r#"a.type: recorded "x", got "y""#),
            (
                r#"{"a":1,"b":2}"#,
                r#"{"a":1,"c":2}"#,
                "b: recorded 2, got nothing; c: recorded nothing, got 2",
            ),
            (r#"{"a":1}"#, r#"{"a":"1"}"#, r#"a: recorded 1, got "1""#),
            (r#"{"a":[{"id":1},{"id":2}]}"#, r#"{"a":[{"id":3}]}"#, ""),
            (
                r#"{"a":[{"id":1}]}"#,
                r#"{"a":[{"ix":3}]}"#,
                "a[0].id: recorded 1, got nothing; a[0].ix: recorded nothing, got 3",
            ),
            (r#"{"a":[1]}"#, r#"{"a":[]}"#, "a: recorded a list of 1, got a list of 0"),
            (r#"["sub","x"]"#, r#"["sub","y"]"#, ""),
            (r#"["sub","x"]"#, r#"["unsub","x"]"#, r#"[0]: recorded "sub", got "unsub""#),
            (r#"[32,{"a":1}]"#, r#"[33,{"a":1}]"#, "[0]: recorded 32, got 33"),
            ("[1]", "[1,2]", "recorded a list of 1, got a list of 2"),
            (r#"{"token":"***"}"#, r#"{"token":{"a":1}}"#, ""),
            (r#"{"type":"auth-***"}"#, r#"{"type":"auth-7"}"#, ""),
            ("hello 12", "hello 7", ""),
            ("hello", "hallo", r#"recorded "hello", got "hallo""#),
            (
                "at 2026-11-22T05:00:00.000Z by 00010203-0405-4607-8809-0a0b0c0d0e0f",
                "at 2026-11-22 06:00 by aaaaaaaa-0405-4607-8809-0a0b0c0d0eff",
                "",
            ),
            ("auth Bearer *** ok", "auth Bearer x.y.z ok", ""),
            ("5", "6", ""),
            ("{}", "hi", "recorded JSON, got text that is no JSON hi"),
        ] {
            assert_eq!(told(Matching::Shape, recorded, got), expected, "{recorded} {got}");
        }
    }

    #[test]
    fn exact_is_equal_as_values() {
        for (recorded, got, expected) in [
            (r#"{"a":1,"b":[1.0]}"#, r#"{"b":[1],"a":1.0}"#, ""),
            (r#"{"a":1}"#, r#"{"a":2}"#, "a: recorded 1, got 2"),
            (r#"{"a":"x"}"#, r#"{"a":"y"}"#, r#"a: recorded "x", got "y""#),
            (r#"{"a":"x"}"#, r#"{"a":null}"#, r#"a: recorded "x", got null"#),
            (r#"{"a":"***"}"#, r#"{"a":5}"#, ""),
            ("hello 1", "hello 2", r#"recorded "hello 1", got "hello 2""#),
        ] {
            assert_eq!(told(Matching::Exact, recorded, got), expected, "{recorded} {got}");
        }
        assert_eq!(told(Matching::Any, "a", "b"), "");
    }

    #[test]
    fn references_of_phoenix_are_not_compared() {
        let join = r#"["3","4","room:lobby","phx_join",{"token":"a"}]"#;
        assert_eq!(told(Matching::Exact, join, r#"["7","8","room:lobby","phx_join",{"token":"a"}]"#), "");
        assert_eq!(
            told(Matching::Shape, join, r#"["3",null,"room:other","phx_join",{"token":"b"}]"#),
            r#"topic: recorded "room:lobby", got "room:other""#
        );
        let v1 = r#"{"topic":"a","event":"phx_join","payload":{},"ref":"1","join_ref":"1"}"#;
        let other = r#"{"topic":"a","event":"phx_leave","payload":{},"ref":"9"}"#;
        assert_eq!(told(Matching::Exact, v1, other), r#"event: recorded "phx_join", got "phx_leave""#);
    }

    #[test]
    fn binary_is_equal_or_both_empty() {
        let binary = |bytes: &'static [u8]| Message::Binary(bytes.into());
        let count = |matching: Matching, recorded, got| matching.differences(&recorded, &got).len();
        assert_eq!(count(Matching::Shape, binary(&[1]), binary(&[2, 3])), 0);
        assert_eq!(count(Matching::Shape, binary(&[1]), binary(&[])), 1);
        assert_eq!(count(Matching::Exact, binary(&[1]), binary(&[2])), 1);
        assert_eq!(count(Matching::Exact, binary(&[1]), binary(&[1])), 0);
        let differences = Matching::Any.differences(&binary(&[]), &"a".into());
        assert_eq!(differences, []);
        let [difference] = &Matching::Shape.differences(&binary(&[1, 255]), &"a".into())[..] else {
            panic!()
        };
        assert_eq!(difference.to_string(), "recorded 2 bytes of binary 01 ff, got text \"a\"");
    }

    #[test]
    fn a_mask_stands_for_any_text() {
        for (recorded, got, fits) in [
            ("***", "", true),
            ("a***", "b", false),
            ("a***b***c", "axbxc", true),
            ("a***b***c", "axc", false),
            ("a***a", "a", false),
            ("plain", "plain", true),
        ] {
            assert_eq!(fits_masked(recorded, got), fits, "{recorded} {got}");
        }
    }
}
