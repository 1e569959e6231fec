//! The topics of a channel.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A topic such as `room:lobby`, or all with a prefix: `room:*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TopicPattern(String);

impl TopicPattern {
    /// All topics with this prefix.
    pub fn below(prefix: &str) -> Self {
        Self(format!("{}*", prefix.trim_end_matches('*')))
    }

    /// This topic.
    pub fn only(topic: &str) -> Self {
        Self(topic.trim_end_matches('*').to_owned())
    }

    /// Whether it serves `topic`.
    pub fn matches(&self, topic: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => topic.starts_with(prefix),
            None => self.0 == topic,
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TopicPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.find('*') {
            _ if text.is_empty() => Err("a topic cannot be empty; write \"*\" for all topics".into()),
            Some(star) if star + 1 < text.len() => {
                Err(format!("{text:?}: a * can only stand at the end, as in \"room:*\""))
            }
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for TopicPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for TopicPattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TopicPattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[^*]*\\*?$", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_stands_for_anything() {
        let matches = |pattern: &str, topic| pattern.parse::<TopicPattern>().unwrap().matches(topic);
        assert!(matches("room:*", "room:lobby") && matches("room:*", "room:") && matches("*", "x"));
        assert!(matches("room:lobby", "room:lobby"));
        assert!(!matches("room:lobby", "room:lobby2") && !matches("room:*", "roo"));
        for wrong in ["", "a*b", "**"] {
            assert!(wrong.parse::<TopicPattern>().is_err(), "{wrong}");
        }
    }
}
