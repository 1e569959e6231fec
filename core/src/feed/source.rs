//! Where the values of a feed come from, apart from user code.

use std::collections::VecDeque;

use serde_json::Value;

use super::interval::{IntervalSettings, IntervalSource};
use super::post::PostSettings;
use super::replay::{Replay, ReplaySettings};
use super::upstream::{Backoff, UpstreamSettings};
use crate::interface::http_endpoint::HttpEndpoint;
use crate::interface::upstream::UpstreamId;

/// A source to be added to a feed with [`Engine::add_source`](crate::Engine::add_source).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FeedSource {
    /// Plain HTTP requests.
    Post(PostSettings),
    /// Values that are published in turn.
    Interval(IntervalSettings),
    /// A recording.
    Replay(ReplaySettings),
    /// Another WebSocket server.
    Upstream(UpstreamSettings),
}

/// A source at work.
#[derive(Debug)]
pub(crate) struct Source {
    /// The feed that it fills.
    pub(crate) feed: String,
    pub(crate) work: Work,
}

/// What a source does when its timer is due.
#[derive(Debug)]
pub(crate) enum Work {
    /// Publishes what is waiting of the requests that came.
    Post { settings: PostSettings, waiting: VecDeque<Value> },
    /// Publishes the next value.
    Interval(Box<IntervalSource>),
    /// Asks for the file; then publishes what is due.
    Replay(Box<Replay>),
    /// Dials.
    Upstream { settings: UpstreamSettings, backoff: Backoff, connection: Option<UpstreamId> },
}

/// What other settings mean for a source at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It goes on where it is.
    GoesOn,
    /// It goes on with another interval: the one before, and the new one, in ms.
    Interval(u64, u64),
    /// It starts again.
    BeginsAnew,
}

impl Source {
    pub(crate) fn new(feed: String, source: FeedSource) -> Self {
        let work = match source {
            FeedSource::Post(settings) => Work::Post { settings, waiting: VecDeque::new() },
            FeedSource::Interval(settings) => Work::Interval(Box::new(IntervalSource::new(settings))),
            FeedSource::Replay(settings) => Work::Replay(Box::new(Replay::new(settings))),
            FeedSource::Upstream(settings) => {
                let backoff = Backoff::new(&settings);
                Work::Upstream { settings, backoff, connection: None }
            }
        };
        Self { feed, work }
    }

    /// The plain HTTP path that it answers.
    pub(crate) fn endpoint(&self) -> Option<HttpEndpoint> {
        match &self.work {
            Work::Post { settings, .. } => Some(settings.endpoint(&self.feed)),
            _ => None,
        }
    }

    /// Whether it may run on one node of a cluster only.
    pub(crate) fn runs_once(&self) -> bool {
        !matches!(self.work, Work::Post { .. })
    }

    /// Forgets where it was.
    pub(crate) fn begin_anew(&mut self) {
        match &mut self.work {
            Work::Interval(interval) => **interval = IntervalSource::new(interval.settings.clone()),
            Work::Replay(replay) => **replay = Replay::new(replay.settings.clone()),
            Work::Post { .. } | Work::Upstream { .. } => {}
        }
    }

    /// Takes other settings while it works; `None`: they are for a source of another kind.
    pub(crate) fn change(&mut self, source: &FeedSource) -> Option<Changed> {
        Some(match (&mut self.work, source) {
            (Work::Post { settings, .. }, FeedSource::Post(next)) => {
                settings.clone_from(next);
                Changed::GoesOn
            }
            (Work::Interval(interval), FeedSource::Interval(next)) => {
                let every = interval.settings.every;
                interval.change(next.clone());
                match next.every == every || !interval.has_started() {
                    true => Changed::GoesOn,
                    false => Changed::Interval(every, next.every),
                }
            }
            (Work::Replay(replay), FeedSource::Replay(next)) => match replay.change(next.clone()) {
                true => Changed::GoesOn,
                false => Changed::BeginsAnew,
            },
            (Work::Upstream { settings, backoff, .. }, FeedSource::Upstream(next)) => {
                let is_same = settings.dial() == next.dial() && settings.send == next.send;
                if (settings.retry, settings.max_retry) != (next.retry, next.max_retry) || !is_same {
                    *backoff = Backoff::new(next);
                }
                settings.clone_from(next);
                if is_same { Changed::GoesOn } else { Changed::BeginsAnew }
            }
            _ => return None,
        })
    }
}
