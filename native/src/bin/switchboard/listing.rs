//! What the server prints when it starts.

use std::io::{self, Write};
use std::net::SocketAddr;

use http::Method;
use switchboard::control::{EVENTS_PATH, INSPECTOR_PATH, PATH};
use switchboard::{ControlSettings, EndpointInfo, Server};

/// Prints the endpoints to standard output, each as a command that talks to it.
pub(crate) fn print(server: &Server, control: Option<&ControlSettings>) -> io::Result<()> {
    let address = readable(server.local_addr());
    let (ws, http) = if server.is_encrypted() { ("wss", "https") } else { ("ws", "http") };
    let mut out = io::stdout().lock();
    writeln!(out, "Switchboard {} listens on {http}://{address}\n", env!("CARGO_PKG_VERSION"))?;
    let endpoints = server.endpoints();
    let width = |text: fn(&EndpointInfo) -> &str| {
        endpoints.iter().map(|endpoint| text(endpoint).chars().count()).max().unwrap_or_default()
    };
    let (patterns, kinds) = (width(|endpoint| &endpoint.pattern), width(|endpoint| endpoint.kind));
    for endpoint in endpoints.iter() {
        let EndpointInfo { pattern, kind, .. } = endpoint;
        let row = format!("  {ws}://{address}{pattern:patterns$}  {kind:kinds$}  {}", endpoint.rules());
        writeln!(out, "{}\n      {}", row.trim_end(), wscat(endpoint, &format!("{ws}://{address}")))?;
    }
    if endpoints.is_empty() {
        writeln!(out, "  no endpoints: the configuration has no routes")?;
    }
    let known = server.switchboard().http_endpoints();
    let mut known = known.iter().filter(|known| known.path != PATH).peekable();
    if known.peek().is_some() {
        writeln!(out)?;
    }
    for known in known {
        let body = if known.method == Method::POST { "-d @value.json " } else { "" };
        writeln!(out, "  curl {body}{http}://{address}{}", known.path)?;
    }
    if let Some(settings) = control {
        let token = &settings.token.0;
        writeln!(out, "\n  Control API, with this token until the server ends:")?;
        let header = quoted(&format!("Authorization: Bearer {token}"));
        writeln!(out, "  curl -H {header} {http}://{address}{PATH}/connections")?;
        let url = quoted(&format!("{ws}://{address}{EVENTS_PATH}?token={token}"));
        writeln!(out, "  npx wscat -c {url}")?;
    }
    if server.switchboard().has_page() {
        match control {
            Some(settings) => {
                let page = format!("{http}://{address}{INSPECTOR_PATH}#token={}", escaped(&settings.token.0));
                writeln!(out, "\n  See and steer every connection: {page}")?;
            }
            None => {
                writeln!(out, "\n  Try them all, or copy curl and JavaScript for each: {http}://{address}/")?;
            }
        }
    }
    out.flush()
}

/// A command that connects, sends the example message if there is one, and listens.
fn wscat(endpoint: &EndpointInfo, origin: &str) -> String {
    let url = format!("{origin}{}", endpoint.example);
    match &endpoint.message {
        Some(message) => format!("npx wscat -c {} -x {} -w 60", quoted(&url), quoted(message)),
        None => format!("npx wscat -c {}", quoted(&url)),
    }
}

/// A text as a part of a URL's fragment.
fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Quotes a word for a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./:@=".contains(character);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// An address that can be pasted into a browser: `0.0.0.0` is a place to listen, not one to connect to.
fn readable(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("ws://127.0.0.1:4004/ws"), "ws://127.0.0.1:4004/ws");
        assert_eq!(quoted(r#"{"it's":1}"#), r#"'{"it'\''s":1}'"#);
    }
}
