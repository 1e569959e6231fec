//! A route as the router sees it: its prefixes, its pattern, and whether it serves.

use crate::routing::pattern::Pattern;

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
    pub(super) fn clean_prefixes(&self) -> Vec<String> {
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
    /// The pattern as it was written.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The same route switched on instead of off, or off instead of on.
    pub(crate) fn switched(mut self) -> Self {
        self.disabled = !self.disabled;
        self
    }
}

/// The segments of a prefix, whose slashes at both ends are ignored.
pub(super) fn parts(prefix: &str) -> impl Iterator<Item = &str> {
    prefix.split('/').filter(|part| !part.is_empty())
}
