//! Under which names pages may reach the server. A page can point a name of its own at an address that is not its own (DNS
//! rebinding), and then the browser takes the server there for the page's own; only the `Host` header tells.

use std::net::{IpAddr, Ipv6Addr};

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Request};

/// The hosts that are allowed besides IP addresses, `localhost` and `*.localhost`, which no page can point elsewhere.
/// Default: none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hosts {
    /// These names, in lower case; a leading dot includes all subdomains.
    Listed(Vec<String>),
    /// All. Then nothing protects the server from pages that rebind their name to its address.
    Any,
}

impl Default for Hosts {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Hosts {
    /// These names; a leading dot includes all subdomains.
    pub fn listed<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::Listed(names.into_iter().map(|name| name.as_ref().to_ascii_lowercase()).collect())
    }

    /// Adds others.
    pub fn extend(&mut self, others: Hosts) {
        match (&mut *self, others) {
            (Hosts::Listed(hosts), Hosts::Listed(more)) => hosts.extend(more),
            (_, Hosts::Any) => *self = Hosts::Any,
            (Hosts::Any, _) => {}
        }
    }

    /// Whether a request may come under the host that it names. One that names none does not come from a page on a name
    /// of its own: HTTP/1.1 demands `Host`, and HTTP/2 a certificate.
    pub fn allow<T>(&self, request: &Request<T>) -> bool {
        let Hosts::Listed(listed) = self else { return true };
        let is_allowed = |host: &str| is_fixed(host) || is_listed(host, listed);
        let mut named = request.headers().get_all(HOST).iter();
        named.all(|host| host.to_str().is_ok_and(|host| is_allowed(name_of(host))))
            && request.uri().host().is_none_or(is_allowed)
    }

    /// What the log says of a request that was refused.
    pub(crate) fn refusal<T>(request: &Request<T>) -> String {
        /// Longer ones are cut. The longest name of the DNS has 253 bytes.
        const SHOWN: usize = 253;
        let path: String = request.uri().path().chars().take(100).collect();
        let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host: String =
            header.or_else(|| request.uri().host()).map_or("?", name_of).chars().take(SHOWN).collect();
        let host = host.escape_debug();
        format!(
            "{path} refuses the Host {host}: a page could have pointed that name here (DNS rebinding). If the name is \
             this server's, write allowedHosts = [\"{host}\"]"
        )
    }
}

/// Whether a request does not come from a page, or from one that hides it: browsers name the page's origin in every
/// opening handshake and in every request that changes something.
pub(crate) fn is_program(headers: &HeaderMap) -> bool {
    !headers.contains_key(ORIGIN)
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether nobody decides through the DNS where this is.
fn is_fixed(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let host = host.to_ascii_lowercase();
    host.parse::<IpAddr>().is_ok() || host == "localhost" || host.ends_with(".localhost")
}

fn is_listed(host: &str, listed: &[String]) -> bool {
    let host = host.to_ascii_lowercase();
    listed.iter().any(|known| match known.strip_prefix('.') {
        Some(domain) => host == domain || host.ends_with(known),
        None => host == *known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str) -> Request<()> {
        Request::get("/").header(HOST, host).body(()).unwrap()
    }

    #[test]
    fn hosts_that_no_page_can_point_elsewhere_and_listed_ones_are_allowed() {
        let mut hosts = Hosts::default();
        hosts.extend(Hosts::listed(["Phone.test", ".corp.example"]));
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:5173", true),
            ("app.localhost:1", true),
            ("127.0.0.1:5173", true),
            ("192.168.0.7", true),
            ("[::1]:4004", true),
            ("[fe80::1]", true),
            ("phone.test:81", true),
            ("PHONE.test", true),
            ("corp.example", true),
            ("a.b.corp.example:1", true),
            ("a.phone.test", false),
            ("evilcorp.example", false),
            ("evil.com:5173", false),
            ("localhost.evil.com", false),
            ("127.0.0.1.evil.com", false),
            ("evillocalhost", false),
            ("localhost.", false),
            ("2130706433", false),
            ("0x7f.1", false),
            ("[evil.com]", false),
            ("[::1].evil.com:80", false),
            ("127.0.0.1:80:80", false),
            ("localhost:80@evil.com", false),
            ("", false),
            ("%6cocalhost", false),
        ] {
            assert_eq!(hosts.allow(&request(host)), expected, "{host}");
        }
    }

    #[test]
    fn all_of_several_hosts_have_to_be_allowed() {
        let mut two = request("localhost");
        two.headers_mut().append(HOST, "evil.com".parse().unwrap());
        assert!(!Hosts::default().allow(&two));
        let absolute = Request::get("http://evil.com/").header(HOST, "localhost").body(()).unwrap();
        assert!(!Hosts::default().allow(&absolute));
        assert!(Hosts::default().allow(&Request::get("/").body(()).unwrap()));
        assert!(Hosts::Any.allow(&two));
    }

    #[test]
    fn the_log_says_what_to_write() {
        let text = Hosts::refusal(&request("evil.com:5173"));
        assert!(text.ends_with("write allowedHosts = [\"evil.com\"]"), "{text}");
        assert!(Hosts::refusal(&request(&"x".repeat(10_000))).len() < 900);
    }
}
