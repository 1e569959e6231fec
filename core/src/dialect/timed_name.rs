//! Names made of the time and random letters, as JavaScript servers make them.

use crate::handler::context::Context;

/// `<prefix><ms since 1970><separator><9 digits and letters>`.
pub(crate) fn timed_name(cx: &mut Context<'_>, prefix: &str, separator: char) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut bytes = [0; 9];
    cx.random(&mut bytes);
    let ms = cx.now().wall.as_ms();
    // The slight bias of the modulo does not matter: these are names, not secrets.
    let digits = bytes.map(|byte| char::from(DIGITS[usize::from(byte) % 36]));
    format!("{prefix}{ms}{separator}{}", String::from_iter(digits))
}
