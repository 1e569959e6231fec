//! Where a WebSocket was opened: the URL of a HAR entry, and what a recording keeps of it.

use http::uri::{Authority, PathAndQuery};

/// A URL without its userinfo and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_secure: bool,
    /// Host and port. Empty if nobody knows.
    pub(super) authority: String,
    /// With the query.
    pub(super) path: String,
}

impl Address {
    /// Reads a URL. mitmproxy writes that of the opening handshake, which is HTTP.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(format!("{url:?} begins with none of ws://, wss://, http:// and https://")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = authority.rsplit('@').next().unwrap_or_default();
        if authority.parse::<Authority>().is_err() {
            return Err(format!("{url:?} has no host, or one that no URL can have"));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        if path.parse::<PathAndQuery>().is_err() {
            return Err(format!(
                "{url:?} has characters that a URL has to write with %, such as %20 for a space"
            ));
        }
        Ok(Self { is_secure, authority: authority.to_owned(), path })
    }

    /// Without the path, such as `wss://example.com`.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        format!("{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (url, origin, path) in [
            ("ws://localhost:4004/feed?token=a#b", "ws://localhost:4004", "/feed?token=a"),
            ("WSS://example.com", "wss://example.com", "/"),
            ("https://example.com?x=1", "wss://example.com", "/?x=1"),
            ("http://ada:secret@[::1]:80/a", "ws://[::1]:80", "/a"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!((address.origin().as_str(), address.path.as_str()), (origin, path), "{url}");
        }
    }

    #[test]
    fn what_is_no_url() {
        for (url, why) in [
            ("/feed", "begins with none of"),
            ("ftp://example.com/", "begins with none of"),
            ("ws:///feed", "has no host"),
            ("ws://exa mple/", "has no host"),
            ("ws://example.com/a b", "%20 for a space"),
        ] {
            let message = Address::parse(url).unwrap_err();
            assert!(message.contains(why), "{url}: {message}");
        }
    }
}
