//! Where the texts and numbers of a JSON text stand, so that some can be replaced and the rest stays byte for byte.

use std::ops::Range;

/// How deep the JSON of a message may nest to be compared as JSON; the parser stops there anyway.
pub(super) const MAX_DEPTH: usize = 127;

/// A text or number, or one of `true`, `false`, `null`.
pub(super) struct Scalar {
    /// The key that it stands at; in a list, the key of the list.
    pub(super) key: Option<String>,
    /// Its place in the list, if that is the whole text.
    pub(super) place: Option<usize>,
    /// Where it stands in the text; a text with its quotes.
    pub(super) range: Range<usize>,
}

/// What surrounds the present place.
struct Level {
    is_object: bool,
    key: Option<String>,
    /// How many commas there were.
    index: usize,
    /// Whether the next text is a key.
    expects_key: bool,
}

/// Shows `each` the scalars of a text that is JSON, in order. Of other text it shows anything or nothing.
pub(super) fn each(text: &str, mut each: impl FnMut(Scalar)) {
    let bytes = text.as_bytes();
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            start @ (b'{' | b'[') => {
                let is_object = start == b'{';
                let key = levels.last().and_then(|level| level.key.clone());
                levels.push(Level { is_object, key, index: 0, expects_key: is_object });
                at += 1;
            }
            b'}' | b']' => {
                levels.pop();
                at += 1;
            }
            b',' => {
                if let Some(level) = levels.last_mut() {
                    level.index += 1;
                    level.expects_key = level.is_object;
                }
                at += 1;
            }
            b':' | b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            first => {
                let end = match first {
                    b'"' => end_of_text(bytes, at),
                    _ => {
                        let is_end =
                            |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
                        bytes[at..].iter().position(is_end).map_or(bytes.len(), |length| at + length)
                    }
                };
                let depth = levels.len();
                match levels.last_mut() {
                    Some(level) if level.expects_key => {
                        level.expects_key = false;
                        level.key = serde_json::from_str(&text[at..end]).ok();
                    }
                    level => {
                        let place =
                            level.as_ref().filter(|level| depth == 1 && !level.is_object).map(|it| it.index);
                        let key = level.and_then(|level| level.key.clone());
                        each(Scalar { key, place, range: at..end });
                    }
                }
                at = end.max(at + 1);
            }
        }
    }
}

/// The place behind the closing quote.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_have_the_key_that_they_stand_at() {
        let shown = |text: &str| {
            let mut all = Vec::new();
            each(text, |Scalar { key, place, range }| {
                let place = place.map(|place| place.to_string()).unwrap_or_default();
                all.push(format!("{}{place}={}", key.unwrap_or_default(), &text[range]));
            });
            all.join(" ")
        };
        for (text, expected) in [
            (
                r#"{"a":1,"b":{"c":"x\"}","d":[true,{"e":null}]},"f":-1.5e3}"#,
                r#"a=1 c="x\"}" d=true e=null f=-1.5e3"#,
            ),
            (r#"["1", null ,[2],{"a":3}]"#, r#"0="1" 1=null =2 a=3"#),
            ("5", "=5"),
            ("[]", ""),
            (r#"{"k\u0065y":"ü"}"#, r#"key="ü""#),
        ] {
            assert_eq!(shown(text), expected);
        }
        // Text that is no JSON costs nothing but time.
        for text in ["\"", "\"\\", "{", "}}]", "a\"b", "{\"a\\"] {
            shown(text);
        }
    }
}
