//! The value of an `Origin` header, exactly as browsers write it (RFC 6454 section 6.2, with the hosts and ports of the
//! URL standard).

use std::net::{Ipv4Addr, Ipv6Addr};

/// Where a page came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SerializedOrigin<'a> {
    /// `null` or `file://`: a file, a sandboxed frame, or another page without an origin of its own.
    Opaque,
    /// A scheme, a host and a port.
    Host(&'a str),
}

impl<'a> SerializedOrigin<'a> {
    /// `None` for what no browser sends: a path, a user, a port that is no number or the scheme's default, capital
    /// letters, or a host that browsers write in another way.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if matches!(text, "null" | "file://") {
            return Some(Self::Opaque);
        }
        let (scheme, authority) = text.split_once("://")?;
        let end = match authority.strip_prefix('[') {
            Some(address) => address.find(']')? + 2,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (host, port) = authority.split_at(end);
        (is_scheme(scheme) && is_host(host) && is_port(port, scheme)).then_some(Self::Host(host))
    }
}

fn is_scheme(scheme: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase();
    scheme.bytes().next().is_some_and(is_letter)
        && scheme.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit() || b"+-.".contains(&byte))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return is_ipv6(address);
    }
    let labels = host.strip_suffix('.').unwrap_or(host);
    let last = labels.rsplit('.').next().unwrap_or_default();
    if is_number(last) {
        // Only an address ends in a number, and browsers write it in one way.
        return host.parse::<Ipv4Addr>().is_ok();
    }
    !labels.is_empty() && host.bytes().all(is_host_byte)
}

/// Whether the URL standard would leave the host as it is.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && !b"#%/:<>?@[\\]^|".contains(&byte)
}

fn is_number(label: &str) -> bool {
    let is_hexadecimal =
        label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hexadecimal || (!label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()))
}

/// In its shortest form. The standard library writes the last 32 bits of a mapped address in decimal, browsers do not.
fn is_ipv6(address: &str) -> bool {
    let Ok(parsed) = address.parse::<Ipv6Addr>() else { return false };
    match parsed.to_ipv4_mapped() {
        Some(_) => {
            let [.., high, low] = parsed.segments();
            address == format!("::ffff:{high:x}:{low:x}")
        }
        None => address == parsed.to_string(),
    }
}

/// Nothing, or a colon and a port that is not the scheme's own.
fn is_port(port: &str, scheme: &str) -> bool {
    let Some(digits) = port.strip_prefix(':') else { return port.is_empty() };
    let default = match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    };
    let number = digits.parse::<u16>().ok().filter(|number| number.to_string() == digits);
    number.is_some() && number != default
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_browsers_send() {
        for (origin, host) in [
            ("http://localhost:5173", "localhost"),
            ("http://localhost.", "localhost."),
            ("https://example.com", "example.com"),
            ("https://xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("https://a_b.example:65535", "a_b.example"),
            ("http://127.0.0.1:8080", "127.0.0.1"),
            ("http://[::1]:4004", "[::1]"),
            ("http://[2001:db8::7]", "[2001:db8::7]"),
            ("http://[::ffff:7f00:1]", "[::ffff:7f00:1]"),
            ("http://1.example", "1.example"),
            ("https://localhost:80", "localhost"),
            ("chrome-extension://abcdefghijklmnop", "abcdefghijklmnop"),
            ("moz-extension://8d0d8a9c-6f2e-4f2d-9e55-111111111111", "8d0d8a9c-6f2e-4f2d-9e55-111111111111"),
            ("capacitor://localhost", "localhost"),
            ("ws://localhost:4004", "localhost"),
        ] {
            assert_eq!(SerializedOrigin::parse(origin), Some(SerializedOrigin::Host(host)), "{origin}");
        }
        for origin in ["null", "file://"] {
            assert_eq!(SerializedOrigin::parse(origin), Some(SerializedOrigin::Opaque), "{origin}");
        }
    }

    #[test]
    fn what_no_browser_sends() {
        for origin in [
            "",
            "::",
            "://",
            "http",
            "http:",
            "http:/localhost",
            "http://",
            "http://.",
            "//localhost",
            "localhost",
            "localhost:80",
            "http://127.0.0.1:4423.evil.example",
            "http://localhost:4423.evil.example",
            "http://[::1]:4423.evil.example",
            "http://localhost:evil.example",
            "http://localhost:",
            "http://localhost:+1",
            "http://localhost:-1",
            "http://localhost:01",
            "http://localhost:65536",
            "http://localhost:80",
            "https://localhost:443",
            "http://localhost:1:2",
            "http://localhost/",
            "http://localhost/chat",
            "http://localhost?a",
            "http://localhost#a",
            "http://localhost\\evil.example",
            "http://localhost@evil.example",
            "http://user:word@localhost",
            "http://localhost evil.example",
            "http://localhost, https://evil.example",
            "http://localhost http://evil.example",
            " http://localhost",
            "http://localhost\t",
            "http://LOCALHOST",
            "HTTP://localhost",
            "Null",
            "file:///home",
            "http://b%C3%BCcher.example",
            "http://b\u{fc}cher.example",
            "http://127.1",
            "http://127.0.0.01",
            "http://127.0.0.1.",
            "http://0x7f.1",
            "http://2130706433",
            "http://0x7f000001",
            "http://127.0.0.1.5",
            "http://a.0x",
            "http://[::1",
            "http://::1",
            "http://[::1]x",
            "http://[::1].evil.example",
            "http://[0:0:0:0:0:0:0:1]",
            "http://[::0001]",
            "http://[::FFFF:7F00:1]",
            "http://[::ffff:127.0.0.1]",
            "http://[fe80::1%eth0]",
            "1http://localhost",
            "ht tp://localhost",
            "http-://[",
        ] {
            assert_eq!(SerializedOrigin::parse(origin), None, "{origin:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_a_scheme_a_host_and_a_port(
            origin in "[a-z]{1,5}://([a-z0-9.\\[\\]:]{0,12}|localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]{0,6})?[ -~]{0,3}",
        ) {
            if let Some(SerializedOrigin::Host(host)) = SerializedOrigin::parse(&origin) {
                let (_, rest) = origin.split_once("://").expect("a scheme");
                let port = rest.strip_prefix(host).expect("the host stands first");
                prop_assert!(port.is_empty() || port[1..].parse::<u16>().is_ok_and(|_| port.starts_with(':')));
                prop_assert!(!host.is_empty() && (host.starts_with('[') || !host.contains(':')));
                if let Ok(uri) = origin.parse::<http::Uri>() {
                    prop_assert_eq!(uri.host(), Some(host));
                }
            }
        }
    }
}
