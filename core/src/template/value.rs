//! JSON with templates in its texts.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Scope, Source, Template};
use crate::Message;

/// A JSON value whose texts may have placeholders.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueTemplate {
    /// No placeholders anywhere in it.
    Constant(Value),
    /// A text with placeholders.
    Text(Template),
    /// A list with placeholders in it.
    List(Vec<ValueTemplate>),
    /// An object with placeholders in it. Keys are as they stand.
    Object(Vec<(String, ValueTemplate)>),
}

impl ValueTemplate {
    /// The value in this event; `None` for exactly one placeholder without a value.
    pub fn value(&self, scope: &mut Scope<'_>) -> Option<Value> {
        match self {
            ValueTemplate::Constant(value) => Some(value.clone()),
            ValueTemplate::Text(template) => template.value(scope),
            // As in `JSON.stringify`, a hole in a list is null so that the others keep their places.
            ValueTemplate::List(list) => {
                Some(list.iter().map(|item| item.value(scope).unwrap_or_default()).collect())
            }
            ValueTemplate::Object(object) => {
                let pairs = object.iter().filter_map(|(key, value)| Some((key.clone(), value.value(scope)?)));
                Some(Value::Object(pairs.collect()))
            }
        }
    }

    /// The value as a message: text as it is, anything else as JSON. Exactly `{message}` is the message itself,
    /// byte for byte. `None` where there is nothing to send.
    pub fn message(&self, scope: &mut Scope<'_>) -> Option<Message> {
        match self {
            ValueTemplate::Text(template) if template.is_whole_message() => scope.message.cloned(),
            _ => self.value(scope).map(encode),
        }
    }

    /// Shows `check` what each placeholder stands for, up to the first error.
    pub(crate) fn check<E>(&self, check: &mut impl FnMut(&Source) -> Result<(), E>) -> Result<(), E> {
        match self {
            ValueTemplate::Constant(_) => Ok(()),
            ValueTemplate::Text(template) => template.sources().try_for_each(check),
            ValueTemplate::List(list) => list.iter().try_for_each(|item| item.check(check)),
            ValueTemplate::Object(object) => object.iter().try_for_each(|(_, value)| value.check(check)),
        }
    }

    fn is_constant(&self) -> bool {
        matches!(self, ValueTemplate::Constant(_))
    }

    fn into_constant(self) -> Value {
        match self {
            ValueTemplate::Constant(value) => value,
            _ => Value::Null,
        }
    }
}

fn encode(value: Value) -> Message {
    match value {
        Value::String(text) => Message::from(text),
        value => Message::from(&value),
    }
}

/// Walks the value itself, so that an error in a text is reported with the path of that text.
impl<'de> Deserialize<'de> for ValueTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = ValueTemplate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ValueTemplate, E> {
        let template = Template::new(text).map_err(E::custom)?;
        Ok(match template.constant() {
            Some(text) => ValueTemplate::Constant(text.into()),
            None => ValueTemplate::Text(template),
        })
    }

    fn visit_bool<E>(self, value: bool) -> Result<ValueTemplate, E> {
        Ok(ValueTemplate::Constant(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<ValueTemplate, E> {
        Ok(ValueTemplate::Constant(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<ValueTemplate, E> {
        Ok(ValueTemplate::Constant(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<ValueTemplate, E> {
        Ok(ValueTemplate::Constant(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_unit<E>(self) -> Result<ValueTemplate, E> {
        Ok(ValueTemplate::Constant(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ValueTemplate, A::Error> {
        let mut list: Vec<ValueTemplate> = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(if list.iter().all(ValueTemplate::is_constant) {
            ValueTemplate::Constant(list.into_iter().map(ValueTemplate::into_constant).collect())
        } else {
            ValueTemplate::List(list)
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ValueTemplate, A::Error> {
        let mut object: Vec<(String, ValueTemplate)> = Vec::new();
        while let Some(pair) = map.next_entry()? {
            object.push(pair);
        }
        Ok(if object.iter().all(|(_, value)| value.is_constant()) {
            let pairs = object.into_iter().map(|(key, value)| (key, value.into_constant()));
            ValueTemplate::Constant(Value::Object(pairs.collect::<Map<_, _>>()))
        } else {
            ValueTemplate::Object(object)
        })
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for ValueTemplate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ValueTemplate".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Any JSON value; texts may have placeholders such as {message.text} or {connection.id}."
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::template::scope::tests::Fixture;

    fn template(value: Value) -> ValueTemplate {
        serde_json::from_value(value).expect("a template")
    }

    #[test]
    fn what_has_no_value_drops_out() {
        let mut fixture = Fixture::new(json!({"a": 1}));
        let value = template(json!({
            "a": "{message.a}", "text": "a={message.a}", "gone": "{message.b}",
            "list": ["{message.b}", "{message.a}", true], "deep": {"gone": "{message.b}", "null": null},
        }));
        assert_eq!(
            value.value(&mut fixture.scope()),
            Some(json!({"a": 1, "text": "a=1", "list": [null, 1, true], "deep": {"null": null}}))
        );
        assert_eq!(template(json!("{message.b}")).message(&mut fixture.scope()), None);
    }

    #[test]
    fn text_is_sent_as_it_is_and_the_rest_as_json() {
        let mut fixture = Fixture::new(json!({"text": "hi", "n": 1}));
        for (value, expected) in [
            (json!("plain"), "plain"),
            (json!("{message.text}"), "hi"),
            (json!("{message.n}"), "1"),
            (json!({"n": "{message.n}"}), "{\"n\":1}"),
            (json!(null), "null"),
            (json!([1, "a"]), "[1,\"a\"]"),
        ] {
            let message = template(value.clone()).message(&mut fixture.scope()).expect("a message");
            assert_eq!(message.as_text(), Some(expected), "{value}");
        }
    }

    #[test]
    fn the_whole_message_is_passed_on_byte_for_byte() {
        let mut fixture = Fixture::new(json!({"a": 1}));
        for message in [Message::from("{ \"a\" : 1.0 }"), Message::from(Bytes::from_static(&[0, 255]))] {
            fixture.message = Some(message.clone());
            assert_eq!(template(json!("{message}")).message(&mut fixture.scope()), Some(message));
        }
    }
}
