//! The sources of feeds.

use bytes::Bytes;
use chacha20::rand_core::Rng;
use http::Response;
use serde_json::Value;

use super::{Engine, ServerPhase};
use crate::feed::post;
use crate::feed::source::{FeedSource, Source, Work};
use crate::interface::effect::{Effect, Level};
use crate::interface::upstream::{UpstreamEvent, UpstreamId, refused};
use crate::state::Owner;
use crate::state::timers::Timer;
use crate::time::{Instant, Now};

/// How many values of one request are published at once.
const SLICE_VALUES: usize = 256;

/// How many messages these may become, if every connection is sent each value.
const SLICE_MESSAGES: usize = 4_096;

/// Ms until more are published: others are served in between.
const SLICE_PAUSE: u64 = 1;

impl Engine {
    /// Adds a source to a feed. It starts with the first [`handle_timeout`](Self::handle_timeout).
    pub fn add_source(&mut self, feed: impl Into<String>, source: FeedSource) {
        let source = Source::new(feed.into(), source);
        if let Some(endpoint) = source.endpoint() {
            self.add_endpoint(endpoint, Owner::Source(self.sources.len()));
        }
        self.start_source(self.sources.len(), source);
    }

    /// Puts a source at a place that is free.
    pub(super) fn start_source(&mut self, place: usize, source: Source) {
        if !matches!(source.work, Work::Post { .. }) {
            self.state.timers.set(Timer::Source(place), Instant::default());
        }
        if place == self.sources.len() {
            self.sources.push(None);
        }
        self.sources[place] = Some(source);
    }

    /// A source's timer is due.
    pub(super) fn source_due(&mut self, now: Now, place: usize, effects: &mut Vec<Effect>) {
        if !self.runs_source(place) {
            return;
        }
        let Some(Some(source)) = self.sources.get_mut(place).filter(|_| self.phase == ServerPhase::Serving)
        else {
            return;
        };
        let feed = source.feed.clone();
        let timer = Timer::Source(place);
        match &mut source.work {
            Work::Post { .. } => self.publish_waiting(now, place, effects),
            Work::Interval(interval) => {
                let random = &mut self.state.random;
                self.state.timers.set(timer, now.instant + interval.settings.every.max(1));
                if interval.start() {
                    return;
                }
                let value = interval.value(now.wall, &mut |bytes| random.fill_bytes(bytes));
                self.publish_each(now, &feed, value, effects);
            }
            Work::Replay(replay) if replay.wants_file() => {
                effects.push(Effect::ReadFile { feed, file: replay.settings.file.clone() });
            }
            Work::Replay(replay) => {
                let due = replay.due(now.instant);
                if let Some(next) = due.next {
                    self.state.timers.set(timer, next);
                }
                let file = replay.settings.file.clone();
                self.publish_each(now, &feed, due.values, effects);
                effects.extend(due.log.into_iter().map(|text| {
                    let text = format!("replay of {file} into {feed:?}: {text}");
                    Effect::Log { level: Level::Info, text }
                }));
            }
            Work::Upstream { settings, connection, .. } => {
                *connection = self.state.dial(Owner::Source(place), settings.dial(), now, effects);
            }
        }
    }

    /// The host read a file for a replay, or could not.
    #[cold]
    #[inline(never)]
    pub(super) fn file_read(
        &mut self,
        now: Now,
        feed: &str,
        file: &str,
        content: Result<Bytes, String>,
        effects: &mut Vec<Effect>,
    ) {
        for (place, source) in self.sources.iter_mut().enumerate() {
            let Some(Source { work: Work::Replay(replay), .. }) =
                source.as_mut().filter(|source| source.feed == feed)
            else {
                continue;
            };
            if !replay.wants_file() || replay.settings.file != file {
                continue;
            }
            match &content {
                Ok(text) => {
                    let start = replay.start(now.instant, text.clone());
                    self.state.timers.set(Timer::Source(place), start);
                }
                Err(error) => {
                    let text = format!("{} cannot be replayed: {error}", replay.settings.file);
                    effects.push(Effect::Log { level: Level::Error, text });
                }
            }
        }
    }

    /// Something happened to the outgoing connection of a source.
    pub(super) fn source_upstream(
        &mut self,
        now: Now,
        place: usize,
        upstream: UpstreamId,
        event: UpstreamEvent,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Some(source)) = self.sources.get_mut(place) else {
            return;
        };
        let feed = source.feed.clone();
        let Work::Upstream { settings, backoff, connection } = &mut source.work else {
            return;
        };
        let (text, level) = match event {
            UpstreamEvent::Opened { .. } => {
                for message in settings.openings() {
                    self.state.send_upstream(upstream, message, now, effects);
                }
                (format!("{} feeds {feed:?}", settings.place()), Level::Info)
            }
            UpstreamEvent::Message(message) => {
                backoff.succeeded();
                let value = settings.value(&message);
                return self.publish_each(now, &feed, value, effects);
            }
            _ if self.phase == ServerPhase::Draining => return,
            ended => {
                *connection = None;
                let pause = backoff.failed(self.state.random.next_u64());
                self.state.timers.set(Timer::Source(place), now.instant + pause);
                let why = match ended {
                    UpstreamEvent::Failed { message } | UpstreamEvent::TimedOut { message } => message,
                    UpstreamEvent::Refused { status } => refused(status),
                    UpstreamEvent::Closed(Some(frame)) => format!("closed with {}", frame.code),
                    _ => "closed".to_owned(),
                };
                (
                    format!("{} no longer feeds {feed:?}: {why}; again in {pause} ms", settings.place()),
                    Level::Warn,
                )
            }
        };
        effects.push(Effect::Log { level, text });
    }

    /// A request for a source's path.
    pub(super) fn source_request(
        &mut self,
        now: Now,
        place: usize,
        request: &http::Request<Bytes>,
        effects: &mut Vec<Effect>,
    ) -> Option<Response<Bytes>> {
        let Work::Post { settings, waiting } = &mut self.sources.get_mut(place)?.as_mut()?.work else {
            return None;
        };
        let values = match settings.values(request) {
            Ok(_) if waiting.len() >= settings.max_values => return Some(post::busy()),
            Ok(values) => values,
            Err(response) => return Some(*response),
        };
        let (is_idle, response) = (waiting.is_empty(), post::accepted(values.len()));
        waiting.extend(values);
        if is_idle {
            self.publish_waiting(now, place, effects);
        }
        Some(response)
    }

    /// Publishes as many of a request's values as others can wait for, and the rest a little later.
    fn publish_waiting(&mut self, now: Now, place: usize, effects: &mut Vec<Effect>) {
        let slice = (SLICE_MESSAGES / self.state.connections.len().max(1)).clamp(1, SLICE_VALUES);
        let Some(Some(Source { feed, work: Work::Post { waiting, .. } })) = self.sources.get_mut(place)
        else {
            return;
        };
        let feed = feed.clone();
        let values: Vec<Value> = waiting.drain(..slice.min(waiting.len())).collect();
        if waiting.is_empty() {
            // What a large request needed is not kept.
            waiting.shrink_to_fit();
        } else {
            self.state.timers.set(Timer::Source(place), now.instant + SLICE_PAUSE);
        }
        self.publish_each(now, &feed, values, effects);
    }

    /// Stops all sources, and closes their outgoing connections.
    pub(super) fn stop_sources(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for place in 0..self.sources.len() {
            self.stop_source(now, place, effects);
        }
        self.release_feeds(effects);
    }

    /// Stops a source, and closes its outgoing connection.
    pub(super) fn stop_source(&mut self, now: Now, place: usize, effects: &mut Vec<Effect>) {
        self.state.timers.cancel(Timer::Source(place));
        if let Some(Some(Source { work: Work::Upstream { connection, .. }, .. })) =
            self.sources.get_mut(place)
            && let Some(upstream) = connection.take()
        {
            self.state.close_upstream(upstream, None, now, effects);
        }
    }

    fn publish_each(
        &mut self,
        now: Now,
        feed: &str,
        values: impl IntoIterator<Item = Value>,
        effects: &mut Vec<Effect>,
    ) {
        values.into_iter().for_each(|value| self.publish(now, feed, value, effects));
    }
}
