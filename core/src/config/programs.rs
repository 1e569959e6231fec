//! Configurations that need no file: what `switchboard record` and `switchboard replay` serve, on every host.

use http::Uri;
use serde_json::{Value, json};

use super::{Config, ConfigError};

impl Config {
    /// A proxy in front of a server, which appends what passes to a file: two routes, with the server's own path and all below
    /// it, so that recorded paths are the server's.
    ///
    /// `url` is the server's address, `out` the file, `mask` are regular expressions of what is left out besides credentials,
    /// and `port` is where clients connect.
    ///
    /// # Errors
    ///
    /// The URL is none, or its path has characters that patterns have too; a pattern in `mask` is no regular expression.
    pub fn recorder(url: &str, out: &str, mask: &[String], port: u16) -> Result<Self, ConfigError> {
        let parsed: Uri = url
            .parse()
            .map_err(|_| ConfigError::at("", "no URL; write one such as wss://example.com/feed"))?;
        let path = parsed.path().trim_end_matches('/');
        if path.contains(['{', '}', '*', '?']) {
            return Err(ConfigError::at("", "a path with one of {, }, * and ? cannot be recorded"));
        }
        let route = |pattern: String| {
            json!({
                "pattern": pattern,
                "proxy": { "url": url, "forward": ["authorization", "cookie"] },
                // Some clients insist on it.
                "compression": true,
                "record": { "file": out, "mask": mask },
            })
        };
        let mut routes = vec![route(format!("{path}/**"))];
        if !path.is_empty() {
            routes.insert(0, route(path.to_owned()));
        }
        Self::from_value(json!({ "prefix": "", "listen": { "port": port }, "routes": routes }))
    }

    /// A server that says again what is in a recording, to clients of any path.
    ///
    /// `speed` is a number or `instant`, `matching` is `exact`, `shape` or `any`, with `repeats` a conversation begins again at
    /// its end, and `port` is where clients connect: see [`ReplayOptions`](crate::dialect::replay::ReplayOptions).
    ///
    /// # Errors
    ///
    /// An option has another value than those.
    pub fn player(
        file: &str,
        speed: &str,
        matching: &str,
        repeats: bool,
        port: u16,
    ) -> Result<Self, ConfigError> {
        let speed = speed.parse::<f64>().map_or_else(|_| json!(speed), Value::from);
        let replay = json!({ "file": file, "speed": speed, "match": matching, "loop": repeats });
        let route = json!({ "pattern": "/**", "compression": true, "replay": replay });
        Self::from_value(json!({ "prefix": "", "listen": { "port": port }, "routes": [route] }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_serves_the_path_of_its_target() {
        let patterns = |url: &str| -> Vec<String> {
            let config = Config::recorder(url, "out.jsonl", &[], 0).expect("a configuration");
            config.route_keys().map(|key| key.pattern.to_string()).collect()
        };
        assert_eq!(patterns("wss://example.com"), ["/**"]);
        assert_eq!(patterns("wss://example.com/feed/"), ["/feed", "/feed/**"]);
    }

    #[test]
    fn mistakes_are_told() {
        let error = |url: &str, mask: &str| {
            Config::recorder(url, "out.jsonl", &[mask.to_owned()], 0).expect_err("a mistake").to_string()
        };
        assert_eq!(error("not a url", "x"), "no URL; write one such as wss://example.com/feed");
        assert_eq!(error("ws://localhost/{a}", "x"), "a path with one of {, }, * and ? cannot be recorded");
        assert!(
            error("ws://localhost/", "(").starts_with("routes[0].record.mask"),
            "{}",
            error("ws://localhost/", "(")
        );
        let error = |speed: &str, matching: &str| {
            Config::player("a.jsonl", speed, matching, false, 0).expect_err("a mistake").to_string()
        };
        assert!(error("fast", "any").starts_with("routes[0].replay.speed: "), "{}", error("fast", "any"));
        assert!(error("1", "most").starts_with("routes[0].replay.match: "), "{}", error("1", "most"));
    }
}
