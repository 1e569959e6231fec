//! Tokens and comma-separated lists of HTTP headers (RFC 9110 section 5.6).

use http::header::{HeaderMap, HeaderName};

/// Whether `text` is a token: at least one character, all of them visible ASCII and no delimiters.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether a list header has this element, in any case, on any of its lines.
pub(super) fn has_element(headers: &HeaderMap, name: HeaderName, element: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|found| found.trim().eq_ignore_ascii_case(element))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::header::CONNECTION;

    use super::*;

    #[test]
    fn tokens() {
        for token in ["chat", "a.b-c_d~1", "!#$%&'*+-.^_`|~", "0"] {
            assert!(is_token(token), "{token}");
        }
        for other in ["", "a b", "a,b", "a;b", "a=b", "a\"", "(a)", "é", "a/b", "a@b", "\t"] {
            assert!(!is_token(other), "{other}");
        }
    }

    #[test]
    fn elements_are_found_on_every_line_in_any_case() {
        let mut headers = HeaderMap::new();
        headers.append(CONNECTION, "keep-alive,".parse().expect("a value"));
        headers.append(CONNECTION, "foo , UPGRADE".parse().expect("a value"));
        assert!(has_element(&headers, CONNECTION, "upgrade"));
        assert!(has_element(&headers, CONNECTION, "keep-alive"));
        assert!(!has_element(&headers, CONNECTION, "up"));
    }
}
