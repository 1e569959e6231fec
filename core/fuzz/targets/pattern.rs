//! Patterns: any text is a pattern or explained, matching agrees with a reference that is too simple to be wrong, and
//! the router finds what the pattern matches. The time for one input is bounded by the runner.
//!
//! Input: the pattern, a line break, the path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::{Found, Pattern, RouteKey, Router};

fuzz_target!(|text: &str| {
    let (text, path) = text.split_once('\n').unwrap_or((text, "/"));
    let pattern = match Pattern::new(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            assert!(!error.message.is_empty() && error.character >= 1);
            return;
        }
    };
    assert_eq!(pattern.as_str(), text);
    let params = pattern.matches(path);
    if let Some(params) = &params {
        let names: Vec<_> = pattern.names().collect();
        assert_eq!(params.iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
        assert!(params.iter().all(|(_, value)| path.contains(value) && !value.contains('/')));
    }
    if let Some(expected) = reference(text, path) {
        assert_eq!(params.is_some(), expected);
    }
    let Ok(router) = Router::new([RouteKey::new(pattern.clone())]) else { return };
    match router.find(path) {
        Found::Route { index, params: found } => assert_eq!((index, Some(found)), (0, params)),
        Found::Foreign => assert_eq!(params, None),
        Found::Unmatched { .. } => panic!("nothing is claimed"),
    }
    // A table of globs takes long to build: half of the inputs are enough for the second one.
    if path.len() % 2 == 1 {
        return;
    }
    let key = RouteKey { prefixes: vec!["/api/v1".to_owned()], ..RouteKey::new(pattern) };
    let router = Router::new([key]).expect("it fitted without the prefix").claim_all();
    if params_expected(&router, path) != path_matches(text, path) {
        panic!("the prefix changes what is matched");
    }
});

fn params_expected(router: &Router, path: &str) -> bool {
    matches!(router.find(&format!("/api/v1{path}")), Found::Route { .. })
}

/// Whether the pattern serves this below a prefix: a path without a slash of its own is none.
fn path_matches(pattern: &str, path: &str) -> bool {
    let pattern = Pattern::new(pattern).expect("parsed before");
    if path.is_empty() {
        return pattern.matches("/").is_some();
    }
    // The prefix's bytes and segments count towards the bounds.
    let segments = path.split('/').filter(|segment| !segment.is_empty()).count();
    let fits =
        path.len() + "/api/v1".len() <= Pattern::MAX_PATH_BYTES && segments + 2 <= Pattern::MAX_PATH_SEGMENTS;
    fits && pattern.matches(path).is_some()
}

/// Whether the pattern matches; `None` for patterns with more in braces than a segment's name.
fn reference(pattern: &str, path: &str) -> Option<bool> {
    let mut pattern = segments(pattern)?;
    if pattern.iter().any(|segment| segment.contains(['{', '}']) && !is_param(segment)) {
        return None;
    }
    let in_bounds = path.len() <= Pattern::MAX_PATH_BYTES;
    let Some(mut path) = segments(path).filter(|_| in_bounds) else { return Some(false) };
    if path.iter().filter(|segment| !segment.is_empty()).count() > Pattern::MAX_PATH_SEGMENTS {
        return Some(false);
    }
    let is_trailing = |segment: &mut &str| segment.is_empty();
    if pattern.contains(&"**") {
        // Trailing slashes mean nothing.
        pattern.pop_if(is_trailing);
        path.pop_if(is_trailing);
    } else if pattern.ends_with(&["*", ""])
        && path.last() == Some(&"")
        && matches_segments(&pattern[..pattern.len() - 1], &path)
    {
        return Some(true);
    }
    Some(matches_segments(&pattern, &path))
}

fn matches_segments(pattern: &[&str], path: &[&str]) -> bool {
    table(
        pattern,
        path,
        |segment| *segment == "**",
        |segment, text| match *segment {
            "*" => true,
            param if is_param(param) => !text.is_empty(),
            literal if !literal.contains(['*', '?']) => literal == *text,
            mixed => {
                let (mixed, text): (Vec<char>, Vec<char>) = (mixed.chars().collect(), text.chars().collect());
                !text.is_empty()
                    && table(&mixed, &text, |part| *part == '*', |part, text| *part == '?' || part == text)
            }
        },
    )
}

fn segments(text: &str) -> Option<Vec<&str>> {
    let relative = text.strip_prefix('/')?;
    let mut segments: Vec<&str> = relative.split('/').filter(|segment| !segment.is_empty()).collect();
    if text.ends_with('/') {
        segments.push("");
    }
    Some(segments)
}

fn is_param(segment: &str) -> bool {
    segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| !name.contains(['{', '}', ':']))
}

/// The textbook table of a pattern with items for any number, over a text.
fn table<P, T>(
    pattern: &[P],
    text: &[T],
    is_any: impl Fn(&P) -> bool,
    matches: impl Fn(&P, &T) -> bool,
) -> bool {
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for item in pattern {
        if is_any(item) {
            let first = reachable.iter().position(|reachable| *reachable).unwrap_or(reachable.len());
            reachable[first..].fill(true);
        } else {
            for at in (0..text.len()).rev() {
                reachable[at + 1] = reachable[at] && matches(item, &text[at]);
            }
            reachable[0] = false;
        }
    }
    reachable[text.len()]
}
