//! Where the values of a feed come from, apart from user code.

use std::collections::VecDeque;

use serde_json::Value;

use super::interval::{IntervalSettings, IntervalSource};
use super::post::PostSettings;
use super::replay::{Replay, ReplaySettings};
use super::upstream::{Backoff, UpstreamSettings};
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
}
