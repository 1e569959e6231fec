//! The parameters that a path carries.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Names and values of a matched path's parameters, in the pattern's order. Values are not percent-decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(Arc<str>, String)>);

impl Params {
    /// The parameters of a pattern that has none.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// The value of the parameter `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the pattern has no parameters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, name: &Arc<str>, value: &str) {
        self.0.push((name.clone(), value.to_owned()));
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(params: I) -> Self {
        Self(params.into_iter().map(|(name, value)| (Arc::from(name.as_ref()), value.into())).collect())
    }
}

/// As a map.
impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
