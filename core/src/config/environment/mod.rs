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
use crate::schema::{Secret, read};

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
        let events: EventsOptions = read(list).map_err(|error: ConfigError| error.under(NAME))?;
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
mod tests;
