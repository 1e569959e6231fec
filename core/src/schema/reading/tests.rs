//! Options of every kind, and what their errors say.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    parts: Vec<Part>,
    #[serde(default)]
    named: BTreeMap<String, u16>,
    size: Option<f64>,
    #[serde(default)]
    pair: (i8, bool),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Part {
    Nothing,
    Number(u8),
    Pair(u8, String),
    Place { x: i32 },
}

fn error(value: Value) -> String {
    read::<Whole>(value).unwrap_err().to_string()
}

#[test]
fn values_of_every_kind_are_read() {
    let whole = json!({
        "parts": ["nothing", { "number": 3 }, { "pair": [4, "b"] }, { "place": { "x": -5 } }],
        "named": { "a": 1, "b.c": 65535 },
        "size": 2,
        "pair": [-1, true],
    });
    let expected = Whole {
        parts: vec![Part::Nothing, Part::Number(3), Part::Pair(4, "b".to_owned()), Part::Place { x: -5 }],
        named: [("a".to_owned(), 1), ("b.c".to_owned(), 65535)].into(),
        size: Some(2.0),
        pair: (-1, true),
    };
    assert_eq!(read::<Whole>(whole).unwrap(), expected);
    assert_eq!(read::<Whole>(json!({ "size": null })).unwrap().size, None);
    assert_eq!(read::<Vec<Value>>(json!([1, { "a": null }])).unwrap(), [json!(1), json!({ "a": null })]);
}

#[test]
fn errors_name_the_place() {
    for (value, expected) in [
        (json!({ "sizes": 1 }), "sizes: unknown key; did you mean \"size\"?"),
        (json!({ "size": "1" }), "size: expected a number, got text \"1\""),
        (json!({ "named": { "a": 65536 } }), "named.a: expected "),
        (json!({ "parts": [{ "number": 1 }, { "number": [] }] }), "parts[1].number: expected "),
        (json!({ "parts": [{ "place": { "x": false } }] }), "parts[0].place.x: expected "),
        (json!({ "parts": [{ "place": {} }] }), "parts[0].place: the key \"x\" is missing"),
        (json!({ "parts": ["numbre"] }), "parts[0]: expected \"nothing\" or \"number\""),
        (json!({ "parts": ["number"] }), "parts[0]: expected newtype variant"),
        (json!({ "parts": [{ "nothing": 1 }] }), "parts[0].nothing: expected "),
        (json!({ "parts": [{ "nothing": null, "number": 1 }] }), "parts[0]: expected "),
        (json!({ "pair": [1, true, 2] }), "pair: "),
        (json!({ "pair": [1, 2] }), "pair[1]: expected true or false"),
        (json!([]), "expected "),
        (json!(null), "expected "),
    ] {
        let error = error(value);
        assert!(error.starts_with(expected), "{error:?} for {expected:?}");
    }
}
