//! A file's bytes, part by part, as its lines.

use super::error::RecordingError;
use super::line::{Line, MAX_LINE, too_long};

/// Reads a recording from parts of any size and holds no more of it than one line and one part.
///
/// ```
/// use switchboard_core::recording::{Line, Lines};
///
/// let mut lines = Lines::default();
/// lines.push(br#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:0"#);
/// assert!(lines.next_line()?.is_none(), "the line is not whole yet");
/// lines.push(b"0:00.000Z\"}\n{\"at\":3,\"ty");
/// assert!(matches!(lines.next_line()?.unwrap().line, Line::Header(_)));
/// assert!(lines.next_line()?.is_none());
/// assert!(lines.finish()?.is_none());
/// assert!(lines.is_torn(), "the last line was cut off by a crash");
/// # Ok::<(), switchboard_core::recording::RecordingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lines {
    held: Vec<u8>,
    /// How much of `held` was given out already.
    taken: usize,
    /// How much of `held` has no line feed for certain.
    searched: usize,
    /// The number of the next line.
    number: u64,
    /// Where the next line begins in the file.
    offset: u64,
    needs_header: bool,
    /// A line that is no JSON. If a header follows, a crash has torn it.
    suspect: Option<RecordingError>,
    /// What followed instead.
    next: Option<Result<Option<Placed>, RecordingError>>,
    is_torn: bool,
}

/// A line and its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The line.
    pub line: Line,
    /// Its number, from 1.
    pub number: u64,
    /// Where it begins, in bytes from the beginning of the file.
    pub offset: u64,
    /// Its length in bytes with the line feed.
    pub length: u64,
}

/// From the beginning of a file: the first line has to be a header.
impl Default for Lines {
    fn default() -> Self {
        Self { needs_header: true, ..Self::starting_at(1, 0) }
    }
}

impl Lines {
    /// From the beginning of a line further down, as [`Placed`] told it.
    pub fn starting_at(number: u64, offset: u64) -> Self {
        Self {
            held: Vec::new(),
            taken: 0,
            searched: 0,
            number,
            offset,
            needs_header: false,
            suspect: None,
            next: None,
            is_torn: false,
        }
    }

    /// The next bytes of the file.
    pub fn push(&mut self, part: &[u8]) {
        self.held.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.held.extend_from_slice(part);
    }

    /// The next line that is there with its line feed; `None` when more bytes are needed, or [`finish`](Self::finish).
    /// After an error the lines behind it can still be read.
    pub fn next_line(&mut self) -> Result<Option<Placed>, RecordingError> {
        if let Some(next) = self.next.take() {
            return next;
        }
        loop {
            let Some(feed) = self.held[self.searched..].iter().position(|byte| *byte == b'\n') else {
                self.searched = self.held.len();
                // A reader that does not stop here would hold any amount.
                return match self.held.len() - self.taken > MAX_LINE {
                    true => Err(too_long(self.number)),
                    false => Ok(None),
                };
            };
            let end = self.searched + feed;
            let start = std::mem::replace(&mut self.taken, end + 1);
            self.searched = self.taken;
            match self.line(start, end, end + 1) {
                Ok(None) => {}
                Err(error) if error.is_torn && !self.needs_header && self.suspect.is_none() => {
                    self.suspect = Some(error);
                }
                found => return self.settle(found),
            }
        }
    }

    /// At the end of the file, after the last [`next_line`](Self::next_line): the last line, if it has no line feed. One that
    /// was torn, so that it is no JSON, is left out: see [`is_torn`](Self::is_torn).
    pub fn finish(&mut self) -> Result<Option<Placed>, RecordingError> {
        if let Some(next) = self.next.take() {
            return next;
        }
        let (start, end) = (self.taken, self.held.len());
        self.taken = end;
        self.searched = end;
        let rest = &self.held[start..end];
        let is_json = rest.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(rest).is_ok();
        if !is_json && !self.needs_header {
            self.is_torn = true;
            return self.settle(Ok(None));
        }
        match self.line(start, end, end) {
            Ok(None) if self.needs_header => Err(RecordingError::new(
                self.number,
                "",
                "the file is empty; its first line has to be a header",
            )),
            last => self.settle(last),
        }
    }

    /// Whether a line was left out that a crash has torn: the last one of the file, or of a run. Worth a warning.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// The number of the next line.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What follows a line that is no JSON tells whether a crash has torn it.
    fn settle(
        &mut self,
        found: Result<Option<Placed>, RecordingError>,
    ) -> Result<Option<Placed>, RecordingError> {
        let Some(suspect) = self.suspect.take() else { return found };
        if let Ok(Some(Placed { line: Line::Header(_), .. })) = &found {
            self.is_torn = true;
            return found;
        }
        self.next = Some(found);
        Err(suspect)
    }

    /// `held[start..end]` as a line that takes up to `after`; `None` for a blank one.
    fn line(&mut self, start: usize, end: usize, after: usize) -> Result<Option<Placed>, RecordingError> {
        let length = (after - start) as u64;
        let (number, offset) = (self.number, self.offset);
        let text = &self.held[start..end];
        // Some editors begin a file with it.
        let text = text.strip_prefix(b"\xef\xbb\xbf").filter(|_| offset == 0).unwrap_or(text);
        if !text.is_empty() || length > 0 {
            self.number += 1;
            self.offset += length;
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let line = Line::parse(number, text)?;
        if std::mem::take(&mut self.needs_header) && !matches!(line, Line::Header(_)) {
            let text = r#"the first line has to be a header: {"switchboard":"recording","version":1,"startedAt":"…"}"#;
            return Err(RecordingError::new(number, "", text));
        }
        Ok(Some(Placed { line, number, offset, length }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "{\"switchboard\":\"recording\",\"version\":1,\"startedAt\":\"2026-11-22T05:00:00.000Z\"}\n";

    /// What is read from parts of this size: places, and errors as text.
    fn read(text: &[u8], part: usize) -> (Vec<(u64, u64, u64)>, Vec<String>, bool) {
        let (mut lines, mut placed, mut errors) = (Lines::default(), Vec::new(), Vec::new());
        let mut note = |result: Result<Option<Placed>, RecordingError>| match result {
            Ok(Some(line)) => {
                placed.push((line.number, line.offset, line.length));
                true
            }
            Ok(None) => false,
            Err(error) => {
                errors.push(error.to_string());
                true
            }
        };
        for part in text.chunks(part) {
            lines.push(part);
            while note(lines.next_line()) {}
        }
        note(lines.finish());
        (placed, errors, lines.is_torn())
    }

    #[test]
    fn parts_of_every_size_give_the_same_lines() {
        let text = format!(
            "{HEADER}\r\n{{\"at\":1,\"type\":\"gap\",\"missed\":1}}\r\n{{\"at\":2,\"type\":\"gap\",\"missed\":1}}"
        );
        let header = HEADER.len() as u64;
        let expected = vec![(1, 0, header), (3, header + 2, 34), (4, header + 36, 32)];
        for part in 1..=text.len() {
            assert_eq!(read(text.as_bytes(), part), (expected.clone(), Vec::new(), false), "{part}");
        }
    }

    #[test]
    fn only_a_last_line_may_be_torn() {
        let gap = "{\"at\":1,\"type\":\"gap\",\"missed\":1}\n";
        for (rest, lines, errors, is_torn) in [
            (String::new(), 1, vec![], false),
            (format!("{gap}{{\"at\":1,\"ty"), 2, vec![], true),
            (
                format!("{{\"at\":1,\"ty\n{gap}"),
                2,
                vec!["line 2: not JSON: EOF while parsing a string at column 11"],
                false,
            ),
            // Whole, but wrong: nothing tore it.
            ("{\"at\":1}".to_owned(), 1, vec!["line 2: the key \"type\" is missing"], false),
        ] {
            let (placed, found, torn) = read((HEADER.to_owned() + &rest).as_bytes(), 7);
            assert_eq!((placed.len(), torn), (lines, is_torn), "{rest}");
            assert_eq!(found, errors, "{rest}");
        }
    }

    #[test]
    fn a_line_before_another_header_may_be_torn_too() {
        let text = format!("{HEADER}{{\"at\":1,\"ty\n\n{HEADER}");
        for part in 1..=text.len() {
            let (placed, errors, is_torn) = read(text.as_bytes(), part);
            assert_eq!((placed.len(), errors, is_torn), (2, vec![], true), "{part}");
        }
        let whole = format!("{HEADER}{{\"at\":1,\"ty\n{}", HEADER.trim_end());
        assert!(read(whole.as_bytes(), 9).2);
        let two = format!("{HEADER}{{\n}}\n{HEADER}");
        let expected = [
            "line 2: not JSON: EOF while parsing an object at column 1",
            "line 3: not JSON: expected value at column 1",
        ];
        assert_eq!(read(two.as_bytes(), 9).1, expected);
    }

    #[test]
    fn a_file_begins_with_a_header() {
        for (text, expected) in [
            ("", "line 1: the file is empty; its first line has to be a header"),
            ("\n\n", "line 3: the file is empty; its first line has to be a header"),
            ("GIF89a", "line 1: not JSON: expected value at column 1"),
            (
                "{\"at\":1,\"type\":\"gap\",\"missed\":1}\n",
                "line 1: the first line has to be a header: {\"switchboard\":\"recording\",\"version\":1,\"startedAt\":\"…\"}",
            ),
        ] {
            assert_eq!(read(text.as_bytes(), 100).1, [expected], "{text:?}");
        }
        let with_mark = format!("\u{feff}{HEADER}");
        assert_eq!(read(with_mark.as_bytes(), 100).1, [""; 0]);
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let mut lines = Lines::starting_at(2, 80);
        let part = vec![b' '; MAX_LINE / 2 + 1];
        lines.push(&part);
        assert_eq!(lines.next_line(), Ok(None));
        lines.push(&part);
        let error = lines.next_line().unwrap_err();
        assert_eq!(error.to_string(), "line 2: longer than 64 MiB, the longest line that is read");
    }
}
