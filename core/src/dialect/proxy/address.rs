//! From a target's URL and a client's path to the URL that is dialled.

use http::Uri;

/// A target's URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    scheme: String,
    authority: String,
    path: String,
    query: String,
}

impl Address {
    /// Takes a URL apart; in words what is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let shown = || url.split(['?', '#']).next().unwrap_or_default().to_owned();
        let malformed = || format!("{:?} is no URL; write one such as \"wss://example.com/live\"", shown());
        if !["ws://", "wss://"].iter().any(|scheme| starts_with(url, scheme)) {
            return Err(malformed());
        }
        let uri: Uri = url.parse().map_err(|_| malformed())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(malformed());
        };
        if authority.as_str().contains('@') {
            return Err("credentials stand in auth, not in the URL".to_owned());
        }
        if authority.host().is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            authority: authority.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
        })
    }

    /// The URL for a client that came with `rest` behind the route's own path, and with `query`. `None` where no
    /// good URL comes of it.
    pub(super) fn join(&self, rest: &str, query: &str) -> Option<String> {
        if rest.split('/').any(is_dots) {
            return None;
        }
        let path = match rest.trim_start_matches('/') {
            "" if rest.is_empty() => self.path.clone(),
            rest => format!("{}/{rest}", self.path.trim_end_matches('/')),
        };
        let query = match (self.query.as_str(), query) {
            ("", query) => query.to_owned(),
            (own, "") => own.to_owned(),
            (own, query) => format!("{own}&{query}"),
        };
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}://{}{path}{mark}{query}", self.scheme, self.authority);
        url.parse::<Uri>().ok().map(|_| url)
    }
}

/// What is left of a path behind its first `prefix` and `segments`, with its leading slash; empty for nothing.
pub(super) fn rest<'p>(path: &'p str, prefixes: &[String], segments: usize) -> &'p str {
    let below = prefixes.iter().find_map(|prefix| {
        let rest = path.strip_prefix(prefix.trim_end_matches('/'))?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    });
    (0..segments).fold(below.unwrap_or(path), |rest, _| {
        let segment = rest.trim_start_matches('/');
        segment.find('/').map_or("", |end| &segment[end..])
    })
}

/// A segment that leads elsewhere, percent-encoded or not: it would leave what the target's URL allows.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn starts_with(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_kept() {
        for (target, rest, query, expected) in [
            ("wss://example.com", "", "", Some("wss://example.com/")),
            ("wss://example.com/live", "", "a=1", Some("wss://example.com/live?a=1")),
            ("wss://example.com/live/", "/room/7", "", Some("wss://example.com/live/room/7")),
            ("ws://[::1]:9/a?key=k", "/b/", "x=%20", Some("ws://[::1]:9/a/b/?key=k&x=%20")),
            ("ws://h/a", "/", "", Some("ws://h/a/")),
            ("ws://h/a", "//b", "", Some("ws://h/a/b")),
            ("ws://h/a", "/../admin", "", None),
            ("ws://h/a", "/%2E%2e/admin", "", None),
        ] {
            let address = Address::parse(target).expect(target);
            assert_eq!(address.join(rest, query).as_deref(), expected, "{target} {rest}");
        }
    }

    #[test]
    fn what_is_no_target_is_explained_without_its_query() {
        for (url, expected) in [
            ("http://x", "\"http://x\" is no URL; write one such as \"wss://example.com/live\""),
            ("wss://?token=t", "\"wss://\" is no URL; write one such as \"wss://example.com/live\""),
            ("wss", "\"wss\" is no URL; write one such as \"wss://example.com/live\""),
            ("ws://a:b@c", "credentials stand in auth, not in the URL"),
        ] {
            assert_eq!(Address::parse(url).expect_err(url), expected);
        }
    }

    #[test]
    fn the_rest_is_what_the_pattern_leaves_open() {
        let prefixes = ["/api".to_owned(), "/api/v2/".to_owned()];
        for (path, prefixes, segments, expected) in [
            ("/ws/proxy/echo/sub", &[][..], 2, "/echo/sub"),
            ("//ws//proxy//echo", &[], 2, "//echo"),
            ("/ws/proxy/", &[], 2, "/"),
            ("/ws/proxy", &[], 2, ""),
            ("/api/ws/x/", &prefixes, 1, "/x/"),
            ("/anything", &[], 0, "/anything"),
        ] {
            assert_eq!(rest(path, prefixes, segments), expected, "{path}");
        }
    }
}
