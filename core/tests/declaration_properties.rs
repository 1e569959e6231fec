//! Whatever is written in a configuration, it is taken or explained; nothing panics.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_core::{Config, Pattern, Template};

fn keys() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "pattern",
        "rules",
        "match",
        "do",
        "let",
        "on",
        "continue",
        "reply",
        "broadcast",
        "rooms",
        "join",
        "close",
        "code",
        "reason",
        "heartbeat",
        "perMessageDeflate",
        "serverMaxWindowBits",
        "authenticate",
        "token",
        "query",
        "values",
        "responses",
        "response",
        "room",
        "dialect",
        "oneOf",
        "regex",
        "strange",
    ])
    .prop_map(str::to_owned)
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z{}./é*\"]{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["/ws/{room}", "{message.x}", "relay", "rules", "connect", "4001"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn patterns_never_panic(pattern in "/?([/a-z*?{}:.\\\\()\\[\\]+é-]|\\*\\*|\\{a\\}){0,16}", path in "(/[a-zé.%]{0,4}){0,6}/?") {
        if let Ok(pattern) = Pattern::new(&pattern) {
            let params = pattern.matches(&path);
            prop_assert!(params.is_none_or(|params| params.len() == pattern.names().count()));
        }
    }

    #[test]
    fn any_text_is_a_pattern_or_explained(text in any::<String>()) {
        if let Err(error) = Pattern::new(&text) {
            prop_assert!(!error.message.is_empty());
        }
        if let Err(error) = Template::new(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
        if let Err(error) = Config::from_toml(&text) {
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn templates_never_panic(text in "([{}.a ]|message|connection|params|\\{now\\}|\\{\\{){0,12}") {
        if let Err(error) = Template::new(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_configuration_is_taken_or_explained(route in values(), limits in values()) {
        if let Err(error) = Config::from_value(json!({ "routes": [route], "limits": limits })) {
            prop_assert!(!error.message.is_empty());
            prop_assert!(error.path.starts_with("routes") || error.path.starts_with("limits"), "{}", error);
        }
    }
}
