//! Secrets in JSON, found by their keys. What is no secret stays byte for byte.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::MASK;
use super::names::{Suspicion, looks_secret, suspicion};

/// How deep JSON may be in texts of JSON in texts…
const DEPTH: usize = 4;

/// How many beginnings of JSON in a text may turn out not to be ones.
const ATTEMPTS: usize = 16;

/// What is known about secrets besides JSON.
pub(super) trait Rules {
    /// Whether the user says that values of this key are secrets.
    fn is_named(&self, key: &str) -> bool;
    /// The text, with its secrets replaced.
    fn text(&self, text: &str) -> String;
}

/// Masks a text that is JSON or has some in it, as `42["event",{"token":"…"}]` has; the rest of it by the other rules.
pub(super) fn mask_payload(text: &str, rules: &impl Rules) -> String {
    payload(text, rules, 0)
}

fn payload(text: &str, rules: &impl Rules, depth: usize) -> String {
    let mut masked = String::with_capacity(text.len());
    let (mut done, mut from, mut attempts) = (0, 0, 0);
    // A text as a whole may also be a string of JSON.
    let is_whole = text.starts_with('"') && length(text) == Some(text.len());
    while let Some(at) = text[from..].find(['{', '[']).map(|at| from + at).filter(|_| !is_whole) {
        match length(&text[at..]) {
            Some(length) => {
                masked.push_str(&rules.text(&text[done..at]));
                masked.push_str(&value(&text[at..at + length], rules, depth));
                done = at + length;
                from = done;
            }
            None if attempts < ATTEMPTS => {
                attempts += 1;
                from = at + 1;
            }
            None => break,
        }
    }
    match is_whole {
        true => value(text, rules, depth),
        false => masked + &rules.text(&text[done..]),
    }
}

/// How long the JSON value is with which the text begins.
fn length(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

/// A list or an object that is being read.
struct Level {
    is_object: bool,
    /// What is said about the values in it.
    suspicion: Suspicion,
    /// Whether a key comes next.
    wants_key: bool,
    /// What the last key says.
    key: Suspicion,
}

/// Masks one JSON value, which is known to be correct.
fn value(text: &str, rules: &impl Rules, depth: usize) -> String {
    let bytes = text.as_bytes();
    let mut masked = String::with_capacity(text.len());
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        let suspected = levels.last().map_or(Suspicion::None, |level| level.key.max(level.suspicion));
        at += 1;
        match byte {
            b'"' => {
                at = after_string(bytes, at);
                let string = &text[start..at];
                match levels.last_mut() {
                    Some(level) if level.wants_key => {
                        level.wants_key = false;
                        level.key = key_suspicion(&unescaped(string), rules);
                        masked.push_str(string);
                    }
                    _ => masked.push_str(&masked_string(string, suspected, rules, depth)),
                }
                continue;
            }
            b'{' | b'[' => {
                let is_object = *byte == b'{';
                let suspicion = match suspected {
                    // What an object with such a name holds has names of its own.
                    Suspicion::Certain if is_object => Suspicion::Likely,
                    suspected => suspected,
                };
                levels.push(Level { is_object, suspicion, wants_key: is_object, key: Suspicion::None });
            }
            b'}' | b']' => {
                levels.pop();
            }
            b',' => {
                if let Some(level) = levels.last_mut() {
                    level.wants_key = level.is_object;
                    level.key = Suspicion::None;
                }
            }
            b'-' | b'0'..=b'9' => {
                while bytes.get(at).is_some_and(|byte| b"+-.eE0123456789".contains(byte)) {
                    at += 1;
                }
                if suspected >= Suspicion::Certain {
                    masked.push('"');
                    masked.push_str(MASK);
                    masked.push('"');
                    continue;
                }
            }
            _ => {
                // White space, colons, true, false, null.
                while bytes
                    .get(at)
                    .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_whitespace())
                {
                    at += 1;
                }
            }
        }
        masked.push_str(&text[start..at]);
    }
    masked
}

/// The end of a string whose first quotation mark lies before `at`.
fn after_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn key_suspicion(key: &str, rules: &impl Rules) -> Suspicion {
    if rules.is_named(key) { Suspicion::Certain } else { suspicion(key) }
}

/// The text of a string. One with halves of surrogate pairs has no text: it stays as it is written.
fn unescaped(string: &str) -> Cow<'_, str> {
    let inner = string.trim_matches('"');
    match inner.contains('\\') {
        true => serde_json::from_str::<String>(string).map_or(Cow::Borrowed(inner), Cow::Owned),
        false => Cow::Borrowed(inner),
    }
}

fn masked_string<'t>(
    string: &'t str,
    suspected: Suspicion,
    rules: &impl Rules,
    depth: usize,
) -> Cow<'t, str> {
    let text = unescaped(string);
    if text.is_empty() {
        return string.into();
    }
    if suspected >= Suspicion::Certain || suspected == Suspicion::Likely && looks_secret(&text) {
        return format!("\"{MASK}\"").into();
    }
    let masked = if depth < DEPTH { payload(&text, rules, depth + 1) } else { rules.text(&text) };
    match masked == text {
        true => string.into(),
        // Text can always be written.
        false => serde_json::to_string(&masked).unwrap_or_else(|_| format!("\"{MASK}\"")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::mask_words;
    use super::*;

    struct Usual;

    impl Rules for Usual {
        fn is_named(&self, key: &str) -> bool {
            key == "ticket"
        }

        fn text(&self, text: &str) -> String {
            mask_words(text)
        }
    }

    #[test]
    fn values_are_masked_by_their_keys_and_the_rest_stays() {
        for (text, expected) in [
            (
                r#"{ "a" : 1.0e5, "token":"x", "b":[true,null , "é\u0000"] }"#,
                r#"{ "a" : 1.0e5, "token":"***", "b":[true,null , "é\u0000"] }"#,
            ),
            (
                r#"{"Password":"","pin":1,"secret":42,"token":null,"auth":false}"#,
                r#"{"Password":"","pin":1,"secret":"***","token":null,"auth":false}"#,
            ),
            (
                r#"["1","2","room:1","phx_join",{"access_token":"x","user":"ada"}]"#,
                r#"["1","2","room:1","phx_join",{"access_token":"***","user":"ada"}]"#,
            ),
            (r#"{"a":{"b":[{"jwt":"x"}]},"c":"token"}"#, r#"{"a":{"b":[{"jwt":"***"}]},"c":"token"}"#),
            (r#"{"tokens":["a",{"b":"c"}],"d":"e"}"#, r#"{"tokens":["***",{"b":"c"}],"d":"e"}"#),
            (
                r#"{"credentials":{"name":"a","deep":[{"value":"b"}]},"d":"e"}"#,
                r#"{"credentials":{"name":"***","deep":[{"value":"***"}]},"d":"e"}"#,
            ),
            (
                r#"{"key":"ArrowUp","session":{"voice":"a","id":"0123456789abcdef"}}"#,
                r#"{"key":"ArrowUp","session":{"voice":"a","id":"***"}}"#,
            ),
            (r#"{"t\u006fken":"x","a\"b":"\"c\\"}"#, r#"{"t\u006fken":"***","a\"b":"\"c\\"}"#),
            (r#"{"ticket":"x","tickets":"y"}"#, r#"{"ticket":"***","tickets":"y"}"#),
            // JSON in strings of JSON.
            (
                r#"{"data":"{\"auth\":\"a:b\",\"n\":[1, 2]}"}"#,
                r#"{"data":"{\"auth\":\"***\",\"n\":[1, 2]}"}"#,
            ),
            (r#"a["[\"1\",{\"token\":\"x\"}]"]"#, r#"a["[\"1\",{\"token\":\"***\"}]"]"#),
            (r#""{\"token\":\"x\"}""#, r#""{\"token\":\"***\"}""#),
            // JSON in other text.
            (r#"42/chat,["login",{"password":"x"}]"#, r#"42/chat,["login",{"password":"***"}]"#),
            ("{\"a\":1}\u{1e}{\"token\":\"x\"}\u{1e}", "{\"a\":1}\u{1e}{\"token\":\"***\"}\u{1e}"),
            (r#"{"token":"x"#, r#"{"token":"***"#),
            ("SEND\ntoken:x\n\n{\"token\":\"y\"}\0", "SEND\ntoken:***\n\n{\"token\":\"***\"}\0"),
            // Secrets in values.
            (
                r#"{"url":"/a?token=x&b=1","h":"Bearer abc"}"#,
                r#"{"url":"/a?token=***&b=1","h":"Bearer ***"}"#,
            ),
            (r#"{"a":"\ud800","token":"\ud800"}"#, r#"{"a":"\ud800","token":"***"}"#),
            ("[", "["),
            ("", ""),
            ("-5", "-5"),
        ] {
            assert_eq!(mask_payload(text, &Usual), expected, "{text}");
        }
    }

    #[test]
    fn texts_in_texts_are_followed_so_far_only() {
        let mut text = r#"{"token":"x"}"#.to_owned();
        for _ in 0..3 {
            text = serde_json::json!({ "a": text }).to_string();
        }
        assert!(!mask_payload(&text, &Usual).contains('x'));
        // Much that begins like JSON is none.
        let text = "[".repeat(100_000);
        assert_eq!(mask_payload(&text, &Usual), text);
    }
}
