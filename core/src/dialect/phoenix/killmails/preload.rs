//! Earlier kills for a client that subscribes.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::channel::ChannelContext;
use super::options::KillmailsOptions;
use crate::handler::context::Context;

/// Recent kills of each system, if there are any.
const RECENT_KILLS: usize = 5;
/// How long a kill is recent, in µs: a day.
const RECENT_US: u64 = 24 * 60 * 60 * 1_000_000;

/// One `killmail_update` with `preload: true` for each of these systems that had kills lately.
pub(super) fn push_recent(cx: &mut ChannelContext<'_, '_>, options: &KillmailsOptions, systems: &[u64]) {
    let now = cx.context().now().wall;
    for system in systems {
        let kills = history(cx.context(), &options.feed, *system, RECENT_US, RECENT_KILLS);
        if !kills.is_empty() {
            let update = json!({
                "system_id": system,
                "killmails": kills.iter().map(|kill| &**kill).collect::<Vec<_>>(),
                "timestamp": now.to_iso_us(),
                "preload": true,
            });
            cx.push("killmail_update", update);
        }
    }
}

/// What a join's `preload` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PreloadRequest {
    limit_per_system: usize,
    since_us: u64,
    batch_size: usize,
    interval_ms: u64,
}

impl PreloadRequest {
    /// `None` when nothing is asked for: no object, an empty one, or one that is not enabled.
    pub(super) fn parse(preload: Option<&Value>) -> Option<Self> {
        let object = preload?.as_object().filter(|object| !object.is_empty())?;
        if object.get("enabled") == Some(&Value::Bool(false)) {
            return None;
        }
        let number = |key: &str, default: u64| object.get(key).and_then(Value::as_u64).unwrap_or(default);
        let size = |key, default| usize::try_from(number(key, default)).unwrap_or(usize::MAX);
        Some(Self {
            limit_per_system: size("limit_per_system", 100),
            since_us: number("since_hours", 168).saturating_mul(3_600_000_000),
            batch_size: size("delivery_batch_size", 10).max(1),
            interval_ms: number("delivery_interval_ms", 1_000),
        })
    }
}

/// A preload that is being sent.
#[derive(Debug)]
pub(super) struct Delivery {
    steps: VecDeque<Step>,
    interval_ms: u64,
}

#[derive(Debug)]
enum Step {
    Status { system: u64, complete: usize, total: usize },
    Batch(Vec<Arc<Value>>),
    Complete { kills: usize, systems: usize },
}

impl Delivery {
    /// Everything that the feed remembers now; what comes later comes as it happens.
    pub(super) fn new(cx: &Context<'_>, feed: &str, systems: &[u64], request: &PreloadRequest) -> Self {
        let mut steps = VecDeque::new();
        let mut total_kills = 0;
        for (complete, system) in systems.iter().enumerate() {
            steps.push_back(Step::Status { system: *system, complete, total: systems.len() });
            let kills = history(cx, feed, *system, request.since_us, request.limit_per_system);
            total_kills += kills.len();
            steps.extend(kills.chunks(request.batch_size).map(|batch| Step::Batch(batch.to_vec())));
        }
        steps.push_back(Step::Complete { kills: total_kills, systems: systems.len() });
        Self { steps, interval_ms: request.interval_ms }
    }

    /// Sends up to the next batch; gives back the ms to wait, or `None` at the end.
    pub(super) fn advance(&mut self, cx: &mut ChannelContext<'_, '_>) -> Option<u64> {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Status { system, complete, total } => {
                    let status = json!({
                        "status": "fetching",
                        "current_system": system,
                        "systems_complete": complete,
                        "total_systems": total,
                    });
                    cx.push("preload_status", status);
                }
                Step::Batch(kills) => {
                    let size = kills.len();
                    let kills: Vec<_> = kills.iter().map(|kill| &**kill).collect();
                    cx.push("preload_batch", json!({ "kills": kills, "batch_size": size }));
                    let more = self.steps.iter().any(|step| matches!(step, Step::Batch(_)));
                    if more && self.interval_ms > 0 {
                        return Some(self.interval_ms);
                    }
                }
                Step::Complete { kills, systems } => {
                    let complete =
                        json!({ "total_kills": kills, "systems_processed": systems, "errors": [] });
                    cx.push("preload_complete", complete);
                }
            }
        }
        None
    }
}

/// The kills of a system that are not older than so many µs, the latest first.
fn history(cx: &Context<'_>, feed: &str, system: u64, since_us: u64, limit: usize) -> Vec<Arc<Value>> {
    let now = cx.now().wall.as_us();
    let Some(feed) = cx.feed(feed) else {
        return Vec::new();
    };
    feed.history(&system.to_string())
        .take_while(|kill| now.saturating_sub(kill.at.as_us()) <= since_us)
        .take(limit)
        .map(|kill| kill.value.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preload_is_asked_for_by_an_object_with_something_in_it() {
        let parse = |value: Value| PreloadRequest::parse(Some(&value));
        for nothing in [json!(null), json!({}), json!(true), json!({ "enabled": false, "since_hours": 1 })] {
            assert_eq!(parse(nothing.clone()), None, "{nothing}");
        }
        let defaults = PreloadRequest {
            limit_per_system: 100,
            since_us: 168 * 3_600_000_000,
            batch_size: 10,
            interval_ms: 1_000,
        };
        assert_eq!(parse(json!({ "enabled": true })), Some(defaults.clone()));
        let given = json!({ "limit_per_system": 3, "delivery_batch_size": 0, "delivery_interval_ms": 0 });
        let expected = PreloadRequest { limit_per_system: 3, batch_size: 1, interval_ms: 0, ..defaults };
        assert_eq!(parse(given), Some(expected));
    }
}
