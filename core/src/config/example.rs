//! What to try an endpoint with: a path that it serves, and a first message.

use serde_json::json;

use super::{AuthenticateConfig, Dialect, RouteConfig, Toggle};
use crate::dialect::topics::Stream;
use crate::routing::authentication::Authentication;
use crate::routing::route::RouteSettings;

/// How to try a route: what a console or a list of endpoints shows. The default knows nothing but the pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Example {
    /// What `**` may stand for.
    rest: Option<String>,
    query: Option<&'static str>,
    /// Whether the configuration lets everyone in.
    pub is_open: bool,
    /// A first message, where the dialect has one.
    pub message: Option<String>,
}

impl Example {
    /// For a configured route.
    pub fn of(route: &RouteConfig) -> Self {
        let dialect = route.dialect();
        let proxy = route.proxy.as_ref().filter(|_| dialect == Dialect::Proxy);
        Self {
            rest: proxy.and_then(|proxy| proxy.targets.keys().next().cloned()),
            is_open: matches!(route.authenticate, AuthenticateConfig::Open),
            query: (dialect == Dialect::Phoenix).then_some("vsn=2.0.0"),
            message: message(dialect, route),
        }
    }

    /// A path, with its query, that a pattern with its prefix serves.
    pub fn path(&self, pattern: &str, settings: &RouteSettings) -> String {
        let path = filled(pattern, self.rest.as_deref().unwrap_or_default());
        let token = match &settings.authentication {
            Authentication::Token(rule) => rule.place.query().map(|name| format!("{name}=your-jwt-token")),
            _ => None,
        };
        let query: Vec<String> = self.query.map(str::to_owned).into_iter().chain(token).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}

/// Something that a client of the dialect may say first.
fn message(dialect: Dialect, route: &RouteConfig) -> Option<String> {
    Some(match dialect {
        Dialect::Handlers | Dialect::Rules | Dialect::Replay | Dialect::Scenario => return None,
        Dialect::Echo | Dialect::Relay | Dialect::Proxy => "Hello".to_owned(),
        Dialect::Actions => {
            let channel = route.actions.clone().unwrap_or_default().channels.into_iter().next()?;
            json!({ "action": "sub", "channel": channel.name }).to_string()
        }
        Dialect::Topics => match route.topics.clone().unwrap_or_default().stream {
            Stream::Comments => return None,
            _ => json!({ "type": "subscribe", "topics": ["all"] }).to_string(),
        },
        Dialect::Commands => json!({ "message": "Hello everyone!" }).to_string(),
        Dialect::Events => {
            let event = route.events.clone().unwrap_or_default().mock.into_iter().next()?;
            json!({ "type": "subscribe", "event": event.name }).to_string()
        }
        Dialect::Phoenix => {
            let options = route.phoenix.clone().unwrap_or_default();
            let (topic, payload) = match options.killmails.as_ref().and_then(Toggle::options) {
                Some(killmails) => (killmails.topic, json!({ "systems": [30_000_142] })),
                None => {
                    let topic = options.channels.first()?.topic.as_str().replace('*', "lobby");
                    (topic, json!({}))
                }
            };
            json!(["1", "1", topic, "phx_join", payload]).to_string()
        }
    })
}

/// The pattern with something in place of everything that stands for something else.
fn filled(pattern: &str, rest: &str) -> String {
    let mut path = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '{' => {
                let (mut depth, mut is_name) = (1, true);
                for inner in characters.by_ref() {
                    match inner {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ':' => is_name = false,
                        _ if is_name => path.push(inner),
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            '*' if characters.next_if_eq(&'*').is_some() => path.push_str(rest),
            '*' | '?' => path.push('x'),
            _ => path.push(character),
        }
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_a_pattern_leaves_open_is_filled_in() {
        for (pattern, rest, path) in [
            ("/relay/{room}", "", "/relay/room"),
            ("/a/{id:[0-9]{2}}/b", "", "/a/id/b"),
            ("/ws/proxy/**", "echo", "/ws/proxy/echo"),
            ("/x-?/*.json", "", "/x-x/x.json"),
            ("", "", "/"),
        ] {
            assert_eq!(filled(pattern, rest), path);
        }
    }

    #[test]
    fn each_dialect_has_something_to_say() {
        let config = Config::from_toml(
            r#"
            routes = [
                { pattern = "/socket/websocket", dialect = "phoenix", phoenix = { channels = [{ topic = "room:*" }] } },
                { pattern = "/", dialect = "actions" },
                { pattern = "/ws", events = [{ name = "ticker", data = 1 }] },
                { pattern = "/p/**", proxy = { targets = { live = "ws://localhost:1" } } },
            ]
            feeds = [{ name = "killmails" }]
            "#,
        );
        let config = config.expect("a configuration");
        let settings = RouteSettings::default();
        let told: Vec<_> = config
            .routes
            .iter()
            .map(|route| (Example::of(route), route.pattern.as_str()))
            .map(|(example, pattern)| (example.path(pattern, &settings), example.message.unwrap_or_default()))
            .collect();
        let expected = [
            ("/socket/websocket?vsn=2.0.0", r#"["1","1","room:lobby","phx_join",{}]"#),
            ("/", r#"{"action":"sub","channel":"kills"}"#),
            ("/ws", r#"{"type":"subscribe","event":"ticker"}"#),
            ("/p/live", "Hello"),
        ];
        assert_eq!(told, expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
    }
}
