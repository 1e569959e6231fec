//! Keeps the log readable: what happens a thousand times is logged once, with a count.

use std::collections::{HashMap, hash_map};

use crate::interface::effect::{Effect, Level};
use crate::time::Instant;

/// What was logged lately.
#[derive(Debug, Default)]
pub(crate) struct LogThrottle {
    entries: HashMap<(usize, &'static str), Entry>,
}

#[derive(Debug)]
struct Entry {
    /// When it was logged last; for a burst, when it happened last.
    said: Instant,
    kept_back: u64,
}

impl LogThrottle {
    /// The interval in ms in which the same thing about the same route is logged at most once.
    const INTERVAL: u64 = 1_000;

    /// The longest text in bytes, as much of it comes from clients.
    const MAX_BYTES: usize = 500;

    /// Logs `text` about a route, unless the same `kind` of thing was logged within the last second.
    pub(crate) fn note(
        &mut self,
        now: Instant,
        (route, kind): (usize, &'static str),
        level: Level,
        text: impl FnOnce() -> String,
        effects: &mut Vec<Effect>,
    ) {
        let entry = self.entries.get_mut(&(route, kind));
        let kept_back = match entry {
            Some(entry) if now.ms_since(entry.said) < Self::INTERVAL => {
                entry.kept_back += 1;
                return;
            }
            Some(entry) => {
                entry.said = now;
                std::mem::take(&mut entry.kept_back)
            }
            None => {
                self.entries.insert((route, kind), Entry { said: now, kept_back: 0 });
                0
            }
        };
        log(level, text(), kept_back, effects);
    }

    /// Logs `text` about a route when a burst of the same `kind` begins: again only after a second without any.
    pub(crate) fn note_burst(
        &mut self,
        now: Instant,
        (route, kind): (usize, &'static str),
        level: Level,
        text: impl FnOnce() -> String,
        effects: &mut Vec<Effect>,
    ) {
        let kept_back = match self.entries.entry((route, kind)) {
            hash_map::Entry::Occupied(mut entry) => {
                let entry = entry.get_mut();
                let last = std::mem::replace(&mut entry.said, now);
                if now.ms_since(last) < Self::INTERVAL {
                    entry.kept_back += 1;
                    return;
                }
                std::mem::take(&mut entry.kept_back)
            }
            hash_map::Entry::Vacant(entry) => {
                entry.insert(Entry { said: now, kept_back: 0 });
                0
            }
        };
        log(level, text(), kept_back, effects);
    }
}

fn log(level: Level, mut text: String, kept_back: u64, effects: &mut Vec<Effect>) {
    if text.len() > LogThrottle::MAX_BYTES {
        text.truncate(text.floor_char_boundary(LogThrottle::MAX_BYTES));
        text.push('…');
    }
    if kept_back > 0 {
        // Behind the first line; others are a stack.
        let end = text.find('\n').unwrap_or(text.len());
        text.insert_str(end, &format!(" (and {kept_back} times more since)"));
    }
    effects.push(Effect::Log { level, text });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_times_is_said_once_and_counted() {
        let (mut throttle, mut effects) = (LogThrottle::default(), Vec::new());
        for ms in 0..1_001 {
            let text = || "too fast".to_owned();
            throttle.note(Instant::from_ms(ms), (0, "rate"), Level::Warn, text, &mut effects);
        }
        assert_eq!(texts(&effects), ["too fast", "too fast (and 999 times more since)"]);
    }

    #[test]
    fn a_burst_is_said_when_it_begins() {
        let (mut throttle, mut effects) = (LogThrottle::default(), Vec::new());
        for ms in (0..10_000).chain([10_998, 11_998, 11_999]) {
            let text = || "too slow".to_owned();
            throttle.note_burst(Instant::from_ms(ms), (0, "dropped"), Level::Warn, text, &mut effects);
        }
        assert_eq!(texts(&effects), ["too slow", "too slow (and 10000 times more since)"]);
    }

    fn texts(effects: &[Effect]) -> Vec<&str> {
        let texts = effects.iter().map(|effect| match effect {
            Effect::Log { text, .. } => text.as_str(),
            other => panic!("{other:?}"),
        });
        texts.collect()
    }
}
