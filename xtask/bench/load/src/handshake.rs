//! The client's side of the opening handshake (RFC 6455 section 4.1), with one key for all.

use anyhow::{Context, Result, bail};

/// The RFC's own example: section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A response longer than this is none.
pub(crate) const MAX_RESPONSE: usize = 8 << 10;

/// The request for a path.
pub(crate) fn request(port: u16, path: &str, deflate: bool) -> Vec<u8> {
    let extensions = match deflate {
        // What browsers offer.
        true => "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
        false => "",
    };
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
    )
    .into_bytes()
}

/// The length of the response's head once it is complete, and an error if it is not the one that was asked for.
pub(crate) fn check(response: &[u8], deflate: bool) -> Result<Option<usize>> {
    let Some(end) = response.windows(4).position(|window| window == b"\r\n\r\n") else {
        if response.len() >= MAX_RESPONSE {
            bail!("the server's response does not end");
        }
        return Ok(None);
    };
    let head = std::str::from_utf8(&response[..end]).context("the server's response is no text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        bail!("the server answered {status:?}");
    }
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let value = |name: &str| {
        let header = headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.trim())
    };
    if value("Sec-WebSocket-Accept") != Some(ACCEPT) {
        bail!("the server accepted another key");
    }
    let is_deflated = value("Sec-WebSocket-Extensions").is_some_and(|it| it.contains("permessage-deflate"));
    if is_deflated != deflate {
        bail!(
            "{}",
            if deflate { "no permessage-deflate" } else { "permessage-deflate, which nobody offered" }
        );
    }
    Ok(Some(end + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                             sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    #[test]
    fn a_response_is_complete_at_its_empty_line() {
        let response = format!("{SWITCHING}\r\n");
        for cut in 0..response.len() {
            assert_eq!(check(&response.as_bytes()[..cut], false).unwrap(), None);
        }
        let behind = format!("{response}\u{1}frame");
        assert_eq!(check(behind.as_bytes(), false).unwrap(), Some(response.len()));
    }

    #[test]
    fn only_what_was_asked_for_will_do() {
        let deflated = format!("{SWITCHING}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
        assert_eq!(check(deflated.as_bytes(), true).unwrap(), Some(deflated.len()));
        let plain = format!("{SWITCHING}\r\n");
        let other = plain.replace("s3pP", "xxxx");
        for (response, deflate, word) in [
            ("HTTP/1.1 404 Not Found\r\n\r\n", false, "404"),
            (&plain, true, "no permessage-deflate"),
            (&deflated, false, "nobody offered"),
            (&other, false, "another key"),
        ] {
            let error = check(response.as_bytes(), deflate).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
