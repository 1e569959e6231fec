//! From a target's URL and a client's path to the URL that is dialled.

use http::Uri;
use percent_encoding::percent_decode;

/// A target's URL, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    scheme: String,
    authority: String,
    path: String,
    query: String,
}

impl Address {
    /// Parses a URL; the error says what is wrong with it.
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

    /// The URL for a client with `rest` after the route's own path, and with `query`. It is always below the target's own
    /// path, and the target's own parameters are the only ones of their names. `None` if that is not a valid URL.
    pub(super) fn join(&self, rest: &str, query: &str) -> Option<String> {
        if leads_elsewhere(rest) {
            return None;
        }
        let own: Vec<_> = form_urlencoded::parse(self.query.as_bytes()).map(|(name, _)| name).collect();
        let query = without_parameters(query, |name| own.iter().any(|own| own == name));
        let path = match rest.trim_start_matches('/') {
            "" if rest.is_empty() => self.path.clone(),
            rest => format!("{}/{rest}", self.path.trim_end_matches('/')),
        };
        let query = match (self.query.as_str(), query.as_str()) {
            ("", query) => query.to_owned(),
            (own, "") => own.to_owned(),
            (own, query) => format!("{own}&{query}"),
        };
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}://{}{path}{mark}{query}", self.scheme, self.authority);
        url.parse::<Uri>().ok().map(|_| url)
    }
}

/// The rest of a path after its first `prefix` and `segments`, with its leading slash; empty if there is none.
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

/// A query without the parameters whose decoded name is one of these; the others stay as they are written.
pub(super) fn without_parameters(query: &str, is_one: impl Fn(&str) -> bool) -> String {
    let name = |pair: &str| form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned());
    let kept: Vec<_> =
        query.split('&').filter(|pair| !name(pair).is_some_and(|name| is_one(&name))).collect();
    kept.join("&")
}

/// How many times a target, and proxies in front of it, may decode a path.
const MAX_DECODINGS: usize = 4;

/// Whether some server could read the path as one outside of the target's own: because of dots as segments, also
/// followed by parameters, a backslash, or a percent-encoded slash or one of these.
fn leads_elsewhere(rest: &str) -> bool {
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    let slashes = rest.matches('/').count();
    let mut path = rest.as_bytes().to_vec();
    for _ in 0..MAX_DECODINGS {
        let text = String::from_utf8_lossy(&path);
        if text.contains('\\') || text.matches('/').count() > slashes || text.split('/').any(is_dots) {
            return true;
        }
        let decoded: Vec<u8> = percent_decode(&path).collect();
        if decoded == path {
            return false;
        }
        path = decoded;
    }
    // Nobody encodes a path this many times on purpose.
    true
}

fn starts_with(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            ("ws://h/a", "/...", "", Some("ws://h/a/...")),
            ("ws://h/a", "/b;v=1/c", "", Some("ws://h/a/b;v=1/c")),
            ("ws://h/a", "/100%25", "", Some("ws://h/a/100%25")),
        ] {
            let address = Address::parse(target).expect(target);
            assert_eq!(address.join(rest, query).as_deref(), expected, "{target} {rest}");
        }
    }

    #[test]
    fn no_spelling_leads_out_of_the_targets_path() {
        for rest in [
            "/../admin",
            "/%2E%2e/admin",
            "/.%2e/admin",
            "/./admin",
            "/..",
            r"/..\..\admin",
            r"/a\b",
            "/..%5c..%5Cadmin",
            "/a%2fb",
            "/%2e%2e%2Fadmin",
            "/..;/admin",
            "/..;x=1/admin",
            "/%2e%2e;/admin",
            "/%252e%252e/admin",
            "/%25%32%65%25%32%65/admin",
            "/a%255cb",
            "/%25252e%25252e%25252fadmin",
        ] {
            let address = Address::parse("ws://h/a").expect("a target");
            assert_eq!(address.join(rest, ""), None, "{rest}");
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

    proptest! {
        /// Whatever a client sends, the target gets a path below its own: as it is written, and as servers read it that decode
        /// it, treat a backslash as a slash, or cut off what follows a semicolon.
        #[test]
        fn every_path_stays_below_the_targets(rest in r"(/|\\|\.|;|%2e|%2E|%2f|%5C|%25|2e|[a-c]|%){0,24}") {
            let address = Address::parse("ws://h/a").expect("a target");
            if let Some(url) = address.join(&format!("/{rest}"), "") {
                let uri: Uri = url.parse().expect("a URL");
                prop_assert!(uri.path().starts_with("/a/"), "{url}");
                let mut path = uri.path().to_owned();
                for _ in 0..4 {
                    prop_assert!(!path.contains('\\'), "{url}");
                    let mut depth = 0;
                    for segment in path.split('/').skip(2) {
                        match segment.split(';').next() {
                            Some("..") => depth -= 1,
                            Some("" | ".") => {}
                            _ => depth += 1,
                        }
                        prop_assert!(depth >= 0, "{url}");
                    }
                    path = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
                }
            }
        }
    }
}
