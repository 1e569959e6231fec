//! The bytes of an `ArrayBuffer`, and of a text.

use rquickjs::{ArrayBuffer, Function, String as Text};

/// A text as UTF-8. Half of a surrogate pair, which UTF-8 cannot say, becomes U+FFFD.
pub(super) fn well_formed(text: &Text<'_>) -> rquickjs::Result<String> {
    text.to_string().or_else(|_| {
        let whole: Function<'_> = text.ctx().eval("(text) => text.toWellFormed()")?;
        whole.call::<_, String>((text.clone(),))
    })
}

/// A copy of them; none if the buffer was detached.
pub(super) fn copied(buffer: &ArrayBuffer<'_>) -> Vec<u8> {
    // SAFETY: the interpreter runs on this thread alone, and runs nothing until the bytes are copied. So nothing writes to the
    // buffer, or frees it, in between; its memory is no other thread's, as it is not shared.
    #[allow(unsafe_code)]
    let bytes = unsafe { buffer.as_bytes() };
    bytes.map(<[u8]>::to_vec).unwrap_or_default()
}
