//! The path prefixes of a server or a route.

use serde::Deserialize;
use serde_json::Value;

use crate::schema::error::describe;

/// Path prefixes, one or a list, each with a leading slash and without a trailing one. An empty prefix and `/` count
/// as none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Prefixes(Vec<String>);

impl Prefixes {
    /// These prefixes; missing leading slashes are added, trailing ones removed.
    pub fn new<'p>(prefixes: impl IntoIterator<Item = &'p str>) -> Result<Self, String> {
        let mut normalized: Vec<String> = Vec::new();
        for prefix in prefixes {
            if let Some(at) = prefix.find(['*', '?', '{', '}', '#']) {
                let character = &prefix[at..=at];
                return Err(format!(
                    "a prefix is plain text, so {character:?} cannot stand in {prefix:?}; patterns can have it"
                ));
            }
            let prefix: String =
                prefix.split('/').filter(|part| !part.is_empty()).flat_map(|part| ["/", part]).collect();
            if !prefix.is_empty() && !normalized.contains(&prefix) {
                normalized.push(prefix);
            }
        }
        Ok(Self(normalized))
    }

    /// The prefixes in order.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Value> for Prefixes {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let expected = |value: &Value| {
            format!("expected text such as \"/api\", or a list of such, got {}", describe(value))
        };
        match &value {
            Value::String(prefix) => Self::new([prefix.as_str()]),
            Value::Array(list) => {
                let prefixes: Result<Vec<&str>, String> =
                    list.iter().map(|item| item.as_str().ok_or_else(|| expected(item))).collect();
                Self::new(prefixes?)
            }
            value => Err(expected(value)),
        }
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for Prefixes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Prefixes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A path prefix such as /api, or a list of such.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_are_put_right() {
        let prefixes = Prefixes::new(["api", "/mock/", "", "/", "//a//b/", "/api"]).expect("prefixes");
        assert_eq!(prefixes.as_slice(), ["/api", "/mock", "/a/b"]);
        assert!(Prefixes::new(["/api/*"]).is_err());
    }
}
