//! Which pages may connect.

use http::header::ORIGIN;

/// The origins of the pages whose scripts may connect. The default lets all in.
///
/// Only browsers send an origin, and they cannot leave it out: a request without one is no page's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// These, such as `http://localhost:5173`; `https://*.example.com` for all below a domain, `*` for all, as
    /// is none at all.
    pub fn new<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Self {
        Self(origins.into_iter().map(Into::into).collect())
    }

    /// Whether text is one of the forms that [`new`](Self::new) takes.
    pub fn is_valid(origin: &str) -> bool {
        let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', '@']);
        origin == "*" || origin == "null" || origin.split_once("://").is_some_and(|(_, host)| is_host(host))
    }

    /// Whether whoever sent this opening handshake may connect.
    pub(crate) fn allow<T>(&self, request: &http::Request<T>) -> bool {
        let Some(origin) = request.headers().get(ORIGIN) else {
            return true;
        };
        self.0.is_empty() || self.0.iter().any(|allowed| fits(allowed, origin.as_bytes()))
    }
}

fn fits(allowed: &str, origin: &[u8]) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else {
        return false;
    };
    if allowed == "*" {
        return true;
    }
    match allowed.split_once("://*.") {
        None => allowed.eq_ignore_ascii_case(origin),
        Some((scheme, domain)) => origin.split_once("://").is_some_and(|(own, host)| {
            let parent = host.len().checked_sub(domain.len()).and_then(|at| host.split_at_checked(at));
            own.eq_ignore_ascii_case(scheme)
                && parent.is_some_and(|(below, end)| below.ends_with('.') && end.eq_ignore_ascii_case(domain))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_allowed_as_a_whole() {
        let origins = Origins::new(["http://localhost:5173", "https://*.example.com"]);
        for (origin, expected) in [
            ("http://localhost:5173", true),
            ("HTTP://LOCALHOST:5173", true),
            ("http://localhost:51730", false),
            ("https://localhost:5173", false),
            ("https://a.example.com", true),
            ("https://a.b.EXAMPLE.com", true),
            ("https://example.com", false),
            ("https://badexample.com", false),
            ("http://a.example.com", false),
            ("null", false),
        ] {
            let request = http::Request::get("/").header("origin", origin).body(()).unwrap();
            assert_eq!(origins.allow(&request), expected, "{origin}");
            assert!(Origins::default().allow(&request) && Origins::new(["*"]).allow(&request));
        }
        assert!(origins.allow(&http::Request::get("/").body(()).unwrap()), "no page");
    }
}
