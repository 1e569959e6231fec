//! A recording, one JSON value per line, that is replayed.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::field;
use crate::time::Instant;

/// A recording and its pace.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplaySettings {
    /// The file, one JSON value per line. The host reads it at the start. Relative paths begin in the folder of the
    /// configuration file; those of options in JavaScript at Vite's root, or in the working directory.
    pub file: String,
    /// Ms between two values. Default 1000, unless there is a `timestamp`.
    #[serde(default)]
    pub every: Option<u64>,
    /// Values that come at once with `every`. Default 1.
    #[serde(default = "one")]
    pub batch: usize,
    /// The field with the time of a value, as ISO 8601 text or in s or ms since 1970; a dot goes into an object. With it
    /// the values keep the intervals at which they were recorded.
    #[serde(default)]
    pub timestamp: Option<String>,
    /// How much faster than it was recorded, such as 60 for a minute in a second. Default 1.
    #[serde(default = "original_speed")]
    pub speed: f64,
    /// The longest interval in ms between two values with `timestamp`. Default: no limit.
    #[serde(default)]
    pub max_pause: Option<u64>,
    /// Ms before the first value. Default 0.
    #[serde(default)]
    pub delay: u64,
    /// Whether to start again after the last value. Default false.
    #[serde(default, rename = "loop")]
    pub repeat: bool,
}

impl ReplaySettings {
    /// This file at the default pace.
    pub fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            every: None,
            batch: 1,
            timestamp: None,
            speed: 1.0,
            max_pause: None,
            delay: 0,
            repeat: false,
        }
    }

    /// What is wrong with it, by key.
    pub(crate) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        match self {
            Self { every: Some(_), timestamp: Some(_), .. } => {
                Err(("every", "the pace comes from the timestamp already; write one of the two"))
            }
            Self { every: Some(0), .. } => {
                Err(("every", "write at least 1; `batch` lets more values come at once"))
            }
            Self { batch: 0, .. } => Err(("batch", "no value could ever come; write at least 1")),
            Self { speed, .. } if !(speed.is_finite() && *speed > 0.0) => {
                Err(("speed", "expected a number above 0, as 60 for a minute in a second"))
            }
            _ => Ok(()),
        }
    }
}

/// A recording at work.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) settings: ReplaySettings,
    /// `None` until the host has read the file.
    lines: Option<Lines>,
    /// The next value, with its time in ms.
    pending: Option<(Option<i64>, Value)>,
    /// Values since the last start from the beginning.
    published: u64,
    total: u64,
    progress: Instant,
}

/// The values that are due, and when the next ones are; `next: None` is the end.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Due {
    pub(crate) values: Vec<Value>,
    pub(crate) next: Option<Instant>,
    pub(crate) log: Vec<String>,
}

impl Replay {
    /// The most values in one turn, so that others are served too.
    const TURN: usize = 1_000;
    /// Ms between two log lines about the progress.
    const PROGRESS: u64 = 10_000;

    pub(crate) fn new(settings: ReplaySettings) -> Self {
        Self { settings, lines: None, pending: None, published: 0, total: 0, progress: Instant::default() }
    }

    /// Takes other settings; gives whether it goes on where it is, at the new pace. It begins anew with another file, and
    /// when it has ended and is to start again after the last value.
    pub(crate) fn change(&mut self, settings: ReplaySettings) -> bool {
        let has_ended = self.lines.as_ref().is_some_and(|lines| lines.text.is_empty());
        let repeats_now = settings.repeat && !self.settings.repeat;
        if settings.file == self.settings.file && !(has_ended && repeats_now) {
            self.settings = settings;
            return true;
        }
        *self = Self::new(settings);
        false
    }

    /// Whether the file still has to be read.
    pub(crate) fn wants_file(&self) -> bool {
        self.lines.is_none()
    }

    /// The file was read: when the first value is due.
    pub(crate) fn start(&mut self, now: Instant, text: Bytes) -> Instant {
        self.total =
            text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count() as u64;
        self.lines = Some(Lines { text, at: 0, number: 0, bad: 0 });
        self.progress = now + self.settings.delay + Self::PROGRESS;
        now + self.settings.delay
    }

    /// Takes what is due.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        let mut due = Due::default();
        let most = match self.settings.timestamp {
            Some(_) => Self::TURN,
            None => self.settings.batch.min(Self::TURN),
        };
        while let Some((at, value)) = self.take(&mut due.log) {
            due.values.push(value);
            self.published += 1;
            let pause = match self.peek(&mut due.log) {
                Some(next) => self.pause(at, next),
                None if self.settings.repeat => self.rewind(),
                None => break,
            };
            let is_pause = pause > 0 && self.settings.timestamp.is_some();
            if is_pause || due.values.len() >= most {
                due.next = Some(now + pause.max(1));
                break;
            }
        }
        if due.next.is_none() {
            self.lines = Some(Lines::default());
            due.log.push(format!("all {} values", self.published));
        }
        if now >= self.progress && due.next.is_some() {
            self.progress = now + Self::PROGRESS;
            let percent = self.published * 100 / self.total.max(1);
            due.log.push(format!("{} of {} values ({percent} %)", self.published, self.total));
        }
        due
    }

    /// Ms between values of these times.
    fn pause(&self, at: Option<i64>, next: Option<i64>) -> u64 {
        if self.settings.timestamp.is_none() {
            return self.settings.every.unwrap_or(1_000);
        }
        // Values without a time, and those out of order, follow at once.
        let distance = at.zip(next).map_or(0, |(at, next)| next.saturating_sub(at).max(0));
        let pause = (distance as f64 / self.settings.speed) as u64;
        pause.min(self.settings.max_pause.unwrap_or(u64::MAX))
    }

    /// Back to the first line; gives the pause before it.
    fn rewind(&mut self) -> u64 {
        if let Some(lines) = &mut self.lines {
            (lines.at, lines.number) = (0, 0);
        }
        self.published = 0;
        self.settings.every.unwrap_or(1_000)
    }

    fn take(&mut self, log: &mut Vec<String>) -> Option<(Option<i64>, Value)> {
        self.peek(log)?;
        self.pending.take()
    }

    /// The time of the next value.
    fn peek(&mut self, log: &mut Vec<String>) -> Option<Option<i64>> {
        if self.pending.is_none() {
            let value = self.lines.as_mut()?.next(log)?;
            let at = self.settings.timestamp.as_ref().and_then(|path| time(field(&value, path)?));
            self.pending = Some((at, value));
        }
        self.pending.as_ref().map(|(at, _)| *at)
    }
}

/// The lines of a file, parsed one by one.
#[derive(Debug, Default)]
struct Lines {
    text: Bytes,
    at: usize,
    number: u64,
    bad: u64,
}

impl Lines {
    /// How many malformed lines are logged one by one.
    const TOLD: u64 = 5;

    fn next(&mut self, log: &mut Vec<String>) -> Option<Value> {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = rest[..end].trim_ascii();
            self.at += end + 1;
            self.number += 1;
            match serde_json::from_slice(line) {
                Ok(value) => return Some(value),
                Err(_) if line.is_empty() => {}
                Err(error) => {
                    self.bad += 1;
                    if self.bad <= Self::TOLD {
                        log.push(format!("line {} is left out: {error}", self.number));
                    }
                }
            }
        }
        None
    }
}

/// Ms since 1970, from ISO 8601 text or a number of s or ms.
fn time(value: &Value) -> Option<i64> {
    /// Seconds as large as this would be in the year 5138.
    const MS: f64 = 1e11;
    match value {
        Value::Number(number) => {
            let number = number.as_f64()?;
            Some(if number.abs() < MS { number * 1000.0 } else { number } as i64)
        }
        Value::String(text) => match chrono::DateTime::parse_from_rfc3339(text) {
            Ok(time) => Some(time.timestamp_millis()),
            Err(_) => {
                let time = text.parse::<chrono::NaiveDateTime>().ok()?;
                Some(time.and_utc().timestamp_millis())
            }
        },
        _ => None,
    }
}

fn one() -> usize {
    1
}

fn original_speed() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// When which values come, and what is said, for at most `turns` turns.
    fn run(settings: Value, lines: &str, turns: usize) -> (Vec<(u64, Vec<Value>)>, Vec<String>) {
        let mut settings = settings;
        settings["file"] = json!("x.jsonl");
        let mut replay = Replay::new(serde_json::from_value(settings).unwrap());
        let (mut came, mut log) = (Vec::new(), Vec::new());
        let mut next = Some(replay.start(Instant::from_ms(100), Bytes::copy_from_slice(lines.as_bytes())));
        for _ in 0..turns {
            let Some(now) = next else { break };
            let due = replay.due(now);
            if !due.values.is_empty() {
                came.push((now.as_ms(), due.values));
            }
            log.extend(due.log);
            next = due.next;
        }
        (came, log)
    }

    #[test]
    fn a_fixed_pace_counts_from_the_delay() {
        let (came, log) = run(json!({ "every": 50, "delay": 7 }), "1\n2\n\n3", 9);
        assert_eq!(came, [(107, vec![json!(1)]), (157, vec![json!(2)]), (207, vec![json!(3)])]);
        assert_eq!(log, ["all 3 values"]);
        let (came, _) = run(json!({ "every": 1, "batch": 2 }), "1\n2\n3\n", 9);
        assert_eq!(came, [(100, vec![json!(1), json!(2)]), (101, vec![json!(3)])]);
    }

    #[test]
    fn timestamps_keep_their_distances() {
        let lines = r#"{"at":"2026-01-01T00:00:00Z"}
            {"at":"2026-01-01T00:01:00.500"}
            {"at":1767225660.5}
            {"at":1767225720500}
            {"none":1}"#;
        let times = |settings| {
            run(settings, lines, 9).0.into_iter().map(|(at, values)| (at, values.len())).collect::<Vec<_>>()
        };
        assert_eq!(times(json!({ "timestamp": "at" })), [(100, 1), (60_600, 2), (120_600, 2)]);
        assert_eq!(times(json!({ "timestamp": "at", "speed": 60 })), [(100, 1), (1_108, 2), (2_108, 2)]);
        assert_eq!(times(json!({ "timestamp": "at", "maxPause": 10 })), [(100, 1), (110, 2), (120, 2)]);
    }

    #[test]
    fn bad_lines_are_left_out_and_a_loop_of_nothing_ends() {
        let (came, log) = run(json!({ "every": 1 }), "1\n{\n2", 9);
        assert_eq!(came.len(), 2);
        assert_eq!(log[0], "line 2 is left out: EOF while parsing an object at line 1 column 1");
        assert_eq!(run(json!({ "loop": true }), "{\n", 9).0, []);
        let (came, _) = run(json!({ "every": 10, "loop": true }), "1\n2\n", 6);
        assert_eq!(came.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [100, 110, 120, 130, 140, 150]);
    }
}
