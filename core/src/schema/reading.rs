//! From a JSON value to options; errors name the key.
//!
//! Every type of option is compiled for what it is read with. Reading all of them with a deserializer of one type, which knows
//! where it is, is half the code of one that wraps another and its visitors.

mod parts;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::fmt::Write;

use serde::de::{self, DeserializeOwned, Deserializer, Error as _, Unexpected, Visitor};
use serde_json::{Error, Map, Value};

use super::ConfigError;
use parts::{Elements, Entries, Variant};

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
        let mut elements = Elements::new(list, path);
        let value = visitor.visit_seq(&mut elements)?;
        match elements.len() {
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
        let mut entries = Entries::new(object, path);
        let value = visitor.visit_map(&mut entries)?;
        match entries.len() {
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
        visitor.visit_enum(Variant::new(variant, value, path))
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
