//! An option that is switched on and off, or described in full.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// `true`, `false`, or an object that says how.
#[derive(Clone, Debug, PartialEq)]
pub enum Toggle<T> {
    /// On with all defaults, or off.
    Switch(bool),
    /// On, and like this.
    Options(T),
}

impl<T: Default + Clone> Toggle<T> {
    /// How it is to be, if it is on.
    pub fn options(&self) -> Option<T> {
        match self {
            Toggle::Switch(false) => None,
            Toggle::Switch(true) => Some(T::default()),
            Toggle::Options(options) => Some(options.clone()),
        }
    }
}

/// Hand-written because serde's untagged enums cannot say which key is wrong.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Toggle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ToggleVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ToggleVisitor<T> {
            type Value = Toggle<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or an object")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Toggle<T>, E> {
                Ok(Toggle::Switch(value))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Toggle<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Toggle::Options)
            }
        }

        deserializer.deserialize_any(ToggleVisitor(PhantomData))
    }
}

#[cfg(feature = "json-schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Toggle<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Toggle{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let options = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, options] })
    }
}
