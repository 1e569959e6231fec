//! What a running engine is to serve from now on, and what became of what it served before.

use std::fmt;

use crate::engine::Route;
use crate::feed::{FeedSettings, FeedSource};
use crate::routing::hosts::Hosts;
use crate::routing::pattern::PatternError;
use crate::routing::route_key::RouteKey;
use crate::state::limits::Limits;

/// Everything that [`Engine::reconfigure`](crate::Engine::reconfigure) takes. The default serves nothing.
#[derive(Default)]
#[non_exhaustive]
pub struct Configuration {
    /// The routes, in the order in which they are tried.
    pub routes: Vec<ConfiguredRoute>,
    /// The limits.
    pub limits: Limits,
    /// The hosts under which pages may reach the server.
    pub hosts: Hosts,
    /// The feeds, each with its sources. If several have the same name, the first one counts.
    pub feeds: Vec<(FeedSettings, Vec<FeedSource>)>,
    /// The folder of the recordings that are started through the control API; empty: `recordings`.
    pub recordings: String,
}

/// One route of a [`Configuration`].
pub struct ConfiguredRoute {
    /// The paths that it serves. Prefixes and pattern are the route's identity.
    pub key: RouteKey,
    /// Its settings and its handler; `None`: the route that has this identity now goes on as it is.
    pub route: Option<Route>,
    /// What distinguishes it from its earlier configurations, to tell routes that were changed from those that were not;
    /// `None`: it counts as changed.
    pub fingerprint: Option<u64>,
}

/// What became of routes and connections when the engine was reconfigured.
///
/// As text it is one line for the log: `2 routes changed, 1 added; 14 connections kept, 3 closed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconfiguration {
    /// The index of each route of the configuration, in its order: the one that effects, commands and questions name. A
    /// route that went on keeps its index; others get one that nothing else has.
    pub indices: Vec<usize>,
    /// How many routes are as they were.
    pub unchanged: usize,
    /// How many routes have other settings or another handler.
    pub changed: usize,
    /// How many routes are new.
    pub added: usize,
    /// How many routes are no longer there.
    pub removed: usize,
    /// How many connections go on.
    pub kept: usize,
    /// How many connections are closed with 1012, or refused with 503 while their opening handshake is under way.
    pub closed: usize,
}

impl fmt::Display for Reconfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = [(self.changed, "changed"), (self.added, "added"), (self.removed, "removed")];
        let mut routes = routes.into_iter().filter(|(count, _)| *count > 0);
        match routes.next() {
            Some((1, what)) => write!(f, "1 route {what}")?,
            Some((count, what)) => write!(f, "{count} routes {what}")?,
            None => f.write_str("no route changed")?,
        }
        for (count, what) in routes {
            write!(f, ", {count} {what}")?;
        }
        let connections = if self.kept == 1 { "connection" } else { "connections" };
        write!(f, "; {} {connections} kept", self.kept)?;
        match self.closed {
            0 => Ok(()),
            closed => write!(f, ", {closed} closed"),
        }
    }
}

/// Why the engine was not reconfigured. Everything is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReconfigureError {
    /// The patterns are too large together.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The server is stopping.
    #[error("the server is stopping: it takes no other configuration")]
    Stopping,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_one_line() {
        let all = Reconfiguration { changed: 2, added: 1, kept: 14, closed: 3, ..Default::default() };
        assert_eq!(all.to_string(), "2 routes changed, 1 added; 14 connections kept, 3 closed");
        let one = Reconfiguration { removed: 1, kept: 1, unchanged: 4, ..Default::default() };
        assert_eq!(one.to_string(), "1 route removed; 1 connection kept");
        assert_eq!(Reconfiguration::default().to_string(), "no route changed; 0 connections kept");
    }
}
