//! The name that the server gives to an anonymous client.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::handler::context::Context;
use crate::routing::authentication::query_value;
use crate::state::connection::Connection;
use crate::time::WallTime;

/// The query parameters in which a client may name itself; the first one counts.
const IDENTIFIERS: [&str; 3] = ["client_id", "client_identifier", "identifier"];
/// How many characters of the name are kept.
const IDENTIFIER_CHARACTERS: usize = 32;

/// A connection on the killmail channel.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) connected_at: WallTime,
    /// `[<identifier>_]<µs>_<8 random bytes>`
    pub(super) user_id: String,
}

impl Visitor {
    /// Names a connection that has opened.
    pub(super) fn welcome(cx: &mut Context<'_>) {
        let connected_at = cx.now().wall;
        let suffix = token::<8>(cx);
        let Some(connection) = cx.connection_mut() else {
            return;
        };
        let given = IDENTIFIERS.iter().find_map(|name| query_value(connection.query(), name));
        let identifier = given.map(|given| sanitize(&given)).unwrap_or_default();
        let user_id = format!("{identifier}{}_{suffix}", connected_at.as_us());
        connection.metadata_mut().insert(Visitor { connected_at, user_id });
    }

    pub(super) fn of(connection: Option<&Connection>) -> Option<&Self> {
        connection?.metadata().get()
    }
}

/// This many random bytes as base64url.
pub(super) fn token<const BYTES: usize>(cx: &mut Context<'_>) -> String {
    let mut bytes = [0; BYTES];
    cx.random(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The identifier with its `_`: other bytes than `[A-Za-z0-9_-]` become `_`, each. Empty when it is.
fn sanitize(given: &str) -> String {
    let kept: String = given.trim().chars().take(IDENTIFIER_CHARACTERS).collect();
    let safe = |byte: u8| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    let mut name: String = kept.bytes().map(|byte| if safe(byte) { char::from(byte) } else { '_' }).collect();
    if !name.is_empty() {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_made_safe() {
        for (given, expected) in
            [("my_app-1", "my_app-1_"), (" a b ", "a_b_"), ("é", "___"), ("", ""), ("  ", "")]
        {
            assert_eq!(sanitize(given), expected);
        }
        assert_eq!(sanitize(&"x".repeat(99)).len(), 33);
    }
}
