//! Secrets in running text: known by their form, or by the name before them.

use super::MASK;
use super::names::{Suspicion, suspicion};

/// How far back a name is looked for, in bytes.
const LONGEST_NAME: usize = 64;

/// Replaces what is found by [`MASK`].
///
/// - JSON Web Tokens (RFC 7519): `eyJ….….…`
/// - what follows the word `Bearer`
/// - user names and passwords in URLs: `https://user:password@`
/// - what follows a name that stands beside secrets and `=` or `:`, in URLs too: `?token=…`, `password: …`
pub(super) fn mask_words(text: &str) -> String {
    let mut spans = Vec::new();
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let found = match byte {
            b'e' => jwt(bytes, at),
            b'B' | b'b' => bearer(bytes, at),
            b'/' => userinfo(bytes, at),
            b'=' | b':' => named(text, at),
            _ => None,
        };
        spans.extend(found);
    }
    replace(text, spans)
}

/// Overwrites JSON Web Tokens and what follows `Bearer` in bytes that are no text, without changing their number: lengths
/// in the message stay right.
pub(super) fn overwrite_words(bytes: &mut [u8]) {
    let mut at = 0;
    while at < bytes.len() {
        let found = match bytes[at] {
            b'e' => jwt(bytes, at),
            b'B' | b'b' => bearer(bytes, at),
            _ => None,
        };
        if let Some((start, end)) = found {
            bytes[start..end].fill(b'*');
            at = end;
        } else {
            at += 1;
        }
    }
}

/// The text with these spans replaced; they may overlap.
pub(super) fn replace(text: &str, mut spans: Vec<(usize, usize)>) -> String {
    spans.sort_unstable();
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans {
        if start >= done {
            masked.push_str(&text[done..start]);
            masked.push_str(MASK);
        }
        done = done.max(end);
    }
    masked.push_str(&text[done..]);
    masked
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn run(bytes: &[u8], from: usize, is_part: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is_part(**byte)).count()
}

fn jwt(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    if !bytes[at..].starts_with(b"eyJ") {
        return None;
    }
    let header = run(bytes, at, is_base64url);
    if header - at < 8 || bytes.get(header) != Some(&b'.') {
        return None;
    }
    let mut end = run(bytes, header + 1, is_base64url);
    if end - header < 4 {
        return None;
    }
    // A signature, or what an encrypted one (RFC 7516) has besides.
    for _ in 0..3 {
        if bytes.get(end) == Some(&b'.') {
            end = run(bytes, end + 1, is_base64url);
        }
    }
    Some((at, end))
}

fn bearer(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    const WORD: &[u8] = b"bearer";
    let word = bytes.get(at..at + WORD.len())?;
    let is_start = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    if !word.eq_ignore_ascii_case(WORD) || !is_start {
        return None;
    }
    let gap = at + WORD.len();
    let start = run(bytes, gap, |byte| byte == b' ' || byte == b'\t');
    let end = run(bytes, start, |byte| is_base64url(byte) || b"._~+/=".contains(&byte));
    (start > gap && end > start).then_some((start, end))
}

fn userinfo(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    if at == 0 || bytes[at - 1] != b':' || bytes.get(at + 1) != Some(&b'/') {
        return None;
    }
    let start = at + 2;
    let end = run(bytes, start, |byte| byte.is_ascii_graphic() && !b"/?#\"'<>@".contains(&byte));
    (end > start && bytes.get(end) == Some(&b'@')).then_some((start, end))
}

/// The value behind a name and the sign at `at`.
fn named(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let before = text[..at].trim_end_matches([' ', '"', '\'', '\\']);
    // Not a character's middle: names are ASCII.
    let length = before
        .bytes()
        .rev()
        .take(LONGEST_NAME)
        .take_while(|byte| is_base64url(*byte) || *byte == b'%')
        .count();
    let name_at = before.len() - length;
    let name = &before[name_at..];
    let is_parameter = bytes[at] == b'=' && name_at > 0 && matches!(bytes[name_at - 1], b'?' | b'&' | b'#');
    let least = if is_parameter { Suspicion::Likely } else { Suspicion::Certain };
    if name.is_empty() || suspicion(name) < least {
        return None;
    }
    let start = run(bytes, at + 1, |byte| b" \"'\\".contains(&byte));
    let lower = name.to_ascii_lowercase();
    // These have several words.
    if bytes[at] == b':' && (lower.contains("authorization") || lower.contains("cookie")) {
        let end = run(bytes, start, |byte| !b"\r\n\"\\".contains(&byte));
        return (end > start).then_some((start, end));
    }
    let end = run(bytes, start, |byte| !byte.is_ascii_whitespace() && !b"\"'\\&,;<>#(){}[]".contains(&byte));
    (end > start).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_running_text_are_found() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
        for (text, expected) in [
            ("", ""),
            ("nothing to see: 5 = 5, é", "nothing to see: 5 = 5, é"),
            (&format!("a {jwt} b {jwt}"), "a *** b ***"),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "***"),
            ("eyJ is no token, eyJhbGciOiJub25lIn0 neither", "eyJ is no token, eyJhbGciOiJub25lIn0 neither"),
            ("Bearer abc.def-1==", "Bearer ***"),
            ("bearer\tabc,d", "bearer\t***,d"),
            ("forbearer abc", "forbearer abc"),
            ("wss://me:pass%20word@example.com/a@b", "wss://***@example.com/a@b"),
            ("see https://example.com/a@b", "see https://example.com/a@b"),
            ("/socket?vsn=2.0.0&token=a.b&x=1#key=2", "/socket?vsn=2.0.0&token=***&x=1#key=***"),
            ("?key=abc&session=1;sig=2", "?key=***&session=***;sig=***"),
            ("key=abc", "key=abc"),
            ("the password: hunter2!", "the password: ***"),
            ("password = 'hunter2'", "password = '***'"),
            (r#"{"token":"abc"#, r#"{"token":"***"#),
            (r#"{\"token\": \"abc\", \"a\": 1}"#, r#"{\"token\": \"***\", \"a\": 1}"#),
            ("Authorization: Basic dXNlcjpw\nnext: 1", "Authorization: ***\nnext: 1"),
            ("token:", "token:"),
            ("étoken=é", "étoken=***"),
            ("author: Ada", "author: Ada"),
        ] {
            assert_eq!(mask_words(text), expected, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_keep_their_number() {
        let mut bytes = b"\xff\x09eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.x\x00Bearer abc\xfe".to_vec();
        overwrite_words(&mut bytes);
        let expected = [b"\xff\x09".as_slice(), &[b'*'; 37], b"\x00Bearer ***\xfe"].concat();
        assert_eq!(bytes, expected);
    }
}
