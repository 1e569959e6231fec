//! Who may come in, without code.

use std::fmt;

use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::ConfigError;
use crate::message::{CloseCode, CloseFrame};
use crate::routing::authentication::TokenRefusal;
use crate::schema::error::describe;
use crate::schema::read;

/// Who may connect. `false`: everyone. `true`: clients with an `Authorization` header that is not blank. A header's
/// name: clients with that header. An object: clients with a valid token. Others are answered HTTP 401, or as written.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum AuthenticateConfig {
    /// Everyone.
    #[default]
    Open,
    /// Clients with an `Authorization` header that is not blank.
    Authorization,
    /// Clients with this header, not blank.
    Header(HeaderName),
    /// Clients with a valid token.
    Token(Box<TokenConfig>),
}

/// Admits clients by a list of tokens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenConfig {
    /// Where the token is found, and which ones are valid.
    pub token: TokenPlaceConfig,
    /// The answer to clients without a token. Default HTTP 401.
    #[serde(default)]
    pub missing: RefusalConfig,
    /// The answer to clients with another token. Default HTTP 401.
    #[serde(default)]
    pub invalid: RefusalConfig,
}

/// Where a token is found, and which ones are valid.
#[derive(Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenPlaceConfig {
    /// The query parameter, such as `token` in `?token=…`. Browsers can send it only there.
    pub query: Option<String>,
    /// Or the header. If both are given, the query comes first. A leading `Bearer ` is not part of the token.
    pub header: Option<String>,
    /// The valid tokens, each with the `authData` of clients that have it; or just a list.
    #[serde(deserialize_with = "tokens")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "tokens_schema"))]
    pub values: IndexMap<String, Value>,
}

/// How a client is refused: with a close code, which a browser's page can read, or with an HTTP status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RefusalConfig {
    /// Complete the upgrade, then close with this: 1000–1003, 1007–1014 or 3000–4999.
    pub code: Option<u16>,
    /// The reason for the code, at most 123 bytes.
    pub reason: String,
    /// Refuse the upgrade with this HTTP status, 400 to 599. Default 401, unless there is a `code`.
    pub status: Option<u16>,
    /// Headers of the response, such as `Retry-After`. Default none.
    pub headers: IndexMap<String, String>,
}

/// Without the tokens.
impl fmt::Debug for TokenPlaceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { query, header, values } = self;
        let mut place = f.debug_struct("TokenPlaceConfig");
        place.field("query", query).field("header", header);
        place.field("values", &format_args!("<{} secrets>", values.len())).finish()
    }
}

impl AuthenticateConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let AuthenticateConfig::Token(token) = self else {
            return Ok(());
        };
        token.token.check().map_err(|error| error.under("token"))?;
        token.missing.check().map_err(|error| error.under("missing"))?;
        token.invalid.check().map_err(|error| error.under("invalid"))
    }
}

impl TokenPlaceConfig {
    fn check(&self) -> Result<(), ConfigError> {
        if self.query.is_none() && self.header.is_none() {
            return Err(ConfigError::at("", "write where the token stands: query or header"));
        }
        if self.query.as_ref().is_some_and(String::is_empty) {
            return Err(ConfigError::at("query", "expected a parameter's name"));
        }
        if let Some(name) = &self.header {
            header(name).map_err(|message| ConfigError::at("header", message))?;
        }
        match self.values.is_empty() {
            true => Err(ConfigError::at("values", "without a token nobody could come in")),
            false => Ok(()),
        }
    }
}

/// Headers that the response's framing sets itself.
const RESERVED_HEADERS: [HeaderName; 5] =
    [CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, UPGRADE];

impl RefusalConfig {
    /// Reads a refusal of user code, which has the form that configurations have.
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        read(value)
    }

    /// What it says, if it can be done.
    pub fn token_refusal(&self) -> Result<TokenRefusal, ConfigError> {
        self.check()?;
        Ok(self.into())
    }

    /// The headers that are ones.
    pub(super) fn header_map(&self) -> HeaderMap {
        self.headers
            .iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
            .collect()
    }

    fn check(&self) -> Result<(), ConfigError> {
        for (name, value) in &self.headers {
            let path = format!("headers.{name}");
            let parsed = header(name).map_err(|message| ConfigError::at(path.as_str(), message))?;
            if RESERVED_HEADERS.contains(&parsed) {
                return Err(ConfigError::at(path, "the response has this header already; leave it out"));
            }
            if value.parse::<HeaderValue>().is_err() {
                return Err(ConfigError::at(path, "a header's value is one line of printable text"));
            }
        }
        if self.code.is_some() && !self.headers.is_empty() {
            return Err(ConfigError::at(
                "headers",
                "with a code the handshake is completed; headers go with a status",
            ));
        }
        if self.reason.len() > CloseFrame::MAX_REASON {
            let message = format!("a reason has at most {} bytes", CloseFrame::MAX_REASON);
            return Err(ConfigError::at("reason", message));
        }
        match (self.code, self.status) {
            (Some(_), Some(_)) => Err(ConfigError::at("", "write either code or status")),
            (Some(code), None) if !CloseCode(code).is_sendable() => {
                let message = match code {
                    400..600 => format!("{code} is no close code; for an HTTP status write status = {code}"),
                    _ => format!("close code {code} cannot be sent; use 1000-1003, 1007-1014 or 3000-4999"),
                };
                Err(ConfigError::at("code", message))
            }
            (None, Some(status)) if !(400..600).contains(&status) => {
                Err(ConfigError::at("status", format!("expected 400 to 599, got {status}")))
            }
            (None, _) if !self.reason.is_empty() => {
                Err(ConfigError::at("reason", "a browser sees a reason only beside a code; add one, as 4001"))
            }
            _ => Ok(()),
        }
    }
}

fn header(name: &str) -> Result<HeaderName, String> {
    name.parse().map_err(|_| format!("{name:?} is not the name of a header; write one such as \"x-api-key\""))
}

fn tokens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IndexMap<String, Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(object) => Ok(object.into_iter().collect()),
        Value::Array(list) => list
            .into_iter()
            .map(|token| match token {
                Value::String(token) => Ok((token, Value::Null)),
                other => Err(de::Error::custom(format!("expected tokens as text, got {}", describe(&other)))),
            })
            .collect(),
        other => {
            let message =
                format!("expected an object of tokens, or a list of them, got {}", describe(&other));
            Err(de::Error::custom(message))
        }
    }
}

#[cfg(feature = "json-schema")]
fn tokens_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "anyOf": [{ "type": "object" }, { "type": "array", "items": { "type": "string" } }] })
}

impl<'de> Deserialize<'de> for AuthenticateConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AuthenticateVisitor;

        impl<'de> Visitor<'de> for AuthenticateVisitor {
            type Value = AuthenticateConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, a header's name or an object")
            }

            fn visit_bool<E>(self, value: bool) -> Result<AuthenticateConfig, E> {
                Ok(if value { AuthenticateConfig::Authorization } else { AuthenticateConfig::Open })
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<AuthenticateConfig, E> {
                header(name).map(AuthenticateConfig::Header).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AuthenticateConfig, A::Error> {
                Box::deserialize(MapAccessDeserializer::new(map)).map(AuthenticateConfig::Token)
            }
        }

        deserializer.deserialize_any(AuthenticateVisitor)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for AuthenticateConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Authenticate".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let token = generator.subschema_for::<TokenConfig>();
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, { "type": "string", "minLength": 1 }, token] })
    }
}
