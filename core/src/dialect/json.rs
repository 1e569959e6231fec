//! The JSON of a message.

use serde_json::Value;

/// The value of a JSON text that nests at most this deep; `None` if it is not JSON or nests deeper.
pub(super) fn parse(text: &str, max_depth: usize) -> Option<Value> {
    // The parser itself stops at 128 levels, so only a lower limit has to be checked.
    serde_json::from_str(text).ok().filter(|value| fits(value, max_depth))
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(list) => levels > 0 && list.iter().all(|value| fits(value, levels - 1)),
        Value::Object(object) => levels > 0 && object.values().all(|value| fits(value, levels - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (levels, max_depth, expected) in
            [(0, 0, false), (1, 1, true), (2, 1, false), (100, 128, true), (10_000, 128, false)]
        {
            assert_eq!(parse(&nested(levels), max_depth).is_some(), expected, "{levels} in {max_depth}");
        }
        assert!(parse("{\"a\":[1]}", 2).is_some());
        assert!(parse("{\"a\":[1]}", 1).is_none());
        assert!(parse("5", 0).is_some());
        assert!(parse("{a}", 9).is_none());
    }
}
