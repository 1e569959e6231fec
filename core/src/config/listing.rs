//! What a server of its own prints when it starts.

use std::fmt::{self, Display};

use http::Method;

use super::EndpointInfo;
use crate::control::{EVENTS_PATH, INSPECTOR_PATH, PATH};
use crate::interface::http_endpoint::HttpEndpoint;

/// What a server of its own, natively or on Node, prints when it starts: each endpoint with a command that talks to it.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'l> {
    /// Where it listens, as clients write it: `127.0.0.1:4004`.
    pub address: &'l str,
    /// Whether it speaks TLS.
    pub is_encrypted: bool,
    /// Its WebSockets.
    pub endpoints: &'l [EndpointInfo],
    /// The plain HTTP paths that it answers.
    pub http: &'l [HttpEndpoint],
    /// The token of the control API, if that is on.
    pub token: Option<&'l str>,
    /// Whether there is an inspector.
    pub has_page: bool,
}

impl Display for Listing<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, endpoints, token, .. } = *self;
        let (ws, http) = if self.is_encrypted { ("wss", "https") } else { ("ws", "http") };
        writeln!(out, "Switchboard {} listens on {http}://{address}\n", env!("CARGO_PKG_VERSION"))?;
        let width = |text: fn(&EndpointInfo) -> &str| {
            endpoints.iter().map(|endpoint| text(endpoint).chars().count()).max().unwrap_or_default()
        };
        let (patterns, kinds) = (width(|endpoint| &endpoint.pattern), width(|endpoint| endpoint.kind));
        for endpoint in endpoints {
            let EndpointInfo { pattern, kind, .. } = endpoint;
            let row = format!("  {ws}://{address}{pattern:patterns$}  {kind:kinds$}  {}", endpoint.rules());
            writeln!(out, "{}\n      {}", row.trim_end(), wscat(endpoint, &format!("{ws}://{address}")))?;
        }
        if endpoints.is_empty() {
            writeln!(out, "  no endpoints: the configuration has no routes")?;
        }
        let mut known = self.http.iter().filter(|known| known.path != PATH).peekable();
        if known.peek().is_some() {
            writeln!(out)?;
        }
        for known in known {
            let body = if known.method == Method::POST { "-d @value.json " } else { "" };
            writeln!(out, "  curl {body}{http}://{address}{}", known.path)?;
        }
        if let Some(token) = token {
            writeln!(out, "\n  Control API, with this token until the server ends:")?;
            let header = quoted(&format!("Authorization: Bearer {token}"));
            writeln!(out, "  curl -H {header} {http}://{address}{PATH}/connections")?;
            let url = quoted(&format!("{ws}://{address}{EVENTS_PATH}?token={token}"));
            writeln!(out, "  npx wscat -c {url}")?;
        }
        match token {
            Some(token) if self.has_page => {
                let page = format!("{http}://{address}{INSPECTOR_PATH}#token={}", escaped(token));
                writeln!(out, "\n  See and steer every connection: {page}")
            }
            None if self.has_page => {
                writeln!(out, "\n  Try them all, or copy curl and JavaScript for each: {http}://{address}/")
            }
            _ => Ok(()),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("ws://127.0.0.1:4004/ws"), "ws://127.0.0.1:4004/ws");
        assert_eq!(quoted(r#"{"it's":1}"#), r#"'{"it'\''s":1}'"#);
    }
}
