//! Objects that are checked as a whole once their fields are read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads an object as it is written, and makes of it what it means. In place of `#[serde(try_from)]`, whose errors tell where
/// the token behind the object is.
pub(super) fn object<'de, Written, T, D>(deserializer: D) -> Result<T, D::Error>
where
    Written: Deserialize<'de>,
    T: TryFrom<Written, Error = String>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<Written, T>(PhantomData<(Written, T)>);

impl<'de, Written, T> Visitor<'de> for ObjectVisitor<Written, T>
where
    Written: Deserialize<'de>,
    T: TryFrom<Written, Error = String>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(map))?;
        T::try_from(written).map_err(A::Error::custom)
    }
}
