//! How to try a route: a path that its pattern matches, and what its dialect understands.

use regex::Regex;
use serde_json::json;

/// What stands for a parameter with a regular expression, the first that fits.
const VALUES: [&str; 9] =
    ["1", "12", "2026", "a", "abc", "en", "example", "example.json", "00000000-0000-4000-8000-000000000001"];

/// A path that a pattern probably matches; `None` where its regular expressions want something special.
pub(crate) fn path(pattern: &str) -> Option<String> {
    let (mut path, mut rest) = (String::with_capacity(pattern.len()), pattern);
    while let Some(next) = rest.chars().next() {
        match next {
            '{' => {
                let end = closing(rest)?;
                path.push_str(&parameter(&rest[1..end])?);
                rest = &rest[end + 1..];
                continue;
            }
            '*' => {
                path.push_str("example");
                rest = rest.trim_start_matches('*');
                continue;
            }
            '?' => path.push('a'),
            other => path.push(other),
        }
        rest = &rest[next.len_utf8()..];
    }
    Some(path)
}

/// What a dialect understands.
pub(crate) fn messages(dialect: &str) -> Vec<String> {
    let values = match dialect {
        "phoenix" => vec![
            json!(["1", "1", "room:lobby", "phx_join", {}]),
            json!(["1", "2", "room:lobby", "shout", { "body": "Hello" }]),
            json!([null, "3", "phoenix", "heartbeat", {}]),
        ],
        "actions" => vec![json!({ "action": "sub", "channel": "kills" })],
        "topics" => vec![json!({ "type": "subscribe", "topics": ["all"] }), json!({ "type": "ping" })],
        "events" => vec![json!({ "type": "subscribe", "event": "ticker" }), json!({ "type": "ping" })],
        "commands" => vec![json!({ "message": "Hello everyone!" }), json!({ "command": "presence" })],
        _ => return vec!["Hello".to_owned(), json!({ "hello": "world" }).to_string()],
    };
    values.iter().map(ToString::to_string).collect()
}

/// Where the brace ends that a text begins with.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut in_class, mut is_escaped) = (0usize, false, false);
    for (place, character) in text.char_indices() {
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match character {
            '\\' => is_escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '{' if !in_class => depth += 1,
            '}' if !in_class => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(place);
        }
    }
    None
}

/// What may stand for `name` or `name:regex`.
fn parameter(written: &str) -> Option<String> {
    let Some((_, expression)) = written.split_once(':') else {
        let name = written.to_ascii_lowercase();
        return Some(match &*name {
            "room" | "channel" | "topic" => "lobby".to_owned(),
            "user" | "name" | "username" | "nick" => "ada".to_owned(),
            name if name == "id" || written.ends_with("Id") || name.ends_with("_id") => "1".to_owned(),
            _ => written.to_owned(),
        });
    };
    let whole = Regex::new(&format!("^(?:{expression})$")).ok()?;
    let alternatives = expression.trim_matches(['(', ')']).split('|');
    alternatives.chain(VALUES).find(|value| whole.is_match(value)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::pattern::Pattern;

    #[test]
    fn patterns_match_their_examples() {
        for (pattern, expected) in [
            ("/chat/{room}", "/chat/lobby"),
            ("/users/{userId}/feed", "/users/1/feed"),
            ("/ws/**", "/ws/example"),
            ("/ws/**/{id}", "/ws/example/1"),
            ("/ws/*.json", "/ws/example.json"),
            ("/c?t", "/cat"),
            ("/", "/"),
            ("/v{version:\\d+}", "/v1"),
            ("/{year:\\d{4}}-{month:\\d{2}}", "/2026-12"),
            ("/{side:(left|right)}/{n}", "/left/n"),
            ("/{x:[^/]+}", "/[^/]+"),
            ("/{id:[}]}", "/[}]"),
        ] {
            let example = path(pattern);
            let matches = |path: &String| Pattern::new(pattern).expect(pattern).matches(path).is_some();
            match pattern {
                // Whatever it is, it has to match.
                "/{x:[^/]+}" => assert!(example.as_ref().is_some_and(matches), "{pattern}: {example:?}"),
                "/{id:[}]}" => assert_eq!(example, None, "nothing that is known fits"),
                _ => {
                    assert_eq!(example.as_deref(), Some(expected));
                    assert!(example.as_ref().is_some_and(matches), "{pattern}: {example:?}");
                }
            }
        }
    }
}
