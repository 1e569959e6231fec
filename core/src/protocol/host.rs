//! The `Host` header's grammar (RFC 9110 section 7.2, RFC 3986 section 3.2.2).

use std::net::Ipv6Addr;

use http::{Request, Version, header::HOST};

/// Whether a request names its host as HTTP asks for it (RFC 9112 section 3.2): once and well-formed, or not at all
/// before HTTP/1.1. Everything else is to be answered 400.
pub fn has_valid_host<T>(request: &Request<T>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_valid_host(host.as_bytes()),
        (None, _) => request.version() < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Whether this is a non-empty host with an optional port.
pub(super) fn is_valid_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            (address.parse::<Ipv6Addr>().is_ok(), port)
        }
        None => {
            let end = host.find(':').unwrap_or(host.len());
            (is_registered_name(&host[..end]), &host[end..])
        }
    };
    name && is_port(port)
}

fn is_registered_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        let is_valid = match byte {
            b'%' => {
                [bytes.next(), bytes.next()].iter().flatten().filter(|b| b.is_ascii_hexdigit()).count() == 2
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
        };
        if !is_valid {
            return false;
        }
    }
    !name.is_empty()
}

/// Nothing, or a colon and a port number that may be empty.
fn is_port(port: &str) -> bool {
    match port.strip_prefix(':') {
        Some("") => true,
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
        None => port.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for host in
            ["a", "example.com", "localhost:5173", "127.0.0.1:80", "[::1]", "[::1]:8080", "a%20b", "a:"]
        {
            assert!(is_valid_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", ":80", "a b", "a/b", "user@a", "a:b", "a:65536", "a:+1", "::1", "[::1", "[x]", "[::1]x",
            "a%2", "a%zz", "a\"", "a<b", "a\\b", "a:1:2", "é",
        ] {
            assert!(!is_valid_host(host.as_bytes()), "{host}");
        }
    }
}
