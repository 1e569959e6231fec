//! The steps of one recorded connection, read from its file part by part.

use std::time::Duration;

use super::index::Recorded;
use super::options::{Speed, StartAt};
use super::phoenix;
use super::step::Step;
use crate::interface::close_cause::CloseCause;
use crate::message::CloseCode;
use crate::recording::{EventKind, Line, Lines, Placed, RecordingError, Side};

/// How a recording is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) speed: Speed,
    pub(super) start_at: StartAt,
    pub(super) repeats: bool,
}

/// Reads the lines of one connection.
#[derive(Debug)]
pub(super) struct Track {
    recorded: Recorded,
    pace: Pace,
    lines: Lines,
    /// Where the next part begins.
    next: u64,
    /// When the latest step happened, since the run began.
    at: Duration,
    /// How many messages there were.
    messages: u64,
    /// Whether all was read.
    has_ended: bool,
}

impl Track {
    pub(super) fn new(recorded: Recorded, pace: Pace) -> Self {
        let lines = Lines::starting_at(recorded.line, recorded.start);
        let at = match pace.start_at {
            StartAt::Ms(ms) => {
                recorded.at.saturating_add(Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or_default())
            }
            StartAt::Event(_) => recorded.at,
        };
        let next = recorded.start;
        Self { recorded, pace, lines, next, at, messages: 0, has_ended: false }
    }

    /// From its beginning again.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.recorded.clone(), self.pace);
    }

    /// Where the next part begins in the file, and how much of it is needed.
    pub(super) fn wanted(&self) -> (u64, u64) {
        (self.next, self.recorded.end.saturating_sub(self.next))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// The next bytes; gives the steps in them.
    pub(super) fn push(&mut self, part: &[u8], is_last: bool) -> Result<Vec<Step>, RecordingError> {
        let mut steps = Vec::new();
        self.next += part.len() as u64;
        self.lines.push(part);
        while !self.has_ended
            && let Some(placed) = self.lines.next_line()?
        {
            self.add(placed, &mut steps);
        }
        if !self.has_ended && (is_last || self.next >= self.recorded.end) {
            // The last line of a file may have no line feed.
            if let Some(placed) = self.lines.finish()? {
                self.add(placed, &mut steps);
            }
            self.end(&mut steps);
        }
        Ok(steps)
    }

    fn end(&mut self, steps: &mut Vec<Step>) {
        if !std::mem::replace(&mut self.has_ended, true) && self.pace.repeats {
            // A recording that never waits must not take all the time there is.
            steps.extend([Step::Wait(Duration::from_millis(1)), Step::Restart]);
        }
    }

    fn add(&mut self, Placed { line, number, .. }: Placed, steps: &mut Vec<Step>) {
        if self.has_ended {
            return;
        }
        let event = match line {
            Line::Event(event) if event.connection == self.recorded.connection => event,
            // Another run.
            Line::Header(_) if number > self.recorded.line => return self.end(steps),
            _ => return,
        };
        match event.kind {
            EventKind::Message { message, .. } if phoenix::belongs_to_heartbeat(&message) => {}
            EventKind::Message { from, message } => {
                self.messages += 1;
                let is_early = match self.pace.start_at {
                    StartAt::Ms(_) => event.at < self.at,
                    StartAt::Event(first) => self.messages < first,
                };
                if is_early {
                    if matches!(self.pace.start_at, StartAt::Event(_)) {
                        self.at = event.at;
                    }
                    return;
                }
                if self.messages == 1
                    || !matches!(self.pace.start_at, StartAt::Event(first) if first == self.messages)
                {
                    self.wait_until(event.at, from, steps);
                }
                self.at = event.at;
                steps.push(match from {
                    Side::Client => Step::Expect { message, line: number },
                    Side::Server => Step::Send(message),
                });
            }
            EventKind::Close { by, frame } => {
                if by == CloseCause::Server && !self.pace.repeats {
                    self.wait_until(event.at, Side::Server, steps);
                    steps.push(match frame.code {
                        CloseCode::NO_STATUS => Step::Close(None),
                        CloseCode::ABNORMAL => Step::Terminate,
                        _ => Step::Close(Some(frame)),
                    });
                }
                self.end(steps);
            }
            EventKind::Open(_) | EventKind::Refuse(_) | EventKind::Fault { .. } => {}
        }
    }

    /// What the server did, it does as long after the step before; the client takes its own time.
    fn wait_until(&mut self, at: Duration, from: Side, steps: &mut Vec<Step>) {
        if let (Side::Server, Speed::Times(times)) = (from, self.pace.speed) {
            let time = at.saturating_sub(self.at).div_f64(times);
            if !time.is_zero() {
                steps.push(Step::Wait(time));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::replay::index::IndexBuilder;

    const RECORDING: &str = r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z"}
{"at":10,"connection":1,"type":"open","path":"/a"}
{"at":12.5,"connection":1,"type":"message","from":"server","text":"hello"}
{"at":13,"connection":2,"type":"open","path":"/a"}
{"at":20,"connection":1,"type":"message","from":"client","text":"q"}
{"at":21,"connection":2,"type":"message","from":"server","text":"other"}
{"at":25,"connection":1,"type":"message","from":"client","json":[null,"1","phoenix","heartbeat",{}]}
{"at":26,"connection":1,"type":"message","from":"server","json":[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]}
{"at":30,"connection":1,"type":"message","from":"server","binary":"AQI="}
{"at":40,"connection":1,"type":"close","by":"server","code":4000,"reason":"bye"}
{"switchboard":"recording","version":1,"startedAt":"2026-11-22T06:00:00.000Z"}
{"at":1,"connection":1,"type":"open","path":"/a"}"#;

    fn steps(number: usize, pace: Pace, part: usize) -> String {
        let mut builder = IndexBuilder::default();
        builder.push(RECORDING.as_bytes(), true).unwrap();
        let recorded = builder.finish().unwrap().connections[number].clone();
        let mut track = Track::new(recorded, pace);
        let mut all = Vec::new();
        while !track.has_ended() {
            let (start, _) = track.wanted();
            let rest = &RECORDING.as_bytes()[start as usize..];
            let is_last = rest.len() <= part;
            all.extend(track.push(&rest[..part.min(rest.len())], is_last).unwrap());
        }
        let told = all.iter().map(|step| match step {
            Step::Expect { message, line } => format!("{line}<{}", message.as_text().unwrap_or("binary")),
            Step::Send(message) => format!(">{}", message.as_text().unwrap_or("binary")),
            Step::Wait(time) => format!("+{}", time.as_micros()),
            Step::Close(frame) => format!("close {:?}", frame.as_ref().map(|frame| frame.code.0)),
            Step::Terminate => "end".to_owned(),
            Step::Restart => "again".to_owned(),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_connection_is_read_from_parts_of_every_size() {
        let usual = Pace { speed: Speed::Times(1.0), start_at: StartAt::default(), repeats: false };
        let expected = "+2500 >hello 5<q +10000 >binary +10000 close Some(4000)";
        for part in [1, 7, 100, 10_000] {
            assert_eq!(steps(0, usual, part), expected, "{part}");
        }
        assert_eq!(steps(1, usual, 100), "+8000 >other");
        assert_eq!(steps(2, usual, 100), "");
        let fast = Pace { speed: Speed::Times(10.0), ..usual };
        assert_eq!(steps(0, fast, 100), "+250 >hello 5<q +1000 >binary +1000 close Some(4000)");
        let instant = Pace { speed: Speed::Instant, ..usual };
        assert_eq!(steps(0, instant, 100), ">hello 5<q >binary close Some(4000)");
        let repeats = Pace { speed: Speed::Instant, repeats: true, ..usual };
        assert_eq!(steps(0, repeats, 100), ">hello 5<q >binary +1000 again");
        let late = Pace { start_at: StartAt::Ms(15.0), ..usual };
        assert_eq!(steps(0, late, 100), "+5000 >binary +10000 close Some(4000)");
        let third = Pace { start_at: StartAt::Event(3), ..usual };
        assert_eq!(steps(0, third, 100), ">binary +10000 close Some(4000)");
    }
}
