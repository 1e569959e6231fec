//! A proxy's settings.

use std::borrow::Cow;
use std::fmt;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::address::Address;
use crate::schema::{ConfigError, Secret};

/// Where a proxy's connections go, and how: a URL, or an object with more.
#[derive(Clone, Debug)]
pub struct ProxyOptions {
    /// The one target, `ws://` or `wss://`. Either this or `targets`.
    pub target: Option<TargetOptions>,
    /// Targets by the name with which the part of the path that `**` stands for begins.
    pub targets: IndexMap<String, TargetOptions>,
    /// Whether clients are told about the proxy itself: `proxy_connected` when the target has answered, and why it
    /// failed. Default true with `targets`, otherwise false.
    pub announce: Option<bool>,
    /// Headers of the client's opening handshake to pass on, such as `cookie`. Default none.
    pub forward: Vec<String>,
    /// Who answers a client's opening handshake. Default: the proxy where clients are told about it (`announce`),
    /// otherwise the target.
    pub handshake: Option<ProxyHandshake>,
    /// Ms that a target may take to answer. Default 10000.
    pub timeout: u64,
    /// Ms in which a target has to take a message of what waits for it; then the client is closed with 1011. Default
    /// 30000.
    pub send_timeout: u64,
    /// From how many bytes on that wait for the target nothing more is taken from the client. Default 1 MiB.
    pub max_waiting: usize,
}

/// Who answers a client's opening handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProxyHandshake {
    /// The target: the client waits for its answer and gets its subprotocol, or its HTTP status; 502 where it cannot
    /// be reached, 504 where it does not answer in time. An end without a close frame is one to the other side too.
    Target,
    /// The proxy, at once: what the client says waits for the target. What fails is 1011.
    Proxy,
}

/// One target: a URL, or an object with more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetOptions {
    /// `ws://` or `wss://`.
    pub url: String,
    /// Headers for the target's opening handshake.
    pub headers: IndexMap<String, Secret>,
    /// What the target wants to see before it lets anybody in.
    pub auth: Option<ProxyAuth>,
}

/// Credentials for a target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub enum ProxyAuth {
    /// `Authorization: Bearer <token>`.
    Bearer {
        /// The token; `${NAME}` takes it from the environment.
        token: Secret,
    },
    /// `Authorization: Basic …`.
    Basic {
        /// The name, without a colon.
        username: Secret,
        /// The password; `${NAME}` takes it from the environment.
        password: Secret,
    },
    /// A header of its own.
    ApiKey {
        /// The header's name. Default `x-api-key`.
        #[serde(default = "default_key_header", alias = "apiKeyHeader")]
        header: String,
        /// The key; `${NAME}` takes it from the environment.
        #[serde(alias = "apiKeyValue")]
        value: Secret,
    },
}

impl ProxyOptions {
    /// To this URL.
    pub fn to(url: impl Into<String>) -> Self {
        Table { url: Some(url.into()), ..Table::default() }.into()
    }

    /// To one of these, by name.
    pub fn to_targets(targets: IndexMap<String, TargetOptions>) -> Self {
        Table { targets, ..Table::default() }.into()
    }

    /// Whether clients are told about the proxy.
    pub fn announces(&self) -> bool {
        self.announce.unwrap_or(!self.targets.is_empty())
    }

    /// Who answers a client's opening handshake.
    pub fn handshake(&self) -> ProxyHandshake {
        self.handshake.unwrap_or(match self.announces() {
            true => ProxyHandshake::Proxy,
            false => ProxyHandshake::Target,
        })
    }

    /// Puts what `variable` knows in place of each `${NAME}`; fails on a name that it does not know.
    pub(crate) fn resolve(
        &mut self,
        variable: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<(), ConfigError> {
        if let Some(target) = &mut self.target {
            target.resolve(variable)?;
        }
        for (name, target) in &mut self.targets {
            target.resolve(variable).map_err(|error| error.under(&format!("targets.{name}")))?;
        }
        Ok(())
    }

    /// Checks what one key alone cannot tell. `takes_rest`: the route's pattern ends with `**`.
    pub(crate) fn check(&self, takes_rest: bool) -> Result<(), ConfigError> {
        match (&self.target, self.targets.is_empty()) {
            (None, true) => return Err(ConfigError::at("", "write where to: url, or targets by name")),
            (Some(_), false) => return Err(ConfigError::at("", "write either url or targets")),
            (None, false) if !takes_rest => {
                let message = "the target's name comes from the path; end the pattern with /**";
                return Err(ConfigError::at("targets", message));
            }
            _ => {}
        }
        if self.timeout == 0 {
            return Err(ConfigError::at("timeout", "no target could ever answer; write at least 1"));
        }
        if self.send_timeout == 0 {
            return Err(ConfigError::at(
                "sendTimeout",
                "no target could ever take anything; write at least 1",
            ));
        }
        if self.max_waiting == 0 {
            return Err(ConfigError::at("maxWaiting", "no message could ever pass; write at least 1"));
        }
        for (index, name) in self.forward.iter().enumerate() {
            check_header(name).map_err(|error| error.under(&format!("forward[{index}]")))?;
        }
        if let Some(target) = &self.target {
            target.check()?;
        }
        for (name, target) in &self.targets {
            let under = |error: ConfigError| error.under(&format!("targets.{name}"));
            if name.is_empty() || name.contains('/') {
                return Err(under(ConfigError::at(
                    "",
                    "a name is one segment of a path, so it has no slash",
                )));
            }
            target.check().map_err(under)?;
        }
        Ok(())
    }
}

impl TargetOptions {
    /// What stands for the port at which this server is found, in a URL, a header or credentials.
    pub(crate) const OWN_PORT: &str = "${PORT}";

    /// The same with the port at which this server is found, where it was left open. An unknown port stays open.
    pub(super) fn at(&self, port: Option<u16>) -> Cow<'_, Self> {
        let is_open = |text: &str| text.contains(Self::OWN_PORT);
        let Some(port) = port.filter(|_| self.texts().any(is_open)) else {
            return Cow::Borrowed(self);
        };
        let mut target = self.clone();
        for text in target.texts_mut() {
            *text = text.replace(Self::OWN_PORT, &port.to_string());
        }
        Cow::Owned(target)
    }

    /// All that may hold variables.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.values().map(|Secret(value)| value.as_str());
        let [first, second] = match &self.auth {
            None => [None, None],
            Some(
                ProxyAuth::Bearer { token: Secret(value) } | ProxyAuth::ApiKey { value: Secret(value), .. },
            ) => [Some(value), None],
            Some(ProxyAuth::Basic { username: Secret(username), password: Secret(password) }) => {
                [Some(username), Some(password)]
            }
        };
        let auth = first.into_iter().chain(second).map(String::as_str);
        [self.url.as_str()].into_iter().chain(headers).chain(auth)
    }

    fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let headers = self.headers.values_mut().map(|Secret(value)| value);
        let [first, second] = match &mut self.auth {
            None => [None, None],
            Some(
                ProxyAuth::Bearer { token: Secret(value) } | ProxyAuth::ApiKey { value: Secret(value), .. },
            ) => [Some(value), None],
            Some(ProxyAuth::Basic { username: Secret(username), password: Secret(password) }) => {
                [Some(username), Some(password)]
            }
        };
        [&mut self.url].into_iter().chain(headers).chain(first).chain(second)
    }

    /// A URL and nothing more.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), headers: IndexMap::new(), auth: None }
    }

    fn resolve(&mut self, variable: &mut dyn FnMut(&str) -> Option<String>) -> Result<(), ConfigError> {
        let mut fill = |key: &str, text: &mut String| {
            filled(text, variable)
                .map(|filled| *text = filled)
                .map_err(|message| ConfigError::at(key, message))
        };
        fill("url", &mut self.url)?;
        for (name, Secret(value)) in &mut self.headers {
            fill(&format!("headers.{name}"), value)?;
        }
        match &mut self.auth {
            None => Ok(()),
            Some(ProxyAuth::Bearer { token: Secret(token) }) => fill("auth.token", token),
            Some(ProxyAuth::Basic { username: Secret(username), password: Secret(password) }) => {
                fill("auth.username", username)?;
                fill("auth.password", password)
            }
            Some(ProxyAuth::ApiKey { value: Secret(value), .. }) => fill("auth.value", value),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        // What the environment holds is not known yet.
        let is_open = |text: &str| text.contains("${");
        let url = self.url.replace(Self::OWN_PORT, "1");
        if !is_open(&url) {
            Address::parse(&url).map_err(|message| ConfigError::at("url", message))?;
        }
        let value = |key: String, text: &str| match HeaderValue::from_str(text) {
            Err(_) if !is_open(text) => Err(ConfigError::at(key, "has a character that no header can have")),
            _ => Ok(()),
        };
        for (name, Secret(text)) in &self.headers {
            check_header(name).map_err(|error| error.under("headers"))?;
            value(format!("headers.{name}"), text)?;
        }
        match &self.auth {
            None => Ok(()),
            Some(ProxyAuth::Bearer { token: Secret(token) }) => value("auth.token".to_owned(), token),
            Some(ProxyAuth::Basic { username: Secret(username), .. }) if username.contains(':') => {
                Err(ConfigError::at("auth.username", "a name cannot have a colon here"))
            }
            Some(ProxyAuth::Basic { .. }) => Ok(()),
            Some(ProxyAuth::ApiKey { header, value: Secret(text) }) => {
                check_header(header).map_err(|error| error.under("auth.header"))?;
                value("auth.value".to_owned(), text)
            }
        }
    }
}

fn check_header(name: &str) -> Result<(), ConfigError> {
    let Ok(name) = name.parse::<HeaderName>() else {
        return Err(ConfigError::at("", format!("{name:?} is not the name of a header")));
    };
    let is_ours = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE].contains(&name)
        || name.as_str().starts_with("sec-websocket-");
    match is_ours {
        true => Err(ConfigError::at("", format!("{name} belongs to the opening handshake itself"))),
        false => Ok(()),
    }
}

/// The text with each `${NAME}` replaced.
fn filled(text: &str, variable: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            return Err("the brace of ${ is never closed".to_owned());
        };
        let value =
            variable(name).ok_or_else(|| format!("there is no variable {name} in the environment"))?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn default_key_header() -> String {
    "x-api-key".to_owned()
}

/// The long form of a proxy.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "ProxyTable")]
struct Table {
    /// The one target, `ws://` or `wss://`; `${NAME}` takes a part from the environment. Either this or `targets`.
    url: Option<String>,
    /// Headers for the target's opening handshake.
    headers: IndexMap<String, Secret>,
    /// What the target wants to see before it lets anybody in.
    auth: Option<ProxyAuth>,
    /// Targets by the name with which the part of the path that `**` stands for begins.
    targets: IndexMap<String, TargetOptions>,
    /// Whether clients are told about the proxy itself: `proxy_connected` when the target has answered, and why it
    /// failed. Default true with `targets`, otherwise false.
    announce: Option<bool>,
    /// Headers of the client's opening handshake to pass on, such as `cookie`. Default none.
    forward: Vec<String>,
    /// Who answers a client's opening handshake. Default: `proxy` where clients are told about it (`announce`),
    /// otherwise `target`.
    handshake: Option<ProxyHandshake>,
    /// Ms that a target may take to answer. Default 10000.
    timeout: u64,
    /// Ms in which a target has to take a message of what waits for it; then the client is closed with 1011. Default
    /// 30000.
    send_timeout: u64,
    /// From how many bytes on that wait for the target nothing more is taken from the client. Default 1 MiB.
    max_waiting: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            url: None,
            headers: IndexMap::new(),
            auth: None,
            targets: IndexMap::new(),
            announce: None,
            forward: Vec::new(),
            handshake: None,
            timeout: 10_000,
            send_timeout: 30_000,
            max_waiting: 1 << 20,
        }
    }
}

impl From<Table> for ProxyOptions {
    fn from(table: Table) -> Self {
        let Table {
            url,
            headers,
            auth,
            targets,
            announce,
            forward,
            handshake,
            timeout,
            send_timeout,
            max_waiting,
        } = table;
        let target = url.map(|url| TargetOptions { url, headers, auth });
        Self { target, targets, announce, forward, handshake, timeout, send_timeout, max_waiting }
    }
}

/// The long form of a target.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ProxyTargetTable")]
struct TargetTable {
    /// `ws://` or `wss://`; `${NAME}` takes a part from the environment.
    url: String,
    /// Headers for the target's opening handshake.
    #[serde(default)]
    headers: IndexMap<String, Secret>,
    /// What the target wants to see before it lets anybody in.
    #[serde(default)]
    auth: Option<ProxyAuth>,
}

/// A URL, or an object. Hand-written because serde's untagged enums cannot say which key is wrong.
struct UrlOr<T>(std::marker::PhantomData<T>);

/// What a bare URL stands for, and an object.
trait Written<'de>: Sized {
    fn from_url(url: String) -> Self;
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

impl<'de, T: Written<'de>> Visitor<'de> for UrlOr<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL or an object")
    }

    fn visit_str<E: de::Error>(self, url: &str) -> Result<T, E> {
        Ok(T::from_url(url.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }
}

impl<'de> Written<'de> for ProxyOptions {
    fn from_url(url: String) -> Self {
        Self::to(url)
    }

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
    }
}

impl<'de> Written<'de> for TargetOptions {
    fn from_url(url: String) -> Self {
        Self::new(url)
    }

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let TargetTable { url, headers, auth } = TargetTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Self { url, headers, auth })
    }
}

impl<'de> Deserialize<'de> for ProxyOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UrlOr(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for TargetOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UrlOr(std::marker::PhantomData))
    }
}

impl JsonSchema for ProxyOptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Proxy".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Table>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

impl JsonSchema for TargetOptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProxyTarget".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<TargetTable>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}
