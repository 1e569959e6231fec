//! Bytes as text and back, in the encodings of Node's `Buffer` besides UTF-8.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The bytes that a text stands for, by the name of its encoding in lower case.
pub(super) fn bytes(text: &str, encoding: &str) -> Vec<u8> {
    match encoding {
        "hex" => from_hex(text),
        "base64" | "base64url" => from_base64(text),
        // Of each UTF-16 unit the lower half, as Node does.
        _ => text.encode_utf16().map(|unit| unit as u8).collect(),
    }
}

/// Bytes as text.
pub(super) fn text(bytes: &[u8], encoding: &str) -> String {
    match encoding {
        "hex" => bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect(),
        "base64" => to_base64(bytes, ALPHABET, true),
        "base64url" => to_base64(bytes, URL_ALPHABET, false),
        "ascii" => bytes.iter().map(|byte| char::from(byte & 127)).collect(),
        _ => bytes.iter().copied().map(char::from).collect(),
    }
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or_default()
}

/// As far as there are pairs of digits.
fn from_hex(text: &str) -> Vec<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map_while(|pair| Some(value(pair[0])? << 4 | value(pair[1])?)).collect()
}

/// Of either alphabet. What is in neither is left out, and `=` is the end.
fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.bytes().take_while(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

fn to_base64(bytes: &[u8], alphabet: &[u8; 64], is_padded: bool) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let at = |index: usize| u32::from(part.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            if index <= part.len() {
                text.push(char::from(alphabet[(bits >> shift) as usize & 63]));
            } else if is_padded {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_node_reads_and_writes_them() {
        for (encoding, written, expected) in [
            ("hex", "00ff7F", &[0, 255, 127][..]),
            ("hex", "00f", &[0]),
            ("hex", "00xx11", &[0]),
            ("base64", "", &[]),
            ("base64", "AQ==", &[1]),
            ("base64", "AQL/", &[1, 2, 255]),
            ("base64", "A Q\nL_+", &[1, 2, 255]),
            ("base64url", "AQL_-w", &[1, 2, 255, 251]),
            ("base64", "AQ==AQ==", &[1]),
            ("latin1", "a\u{ff}\u{141}", &[97, 255, 65]),
        ] {
            assert_eq!(bytes(written, encoding), expected, "{encoding} {written}");
        }
        let all = [1, 2, 255, 251];
        for (encoding, length, expected) in [
            ("hex", 4, "0102fffb"),
            ("base64", 4, "AQL/+w=="),
            ("base64", 2, "AQI="),
            ("base64", 3, "AQL/"),
            ("base64url", 4, "AQL_-w"),
            ("latin1", 4, "\u{1}\u{2}\u{ff}\u{fb}"),
            ("ascii", 4, "\u{1}\u{2}\u{7f}\u{7b}"),
        ] {
            assert_eq!(text(&all[..length], encoding), expected, "{encoding}");
        }
    }
}
