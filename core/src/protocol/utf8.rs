//! UTF-8 across fragments: an invalid sequence is found at its first invalid byte.

/// The bytes were not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUtf8;

/// Checks text that arrives in pieces; holds at most the three bytes of an unfinished character.
#[derive(Clone, Debug, Default)]
pub(super) struct Utf8Validator {
    unfinished: [u8; 4],
    length: usize,
}

impl Utf8Validator {
    /// Takes the next piece; fails as soon as no continuation could make the text valid.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Result<(), NotUtf8> {
        while self.length > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            piece = rest;
            self.unfinished[self.length] = byte;
            self.length += 1;
            match std::str::from_utf8(&self.unfinished[..self.length]) {
                Ok(_) => self.length = 0,
                // A fourth byte completes or breaks every sequence, so the array never overflows.
                Err(error) if error.error_len().is_some() => return Err(NotUtf8),
                Err(_) => {}
            }
        }
        let Err(error) = simdutf8::compat::from_utf8(piece) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(NotUtf8);
        }
        let tail = &piece[error.valid_up_to()..];
        self.unfinished[..tail.len()].copy_from_slice(tail);
        self.length = tail.len();
        Ok(())
    }

    /// Whether the text so far ends at a character boundary.
    pub(super) fn is_complete(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes are taken, one at a time, before the failure.
    fn taken_one_by_one(bytes: &[u8]) -> usize {
        let mut validator = Utf8Validator::default();
        bytes.iter().position(|byte| validator.push(&[*byte]).is_err()).unwrap_or(bytes.len())
    }

    #[test]
    fn the_first_impossible_byte_fails() {
        let cases: &[(&[u8], usize)] = &[
            (b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80", 12), // above U+10FFFF
            (b"\xf5", 0),
            (b"\xc0\xaf", 0),
            (b"\xc1\xbf", 0),
            (b"\xe0\x9f", 1),     // overlong
            (b"\xed\xa0\x80", 1), // surrogate
            (b"\xf0\x8f", 1),     // overlong
            (b"a\x80", 1),
            (b"\xe2\x82a", 2),
            (b"\xf0\x9f\x98a", 3),
            ("Hello-µ@ßöäüàá-UTF-8!! 😀".as_bytes(), 34),
        ];
        for (bytes, expected) in cases {
            assert_eq!(taken_one_by_one(bytes), *expected, "{bytes:x?}");
        }
    }

    #[test]
    fn a_text_may_be_cut_anywhere() {
        let text = "a é € 😀 \u{10ffff} end".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut validator = Utf8Validator::default();
                for piece in [&text[..first], &text[first..second], &text[second..]] {
                    assert_eq!(validator.push(piece), Ok(()));
                }
                assert!(validator.is_complete());
            }
        }
    }

    #[test]
    fn an_unfinished_character_is_known() {
        let mut validator = Utf8Validator::default();
        assert_eq!(validator.push(b"\xf0\x9f\x98"), Ok(()));
        assert!(!validator.is_complete());
        assert_eq!(validator.push(b"\x80"), Ok(()));
        assert!(validator.is_complete());
    }
}
