//! What stands instead of what is erased: spaces, and single characters.

use oxc_span::Span;

use super::{Eraser, Refused};

impl Eraser<'_> {
    /// One space for each character, so that columns stay what they are also behind letters of several bytes.
    pub(super) fn code(&mut self) -> String {
        self.blanks.sort_unstable();
        self.marks.sort_unstable();
        let mut code = String::with_capacity(self.source.len());
        let (mut blanks, mut marks) = (self.blanks.iter().peekable(), self.marks.iter().peekable());
        let mut blank_until = 0;
        for (at, character) in self.source.char_indices() {
            while let Some(&&(from, to)) = blanks.peek()
                && from <= at
            {
                blank_until = blank_until.max(to);
                blanks.next();
            }
            while marks.peek().is_some_and(|mark| mark.0 < at) {
                marks.next();
            }
            match marks.peek() {
                Some(mark) if mark.0 == at => code.push(char::from(mark.1)),
                _ if at < blank_until && !matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}') => {
                    code.push(' ')
                }
                _ => code.push(character),
            }
        }
        code
    }

    pub(super) fn blank(&mut self, from: u32, to: u32) {
        if from < to {
            self.blanks.push((from as usize, to as usize));
        }
    }

    pub(super) fn span(&mut self, span: Span) {
        self.blank(span.start, span.end);
    }

    /// A statement or a member of a class. The semicolon keeps what stands before it apart from what stands after it.
    pub(super) fn whole(&mut self, span: Span) {
        self.span(span);
        self.marks.push((span.start as usize, b';'));
    }

    /// The first of these characters between two places.
    pub(super) fn character(&mut self, from: u32, to: u32, character: u8) -> Option<u32> {
        let text = self.source.as_bytes().get(from as usize..to as usize)?;
        text.iter().position(|&one| one == character).map(|index| from + index as u32)
    }

    /// A modifier between two places, which is a word of its own.
    pub(super) fn modifier(&mut self, from: u32, to: u32, word: &str, first: Option<u32>) {
        let text = &self.source[from as usize..to as usize];
        let is_end =
            |byte: Option<&u8>| !byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let found = text.match_indices(word).find(|(index, _)| {
            let bytes = text.as_bytes();
            is_end(index.checked_sub(1).and_then(|before| bytes.get(before)))
                && is_end(bytes.get(index + word.len()))
        });
        if let Some((index, _)) = found {
            let start = from + index as u32;
            self.blank(start, start + word.len() as u32);
            if first == Some(start) {
                self.marks.push((start as usize, b';'));
            }
        }
    }

    /// The modifiers of a member that JavaScript does not have.
    pub(super) fn modifiers(&mut self, member: Span, key: Span) {
        for word in ["public", "private", "protected", "readonly", "override", "abstract"] {
            self.modifier(member.start, key.start, word, Some(member.start));
        }
    }

    /// `?` or `!` behind a name.
    pub(super) fn mark_behind(&mut self, name_end: u32, to: u32) {
        for mark in [b'?', b'!'] {
            if let Some(at) = self.character(name_end, to, mark) {
                return self.blank(at, at + 1);
            }
        }
    }

    pub(super) fn refuse(&mut self, span: Span, message: &'static str) {
        let at = span.start as usize;
        if self.refused.as_ref().is_none_or(|refused| at < refused.at) {
            self.refused = Some(Refused { at, message });
        }
    }

    /// A specifier of a list, with the comma behind it.
    pub(super) fn specifier(&mut self, span: Span) {
        let rest = &self.source[span.end as usize..];
        let behind = rest.trim_start();
        let comma = if behind.starts_with(',') { rest.len() - behind.len() + 1 } else { 0 };
        self.blank(span.start, span.end + comma as u32);
    }
}
