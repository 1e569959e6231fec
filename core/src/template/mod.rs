//! Text and JSON with `{placeholders}`, parsed once and filled in per event.
//!
//! | Placeholder | Stands for |
//! |---|---|
//! | `{message}` | the message; `{message.user.name}`, `{message.items.0}` a part of its JSON |
//! | `{connection.id}` `{connection.path}` `{connection.subprotocol}` | as text |
//! | `{connection.params.room}` | a parameter of the route's pattern; `{connection.params}` all of them |
//! | `{connection.query.token}` | a parameter of the URL's query, decoded; `{connection.query}` all of them |
//! | `{connection.authData.user}` | what authentication found out; `{connection.authData}` all of it |
//! | `{connection.rooms}` | the names of the joined rooms, as a list |
//! | `{now}` `{now.iso}` | the time: ms since 1970 as a number, or ISO 8601 text |
//! | `{random.id}` `{random.uuid}` | 8 random letters and digits, or a version 4 UUID; anew each time |
//! | `{random.int 1 6}` `{random.float 0.00 9.99}` | a number between two others, which it can be as well |
//! | `{random.bool}` `{random.pick red green}` | true or false; one of the words |
//! | `{counter.orders}` `{counter.orders 100 5}` | 1, 2, 3 …; or 100, 105, 110 …; for event data only |
//! | `{walk.price 100.00 2}` | 100, then each time at most 2 more or less; for event data only |
//! | `{walk.load 50 5 0 100}` | the same, but never below 0 or above 100 |
//! | `{fake.name}` `{fake.email}` | lifelike: name, firstName, lastName, username, email, city, country, company, product, word, sentence, color, ip |
//! | `{close.code}` `{close.reason}` | how the connection ended |
//! | `{let.name}` | a value that the rule has set aside |
//!
//! `{{` stands for `{` and `}}` for `}`. A text that is exactly one placeholder takes the value with its JSON
//! type; within a longer text, text goes in as it is and other values as JSON. Where there is no value, a longer
//! text gets nothing, and an object loses the key, as `JSON.stringify` drops `undefined`.

mod fake;
mod generated;
mod parse;
pub(crate) mod scope;
mod series;
mod source;
mod value;

use serde::Deserialize;
use serde_json::Value;

pub use scope::{ConnectionScope, Scope};
pub use series::Series;
pub(crate) use source::Source;
pub use value::ValueTemplate;

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
#[cfg_attr(feature = "json-schema", schemars(with = "String"))]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Placeholder(Source),
}

/// Why a text is no template: what is wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        Self::new(&text)
    }
}

impl Template {
    /// Parses a text with placeholders.
    pub fn new(text: &str) -> Result<Self, TemplateError> {
        parse::parse(text).map(|parts| Self { parts })
    }

    /// The value: with its JSON type if the template is exactly one placeholder, otherwise text.
    /// `None` where that one placeholder has no value.
    pub fn value(&self, scope: &mut Scope<'_>) -> Option<Value> {
        match &self.parts[..] {
            [Part::Placeholder(source)] => source.value(scope).map(|value| value.into_owned()),
            _ => Some(Value::String(self.text(scope))),
        }
    }

    /// The value as text.
    pub fn text(&self, scope: &mut Scope<'_>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Placeholder(source) => match source.value(scope).as_deref() {
                    None => {}
                    Some(Value::String(value)) => text.push_str(value),
                    Some(value) => text.push_str(&value.to_string()),
                },
            }
        }
        text
    }

    /// The text if there are no placeholders in it.
    pub fn constant(&self) -> Option<&str> {
        match &self.parts[..] {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is exactly `{message}`.
    pub(crate) fn is_whole_message(&self) -> bool {
        matches!(&self.parts[..], [Part::Placeholder(Source::Message(path))] if path.is_empty())
    }

    /// What its placeholders stand for.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(source) => Some(source),
            Part::Text(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::CloseFrame;
    use crate::template::scope::tests::Fixture;

    #[test]
    fn placeholders_stand_for_what_the_table_says() {
        let mut fixture =
            Fixture::new(json!({"user": {"name": "Ada"}, "items": [1, {"x": 2.5}], "none": null}));
        fixture.close = Some(CloseFrame::new(crate::CloseCode(4001), "bye"));
        let table = [
            ("{message.user.name}", json!("Ada")),
            ("{message.user}", json!({"name": "Ada"})),
            ("{ message.items.1.x }", json!(2.5)),
            ("{message.none}", json!(null)),
            ("{connection.id}", json!("c-1")),
            ("{connection.path}", json!("/api/ws/lobby")),
            ("{connection.subprotocol}", json!("chat")),
            ("{connection.params.room}", json!("lobby")),
            ("{connection.params}", json!({"room": "lobby"})),
            ("{connection.query.q}", json!("a b")),
            ("{connection.query}", json!({"q": "a b", "x": "1"})),
            ("{connection.authData.user}", json!("ada")),
            ("{connection.rooms}", json!(["lobby", "dev"])),
            ("{now}", json!(1_795_170_489_747_u64)),
            ("{now.iso}", json!("2026-11-20T10:28:09.747Z")),
            ("{random.id}", json!("01234567")),
            ("{random.uuid}", json!("00010203-0405-4607-8809-0a0b0c0d0e0f")),
            ("{close.code}", json!(4001)),
            ("{close.reason}", json!("bye")),
            ("{let.game}", json!({"id": 7})),
            ("{let.game.id}", json!(7)),
            ("", json!("")),
            ("<{message.user.name}>", json!("<Ada>")),
            ("{message.items}{message.none}", json!("[1,{\"x\":2.5}]null")),
            ("[{message.missing}]", json!("[]")),
        ];
        for (text, expected) in &table {
            let template = Template::new(text).expect(text);
            assert_eq!(template.value(&mut fixture.scope()).as_ref(), Some(expected), "{text}");
        }
        for missing in ["{message.x}", "{message.user.name.x}", "{message.items.9}", "{connection.query.y}"] {
            let template = Template::new(missing).expect(missing);
            assert_eq!(template.value(&mut fixture.scope()), None, "{missing}");
        }
    }

    #[test]
    fn doubled_braces_are_text() {
        let mut fixture = Fixture::new(json!({"a": 1}));
        for (text, expected) in
            [("{{a}} {message.a}", "{a} 1"), ("{{{message.a}}}", "{1}"), ("a } b", "a } b")]
        {
            assert_eq!(Template::new(text).expect(text).text(&mut fixture.scope()), expected);
        }
        assert_eq!(Template::new("{{}}").expect("valid").constant(), Some("{}"));
    }

    #[test]
    fn wrong_placeholders_are_told_what_there_is() {
        let table = [
            ("{mesage.text}", "{mesage.text} is no placeholder; did you mean {message.text}?"),
            (
                "{x}",
                "{x} is no placeholder; known are message, connection, now, random, counter, walk, fake, let, close; for a brace that is text write {{",
            ),
            (
                "{\"a\": 1}",
                "{\"a\": 1} is no placeholder; known are message, connection, now, random, counter, walk, fake, let, close; for a brace that is text write {{",
            ),
            (
                "{connection.name}",
                "{connection.name} is no placeholder; connection has id, path, subprotocol, params, query, authData, rooms",
            ),
            (
                "{connection.parms.x}",
                "{connection.parms.x} is no placeholder; did you mean {connection.params.x}?",
            ),
            ("{connection.id.x}", "{connection.id.x} is no placeholder; nothing is inside {connection.id}"),
            (
                "{connection.params.a.b}",
                "{connection.params.a.b} is no placeholder; nothing is inside {connection.params.a}",
            ),
            ("{random}", "{random} is no placeholder; random has id, uuid, int, float, bool, pick"),
            ("{now.isoo}", "{now.isoo} is no placeholder; did you mean {now.iso}?"),
            (
                "{let}",
                "{let} is no placeholder; write {let.name} with a name that the rule's \"let\" defines",
            ),
            ("{message..x}", "{message..x} is no placeholder; there is nothing between two dots"),
            (
                "a {message.text",
                "the brace of {message.text is never closed; for a brace that is text write {{",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(Template::new(text).expect_err(text).to_string(), expected);
        }
    }
}
