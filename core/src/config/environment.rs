//! Configuration by variables of the environment, as mock-api-server 1.x takes it.
//!
//! | Variable | What it says |
//! |---|---|
//! | `WEBSOCKET_ENABLED` | `true`: serve; `false`: answer statistics with 404; not set: the variables below are ignored |
//! | `WEBSOCKET_PATH` | the path of the events; default `/ws` |
//! | `WEBSOCKET_MOCK_EVENTS` | the events, a JSON list as of [`MockEvent`](crate::dialect::events::MockEvent) |
//! | `WEBSOCKET_HEARTBEAT_INTERVAL` | ms between pings; default none |
//! | `WEBSOCKET_MAX_PAYLOAD` | bytes of the largest message; default 10485760 |
//! | `WEBSOCKET_PROXY_ENABLED` | whether `WEBSOCKET_PROXY_ROUTES` is read; default false |
//! | `WEBSOCKET_PROXY_ROUTES` | `name:url,name2:url2`, below the path at `/proxy/` |
//! | `WEBSOCKET_PROXY_AUTH_<NAME>` | for the target of that name: `bearer:<token>`, `basic:<user>:<password>` or `apikey:<header>:<value>` |
//! | `AUTH_ENABLED` | whether clients have to show a token, as `?token=` or as `Authorization: Bearer`; otherwise HTTP 401. Default: if there are tokens |
//! | `WEBSOCKET_AUTH_TOKENS` | the valid tokens, separated by commas; without them `AUTH_ENABLED` stops the start |
//! | `WEBSOCKET_ADMIN_TOKEN` | the token that requests for statistics need; default: none, with `AUTH_ENABLED` one of the tokens |
//! | `ADMIN_ENABLED` | whether statistics are served; default true. `false` holds for all other routes too, also without `WEBSOCKET_ENABLED` |
//! | `CORS_ORIGINS` | the origins whose pages may connect, separated by commas; `*` for all; default as for other routes |
//! | `HOST`, `PORT` | where the native server listens |

use http::header::HeaderName;
use indexmap::IndexMap;
use serde_json::Value;

use super::{
    AuthenticateConfig, Config, ConfigError, Interval, OriginsConfig, Prefixes, RefusalConfig, RouteConfig,
    TokenConfig, TokenPlaceConfig,
};
use crate::dialect::events::EventsOptions;
use crate::dialect::proxy::{ProxyAuth, ProxyOptions, TargetOptions};
use crate::routing::origin::OriginPatterns;
use crate::routing::pattern::Pattern;
use crate::schema::Secret;

const STATS: &str = "/admin/websocket/stats";
const HEALTH: &str = "/health";
const MAX_PAYLOAD: usize = 10_485_760;

/// The files that hold variables in this mode (`development`, `production`), as Vite reads them: a later one wins
/// over those before it, and the process's own environment over all.
pub fn environment_files(mode: &str) -> [String; 4] {
    [".env".to_owned(), ".env.local".to_owned(), format!(".env.{mode}"), format!(".env.{mode}.local")]
}

impl Config {
    /// Adds the routes that the environment's variables describe, before all others, as the environment takes precedence
    /// over a file. Returns whether there are any. Errors begin with the variable's name.
    pub fn add_environment(
        &mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<bool, ConfigError> {
        let environment = Environment { variable };
        self.switch_off_statistics(&environment.variable);
        let Some(is_enabled) = environment.switch("WEBSOCKET_ENABLED")? else {
            return Ok(false);
        };
        let routes = environment.routes(is_enabled)?;
        self.routes.splice(0..0, routes);
        if let Some(host) = environment.text("HOST") {
            self.listen.host = host;
        }
        if let Some(port) = environment.number("PORT")? {
            self.listen.port = port;
        }
        Ok(true)
    }
}

impl Config {
    /// Takes the statistics of the dialect `events` away if the environment says `ADMIN_ENABLED=false`. That holds for
    /// every configuration of a server, whatever `WEBSOCKET_ENABLED` says.
    pub fn switch_off_statistics(&mut self, variable: impl Fn(&str) -> Option<String>) {
        let is_off = matches!(Environment { variable }.switch("ADMIN_ENABLED"), Ok(Some(false)));
        for events in self.routes.iter_mut().filter_map(|route| route.events.as_mut()).filter(|_| is_off) {
            events.stats = None;
            events.admin_tokens.clear();
        }
    }
}

struct Environment<F> {
    variable: F,
}

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    fn routes(&self, is_enabled: bool) -> Result<Vec<RouteConfig>, ConfigError> {
        let path = self.text("WEBSOCKET_PATH").unwrap_or_else(|| "/ws".to_owned());
        let pattern = |path: &str| {
            Pattern::new(path).map_err(|error| ConfigError::at("WEBSOCKET_PATH", error.to_string()))
        };
        let max_payload = self.number("WEBSOCKET_MAX_PAYLOAD")?.unwrap_or(MAX_PAYLOAD);
        if max_payload == 0 {
            return Err(ConfigError::at(
                "WEBSOCKET_MAX_PAYLOAD",
                "no message could ever be received; write at least 1",
            ));
        }
        let (origins, authenticate) = (self.origins()?, self.authenticate()?);
        let route = |pattern: Pattern| RouteConfig {
            // The variable has the whole path.
            prefix: Some(Prefixes::default()),
            disabled: !is_enabled,
            max_payload,
            origins: origins.clone(),
            authenticate: authenticate.clone(),
            // The original echoes whatever is offered.
            subprotocols: vec!["*".to_owned()],
            ..RouteConfig::new(pattern)
        };
        let heartbeat = self.number("WEBSOCKET_HEARTBEAT_INTERVAL")?.map_or(Interval::OFF, Interval::from_ms);
        let events = RouteConfig { heartbeat, events: Some(self.events()?), ..route(pattern(&path)?) };
        events.check().map_err(|error| error.under("WEBSOCKET_MOCK_EVENTS"))?;
        let targets = self.targets()?;
        if targets.is_empty() {
            return Ok(vec![events]);
        }
        let proxy = RouteConfig {
            proxy: Some(ProxyOptions::to_targets(targets)),
            ..route(pattern(&format!("{}/proxy/**", path.trim_end_matches('/')))?)
        };
        Ok(vec![events, proxy])
    }

    fn events(&self) -> Result<EventsOptions, ConfigError> {
        const NAME: &str = "WEBSOCKET_MOCK_EVENTS";
        let list: Value = match self.text(NAME) {
            None => Value::Array(Vec::new()),
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| ConfigError::at(NAME, format!("not JSON: {error}")))?,
        };
        if !list.is_array() {
            return Err(ConfigError::at(NAME, "expected a list of events"));
        }
        let events: EventsOptions = serde_path_to_error::deserialize(list)
            .map_err(|error| ConfigError::from_serde(error).under(NAME))?;
        events.check().map_err(|error| error.under(NAME))?;
        let has_stats = self.switch("ADMIN_ENABLED")?.unwrap_or(true);
        let stats = has_stats.then(|| STATS.to_owned());
        let admin_tokens = match (&stats, self.text("WEBSOCKET_ADMIN_TOKEN"), self.authenticate()?) {
            (None, ..) => Vec::new(),
            (_, Some(token), _) => vec![token.into()],
            (_, None, AuthenticateConfig::Open) => Vec::new(),
            (_, None, _) => self.tokens().into_iter().map(Secret::from).collect(),
        };
        Ok(EventsOptions { stats, admin_tokens, health: Some(HEALTH.to_owned()), ..events })
    }

    fn targets(&self) -> Result<IndexMap<String, TargetOptions>, ConfigError> {
        const NAME: &str = "WEBSOCKET_PROXY_ROUTES";
        let mut targets = IndexMap::new();
        if !self.switch("WEBSOCKET_PROXY_ENABLED")?.unwrap_or(false) {
            return Ok(targets);
        }
        let text = self.text(NAME).unwrap_or_default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            // Only the first colon separates; the others are the URL's.
            let Some((name, url)) = item.split_once(':') else {
                let message = format!("{item:?} has no colon; write name:url, as echo:wss://example.com");
                return Err(ConfigError::at(NAME, message));
            };
            let (name, url) = (name.trim(), url.trim());
            let target = TargetOptions { auth: self.auth(name)?, ..TargetOptions::new(url) };
            if targets.insert(name.to_owned(), target).is_some() {
                return Err(ConfigError::at(NAME, format!("{name:?} stands here twice")));
            }
        }
        let proxy = ProxyOptions::to_targets(targets);
        if !proxy.targets.is_empty() {
            proxy.check(true).map_err(|error| error.under(NAME))?;
        }
        Ok(proxy.targets)
    }

    fn auth(&self, target: &str) -> Result<Option<ProxyAuth>, ConfigError> {
        let part = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let name = format!("WEBSOCKET_PROXY_AUTH_{}", target.chars().map(part).collect::<String>());
        let Some(text) = self.text(&name) else {
            return Ok(None);
        };
        let (kind, rest) = text.split_once(':').unwrap_or((&text, ""));
        let secret = |text: &str| Secret(text.to_owned());
        let auth = match (kind, rest.split_once(':')) {
            ("bearer", _) if !rest.is_empty() => ProxyAuth::Bearer { token: secret(rest) },
            ("basic", Some((user, password))) => {
                ProxyAuth::Basic { username: secret(user), password: secret(password) }
            }
            ("apikey", Some((header, value))) if header.parse::<HeaderName>().is_ok() => {
                ProxyAuth::ApiKey { header: header.to_owned(), value: secret(value) }
            }
            // The value may be a secret, so it is not shown.
            _ => {
                let message = "write bearer:<token>, basic:<user>:<password> or apikey:<header>:<value>";
                return Err(ConfigError::at(name, message));
            }
        };
        Ok(Some(auth))
    }

    fn authenticate(&self) -> Result<AuthenticateConfig, ConfigError> {
        let values = self.tokens();
        if !self.switch("AUTH_ENABLED")?.unwrap_or(!values.is_empty()) {
            return Ok(AuthenticateConfig::Open);
        }
        if values.is_empty() {
            let message = "nobody could come in; write WEBSOCKET_AUTH_TOKENS=token1,token2, or false here";
            return Err(ConfigError::at("AUTH_ENABLED", message));
        }
        // Browsers cannot set headers on a WebSocket; other clients use HTTP's own.
        let (query, header) = (Some("token".to_owned()), Some("authorization".to_owned()));
        let values = values.into_iter().map(|token| (token, Value::Null)).collect();
        Ok(AuthenticateConfig::Token(Box::new(TokenConfig {
            token: TokenPlaceConfig { query, header, values },
            missing: RefusalConfig::default(),
            invalid: RefusalConfig::default(),
        })))
    }

    fn tokens(&self) -> Vec<String> {
        let text = self.text("WEBSOCKET_AUTH_TOKENS").unwrap_or_default();
        text.split(',').map(str::trim).filter(|token| !token.is_empty()).map(str::to_owned).collect()
    }

    fn origins(&self) -> Result<Option<OriginsConfig>, ConfigError> {
        let Some(text) = self.text("CORS_ORIGINS") else {
            return Ok(None);
        };
        let list: Vec<&str> = text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        if list.contains(&"*") {
            return Ok(Some(OriginsConfig::Any));
        }
        let patterns = OriginPatterns::new(list);
        let patterns = patterns.map_err(|(_, message)| ConfigError::at("CORS_ORIGINS", message))?;
        Ok(Some(OriginsConfig::Patterns(patterns)))
    }

    /// The variable's value; an empty one is as if it were not set.
    fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn switch(&self, name: &str) -> Result<Option<bool>, ConfigError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(ConfigError::at(name, format!("expected true or false, got {text:?}"))),
        }
    }

    fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, ConfigError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number = text.parse().map_err(|_| {
            ConfigError::at(name, format!("expected a whole number that is not too large, got {text:?}"))
        });
        number.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_dotenv;

    fn add(text: &str) -> Result<(Config, bool), ConfigError> {
        let variables = parse_dotenv(text);
        let mut config = Config::default();
        let variable =
            |name: &str| variables.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.clone());
        let added = config.add_environment(variable)?;
        config.check()?;
        Ok((config, added))
    }

    #[test]
    fn the_file_of_the_mock_api_server_is_a_configuration() {
        let text = "# Enable WebSocket server\nWEBSOCKET_ENABLED=true\n\n# WebSocket server path (default: /ws)\nWEBSOCKET_PATH=/ws\n\
            WEBSOCKET_MOCK_EVENTS=[{\"name\":\"ticker\",\"interval\":2000,\"data\":{\"price\":100}},{\"name\":\"now\",\"interval\":0,\"data\":null}]\n\
            WEBSOCKET_PROXY_ENABLED=true\nWEBSOCKET_PROXY_ROUTES=echo:wss://echo.websocket.org, binance:wss://stream.binance.com:9443\n\
            WEBSOCKET_PROXY_AUTH_BINANCE=bearer:s3:cret\nWEBSOCKET_HEARTBEAT_INTERVAL=30000\nWEBSOCKET_MAX_PAYLOAD=1024\nPORT=3000\nHOST=localhost\n";
        let (config, added) = add(text).unwrap();
        assert!(added);
        assert_eq!((config.listen.host.as_str(), config.listen.port), ("localhost", 3000));
        let [events, proxy] = &config.routes[..] else { panic!("{:?}", config.routes) };
        assert_eq!((events.pattern.as_str(), proxy.pattern.as_str()), ("/ws", "/ws/proxy/**"));
        assert_eq!((events.heartbeat.as_ms(), events.max_payload), (Some(30_000), 1024));
        let options = events.events.as_ref().unwrap();
        let intervals: Vec<_> = options.mock.iter().map(|event| event.interval.as_ms()).collect();
        assert_eq!(intervals, [Some(2000), None]);
        assert_eq!(options.stats.as_deref(), Some(STATS));
        let targets = &proxy.proxy.as_ref().unwrap().targets;
        assert_eq!(targets["echo"], TargetOptions::new("wss://echo.websocket.org"));
        assert_eq!(targets["binance"].url, "wss://stream.binance.com:9443");
        assert_eq!(targets["binance"].auth, Some(ProxyAuth::Bearer { token: Secret("s3:cret".to_owned()) }));
    }

    #[test]
    fn nothing_is_added_unasked_and_false_says_so() {
        let (config, added) = add("PORT=1\nWEBSOCKET_PATH=/x").unwrap();
        assert!(!added && config.routes.is_empty() && config.listen.port != 1);
        let (config, added) = add("WEBSOCKET_ENABLED=false\nWEBSOCKET_MOCK_EVENTS=").unwrap();
        assert!(added && config.routes[0].disabled && config.routes.len() == 1);
    }

    #[test]
    fn what_the_environment_says_comes_before_what_a_file_says() {
        let file = "[[routes]]\npattern = '/ws'\ndialect = 'echo'";
        let mut config = Config::from_toml(file).unwrap();
        let variable = |name: &str| (name == "WEBSOCKET_ENABLED").then(|| "true".to_owned());
        assert!(config.add_environment(variable).unwrap());
        let dialects: Vec<_> = config.routes.iter().map(|route| route.dialect().name()).collect();
        assert_eq!(dialects, ["events", "echo"]);
    }

    #[test]
    fn no_statistics_are_served_where_they_are_switched_off() {
        let file = "routes = [{ pattern = '/ws', events = { stats = '/stats', adminToken = 'x' } }]";
        for (text, expected) in [
            ("", Some("/stats")),
            ("ADMIN_ENABLED=perhaps", Some("/stats")),
            ("ADMIN_ENABLED=false", None),
            ("ADMIN_ENABLED=false\nWEBSOCKET_ENABLED=true", None),
        ] {
            let variables = parse_dotenv(text);
            let variable = |name: &str| {
                variables.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.clone())
            };
            let mut config = Config::from_toml(file).unwrap();
            // Only with WEBSOCKET_ENABLED does a value that is none stop the start.
            config.add_environment(variable).unwrap();
            config.check().unwrap();
            let last = config.routes.last().and_then(|route| route.events.as_ref()).unwrap();
            assert_eq!(last.stats.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn tokens_are_asked_for_by_everything() {
        let proxy = "WEBSOCKET_PROXY_ENABLED=true\nWEBSOCKET_PROXY_ROUTES=a:ws://x";
        let admins = |config: &Config| -> Vec<String> {
            let events = config.routes[0].events.as_ref().unwrap();
            events.admin_tokens.iter().map(|Secret(token)| token.clone()).collect()
        };
        let tokens = |text: &str| {
            let (config, _) = add(&format!("WEBSOCKET_ENABLED=true\n{proxy}\n{text}")).unwrap();
            let asked = config.routes.iter().map(|route| match &route.authenticate {
                AuthenticateConfig::Token(token) => token.token.values.keys().cloned().collect(),
                _ => Vec::new(),
            });
            let asked: Vec<Vec<String>> = asked.collect();
            assert_eq!(asked[0], asked[1], "the proxy is no way around");
            (asked[0].clone(), admins(&config))
        };
        let list = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for (text, clients, admins) in [
            ("", &[][..], &[][..]),
            ("AUTH_ENABLED=false\nWEBSOCKET_AUTH_TOKENS=a", &[], &[]),
            ("AUTH_ENABLED=true\nWEBSOCKET_AUTH_TOKENS=a, b,", &["a", "b"], &["a", "b"]),
            ("WEBSOCKET_AUTH_TOKENS=a\nWEBSOCKET_ADMIN_TOKEN=c", &["a"], &["c"]),
            ("WEBSOCKET_AUTH_TOKENS=a\nADMIN_ENABLED=false", &["a"], &[]),
        ] {
            assert_eq!(tokens(text), (list(clients), list(admins)), "{text}");
        }
    }

    #[test]
    fn errors_name_the_variable() {
        for (line, expected) in [
            ("WEBSOCKET_ENABLED=maybe", "WEBSOCKET_ENABLED: expected true or false, got \"maybe\""),
            ("WEBSOCKET_PATH=ws", "WEBSOCKET_PATH: "),
            ("WEBSOCKET_MOCK_EVENTS=[{]", "WEBSOCKET_MOCK_EVENTS: not JSON: "),
            ("WEBSOCKET_MOCK_EVENTS={}", "WEBSOCKET_MOCK_EVENTS: expected a list of events"),
            (
                "WEBSOCKET_MOCK_EVENTS=[{\"name\":\"a\"}]",
                "WEBSOCKET_MOCK_EVENTS[0]: the key \"data\" is missing",
            ),
            (
                "WEBSOCKET_MOCK_EVENTS=[{\"name\":\"a\",\"data\":\"{message.x}\"}]",
                "WEBSOCKET_MOCK_EVENTS.events.mock[0].data: there is no message here;",
            ),
            ("WEBSOCKET_HEARTBEAT_INTERVAL=30s", "WEBSOCKET_HEARTBEAT_INTERVAL: expected a whole number"),
            ("WEBSOCKET_PROXY_ROUTES=echo", "WEBSOCKET_PROXY_ROUTES: \"echo\" has no colon;"),
            (
                "WEBSOCKET_PROXY_ROUTES=echo:http://x",
                "WEBSOCKET_PROXY_ROUTES.targets.echo.url: \"http://x\" is no URL;",
            ),
            (
                "WEBSOCKET_PROXY_ROUTES=a:ws://x\nWEBSOCKET_PROXY_AUTH_A=s3cret",
                "WEBSOCKET_PROXY_AUTH_A: write bearer:",
            ),
            ("AUTH_ENABLED=true", "AUTH_ENABLED: nobody could come in; write WEBSOCKET_AUTH_TOKENS="),
            ("CORS_ORIGINS=localhost", "CORS_ORIGINS: \"localhost\" is no origin;"),
            ("PORT=70000", "PORT: expected a whole number that is not too large, got \"70000\""),
        ] {
            let text = format!("WEBSOCKET_ENABLED=true\nWEBSOCKET_PROXY_ENABLED=true\n{line}");
            let error = add(&text).unwrap_err().to_string();
            assert!(error.starts_with(expected) && !error.contains("s3cret"), "{error}");
        }
    }
}
