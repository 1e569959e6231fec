//! How a configuration writes a proxy and its targets: as a URL, or as an object with more.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::{ProxyAuth, ProxyHandshake, ProxyOptions, TargetOptions};
use crate::schema::Secret;
use crate::time;

impl<'de> Deserialize<'de> for ProxyOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        url_or_table::<Table, _, _>(deserializer, Self::to)
    }
}

impl<'de> Deserialize<'de> for TargetOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        url_or_table::<TargetTable, _, _>(deserializer, Self::new)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for ProxyOptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Proxy".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        url_or_table_schema::<Table>(generator)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for TargetOptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProxyTarget".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        url_or_table_schema::<TargetTable>(generator)
    }
}

/// The long form of a proxy.
#[derive(Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ProxyTable"))]
struct Table {
    /// The one target, `ws://` or `wss://`; `${NAME}` takes a part from the environment. Either this or `targets`.
    url: Option<String>,
    /// Headers for the target's opening handshake.
    headers: IndexMap<String, Secret>,
    /// The credentials that the target demands.
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
    /// Ms for which a target may take none of the messages that wait for it; then the client is closed with 1011.
    /// Default 30000.
    send_timeout: u64,
    /// How many bytes may wait for the target before nothing more is taken from the client. Default 1 MiB.
    max_waiting: usize,
}

impl Default for Table {
    fn default() -> Self {
        let ProxyOptions {
            target: _,
            targets,
            announce,
            forward,
            handshake,
            timeout,
            send_timeout,
            max_waiting,
        } = ProxyOptions::to_targets(IndexMap::new());
        Self {
            url: None,
            headers: IndexMap::new(),
            auth: None,
            targets,
            announce,
            forward,
            handshake,
            timeout: time::ms(timeout),
            send_timeout: time::ms(send_timeout),
            max_waiting,
        }
    }
}

impl From<Table> for ProxyOptions {
    fn from(table: Table) -> Self {
        let Table { url, headers, auth, targets, announce, forward, handshake, .. } = table;
        Self {
            target: url.map(|url| TargetOptions { url, headers, auth }),
            targets,
            announce,
            forward,
            handshake,
            timeout: Duration::from_millis(table.timeout),
            send_timeout: Duration::from_millis(table.send_timeout),
            max_waiting: table.max_waiting,
        }
    }
}

/// The long form of a target.
#[derive(Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ProxyTargetTable"))]
struct TargetTable {
    /// `ws://` or `wss://`; `${NAME}` takes a part from the environment.
    url: String,
    /// Headers for the target's opening handshake.
    #[serde(default)]
    headers: IndexMap<String, Secret>,
    /// The credentials that the target demands.
    #[serde(default)]
    auth: Option<ProxyAuth>,
}

impl From<TargetTable> for TargetOptions {
    fn from(TargetTable { url, headers, auth }: TargetTable) -> Self {
        Self { url, headers, auth }
    }
}

/// Reads a URL, or an object of the form `Table`. Not one of serde's untagged enums, which cannot say which key is wrong.
fn url_or_table<'de, Table, Options, D>(
    deserializer: D,
    from_url: fn(String) -> Options,
) -> Result<Options, D::Error>
where
    Table: Deserialize<'de> + Into<Options>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(UrlOrTable { from_url, table: PhantomData::<Table> })
}

struct UrlOrTable<Table, Options> {
    from_url: fn(String) -> Options,
    table: PhantomData<Table>,
}

impl<'de, Table: Deserialize<'de> + Into<Options>, Options> Visitor<'de> for UrlOrTable<Table, Options> {
    type Value = Options;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL or an object")
    }

    fn visit_str<E: de::Error>(self, url: &str) -> Result<Options, E> {
        Ok((self.from_url)(url.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Options, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
    }
}

#[cfg(feature = "json-schema")]
fn url_or_table_schema<Table: schemars::JsonSchema>(
    generator: &mut schemars::SchemaGenerator,
) -> schemars::Schema {
    let table = generator.subschema_for::<Table>();
    schemars::json_schema!({ "anyOf": [{ "type": "string" }, table] })
}
