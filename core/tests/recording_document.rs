//! The page about recordings shows ones that can be read.

use switchboard_core::recording::{Line, Lines};

const PAGE: &str = include_str!("../src/recording/README.md");

#[test]
fn its_example_has_every_kind_of_line() {
    let (_, rest) = PAGE.split_once("```jsonl\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let mut lines = Lines::default();
    lines.push(example.as_bytes());
    let mut found = Vec::new();
    while let Some(placed) = lines.next_line().expect("a line") {
        let mut written = Vec::new();
        placed.line.write(&mut written);
        let expected = example.lines().nth(found.len()).expect("as many lines");
        assert_eq!(String::from_utf8(written).expect("UTF-8").trim_end(), expected);
        found.push(placed.line);
    }
    assert!(matches!(found[0], Line::Header(_)));
    for kind in ["open", "refuse", "message", "close", "fault", "gap"] {
        assert!(example.contains(&format!(r#""type":"{kind}""#)), "{kind}");
        assert!(PAGE.contains(&format!("\n| `{kind}` |")), "{kind}");
    }
}

#[test]
fn its_mistake_is_told_as_it_says() {
    let error = Line::parse(5, br#"{"at":1,"connection":1,"type":"close","by":"browser"}"#).unwrap_err();
    assert!(PAGE.contains(&format!("`{error}`")), "{error}");
}
