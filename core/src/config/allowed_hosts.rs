//! The names under which pages may reach the server.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::routing::hosts::Hosts;

/// A list of hosts, in which a leading dot includes all subdomains, or `true` for all. Default: none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowedHosts {
    /// These names.
    Listed(Vec<String>),
    /// All.
    Any,
}

impl Default for AllowedHosts {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl AllowedHosts {
    /// The same for the engine.
    pub(super) fn hosts(&self) -> Hosts {
        match self {
            Self::Listed(names) => Hosts::listed(names),
            Self::Any => Hosts::Any,
        }
    }
}

impl<'de> Deserialize<'de> for AllowedHosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AllowedHostsVisitor)
    }
}

struct AllowedHostsVisitor;

impl<'de> Visitor<'de> for AllowedHostsVisitor {
    type Value = AllowedHosts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of hosts such as [\"example.com\", \".example.com\"], or true")
    }

    fn visit_bool<E: de::Error>(self, is_any: bool) -> Result<AllowedHosts, E> {
        Ok(if is_any { AllowedHosts::Any } else { AllowedHosts::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<AllowedHosts, A::Error> {
        let mut names: Vec<String> = Vec::new();
        while let Some(name) = list.next_element::<String>()? {
            check(&name).map_err(de::Error::custom)?;
            names.push(name);
        }
        Ok(AllowedHosts::Listed(names))
    }
}

/// Names only: what could never match is a mistake.
fn check(name: &str) -> Result<(), String> {
    let is_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[:]".contains(&byte);
    let has_port = !name.starts_with('[') && name.contains(':');
    if has_port || name.trim_matches('.').is_empty() || !name.bytes().all(is_byte) {
        return Err(format!(
            "{name:?} is not a host; write a name without scheme and port, such as \"example.com\", or \".example.com\" for \
             all subdomains too"
        ));
    }
    Ok(())
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for AllowedHosts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AllowedHosts".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn hosts_are_names() {
        for good in ["true", "false", "[]", "['example.com', '.example.com', '[::1]', 'my_box']"] {
            assert!(Config::from_toml(&format!("allowedHosts = {good}")).is_ok(), "{good}");
        }
        for bad in ["['https://example.com']", "['example.com:80']", "['*']", "['']", "['.']"] {
            let error = Config::from_toml(&format!("allowedHosts = {bad}")).unwrap_err().to_string();
            assert!(error.starts_with("allowedHosts"), "{error}");
            assert!(error.contains("is not a host; write a name"), "{error}");
        }
    }
}
