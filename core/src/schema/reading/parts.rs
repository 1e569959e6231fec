//! What values consist of: elements of lists, entries of objects, and one of several forms.

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde_json::{Error, Map, Value};

use super::{Located, Path, Step, refused};

/// The elements of a list.
pub(super) struct Elements<'p> {
    rest: std::vec::IntoIter<Value>,
    index: usize,
    path: &'p Path,
}

impl<'p> Elements<'p> {
    pub(super) fn new(list: Vec<Value>, path: &'p Path) -> Self {
        Self { rest: list.into_iter(), index: 0, path }
    }

    /// How many were not read.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }
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
pub(super) struct Entries<'p> {
    rest: serde_json::map::IntoIter,
    /// The one whose key has been read.
    current: Option<(String, Value)>,
    path: &'p Path,
}

impl<'p> Entries<'p> {
    pub(super) fn new(object: Map<String, Value>, path: &'p Path) -> Self {
        Self { rest: object.into_iter(), current: None, path }
    }

    /// How many were not read.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }
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
pub(super) struct Variant<'p> {
    variant: String,
    value: Option<Value>,
    path: &'p Path,
}

impl<'p> Variant<'p> {
    pub(super) fn new(variant: String, value: Option<Value>, path: &'p Path) -> Self {
        Self { variant, value, path }
    }
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
