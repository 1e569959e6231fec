//! Which pages may connect. Browsers let every page open a WebSocket to every server, and only send the page's origin
//! along (RFC 6455 section 10.2), so the server has to check it.

use std::fmt;
use std::net::IpAddr;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;

use super::serialized_origin::SerializedOrigin;

/// The origins that a route accepts. Requests without an `Origin`, which come from programs, are always accepted; an
/// `Origin` that no browser sends is refused unless all pages may connect.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Origins {
    /// Pages of the same host, whatever the port, and of this machine (`localhost`, `127.0.0.0/8`, `[::1]`).
    #[default]
    Local,
    /// Pages whose origin matches one of these, and no others.
    Patterns(OriginPatterns),
    /// All pages.
    Any,
}

impl Origins {
    /// Whether a request may go on.
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        if !headers.contains_key(ORIGIN) {
            return true;
        }
        let Some(text) = single(headers) else {
            return false;
        };
        let origin = SerializedOrigin::parse(text);
        match (self, origin) {
            (Origins::Any, _) => true,
            (Origins::Patterns(patterns), Some(_)) => patterns.set.is_match(text),
            (Origins::Local, Some(SerializedOrigin::Host(host))) => is_local(host, headers),
            (Origins::Patterns(_) | Origins::Local, _) => false,
        }
    }

    /// What the log says of a request to this path that was refused.
    pub(crate) fn refusal(path: &str, headers: &HeaderMap) -> String {
        /// Longer ones are cut.
        const SHOWN: usize = 100;
        let text = single(headers);
        let origin: String = text.unwrap_or("?").chars().take(SHOWN).collect();
        let origin = origin.escape_debug();
        match text.and_then(SerializedOrigin::parse) {
            Some(SerializedOrigin::Opaque) => format!(
                "{path} refuses a page without an origin (Origin: {origin}): it was opened as a file, or is sandboxed. \
                 Open it over http://, or let all such pages in with origins = [\"{origin}\", \"http://localhost:*\"]"
            ),
            Some(SerializedOrigin::Host(_)) => {
                format!("{path} refuses pages of {origin}; to let them in, write origins = [\"{origin}\"]")
            }
            None => format!(
                "{path} refuses the Origin \"{origin}\", which no browser sends; write it as \"https://example.com\" or \
                 \"http://localhost:8080\", or leave it out: programs need none"
            ),
        }
    }
}

/// Whether a browser says that a page of another site asks, and not which one. A page whose `Origin` is there is judged by
/// that. Browsers send this header (Fetch Metadata) to encrypted servers and to this machine.
pub(crate) fn is_of_another_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    !headers.contains_key(ORIGIN)
        && site.is_some_and(|site| site.as_bytes().trim_ascii().eq_ignore_ascii_case(b"cross-site"))
}

/// Whether no page asks, or one of the very origin that it asks. The scheme is not compared: behind a proxy that encrypts it
/// is another one than here.
pub(crate) fn is_of_own_origin(headers: &HeaderMap) -> bool {
    if !headers.contains_key(ORIGIN) {
        return !is_of_another_site(headers);
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let (Some(origin), Some(host)) = (single(headers), host) else { return false };
    let is_host = matches!(SerializedOrigin::parse(origin), Some(SerializedOrigin::Host(_)));
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    is_host && authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// The header, if it is there once and in ASCII.
fn single(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins.next()?.to_str().ok()?;
    origins.next().is_none().then_some(origin)
}

/// Origins with `*` for anything, such as `https://*.example.com`.
#[derive(Clone)]
pub struct OriginPatterns {
    set: GlobSet,
    /// As they were written.
    texts: Vec<String>,
}

/// The patterns as they were written.
impl fmt::Debug for OriginPatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.texts).finish()
    }
}

impl OriginPatterns {
    /// Fails on the first malformed pattern, with its place in the list and what is wrong.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Result<Self, (usize, String)> {
        let (mut set, mut texts) = (GlobSetBuilder::new(), Vec::new());
        for (index, pattern) in patterns.into_iter().enumerate() {
            let pattern = pattern.as_ref();
            texts.push(pattern.to_owned());
            let text = match pattern {
                "file://" => pattern,
                _ => pattern.strip_suffix('/').unwrap_or(pattern),
            };
            if text != "null" && !text.contains("://") && !text.starts_with('*') {
                let message = format!("{pattern:?} is no origin; write for example \"https://{text}\"");
                return Err((index, message));
            }
            // Without a scheme it is for every one.
            let text = if text == "null" || text.contains("://") { text } else { &format!("*://{text}") };
            // Brackets are IPv6 addresses here, not character classes.
            let text = text.replace('[', "\\[").replace(']', "\\]");
            // No origin has a path, so `*` must not reach into one.
            let glob = GlobBuilder::new(&text)
                .case_insensitive(true)
                .backslash_escape(true)
                .literal_separator(true)
                .build();
            set.add(glob.map_err(|error| (index, error.to_string()))?);
        }
        let set = set.build().map_err(|error| (0, error.to_string()))?;
        Ok(Self { set, texts })
    }
}

fn is_local(host: &str, headers: &HeaderMap) -> bool {
    let own =
        headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok());
    own.is_some_and(|own| own.host().eq_ignore_ascii_case(host)) || is_loopback(host)
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "dev.example.com:5173".parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_default_takes_programs_the_same_host_and_this_machine() {
        let allows = |origin| Origins::Local.allows(&headers(origin));
        for good in [
            None,
            Some("http://dev.example.com:5173"),
            Some("https://dev.example.com"),
            Some("http://localhost:3000"),
            Some("http://app.localhost"),
            Some("http://127.0.0.1:1"),
            Some("http://[::1]:4004"),
        ] {
            assert!(allows(good), "{good:?}");
        }
        for bad in [
            "https://evil.example",
            "null",
            "file://",
            "http://localhost.evil.example",
            "http://example.com",
            "",
            "::",
            "http://127.0.0.1:4423.evil.example",
            "http://localhost/",
            "http://localhost:80",
            "http://LOCALHOST",
        ] {
            assert!(!allows(Some(bad)), "{bad:?}");
        }
        let mut two = headers(Some("http://localhost"));
        two.append(ORIGIN, "https://evil.example".parse().unwrap());
        assert!(!Origins::Local.allows(&two));
    }

    #[test]
    fn patterns_stand_alone() {
        let origins = OriginPatterns::new(["https://*.example.com", "http://[::1]:*", "null", "*.test"]);
        let origins = Origins::Patterns(origins.unwrap());
        for (origin, expected) in [
            ("https://a.example.com", true),
            ("http://a.example.com", false),
            ("http://[::1]:99", true),
            ("null", true),
            ("http://localhost", false),
            ("https://evil.example/.example.com", false),
            ("http://a.test", true),
            ("https://a.b.test", true),
            ("https://evil.example/a.test", false),
            ("http://[::1]:99.evil.example", false),
            ("http://[::1]:99 x", false),
        ] {
            assert_eq!(origins.allows(&headers(Some(origin))), expected, "{origin}");
        }
        let everyone = Origins::Any;
        assert!(everyone.allows(&headers(Some("http://127.0.0.1:4423.evil.example"))));
        let files = Origins::Patterns(OriginPatterns::new(["file://", "null"]).unwrap());
        assert!(files.allows(&headers(Some("file://"))) && files.allows(&headers(Some("null"))));
        assert!(!files.allows(&headers(Some("file:///home"))));
        let error = OriginPatterns::new(["https://a.b", "example.com"]).unwrap_err();
        assert_eq!(
            error,
            (1, "\"example.com\" is no origin; write for example \"https://example.com\"".into())
        );
    }

    #[test]
    fn the_log_says_who_was_refused_and_what_to_write() {
        for (origin, parts) in [
            ("null", ["opened as a file, or is sandboxed", "origins = [\"null\", "]),
            ("file://", ["opened as a file, or is sandboxed", "origins = [\"file://\", "]),
            (
                "https://evil.example",
                ["refuses pages of https://evil.example", "write origins = [\"https://evil.example\"]"],
            ),
            ("http://localhost/", ["the Origin \"http://localhost/\", which no browser", "leave it out"]),
        ] {
            let text = Origins::refusal("/chat", &headers(Some(origin)));
            assert!(text.starts_with("/chat refuses "), "{text}");
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        }
        let long = Origins::refusal("/chat", &headers(Some(&"x".repeat(10_000))));
        assert!(long.len() < 400, "{long}");
    }
}
