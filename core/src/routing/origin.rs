//! Whose pages may connect. Browsers let every page open a WebSocket to every server and only send along where it
//! came from (RFC 6455 section 10.2), so the server has to look.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Uri};

/// Which origins a route takes. Requests without an `Origin`, which come from programs, pass always.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Origins {
    /// Pages of the same host, whatever the port, and of this machine (`localhost`, `127.0.0.0/8`, `[::1]`).
    #[default]
    Local,
    /// Those of [`Local`](Self::Local) and pages of these hosts; a leading dot stands for all subdomains as well.
    Hosts(Vec<String>),
    /// Pages whose origin matches one of these, and no others.
    Patterns(OriginPatterns),
    /// All pages.
    Any,
}

impl Origins {
    /// Whether a request may go on.
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return true;
        };
        let Some(origin) = origin.to_str().ok().filter(|_| origins.next().is_none()) else {
            return false;
        };
        match self {
            Origins::Any => true,
            Origins::Patterns(patterns) => patterns.0.is_match(origin),
            Origins::Local => is_local(origin, headers),
            Origins::Hosts(hosts) => is_local(origin, headers) || is_listed(origin, hosts),
        }
    }
}

/// Origins with `*` for anything, such as `https://*.example.com`.
#[derive(Clone, Debug)]
pub struct OriginPatterns(GlobSet);

impl OriginPatterns {
    /// Fails on the first malformed pattern, with its place in the list and what is wrong.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Result<Self, (usize, String)> {
        let mut set = GlobSetBuilder::new();
        for (index, pattern) in patterns.into_iter().enumerate() {
            let pattern = pattern.as_ref();
            let text = pattern.strip_suffix('/').unwrap_or(pattern);
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
        set.build().map(Self).map_err(|error| (0, error.to_string()))
    }
}

fn is_local(origin: &str, headers: &HeaderMap) -> bool {
    let Some(host) = host_of(origin) else {
        return false;
    };
    let own =
        headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok());
    own.is_some_and(|own| own.host().eq_ignore_ascii_case(&host)) || is_loopback(&host)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
    }
}

fn is_listed(origin: &str, hosts: &[String]) -> bool {
    let Some(host) = host_of(origin).map(|host| host.to_ascii_lowercase()) else {
        return false;
    };
    hosts.iter().map(|known| known.to_ascii_lowercase()).any(|known| match known.strip_prefix('.') {
        Some(domain) => host == domain || host.ends_with(&known),
        None => host == known,
    })
}

fn host_of(origin: &str) -> Option<String> {
    origin.parse::<Uri>().ok()?.host().map(str::to_owned)
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
            Some("https://DEV.example.com"),
            Some("http://localhost:3000"),
            Some("http://app.localhost"),
            Some("http://127.0.0.1:1"),
            Some("http://[::1]:4004"),
        ] {
            assert!(allows(good), "{good:?}");
        }
        for bad in
            ["https://evil.example", "null", "http://localhost.evil.example", "http://example.com", "", "::"]
        {
            assert!(!allows(Some(bad)), "{bad:?}");
        }
        let mut two = headers(Some("http://localhost"));
        two.append(ORIGIN, "https://evil.example".parse().unwrap());
        assert!(!Origins::Local.allows(&two));
    }

    #[test]
    fn hosts_are_added_to_the_default() {
        let origins = Origins::Hosts(vec!["phone.test".into(), ".corp.example".into()]);
        for (origin, expected) in [
            ("http://phone.test:81", true),
            ("http://a.phone.test", false),
            ("https://a.corp.example", true),
            ("https://corp.example", true),
            ("https://evilcorp.example", false),
            ("http://localhost", true),
        ] {
            assert_eq!(origins.allows(&headers(Some(origin))), expected, "{origin}");
        }
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
        ] {
            assert_eq!(origins.allows(&headers(Some(origin))), expected, "{origin}");
        }
        let error = OriginPatterns::new(["https://a.b", "example.com"]).unwrap_err();
        assert_eq!(
            error,
            (1, "\"example.com\" is no origin; write for example \"https://example.com\"".into())
        );
    }
}
