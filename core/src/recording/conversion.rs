//! Recordings from and to HAR, part by part: what `switchboard convert` does on every host.

use bytes::Bytes;

use super::har::{self, HarWriter};
use super::{EventKind, Line, Lines, Mask, RecordingError};
use crate::schema::ConfigError;

/// A conversion under way. The host reads files, gives what is in them, and writes what it [takes](Self::take).
#[derive(Debug)]
pub struct Conversion {
    /// `None`: credentials stay as they are.
    mask: Option<Mask>,
    /// `None`: JSON Lines are written.
    har: Option<HarWriter>,
    lines: Lines,
    output: Vec<u8>,
    connections: usize,
    messages: usize,
    skipped: usize,
    unanswered: usize,
    left_out: usize,
}

impl Conversion {
    /// One that writes HAR, or JSON Lines. `mask` are regular expressions of what is left out besides credentials; with
    /// `reveal` nothing is.
    ///
    /// # Errors
    ///
    /// One of them is no regular expression.
    pub fn new(mask: &[String], reveal: bool, to_har: bool) -> Result<Self, ConfigError> {
        let mask = Mask::new(mask)?;
        Ok(Self {
            mask: (!reveal).then_some(mask),
            har: to_har.then(HarWriter::default),
            lines: Lines::default(),
            output: Vec::new(),
            connections: 0,
            messages: 0,
            skipped: 0,
            unanswered: 0,
            left_out: 0,
        })
    }

    /// Takes the next part of JSON Lines; an empty one is their end.
    ///
    /// # Errors
    ///
    /// A line is none of a recording.
    pub fn lines(&mut self, part: &[u8]) -> Result<(), RecordingError> {
        self.lines.push(part);
        loop {
            let next = if part.is_empty() { self.lines.finish() } else { self.lines.next_line() };
            match next? {
                Some(placed) => self.push(placed.line),
                None => return Ok(()),
            }
        }
    }

    /// Takes a whole HAR file, of [`MAX_FILE`](har::MAX_FILE) bytes at the most. `attached` gives what is in a file beside it, or
    /// why it cannot.
    ///
    /// # Errors
    ///
    /// It is no HAR file, or has no WebSocket.
    pub fn har(
        &mut self,
        text: &[u8],
        attached: impl FnMut(&str) -> Result<Bytes, String>,
    ) -> Result<(), RecordingError> {
        let recording = har::read(text, attached)?;
        self.skipped += recording.skipped;
        self.unanswered += recording.unanswered;
        self.push(Line::Header(recording.header));
        for event in recording.events {
            self.push(Line::Event(event));
        }
        Ok(())
    }

    fn push(&mut self, line: Line) {
        if let Line::Event(event) = &line {
            match event.kind {
                EventKind::Open(_) | EventKind::Refuse(_) => self.connections += 1,
                EventKind::Message { .. } => self.messages += 1,
                EventKind::Close { .. } | EventKind::Fault { .. } => {}
            }
        }
        let line = match &self.mask {
            Some(mask) => mask.line(line),
            None => line,
        };
        match &mut self.har {
            Some(writer) => writer.push(line),
            None => line.write(&mut self.output),
        }
    }

    /// Everything has been given.
    pub fn finish(&mut self) {
        if let Some(writer) = self.har.take() {
            let written = writer.finish();
            self.left_out = written.left_out;
            self.output = written.text.into_bytes();
        }
    }

    /// What is to be written so far.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// What to tell of it when it is finished. `input` is the name of the file that was read.
    pub fn notes(&self, input: &str) -> Vec<String> {
        let Self { connections, messages, skipped, unanswered, left_out, .. } = self;
        let mut notes = vec![format!("connections: {connections}, messages: {messages}")];
        if self.lines.is_torn() {
            notes.push(format!("line {} of {input} was torn and is left out", self.lines.number()));
        }
        if *skipped > 0 {
            notes.push(format!("entries of {input} that are no WebSockets: {skipped}"));
        }
        if *unanswered > 0 {
            notes.push(format!("{unanswered} WebSockets of {input} have no answer and are left out"));
        }
        if *left_out > 0 {
            notes.push(format!(
                "events without a place in HAR (faults, gaps, what lacks its opening): {left_out}"
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDING: &str = r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z","source":"wss://example.com/feed"}
{"at":0,"connection":1,"type":"open","path":"/feed?token=opensesame","headers":[],"status":101}
{"at":12.5,"connection":1,"type":"message","from":"client","json":{"password":"opensesame"}}
{"at":13,"connection":1,"type":"fault","effect":"a message is lost"}
{"at":55,"connection":1,"type":"clo"#;

    fn converted(text: &[u8], reveal: bool, to_har: bool) -> (String, Vec<String>) {
        let mut conversion = Conversion::new(&[], reveal, to_har).expect("no mask");
        let mut output = Vec::new();
        if text.starts_with(b"{\"switchboard\"") {
            for part in text.chunks(7) {
                conversion.lines(part).expect("lines");
                output.extend(conversion.take());
            }
            conversion.lines(&[]).expect("an end");
        } else {
            conversion.har(text, |_| Err("none".to_owned())).expect("HAR");
        }
        conversion.finish();
        output.extend(conversion.take());
        (String::from_utf8(output).expect("UTF-8"), conversion.notes("in"))
    }

    #[test]
    fn there_and_back() {
        let (har, notes) = converted(RECORDING.as_bytes(), false, true);
        assert_eq!(
            notes,
            [
                "connections: 1, messages: 1",
                "line 5 of in was torn and is left out",
                "events without a place in HAR (faults, gaps, what lacks its opening): 1",
            ]
        );
        assert!(!har.contains("opensesame"), "{har}");
        let (lines, notes) = converted(har.as_bytes(), false, false);
        assert_eq!(notes, ["connections: 1, messages: 1"]);
        assert!(lines.contains(r#""path":"/feed?token=***""#), "{lines}");
        assert!(converted(RECORDING.as_bytes(), true, true).0.contains("opensesame"));
    }
}
