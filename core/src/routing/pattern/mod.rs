//! Ant-style path patterns: which paths a route serves, and the parameters they carry.
//!
//! | Pattern | Matches within a path |
//! |---|---|
//! | `?` | exactly one character of a segment |
//! | `*` | any characters of one segment, also none: `/ws/*` matches `/ws/` |
//! | `**` as a whole segment | any number of segments, also none: `/ws/**` matches `/ws` |
//! | `{name}` | one segment, or a part of one as in `{file}.{extension}`; its text becomes a parameter |
//! | `{name:regex}` | the same, if the regular expression matches all of it |
//!
//! A pattern matches the whole path, case-sensitively. Repeated slashes in a path do not count. A trailing slash does,
//! but not in a pattern with `**`, and `/*/` matches `/`: so does vite-plugin-universal-api. Parameters are the path's text as it stands, not percent-decoded.

mod error;
mod params;
mod parse;
mod segment;

use std::fmt;

use segment::Segment;
use serde::de::{self, Deserialize, Deserializer};

pub use error::PatternError;
pub use params::Params;

/// A parsed path pattern; its syntax is Ant-style.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

impl Pattern {
    /// The longest path in bytes that can match.
    pub const MAX_PATH_BYTES: usize = 8192;

    /// The largest number of segments of a path that can match.
    pub const MAX_PATH_SEGMENTS: usize = 256;

    /// Parses a pattern. It starts with `/`.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        Ok(Self { text: pattern.to_owned(), segments: parse::parse(pattern)? })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parameters' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(|segment| segment.names()).map(|name| &**name)
    }

    /// The pattern without its parameters' names: the same for patterns that differ in nothing else.
    pub(crate) fn nameless(&self) -> String {
        let (mut text, mut rest) = (String::with_capacity(self.text.len()), self.as_str());
        for name in self.names() {
            let at = rest.match_indices(name).map(|(at, _)| at).find(|&at| rest[..at].ends_with(['{', ':']));
            let Some(at) = at else { continue };
            text.push_str(&rest[..at]);
            rest = &rest[at + name.len()..];
        }
        text + rest
    }

    /// How many segments precede a `**` at the end; `None` without one, or with another `**` before it.
    pub fn segments_before_rest(&self) -> Option<usize> {
        let (last, before) = self.segments.split_last()?;
        let is_open = |segment: &Segment| matches!(segment, Segment::AnySegments);
        (is_open(last) && !before.iter().any(is_open)).then_some(before.len())
    }

    /// The parameters if the pattern matches all of `path` (without the query), `None` if it does not.
    pub fn matches(&self, path: &str) -> Option<Params> {
        self.match_segments(&split(path)?)
    }

    /// The same for a path that is split already.
    pub(crate) fn match_segments(&self, path: &[&str]) -> Option<Params> {
        if self.has_any_segments() {
            return walk(&self.segments, path.strip_suffix(&[""]).unwrap_or(path));
        }
        walk(&self.segments, path).or_else(|| {
            let shorter = self.without_slash_after_star()?;
            if path.last() == Some(&"") { walk(shorter, path) } else { None }
        })
    }

    fn has_any_segments(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment, Segment::AnySegments))
    }

    /// A pattern that ends in `/*/`, without its last slash.
    fn without_slash_after_star(&self) -> Option<&[Segment]> {
        match &self.segments[..] {
            [before @ .., Segment::Literal(last)] if last.is_empty() => {
                matches!(before.last(), Some(Segment::Any)).then_some(before)
            }
            _ => None,
        }
    }

    /// Globs of which at least one matches every path under `prefix` that this pattern matches. They may match
    /// more: the segment walk decides. Meant for a [`globset::GlobSet`] over many patterns, with `*` bound to one
    /// segment.
    pub(crate) fn candidate_globs(&self, prefix: &str) -> Vec<String> {
        let mut glob = globset::escape(prefix);
        let mut globs = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            if matches!(segment, Segment::AnySegments) && index + 1 == self.segments.len() {
                // A glob's trailing `/**` demands at least one slash; ours also matches without it.
                globs.push(glob.clone());
            }
            glob.push('/');
            glob.push_str(&segment.candidate_glob());
        }
        if self.without_slash_after_star().is_some() {
            globs.push(glob.trim_end_matches('/').to_owned());
        }
        globs.push(glob);
        if !prefix.is_empty() && self.match_segments(&[""]).is_some() {
            // The bare prefix stands for "/" below it.
            globs.push(globset::escape(prefix));
        }
        globs
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Patterns are equal when they are written alike.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(pattern: &str) -> Result<Self, PatternError> {
        Self::new(pattern)
    }
}

/// From text.
impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(de::Error::custom)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^/" })
    }
}

/// Matches segment by segment.
///
/// A `**` first takes nothing and then one segment more per retry. Only the last `**` seen is retried, since
/// what an earlier one could take more the last one can take as well: at most pattern × path steps.
fn walk(segments: &[Segment], path: &[&str]) -> Option<Params> {
    let mut params = Params::default();
    let mut retry: Option<Retry> = None;
    let (mut at_pattern, mut at_path) = (0, 0);
    loop {
        match segments.get(at_pattern) {
            Some(Segment::AnySegments) => {
                at_pattern += 1;
                retry = Some(Retry { at_pattern, at_path, params: params.len() });
                continue;
            }
            Some(segment) if at_path < path.len() && segment.matches(path[at_path], &mut params) => {
                at_pattern += 1;
                at_path += 1;
                continue;
            }
            None if at_path == path.len() => return Some(params),
            _ => {}
        }
        let retry = retry.as_mut()?;
        if retry.at_path == path.len() {
            return None;
        }
        retry.at_path += 1;
        params.truncate(retry.params);
        (at_pattern, at_path) = (retry.at_pattern, retry.at_path);
    }
}

/// Where the walk goes on when a `**` takes one segment more.
struct Retry {
    at_pattern: usize,
    at_path: usize,
    params: usize,
}

/// The segments of a path: repeated slashes count once, a trailing slash gives a last empty segment.
/// `None` if no pattern can match: no leading slash, or too long.
pub(crate) fn split(path: &str) -> Option<Vec<&str>> {
    if path.len() > Pattern::MAX_PATH_BYTES {
        return None;
    }
    let relative = path.strip_prefix('/')?;
    let mut segments: Vec<&str> = relative
        .split('/')
        .filter(|segment| !segment.is_empty())
        .take(Pattern::MAX_PATH_SEGMENTS + 1)
        .collect();
    if segments.len() > Pattern::MAX_PATH_SEGMENTS {
        return None;
    }
    if path.ends_with('/') {
        segments.push("");
    }
    Some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pattern: &str, path: &str) -> Option<String> {
        let pattern = Pattern::new(pattern).expect(pattern);
        let params = pattern.matches(path)?;
        Some(params.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn paths_match_as_in_the_table() {
        let table: &[(&str, &[&str], &[&str])] = &[
            (
                "/ws/chat",
                &["/ws/chat", "/ws//chat", "//ws/chat"],
                &["/ws/chat/", "/ws/Chat", "/ws", "/ws/chat/x"],
            ),
            ("/ws/chat/", &["/ws/chat/", "/ws/chat//"], &["/ws/chat"]),
            ("/", &["/", "//"], &["", "/x", "x"]),
            ("/ws/?", &["/ws/a", "/ws/é"], &["/ws/", "/ws/ab", "/ws"]),
            ("/ws/c?t", &["/ws/cat", "/ws/c.t"], &["/ws/ct", "/ws/chat"]),
            ("/ws/*", &["/ws/", "/ws/a", "/ws/a.b"], &["/ws", "/ws/a/b", "/ws/a/"]),
            ("/*", &["/", "/a"], &["/a/", "/a/b"]),
            ("/ws/*.json", &["/ws/a.json", "/ws/.json"], &["/ws/json", "/ws/a.jsonx"]),
            ("/ws/a*z", &["/ws/az", "/ws/abz"], &["/ws/abzy", "/ws/z"]),
            ("/**", &["/", "/a", "/a/", "/a/b/c"], &["", "a"]),
            ("/ws/**", &["/ws", "/ws/", "/ws/a", "/ws/a/b/"], &["/wsx", "/w"]),
            (
                "/**/chat",
                &["/chat", "/a/chat", "/a/b/chat", "/chat/", "/a/chat/"],
                &["/a/chatx", "/a/chat/b", "/"],
            ),
            ("/a/**/z", &["/a/z", "/a/b/z", "/a/b/z/", "/a/z//"], &["/a/", "/a/b/z/c"]),
            ("/ws/**/", &["/ws", "/ws/", "/ws/x", "/ws/x/", "/ws/x/y"], &["/", "/w"]),
            ("/ws/**/*", &["/ws/x", "/ws/x/", "/ws/x/y"], &["/ws", "/ws/"]),
            ("/*/", &["/", "/a/", "//"], &["/a", "/a/b/", ""]),
            ("/ws/*/", &["/ws/", "/ws/a/"], &["/ws", "/ws/a", "/ws/a/b/", "/"]),
            ("/*/*/", &["/a/", "/a/b/"], &["/", "/a", "/a/b"]),
            ("/a/**/b/**/c", &["/a/b/c", "/a/x/b/y/z/c", "/a/b/b/c/c"], &["/a/c", "/a/b", "/a/c/b"]),
            ("/**/**/x", &["/x", "/a/x"], &["/"]),
            ("/a+b/(c)/[d]", &["/a+b/(c)/[d]"], &["/aab/c/d"]),
            ("/ws/x**", &["/ws/x", "/ws/xyz"], &["/ws/x/y"]),
        ];
        for (pattern, matching, other) in table {
            for path in *matching {
                assert!(params(pattern, path).is_some(), "{pattern} should match {path:?}");
            }
            for path in *other {
                assert!(params(pattern, path).is_none(), "{pattern} should not match {path:?}");
            }
        }
    }

    #[test]
    fn parameters_are_the_text_of_the_path() {
        let table = [
            ("/relay/{room}", "/relay/lobby", Some("room=lobby")),
            ("/relay/{room}", "/relay/a%20b", Some("room=a%20b")),
            ("/relay/{room}", "/relay/", None),
            ("/relay/{room}", "/relay/a/b", None),
            ("/{a}/{b}", "/1/2", Some("a=1 b=2")),
            ("/files/{name}.{extension}", "/files/a.b.c", Some("name=a.b extension=c")),
            ("/files/{name}.{extension}", "/files/abc", None),
            ("/v{version:\\d+}", "/v12", Some("version=12")),
            ("/v{version:\\d+}", "/v1x", None),
            ("/{year:\\d{4}}-{month:\\d{2}}", "/2026-07", Some("year=2026 month=07")),
            ("/{side:(left|right)}/{n}", "/right/3", Some("side=right n=3")),
            ("/{side:left|right}hand", "/lefthand", Some("side=left")),
            ("/{side:left|right}", "/leftover", None),
            ("/{x:[^/]+}", "/abc", Some("x=abc")),
            ("/**/{last}", "/a/b/c", Some("last=c")),
            ("/ws/**/{id}", "/ws/x/42/", Some("id=42")),
            ("/ws/**/{id}", "/ws/", None),
            ("/**/{a}/x/{b}", "/1/2/x/3/x/4", Some("a=3 b=4")),
            ("/{id:[}]}", "/}", Some("id=}")),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(params(pattern, path).as_deref(), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn many_double_stars_stay_quick() {
        let pattern = Pattern::new(&format!("{}/end", "/**/a".repeat(60))).expect("valid");
        assert!(pattern.matches(&"/a".repeat(Pattern::MAX_PATH_SEGMENTS)).is_none());
    }

    #[test]
    fn paths_beyond_the_bounds_match_nothing() {
        let pattern = Pattern::new("/**").expect("valid");
        assert!(pattern.matches(&"/a".repeat(Pattern::MAX_PATH_SEGMENTS)).is_some());
        assert!(pattern.matches(&"/a".repeat(Pattern::MAX_PATH_SEGMENTS + 1)).is_none());
        assert!(pattern.matches(&format!("/{}", "a".repeat(Pattern::MAX_PATH_BYTES))).is_none());
    }
}
