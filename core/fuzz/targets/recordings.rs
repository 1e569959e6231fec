//! Recordings and HAR files: any bytes are read or explained, however they are cut, and what was read is the same after it
//! was written.
//!
//! Input: a HAR file if it begins with `{"log"`, with what is attached to it behind a NUL; a recording otherwise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::recording::har::{HarRecording, HarWriter, read};
use switchboard_core::recording::{Line, Lines, Mask, RecordingError};

fuzz_target!(|data: &[u8]| {
    if data.starts_with(br#"{"log""#) {
        let mut parts = data.splitn(2, |byte| *byte == 0);
        let (text, attached) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match read(text, |_| Ok(attached.to_vec().into())) {
            Ok(recording) => again(&recording),
            Err(error) => explained(&error, data),
        }
        return;
    }
    let whole = lines(data, data.len());
    assert_eq!(lines(data, 1), whole, "byte by byte");
    assert_eq!(lines(data, 7), whole, "in pieces of 7");
    let mask = Mask::default();
    let mut writer = HarWriter::default();
    for line in whole {
        match line {
            Ok(line) => {
                assert_eq!(parsed(&line), line);
                let masked = mask.line(line);
                assert_eq!(mask.line(masked.clone()), masked, "what is masked stays as it is");
                writer.push(masked);
            }
            Err(error) => explained(&error, data),
        }
    }
    let written = writer.finish();
    if let Ok(recording) = read(written.text.as_bytes(), |_| unreachable!("nothing is attached")) {
        again(&recording);
    }
});

/// Each line, and what is wrong with those that are none.
fn lines(data: &[u8], part: usize) -> Vec<Result<Line, RecordingError>> {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    for part in data.chunks(part.max(1)) {
        lines.push(part);
        while let Some(line) = lines.next_line().transpose() {
            found.push(line.map(|placed| placed.line));
        }
    }
    found.extend(lines.finish().transpose().map(|line| line.map(|placed| placed.line)));
    found
}

fn parsed(line: &Line) -> Line {
    let mut text = Vec::new();
    line.write(&mut text);
    assert_eq!(text.pop(), Some(b'\n'));
    assert!(!text.contains(&b'\n'));
    Line::parse(1, &text).expect("what is written can be read")
}

fn explained(error: &RecordingError, data: &[u8]) {
    assert!(!error.message.is_empty());
    assert!(error.line > 0 || !error.field.is_empty());
    assert!(error.line <= 2 + data.iter().filter(|byte| **byte == b'\n').count() as u64, "{error}");
}

/// The recording as a HAR file says the same.
fn again(recording: &HarRecording) {
    let text = recording.to_lines().expect("short lines");
    let mut lines: Vec<Line> =
        lines(&text, text.len()).into_iter().map(|line| line.expect("a line")).collect();
    let mut writer = HarWriter::default();
    lines.drain(..).for_each(|line| writer.push(line));
    let written = writer.finish();
    assert_eq!(written.left_out, 0);
    if recording.events.is_empty() {
        return;
    }
    let again = read(written.text.as_bytes(), |_| unreachable!("nothing is attached")).expect("a HAR file");
    assert_eq!(again.events.len(), recording.events.len());
}
