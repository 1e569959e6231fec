//! From a JSON value to options; errors name the key.
//!
//! Every type of option is compiled for what it is read with. Reading all of them with a deserializer of one type, which knows
//! where it is, is half the code of one that wraps another and its visitors.

use std::cell::RefCell;
use std::fmt::Write;

use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde_json::{Error, Map, Value};

use super::ConfigError;

/// Reads a value.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, ConfigError> {
    let path = Path::default();
    T::deserialize(Located { value, path: &path })
        .map_err(|error| ConfigError::explain(path.text(), &error.to_string()))
}

/// Where an error occurred: filled on its way out, so from the innermost step to the first.
#[derive(Default)]
struct Path(RefCell<Vec<Step>>);

enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    /// What a result is within a step.
    fn within<T>(&self, result: Result<T, Error>, step: impl FnOnce() -> Step) -> Result<T, Error> {
        if result.is_err() {
            self.0.borrow_mut().push(step());
        }
        result
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for step in self.0.borrow().iter().rev() {
            match step {
                Step::Index(index) => _ = write!(text, "[{index}]"),
                Step::Key(key) => {
                    text.push_str(if text.is_empty() { "" } else { "." });
                    text.push_str(key);
                }
            }
        }
        text
    }
}

/// A value within the whole.
struct Located<'p> {
    value: Value,
    path: &'p Path,
}

impl<'p> Located<'p> {
    fn list<'de, V: Visitor<'de>>(list: Vec<Value>, path: &'p Path, visitor: V) -> Result<V::Value, Error> {
        let length = list.len();
        let mut elements = Elements { rest: list.into_iter(), index: 0, path };
        let value = visitor.visit_seq(&mut elements)?;
        match elements.rest.len() {
            0 => Ok(value),
            _ => Err(Error::invalid_length(length, &"fewer elements in array")),
        }
    }

    fn object<'de, V: Visitor<'de>>(
        object: Map<String, Value>,
        path: &'p Path,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let length = object.len();
        let mut entries = Entries { rest: object.into_iter(), current: None, path };
        let value = visitor.visit_map(&mut entries)?;
        match entries.rest.len() {
            0 => Ok(value),
            _ => Err(Error::invalid_length(length, &"fewer elements in map")),
        }
    }
}

/// What a value is, for an error.
fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => Unexpected::Unsigned(number),
            (_, Some(number), _) => Unexpected::Signed(number),
            (.., number) => Unexpected::Float(number.unwrap_or(f64::NAN)),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

fn refused<T>(value: &Value, expected: &dyn de::Expected) -> Result<T, Error> {
    Err(Error::invalid_type(unexpected(value), expected))
}

/// Those for which a value is of one kind only.
macro_rules! of_one_kind {
    ($($method:ident($($argument:ident: $type:ty),*) $kind:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Error> {
            $(let _ = $argument;)*
            of_one_kind!($kind self visitor)
        }
    )*};
    (boolean $located:ident $visitor:ident) => {
        match $located.value {
            Value::Bool(value) => $visitor.visit_bool(value),
            value => refused(&value, &$visitor),
        }
    };
    (number $located:ident $visitor:ident) => {
        match unexpected(&$located.value) {
            Unexpected::Unsigned(number) => $visitor.visit_u64(number),
            Unexpected::Signed(number) => $visitor.visit_i64(number),
            Unexpected::Float(number) => $visitor.visit_f64(number),
            value => Err(Error::invalid_type(value, &$visitor)),
        }
    };
    (text $located:ident $visitor:ident) => {
        match $located.value {
            Value::String(text) => $visitor.visit_string(text),
            value => refused(&value, &$visitor),
        }
    };
    (list $located:ident $visitor:ident) => {
        match $located.value {
            Value::Array(list) => Self::list(list, $located.path, $visitor),
            value => refused(&value, &$visitor),
        }
    };
    (object $located:ident $visitor:ident) => {
        match $located.value {
            Value::Object(object) => Self::object(object, $located.path, $visitor),
            value => refused(&value, &$visitor),
        }
    };
    (null $located:ident $visitor:ident) => {
        match $located.value {
            Value::Null => $visitor.visit_unit(),
            value => refused(&value, &$visitor),
        }
    };
}

impl<'de> Deserializer<'de> for Located<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(_) => self.deserialize_f64(visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(list) => Self::list(list, self.path, visitor),
            Value::Object(object) => Self::object(object, self.path, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let path = self.path;
        let (variant, value) = match self.value {
            Value::String(variant) => (variant, None),
            Value::Object(object) => {
                let mut entries = object.into_iter();
                match (entries.next(), entries.next()) {
                    (Some((variant, value)), None) => (variant, Some(value)),
                    _ => return Err(Error::invalid_value(Unexpected::Map, &"map with a single key")),
                }
            }
            value => return refused(&value, &"string or map"),
        };
        visitor.visit_enum(Variant { variant, value, path })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    of_one_kind! {
        deserialize_bool() boolean;
        deserialize_i8() number;
        deserialize_i16() number;
        deserialize_i32() number;
        deserialize_i64() number;
        deserialize_u8() number;
        deserialize_u16() number;
        deserialize_u32() number;
        deserialize_u64() number;
        deserialize_f32() number;
        deserialize_f64() number;
        deserialize_char() text;
        deserialize_str() text;
        deserialize_string() text;
        deserialize_bytes() text;
        deserialize_byte_buf() text;
        deserialize_identifier() text;
        deserialize_unit() null;
        deserialize_unit_struct(_name: &'static str) null;
        deserialize_seq() list;
        deserialize_tuple(_length: usize) list;
        deserialize_tuple_struct(_name: &'static str, _length: usize) list;
        deserialize_map() object;
        deserialize_struct(_name: &'static str, _fields: &'static [&'static str]) object;
    }
}

/// The elements of a list.
struct Elements<'p> {
    rest: std::vec::IntoIter<Value>,
    index: usize,
    path: &'p Path,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        let element = seed.deserialize(Located { value, path: self.path });
        self.path.within(element, || Step::Index(index)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The entries of an object.
struct Entries<'p> {
    rest: serde_json::map::IntoIter,
    /// The one whose key has been read.
    current: Option<(String, Value)>,
    path: &'p Path,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        let read = seed.deserialize(text(key.clone()));
        let read = self.path.within(read, || Step::Key(key.clone()))?;
        self.current = Some((key, value));
        Ok(Some(read))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, value)) = self.current.take() else { return Err(Error::custom("value is missing")) };
        let read = seed.deserialize(Located { value, path: self.path });
        self.path.within(read, || Step::Key(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

fn text(text: String) -> StringDeserializer<Error> {
    text.into_deserializer()
}

/// One of several forms, by its name.
struct Variant<'p> {
    variant: String,
    value: Option<Value>,
    path: &'p Path,
}

impl<'de, 'p> EnumAccess<'de> for Variant<'p> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        Ok((seed.deserialize(text(self.variant.clone()))?, self))
    }
}

impl Variant<'_> {
    /// What follows the name, which is a step of the path.
    fn content<T>(
        self,
        read: impl FnOnce(Located<'_>) -> Result<T, Error>,
        expected: &str,
    ) -> Result<T, Error> {
        let Some(value) = self.value else {
            return Err(Error::invalid_type(Unexpected::UnitVariant, &expected));
        };
        let content = read(Located { value, path: self.path });
        self.path.within(content, || Step::Key(self.variant))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match &self.value {
            None | Some(Value::Null) => Ok(()),
            Some(value) => self.path.within(refused(value, &"unit"), || Step::Key(self.variant.clone())),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.content(|value| seed.deserialize(value), "newtype variant")
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.content(|value| value.deserialize_tuple(length, visitor), "tuple variant")
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content(|value| value.deserialize_struct("", fields, visitor), "struct variant")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Whole {
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        named: BTreeMap<String, u16>,
        size: Option<f64>,
        #[serde(default)]
        pair: (i8, bool),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Part {
        Nothing,
        Number(u8),
        Pair(u8, String),
        Place { x: i32 },
    }

    fn error(value: Value) -> String {
        read::<Whole>(value).unwrap_err().to_string()
    }

    #[test]
    fn values_of_every_kind_are_read() {
        let whole = json!({
            "parts": ["nothing", { "number": 3 }, { "pair": [4, "b"] }, { "place": { "x": -5 } }],
            "named": { "a": 1, "b.c": 65535 },
            "size": 2,
            "pair": [-1, true],
        });
        let expected = Whole {
            parts: vec![Part::Nothing, Part::Number(3), Part::Pair(4, "b".to_owned()), Part::Place { x: -5 }],
            named: [("a".to_owned(), 1), ("b.c".to_owned(), 65535)].into(),
            size: Some(2.0),
            pair: (-1, true),
        };
        assert_eq!(read::<Whole>(whole).unwrap(), expected);
        assert_eq!(read::<Whole>(json!({ "size": null })).unwrap().size, None);
        assert_eq!(read::<Vec<Value>>(json!([1, { "a": null }])).unwrap(), [json!(1), json!({ "a": null })]);
    }

    #[test]
    fn errors_name_the_place() {
        for (value, expected) in [
            (json!({ "sizes": 1 }), "sizes: unknown key; did you mean \"size\"?"),
            (json!({ "size": "1" }), "size: expected a number, got text \"1\""),
            (json!({ "named": { "a": 65536 } }), "named.a: expected "),
            (json!({ "parts": [{ "number": 1 }, { "number": [] }] }), "parts[1].number: expected "),
            (json!({ "parts": [{ "place": { "x": false } }] }), "parts[0].place.x: expected "),
            (json!({ "parts": [{ "place": {} }] }), "parts[0].place: the key \"x\" is missing"),
            (json!({ "parts": ["numbre"] }), "parts[0]: expected \"nothing\" or \"number\""),
            (json!({ "parts": ["number"] }), "parts[0]: expected newtype variant"),
            (json!({ "parts": [{ "nothing": 1 }] }), "parts[0].nothing: expected "),
            (json!({ "parts": [{ "nothing": null, "number": 1 }] }), "parts[0]: expected "),
            (json!({ "pair": [1, true, 2] }), "pair: "),
            (json!({ "pair": [1, 2] }), "pair[1]: expected true or false"),
            (json!([]), "expected "),
            (json!(null), "expected "),
        ] {
            let error = error(value);
            assert!(error.starts_with(expected), "{error:?} for {expected:?}");
        }
    }
}
