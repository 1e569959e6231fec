//! Where a proxy connects to: the URL, the headers and the credentials of one target.

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue};
use indexmap::IndexMap;
use serde::Deserialize;

use crate::dialect::proxy::address::Address;
use crate::schema::{ConfigError, Secret, replace_variables};

/// One target: a URL, or an object with more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetOptions {
    /// `ws://` or `wss://`.
    pub url: String,
    /// Headers for the target's opening handshake.
    pub headers: IndexMap<String, Secret>,
    /// The credentials that the target demands.
    pub auth: Option<ProxyAuth>,
}

/// Credentials for a target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
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

impl TargetOptions {
    /// Stands for the port at which this server is found, in a URL, a header or credentials.
    pub(crate) const OWN_PORT: &str = "${PORT}";

    /// A URL and nothing more.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), headers: IndexMap::new(), auth: None }
    }

    /// The same with `${PORT}` replaced by the port at which this server is found, if that is known.
    pub(in crate::dialect::proxy) fn at(&self, port: Option<u16>) -> Self {
        let mut target = self.clone();
        if let Some(port) = port {
            for (_, text) in target.texts_mut() {
                *text = text.replace(Self::OWN_PORT, &port.to_string());
            }
        }
        target
    }

    /// Replaces each `${NAME}` by its value; fails where `variable` has none.
    pub(super) fn resolve(
        &mut self,
        variable: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<(), ConfigError> {
        for (key, text) in self.texts_mut() {
            *text = replace_variables(text, variable).map_err(|message| ConfigError::at(key, message))?;
        }
        Ok(())
    }

    /// Everything that may contain variables, with its key.
    fn texts_mut(&mut self) -> Vec<(String, &mut String)> {
        let mut texts = vec![("url".to_owned(), &mut self.url)];
        texts.extend(self.headers.iter_mut().map(|(name, Secret(value))| (format!("headers.{name}"), value)));
        match &mut self.auth {
            None => {}
            Some(ProxyAuth::Bearer { token: Secret(token) }) => texts.push(("auth.token".to_owned(), token)),
            Some(ProxyAuth::Basic { username: Secret(username), password: Secret(password) }) => {
                texts.push(("auth.username".to_owned(), username));
                texts.push(("auth.password".to_owned(), password));
            }
            Some(ProxyAuth::ApiKey { value: Secret(value), .. }) => {
                texts.push(("auth.value".to_owned(), value));
            }
        }
        texts
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // The values of the environment are not known yet.
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

pub(super) fn check_header(name: &str) -> Result<(), ConfigError> {
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

fn default_key_header() -> String {
    "x-api-key".to_owned()
}
