//! Hooks on their way to JavaScript.

use bytes::Bytes;
use switchboard_core::javascript::{Call, params_or_null};
use switchboard_core::{CallId, ConnectionId, Hook, Message, Params};

use crate::batch::Records;
use crate::contract::{BINARY, CALL, NOTHING, TEXT};

/// Writes one call. The fields are the same for all hooks; what a hook does not have is 0.
pub(crate) fn record(calls: &mut Records, call: CallId, id: ConnectionId, route: usize, hook: Hook) {
    let Call { hook, payload: carried, about, code, detail } = Call::from(hook);
    let (kind, bytes) = carried.map_or((NOTHING, Bytes::new()), payload);
    calls.record(CALL).wide(call.to_bits()).id(id).word(route as u32).word(hook);
    calls.word(kind).bytes(bytes).text(about.as_deref()).word(code).word(detail);
}

/// A pattern's parameters as JSON; `None` when it has none.
pub(crate) fn params(params: &Params) -> Option<String> {
    (!params.is_empty()).then(|| params_or_null(params))
}

/// A message that JavaScript wrote; `None` when there is none, or when it is no text after all.
pub(crate) fn message(kind: u32, bytes: &[u8]) -> Option<Message> {
    let bytes = Bytes::copy_from_slice(bytes);
    match kind {
        TEXT => switchboard_core::Text::from_utf8(bytes).ok().map(Message::Text),
        BINARY => Some(Message::Binary(bytes)),
        _ => None,
    }
}

/// A message as it crosses: its kind and its bytes.
pub(crate) fn payload(message: Message) -> (u32, Bytes) {
    match message {
        Message::Text(text) => (TEXT, text.as_bytes().clone()),
        Message::Binary(bytes) => (BINARY, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_checked() {
        assert_eq!(message(TEXT, b"a"), Some(Message::from("a")));
        assert_eq!(message(TEXT, b"\xff"), None);
        assert_eq!(message(NOTHING, b"a"), None);
    }
}
