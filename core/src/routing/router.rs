//! From a request's path to the route that serves it.

use std::collections::HashMap;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::routing::nearest::nearest;
use crate::routing::pattern::{self, Params, Pattern, PatternError};

/// A route as the router sees it.
#[derive(Clone, Debug)]
pub struct RouteKey {
    /// The prefixes of the pattern, such as `/api`. None: the pattern matches whole paths.
    pub prefixes: Vec<String>,
    /// The paths that the route serves, after its prefixes.
    pub pattern: Pattern,
    /// A disabled route serves nothing, but its prefixes stay claimed.
    pub disabled: bool,
    /// Whether paths with a slash at their end are served too.
    pub trailing_slash: bool,
}

impl RouteKey {
    /// An enabled route for whole paths.
    pub fn new(pattern: Pattern) -> Self {
        Self { prefixes: Vec::new(), pattern, disabled: false, trailing_slash: false }
    }

    /// The paths that the route serves, as patterns with each of its prefixes; none while it is disabled.
    pub fn patterns(&self) -> Vec<String> {
        if self.disabled {
            return Vec::new();
        }
        let mut prefixes = self.clean_prefixes();
        if prefixes.is_empty() {
            prefixes.push(String::new());
        }
        prefixes.iter().map(|prefix| format!("{prefix}{}", self.pattern)).collect()
    }

    /// The pattern with its first prefix, for logs and statistics. A disabled route has one too.
    pub fn label(&self) -> String {
        format!("{}{}", self.clean_prefixes().first().map_or("", String::as_str), self.pattern)
    }

    /// What makes it the same route in another configuration: its prefixes, in any order, and its pattern. A route that is
    /// switched off is not the one that is switched on.
    pub(crate) fn identity(&self) -> RouteIdentity {
        let mut prefixes = self.clean_prefixes();
        prefixes.sort_unstable();
        RouteIdentity { prefixes, pattern: self.pattern.to_string(), disabled: self.disabled }
    }

    /// The prefixes that are not empty, each once, without superfluous slashes.
    fn clean_prefixes(&self) -> Vec<String> {
        let mut prefixes: Vec<String> = Vec::new();
        for prefix in &self.prefixes {
            let prefix: String = parts(prefix).flat_map(|part| ["/", part]).collect();
            if !prefix.is_empty() && !prefixes.contains(&prefix) {
                prefixes.push(prefix);
            }
        }
        prefixes
    }
}

/// By what a route is found again in another configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RouteIdentity {
    prefixes: Vec<String>,
    pattern: String,
    disabled: bool,
}

impl RouteIdentity {
    /// The same route switched on instead of off, or off instead of on.
    pub(crate) fn switched(mut self) -> Self {
        self.disabled = !self.disabled;
        self
    }
}

/// Finds the first route, in order of declaration, that serves a path.
#[derive(Clone, Debug)]
pub struct Router {
    /// The enabled routes with their index among all routes.
    routes: Vec<Entry>,
    prefixes: Vec<String>,
    patterns: Vec<String>,
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
    /// serves that, or a pattern that differs in a few characters. `None` if nothing is near enough to be meant.
    pub fn nearest(&self, path: &str) -> Option<String> {
        let path = &path[..path.floor_char_boundary(Pattern::MAX_PATH_BYTES)];
        let serves = |path: &String| matches!(self.find(path), Found::Route { .. });
        let mut longer = self.prefixes.iter().map(|prefix| format!("{prefix}{path}"));
        let shorter =
            self.prefixes.iter().filter_map(|prefix| path.strip_prefix(prefix.as_str()).map(str::to_owned));
        let mut shorter = shorter.filter(serves);
        let near = || nearest(path, self.patterns.iter().map(String::as_str)).map(str::to_owned);
        shorter.next().or_else(near).or_else(|| longer.find(serves))
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
            } else {
                self.patterns.push(pattern);
            }
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
        self.routes.push(Entry {
            index,
            prefixes,
            pattern: route.pattern,
            trailing_slash: route.trailing_slash,
        });
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Entry {
    index: usize,
    /// Each prefix as segments; a single empty one if there is no prefix.
    prefixes: Vec<Vec<String>>,
    pattern: Pattern,
    trailing_slash: bool,
}

impl Entry {
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

/// The segments of a prefix, whose slashes at both ends are ignored.
fn parts(prefix: &str) -> impl Iterator<Item = &str> {
    prefix.split('/').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(prefixes: &[&str], pattern: &str) -> RouteKey {
        let prefixes = prefixes.iter().map(|prefix| prefix.to_string()).collect();
        RouteKey { prefixes, ..RouteKey::new(Pattern::new(pattern).expect(pattern)) }
    }

    fn router(routes: &[(&[&str], &str)]) -> Router {
        Router::new(routes.iter().map(|(prefixes, pattern)| key(prefixes, pattern))).expect("a router")
    }

    fn index(found: Found<'_>) -> Option<usize> {
        match found {
            Found::Route { index, .. } => Some(index),
            _ => None,
        }
    }

    #[test]
    fn the_first_match_in_order_wins() {
        let router = router(&[(&[], "/a/**"), (&[], "/a/b"), (&[], "/{x}"), (&[], "/c")]);
        for (path, expected) in
            [("/a/b", Some(0)), ("/a", Some(0)), ("/c", Some(2)), ("/d", Some(2)), ("/d/e", None)]
        {
            assert_eq!(index(router.find(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_pattern_that_an_earlier_route_serves_is_told_once() {
        let router = router(&[(&[], "/ws"), (&["/api", "/v2"], "/ws"), (&[], "/ws"), (&["/api"], "/ws")]);
        assert_eq!(router.patterns(), ["/ws", "/api/ws", "/v2/ws"]);
    }

    #[test]
    fn patterns_that_serve_something_else_than_they_seem_to_are_warned_of() {
        let mut off = key(&[], "/ws");
        off.disabled = true;
        let routes = [
            key(&["/api", "/v2"], "/api/x"),
            key(&["/api"], "/api"),
            key(&["/api"], "/apis"),
            key(&[], "/api/y"),
            key(&[], "/ws"),
            off,
            key(&[], "/ws"),
        ];
        let router = Router::new(routes).expect("a router");
        assert_eq!(
            router.warnings(),
            [
                "the pattern /api/x counts below the prefix /api: it serves /api/api/x; write /x to serve /api/x",
                "the pattern /api counts below the prefix /api: it serves /api/api; write / to serve /api",
                "two routes have the pattern /ws: only the first one serves it",
            ]
        );
    }

    #[test]
    fn the_nearest_to_a_path_is_what_was_probably_meant() {
        let router = router(&[(&["/api"], "/ws/chat/{room}"), (&[], "/echo"), (&["/mock"], "/**")]);
        for (path, expected) in [
            ("/ws/chat/general", Some("/api/ws/chat/general")),
            ("/api/echo", Some("/echo")),
            ("/api/ws/caht/general", Some("/api/ws/chat/{room}")),
            ("/api/ws/chat", Some("/mock/api/ws/chat")),
            ("/ehco", Some("/echo")),
            ("/something/else", Some("/mock/something/else")),
        ] {
            assert_eq!(router.nearest(path).as_deref(), expected, "{path}");
        }
        let all = Router::new([key(&["/api"], "/x")]).expect("a router");
        assert_eq!(all.nearest(&"/é".repeat(10_000)), None);
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        let router =
            router(&[(&["/api"], "/ws/chat"), (&["/api"], "/"), (&["/mock", "/api/v2/"], "/ws/{x}")]);
        let table = [
            ("/api/ws/chat", Some(0)),
            ("//api//ws//chat", Some(0)),
            ("/api", Some(1)),
            ("/api/", Some(1)),
            ("/mock/ws/a", Some(2)),
            ("/api/v2/ws/a", Some(2)),
            ("/api/ws/chat/", None),
        ];
        for (path, expected) in table {
            assert_eq!(index(router.find(path)), expected, "{path}");
        }
        for path in ["/api/nothing", "/mock", "/mock/", "//api//x"] {
            assert!(matches!(router.find(path), Found::Unmatched { .. }), "{path}");
        }
        for path in ["/apix/ws/chat", "/", "", "/ws/chat", "api/ws/chat", "/ap"] {
            assert_eq!(router.find(path), Found::Foreign, "{path}");
        }
    }

    #[test]
    fn an_unmatched_path_is_told_what_there_is() {
        let mut disabled = key(&["/off"], "/ws");
        disabled.disabled = true;
        let keys = [key(&["/api", "/mock"], "/ws/chat"), key(&[], "/echo"), disabled];
        let router = Router::new(keys).expect("a router");
        let known: &[_] = &["/api/ws/chat".to_owned(), "/mock/ws/chat".to_owned(), "/echo".to_owned()];
        assert_eq!(router.find("/api/x"), Found::Unmatched { known });
        assert_eq!(router.find("/off/ws"), Found::Unmatched { known });
        assert_eq!(router.find("/elsewhere"), Found::Foreign);
        assert_eq!(router.claim_all().find("/elsewhere"), Found::Unmatched { known });
    }

    #[test]
    fn a_disabled_route_lets_the_next_one_match() {
        let disabled = RouteKey { disabled: true, ..key(&[], "/ws") };
        let router = Router::new([disabled, key(&[], "/*")]).expect("a router");
        assert_eq!(index(router.find("/ws")), Some(1));
    }

    #[test]
    fn parameters_are_found() {
        let router = router(&[(&["/api"], "/relay/{room}")]);
        let params = [("room", "lobby")].into_iter().collect();
        assert_eq!(router.find("/api/relay/lobby"), Found::Route { index: 0, params });
    }

    #[test]
    fn paths_beyond_the_bounds_match_nothing() {
        let router = router(&[(&["/api"], "/**")]);
        assert!(matches!(router.find(&format!("/api{}", "/a".repeat(5000))), Found::Unmatched { .. }));
        assert_eq!(router.find(&"/a".repeat(5000)), Found::Foreign);
    }

    proptest! {
        /// The candidates are never fewer than the matches.
        #[test]
        fn the_table_finds_what_the_pattern_matches(
            pattern in "(/(a|b|\\.|a\\.|\\*|\\*\\*|a\\*|\\?|\\{x\\}|\\[a\\]|!){1,2}){1,4}/?",
            prefix in "(/[ab.])?",
            path in "(/[ab.é]{0,2}){0,5}/?",
        ) {
            // A repeated parameter is no valid pattern.
            if let Ok(pattern) = Pattern::new(&pattern) {
                let key = RouteKey { prefixes: vec![prefix], ..RouteKey::new(pattern) };
                let router = Router::new([key]).expect("a router");
                let expected = pattern::split(&path).and_then(|path| router.routes[0].matches(&path));
                let found = match router.find(&path) {
                    Found::Route { params, .. } => Some(params),
                    _ => None,
                };
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_slash_at_the_end_can_be_allowed() {
        let slash = RouteKey { trailing_slash: true, ..key(&["/a"], "/ws") };
        let router = Router::new([slash, key(&[], "/{x}"), key(&[], "/root")]).expect("routes");
        let index = |path| match router.find(path) {
            Found::Route { index, .. } => Some(index),
            _ => None,
        };
        assert_eq!((index("/a/ws"), index("/a/ws/"), index("/root/")), (Some(0), Some(0), None));
        let root = RouteKey { trailing_slash: true, ..key(&[], "/") };
        assert!(matches!(Router::new([root]).expect("route").find("/"), Found::Route { .. }));
    }
}
