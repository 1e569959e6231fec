//! Upgrades that no route takes.

use super::Engine;
use crate::control::event::What;
use crate::interface::effect::Effect;
use crate::routing::router::Found;
use crate::time::Now;

/// The most patterns that are listed.
const LISTED: usize = 20;

impl Engine {
    /// An upgrade request for this path, which is without the query, was left to other listeners of the server, and none of
    /// them took it. For hosts that share a server with others ([`Effect::Ignore`]): those who are told live events learn
    /// what is nearest to the path.
    pub fn unclaimed(&mut self, now: Now, path: &str, effects: &mut Vec<Effect>) {
        if self.state.trace.is_none() {
            return;
        }
        let what = self.unclaimed_upgrade(path, None);
        let start = effects.len();
        self.state.note(|trace| trace.happened(None, Default::default, || what));
        self.observe_effects(now, None, start, effects);
    }

    pub(super) fn unclaimed_upgrade(&self, path: &str, status: Option<u16>) -> What {
        let nearest = self.router.nearest(path);
        let reason = self.no_route(path, nearest.as_deref());
        What::Unclaimed { path: path.to_owned(), status, nearest, reason }
    }

    /// That no route serves a path, and what to write instead.
    fn no_route(&self, path: &str, nearest: Option<&str>) -> String {
        /// Longer paths are cut.
        const SHOWN: usize = 200;
        let shown: String = path.chars().take(SHOWN).collect();
        let patterns = self.router.patterns();
        let Some(near) = nearest else {
            let listed = patterns.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if patterns.len() > LISTED { ", …" } else { "" };
            return match patterns {
                [] => format!("no route serves {shown}: there are no routes; add one with this pattern"),
                _ => format!("no route serves {shown}; there are {listed}{more}"),
            };
        };
        let is_served = matches!(self.router.find(near), Found::Route { .. }) && !near.contains(['{', '*']);
        match (is_served, near.strip_suffix(path), path.strip_suffix(near)) {
            (true, Some(prefix), _) if !prefix.is_empty() => {
                format!("no route serves {shown}; its prefix is missing: connect to {near}")
            }
            (true, _, Some(prefix)) if !prefix.is_empty() => {
                format!("no route serves {shown}; it is served without a prefix: connect to {near}")
            }
            _ => format!("no route serves {shown}; {}", differs(path, near)),
        }
    }
}

/// What differs between a path and the pattern that is nearest to it.
fn differs(path: &str, pattern: &str) -> String {
    let segments =
        |text: &str| text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (given, parts) = (segments(path), segments(pattern));
    match (given.len(), parts.len()) {
        (given, wanted) if given < wanted => {
            format!("{} is missing at its end: the nearest is {pattern}", parts[given..].join("/"))
        }
        (given_count, wanted) if given_count > wanted => {
            format!("{} at its end is too much: the nearest is {pattern}", given[wanted..].join("/"))
        }
        _ => format!("did you mean {pattern}?"),
    }
}
