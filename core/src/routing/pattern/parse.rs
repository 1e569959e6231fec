//! Pattern text to segments.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::PatternError;
use super::segment::Segment;

/// The largest compiled size in bytes of one segment's regular expression.
const MAX_REGEX_BYTES: usize = 256 * 1024;

/// The longest pattern in bytes.
const MAX_PATTERN_BYTES: usize = 1024;

pub(super) fn parse(pattern: &str) -> Result<Vec<Segment>, PatternError> {
    if pattern.len() > MAX_PATTERN_BYTES {
        let message = format!("too long; a pattern has at most {MAX_PATTERN_BYTES} bytes");
        return Err(PatternError::new(pattern, MAX_PATTERN_BYTES, message));
    }
    let Some(relative) = pattern.strip_prefix('/') else {
        let message = format!("a pattern starts with a slash; write \"/{pattern}\"");
        return Err(PatternError::new(pattern, 0, message));
    };
    let mut parser = Parser { pattern, names: Vec::new() };
    let mut segments: Vec<Segment> = Vec::new();
    let mut start = pattern.len() - relative.len();
    loop {
        let end = parser.segment_end(start)?;
        let last = end == pattern.len();
        // Repeated slashes count once, but a trailing one is a segment of its own.
        if end > start || last {
            let segment = parser.segment(start, end)?;
            let repeated = matches!(segment, Segment::AnySegments)
                && matches!(segments.last(), Some(Segment::AnySegments));
            if !repeated {
                segments.push(segment);
            }
        }
        if last {
            // With `**` a trailing slash is ignored.
            let is_trailing =
                |segment: &mut Segment| matches!(segment, Segment::Literal(text) if text.is_empty());
            if segments.iter().any(|segment| matches!(segment, Segment::AnySegments)) {
                segments.pop_if(is_trailing);
            }
            return Ok(segments);
        }
        start = end + 1;
    }
}

struct Parser<'a> {
    pattern: &'a str,
    names: Vec<Arc<str>>,
}

/// What a segment consists of.
enum Part<'a> {
    Text(&'a str),
    OneCharacter,
    Star,
    Param { name: Arc<str>, regex: Option<&'a str> },
}

impl<'a> Parser<'a> {
    fn error(&self, byte: usize, message: impl Into<String>) -> PatternError {
        PatternError::new(self.pattern, byte, message)
    }

    /// Where the segment that begins at `start` ends: a slash within braces belongs to a regular expression.
    fn segment_end(&self, start: usize) -> Result<usize, PatternError> {
        let mut at = start;
        while let Some(character) = self.pattern[at..].chars().next() {
            match character {
                '/' => return Ok(at),
                '{' => at = self.braces_end(at)? + 1,
                '}' => {
                    return Err(self.error(at, "this \"}\" closes nothing; write a parameter as {name}"));
                }
                _ => at += character.len_utf8(),
            }
        }
        Ok(at)
    }

    /// The offset of the brace that closes the one at `open`. In a regular expression braces may nest, and those
    /// that are escaped or in a character class do not count.
    fn braces_end(&self, open: usize) -> Result<usize, PatternError> {
        let (mut depth, mut escaped, mut class) = (0, false, None);
        let is_regex = self.pattern[open..]
            .find([':', '}', '/'])
            .is_some_and(|at| self.pattern[open + at..].starts_with(':'));
        for (at, character) in self.pattern[open..].char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '[' if class.is_none() => class = Some(open + at),
                ']' => class = None,
                '{' if class.is_none() => depth += 1,
                '}' if class.is_none() => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(open + at);
                    }
                }
                '/' if !is_regex => break,
                _ => {}
            }
        }
        if let Some(bracket) = class.filter(|_| is_regex) {
            let message = "this \"[\" of a regular expression is never closed; close it with \"]\", or write \\[ for the \
                           character itself";
            return Err(self.error(bracket, message));
        }
        let rest = &self.pattern[open + 1..];
        let name = &rest[..rest.find(['/', ':']).unwrap_or(rest.len())];
        Err(self.error(open, format!("this \"{{\" is never closed; write {{{name}}}")))
    }

    fn segment(&mut self, start: usize, end: usize) -> Result<Segment, PatternError> {
        let text = &self.pattern[start..end];
        match text {
            "**" => return Ok(Segment::AnySegments),
            "*" => return Ok(Segment::Any),
            _ => {}
        }
        if let Some(name) = text.strip_prefix(':').filter(|name| is_name(name)) {
            return Err(self.error(start, format!("\":{name}\" is no parameter here; write {{{name}}}")));
        }
        let parts = self.parts(start, end)?;
        match &parts[..] {
            [] => Ok(Segment::Literal(String::new())),
            [Part::Text(text)] => Ok(Segment::Literal((*text).to_owned())),
            [Part::Param { name, regex: None }] => Ok(Segment::Param(name.clone())),
            parts => self.mixed(start, parts),
        }
    }

    fn parts(&mut self, start: usize, end: usize) -> Result<Vec<Part<'a>>, PatternError> {
        let mut parts = Vec::new();
        let mut at = start;
        while at < end {
            let rest = &self.pattern[at..end];
            let text = rest.find(['?', '*', '{']).unwrap_or(rest.len());
            if text > 0 {
                parts.push(Part::Text(&rest[..text]));
                at += text;
                continue;
            }
            match rest.as_bytes()[0] {
                b'{' => {
                    let close = self.braces_end(at)?;
                    parts.push(self.param(at, close)?);
                    at = close;
                }
                b'?' => parts.push(Part::OneCharacter),
                _ => parts.push(Part::Star),
            }
            at += 1;
        }
        Ok(parts)
    }

    /// The parameter between the braces at `open` and `close`.
    fn param(&mut self, open: usize, close: usize) -> Result<Part<'a>, PatternError> {
        let inner = &self.pattern[open + 1..close];
        let (name, regex) = match inner.split_once(':') {
            Some((name, regex)) => (name, Some(regex)),
            None => (inner, None),
        };
        if name.starts_with('*') {
            let message = "a parameter is at most one segment; write ** for any number of segments";
            return Err(self.error(open + 1, message));
        }
        if !is_name(name) {
            let message =
                format!("{name:?} is no parameter name; write letters, digits, \"_\" and \"-\", as {{room}}");
            return Err(self.error(open + 1, message));
        }
        if self.names.iter().any(|known| &**known == name) {
            let message = format!("the parameter {name:?} is already taken; give each its own name");
            return Err(self.error(open + 1, message));
        }
        if let Some(regex) = regex {
            // Checked on its own first, so that it cannot close one of the groups around it.
            self.regex(open + 1 + name.len() + 1, regex)?;
        }
        let name: Arc<str> = Arc::from(name);
        self.names.push(name.clone());
        Ok(Part::Param { name, regex })
    }

    fn mixed(&self, start: usize, parts: &[Part<'_>]) -> Result<Segment, PatternError> {
        let mut source = String::from("(?s)^");
        let mut names = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) => source.push_str(&regex::escape(text)),
                Part::OneCharacter => source.push('.'),
                Part::Star => source.push_str(".*"),
                Part::Param { name, regex } => {
                    let group = format!("switchboard_{}", names.len());
                    let regex = regex.map_or(".*".to_owned(), |regex| format!("(?:{regex})"));
                    source.push_str(&format!("(?P<{group}>{regex})"));
                    names.push((name.clone(), group));
                }
            }
        }
        source.push('$');
        Ok(Segment::Mixed { regex: self.regex(start, &source)?, names })
    }

    fn regex(&self, byte: usize, source: &str) -> Result<Regex, PatternError> {
        RegexBuilder::new(source).size_limit(MAX_REGEX_BYTES).build().map_err(|error| {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.error(byte, format!("not a usable regular expression: {reason}"))
        })
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use crate::Pattern;

    #[test]
    fn wrong_patterns_say_what_to_write() {
        let table = [
            ("ws/chat", 1, "a pattern starts with a slash; write \"/ws/chat\""),
            ("", 1, "a pattern starts with a slash; write \"/\""),
            ("/ws/{room", 5, "this \"{\" is never closed; write {room}"),
            ("/ws/{room/x}", 5, "this \"{\" is never closed; write {room}"),
            ("/ws/room}", 9, "this \"}\" closes nothing; write a parameter as {name}"),
            ("/ws/:room", 5, "\":room\" is no parameter here; write {room}"),
            ("/ws/{*rest}", 6, "a parameter is at most one segment; write ** for any number of segments"),
            ("/é/{}", 5, "\"\" is no parameter name; write letters, digits, \"_\" and \"-\", as {room}"),
            ("/{a.b}", 3, "\"a.b\" is no parameter name; write letters, digits, \"_\" and \"-\", as {room}"),
            ("/{a}/{a}", 7, "the parameter \"a\" is already taken; give each its own name"),
            (
                "/ws/{id:[}",
                9,
                "this \"[\" of a regular expression is never closed; close it with \"]\", or write \\[ for the character itself",
            ),
            ("/{a:(}", 5, "not a usable regular expression: unclosed group"),
            ("/{a:)(}", 5, "not a usable regular expression: unopened group"),
            (
                "/{a:(?=x)}",
                5,
                "not a usable regular expression: look-around, including look-ahead and look-behind, is not supported",
            ),
        ];
        for (pattern, character, message) in table {
            let error = Pattern::new(pattern).expect_err(pattern);
            assert_eq!((error.character, error.message.as_str()), (character, message), "{pattern}");
        }
        assert_eq!(
            Pattern::new("/ws/{room").expect_err("unclosed").to_string(),
            r#"pattern "/ws/{room", character 5: this "{" is never closed; write {room}"#
        );
    }

    #[test]
    fn huge_patterns_are_refused() {
        assert!(Pattern::new(&format!("/{}", "a".repeat(2000))).is_err());
        assert!(Pattern::new("/{a:(x{100}){100}{100}}").is_err());
    }

    #[test]
    fn names_come_in_order() {
        let pattern = Pattern::new("/{b}/x{a}y/{c:\\d+}").expect("valid");
        assert_eq!(pattern.names().collect::<Vec<_>>(), ["b", "a", "c"]);
    }
}
