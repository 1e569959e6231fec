//! From a request's path to the route that serves it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::routing::nearest::{nearest, nearest_but_one};
use crate::routing::pattern::{self, Params, Pattern, PatternError};
use crate::routing::route_key::{RouteKey, parts};

/// Finds the first route, in order of declaration, that serves a path.
#[derive(Clone, Debug)]
pub struct Router {
    /// The enabled routes with their index among all routes.
    routes: Vec<Enabled>,
    prefixes: Vec<String>,
    patterns: Vec<String>,
    /// The pattern of the first route that serves these paths, by the pattern without the names of its parameters.
    nameless: HashMap<String, String>,
    /// The names of each route: its pattern as it was written, and with each of its prefixes.
    names: HashMap<String, usize>,
    /// All routes, disabled ones included.
    keys: Vec<RouteKey>,
    /// Narrows all routes down to a few candidates in one pass over the path.
    candidates: GlobSet,
    /// The position in `routes` of each glob of `candidates`.
    positions: Vec<usize>,
    claim_all: bool,
    /// What whoever wrote the patterns should know.
    warnings: Vec<String>,
}

/// What the router finds for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'r> {
    /// A route serves it.
    Route {
        /// The route's place among those given to [`Router::new`].
        index: usize,
        /// What the pattern's parameters stand for.
        params: Params,
    },
    /// The path is this server's, but no route serves it.
    Unmatched {
        /// All patterns that are served, with their prefixes, for a hint.
        known: &'r [String],
    },
    /// The path is not this server's: another one may serve it.
    Foreign,
}

impl Router {
    /// A router over `routes`, which are tried in order. Fails only where a pattern is too large for the table.
    pub fn new(routes: impl IntoIterator<Item = RouteKey>) -> Result<Self, PatternError> {
        let mut router = Self {
            routes: Vec::new(),
            prefixes: Vec::new(),
            patterns: Vec::new(),
            nameless: HashMap::new(),
            names: HashMap::new(),
            keys: Vec::new(),
            candidates: GlobSet::empty(),
            positions: Vec::new(),
            claim_all: false,
            warnings: Vec::new(),
        };
        let mut globs = GlobSetBuilder::new();
        for (index, route) in routes.into_iter().enumerate() {
            router.add(index, route, &mut globs)?;
        }
        router.candidates = globs.build().map_err(|error| {
            let all = router.patterns.join(" ");
            PatternError { pattern: all, character: 1, message: format!("together too large: {error}") }
        })?;
        Ok(router)
    }

    /// Claims every path: one that no route serves is then `Unmatched`, never `Foreign`. For a host that has the
    /// port to itself.
    pub fn claim_all(mut self) -> Self {
        self.claim_all = true;
        self
    }

    /// Finds the route for `path`, which is without the query.
    pub fn find(&self, path: &str) -> Found<'_> {
        if let Some(segments) = pattern::split(path) {
            let mut positions = self.narrow(&segments);
            let bare = segments.strip_suffix(&[""]).filter(|bare| !bare.is_empty());
            if let Some(bare) = bare {
                positions.extend(self.narrow(bare));
            }
            positions.sort_unstable();
            positions.dedup();
            for route in positions.iter().map(|&position| &self.routes[position]) {
                let without_slash = || route.matches(bare.filter(|_| route.trailing_slash)?);
                if let Some(params) = route.matches(&segments).or_else(without_slash) {
                    return Found::Route { index: route.index, params };
                }
            }
        }
        if self.claims(path) { Found::Unmatched { known: &self.patterns } } else { Found::Foreign }
    }

    /// All patterns that are served, with their prefixes, in order. Each is listed once, as its first route serves it.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// The place of the route with this pattern, as it was written or with one of its prefixes; of several the first.
    /// A disabled route has one too.
    pub fn index_of(&self, pattern: &str) -> Option<usize> {
        self.names.get(pattern).copied()
    }

    /// The route at this place among all, as it was given to [`new`](Self::new).
    pub fn key(&self, index: usize) -> Option<&RouteKey> {
        self.keys.get(index)
    }

    /// Whether every path is claimed.
    pub(crate) fn claims_all(&self) -> bool {
        self.claim_all
    }

    /// What whoever wrote the patterns should know: which of them serve something else than they seem to, or nothing.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What is nearest to a path that no route serves: the path with a prefix before it or without its prefix, if a route
    /// serves that, or a pattern that differs in a few characters or in a segment at the end. `None` if nothing is near enough to be meant.
    pub fn nearest(&self, path: &str) -> Option<String> {
        let path = &path[..path.floor_char_boundary(Pattern::MAX_PATH_BYTES)];
        let serves = |path: &String| matches!(self.find(path), Found::Route { .. });
        let mut longer = self.prefixes.iter().map(|prefix| format!("{prefix}{path}"));
        let shorter =
            self.prefixes.iter().filter_map(|prefix| path.strip_prefix(prefix.as_str()).map(str::to_owned));
        let mut shorter = shorter.filter(serves);
        let near = || nearest(path, self.patterns.iter().map(String::as_str)).map(str::to_owned);
        let but_one = || nearest_but_one(path, self.patterns.iter().map(String::as_str)).map(str::to_owned);
        shorter.next().or_else(near).or_else(|| longer.find(serves)).or_else(but_one)
    }

    /// The positions of the routes that may serve these segments.
    fn narrow(&self, segments: &[&str]) -> Vec<usize> {
        let normalized = format!("/{}", segments.join("/"));
        self.candidates.matches(&normalized).iter().map(|&glob| self.positions[glob]).collect()
    }

    /// Whether `path` is this server's even if no route serves it.
    fn claims(&self, path: &str) -> bool {
        if self.claim_all {
            return true;
        }
        // Of a path that is too long only the beginning is looked at, which is where the prefix is.
        let head = &path[..path.floor_char_boundary(Pattern::MAX_PATH_BYTES)];
        let segments = head.split('/').filter(|segment| !segment.is_empty());
        self.prefixes.iter().any(|prefix| {
            let mut segments = segments.clone();
            head.starts_with('/') && parts(prefix).all(|part| segments.next() == Some(part))
        })
    }

    fn add(&mut self, index: usize, route: RouteKey, globs: &mut GlobSetBuilder) -> Result<(), PatternError> {
        let mut prefixes = route.clean_prefixes();
        for prefix in &prefixes {
            if !self.prefixes.contains(prefix) {
                self.prefixes.push(prefix.clone());
            }
        }
        self.keys.push(route.clone());
        let prefixed = prefixes.iter().map(|prefix| format!("{prefix}{}", route.pattern));
        for name in prefixed.chain([route.pattern.to_string()]) {
            self.names.entry(name).or_insert(index);
        }
        if route.disabled {
            return Ok(());
        }
        if prefixes.is_empty() {
            prefixes.push(String::new());
        }
        for prefix in prefixes.iter().filter(|prefix| !prefix.is_empty()) {
            let text = route.pattern.as_str();
            let rest =
                text.strip_prefix(prefix.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'));
            if let Some(rest) = rest {
                let written = if rest.is_empty() { "/" } else { rest };
                self.warnings.push(format!(
                    "the pattern {text} counts below the prefix {prefix}: it serves {prefix}{text}; write {written} to \
                     serve {prefix}{rest}"
                ));
            }
        }
        for pattern in route.patterns() {
            if self.patterns.contains(&pattern) {
                self.warnings
                    .push(format!("two routes have the pattern {pattern}: only the first one serves it"));
                continue;
            }
            let prefix = pattern.strip_suffix(route.pattern.as_str()).unwrap_or_default();
            match self.nameless.entry(format!("{prefix}{}", route.pattern.nameless())) {
                Entry::Occupied(first) => self.warnings.push(format!(
                    "{} and {pattern} are the same paths: only the first route serves them",
                    first.get()
                )),
                Entry::Vacant(vacant) => {
                    vacant.insert(pattern.clone());
                }
            }
            self.patterns.push(pattern);
        }
        for prefix in &prefixes {
            for glob in route.pattern.candidate_globs(prefix) {
                let glob = GlobBuilder::new(&glob).literal_separator(true).build().map_err(|error| {
                    let pattern = route.pattern.to_string();
                    PatternError { pattern, character: 1, message: error.kind().to_string() }
                })?;
                globs.add(glob);
                self.positions.push(self.routes.len());
            }
        }
        let prefixes = prefixes.iter().map(|prefix| parts(prefix).map(str::to_owned).collect()).collect();
        self.routes.push(Enabled {
            index,
            prefixes,
            pattern: route.pattern,
            trailing_slash: route.trailing_slash,
        });
        Ok(())
    }
}

/// A route that serves.
#[derive(Clone, Debug)]
struct Enabled {
    index: usize,
    /// Each prefix as segments; a single empty one if there is no prefix.
    prefixes: Vec<Vec<String>>,
    pattern: Pattern,
    trailing_slash: bool,
}

impl Enabled {
    fn matches(&self, path: &[&str]) -> Option<Params> {
        self.prefixes.iter().find_map(|prefix| {
            let (head, rest) = path.split_at_checked(prefix.len())?;
            if head != prefix.as_slice() {
                return None;
            }
            self.pattern.match_segments(if rest.is_empty() { &[""] } else { rest })
        })
    }
}

#[cfg(test)]
mod tests;
