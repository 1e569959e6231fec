//! The beginning of a message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::message::Message;

/// The beginning of a message, as it is shown.
pub(crate) struct Excerpt<'a> {
    pub(crate) text: Option<&'a str>,
    /// In base64.
    pub(crate) binary: Option<String>,
    /// Whether there is more.
    pub(crate) is_cut: bool,
}

impl<'a> Excerpt<'a> {
    /// At most so many bytes of a message.
    pub(crate) fn of(message: &'a Message, most: usize) -> Self {
        let shown = most.min(message.len());
        let text = message.as_text().map(|text| &text[..text.floor_char_boundary(shown)]);
        let binary = text.is_none().then(|| STANDARD.encode(&message.payload()[..shown]));
        Self { text, binary, is_cut: shown < message.len() }
    }
}
