//! Places in an AsyncAPI document, and what they refer to.

use serde_json::{Map, Value};

use crate::config::ConfigError;

/// How many references may follow one another.
const MAX_REFERENCES: usize = 32;

/// A document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'d>(pub(super) &'d Value);

/// A value in it, and where.
#[derive(Clone, Debug)]
pub(super) struct Place<'d> {
    pub(super) value: &'d Value,
    /// A pointer (RFC 6901).
    pub(super) pointer: String,
    document: Document<'d>,
}

impl<'d> Document<'d> {
    pub(super) fn root(self) -> Place<'d> {
        Place { value: self.0, pointer: String::new(), document: self }
    }

    /// What `#/…` refers to.
    pub(super) fn at(self, reference: &str) -> Option<Place<'d>> {
        let pointer =
            percent_encoding::percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
        let value = self.0.pointer(&pointer)?;
        Some(Place { value, pointer: pointer.into_owned(), document: self })
    }
}

impl<'d> Place<'d> {
    /// The value at a key, with references followed.
    pub(super) fn get(&self, key: &str) -> Result<Option<Place<'d>>, ConfigError> {
        match self.value.get(key) {
            Some(value) => self.below(key, value).resolved().map(Some),
            None => Ok(None),
        }
    }

    /// The text at a key.
    pub(super) fn text(&self, key: &str) -> Option<&'d str> {
        self.value.get(key).and_then(Value::as_str)
    }

    /// The entries of an object at a key, with references followed; none if there is no such key.
    pub(super) fn entries(&self, key: &str) -> Result<Vec<(&'d str, Place<'d>)>, ConfigError> {
        let Some(place) = self.get(key)? else { return Ok(Vec::new()) };
        let object = place.value.as_object().ok_or_else(|| place.error("expected an object"))?;
        object.iter().map(|(name, value)| Ok((name.as_str(), place.below(name, value).resolved()?))).collect()
    }

    /// The items of a list at a key, with references followed; `None` if there is no such key.
    pub(super) fn items(&self, key: &str) -> Result<Option<Vec<Place<'d>>>, ConfigError> {
        let Some(place) = self.get(key)? else { return Ok(None) };
        let list = place.value.as_array().ok_or_else(|| place.error("expected a list"))?;
        let items = list.iter().enumerate();
        items
            .map(|(index, value)| place.below(&index.to_string(), value).resolved())
            .collect::<Result<_, _>>()
            .map(Some)
    }

    pub(super) fn document(&self) -> Document<'d> {
        self.document
    }

    pub(super) fn object(&self) -> Result<&'d Map<String, Value>, ConfigError> {
        self.value.as_object().ok_or_else(|| self.error("expected an object"))
    }

    pub(super) fn below(&self, key: &str, value: &'d Value) -> Place<'d> {
        let key = key.replace('~', "~0").replace('/', "~1");
        Place { value, pointer: format!("{}/{key}", self.pointer), document: self.document }
    }

    /// What is wrong here.
    pub(super) fn error(&self, message: impl Into<String>) -> ConfigError {
        let names = self.pointer.split('/').skip(1);
        let names: Vec<String> = names.map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        ConfigError::at(names.join("."), message)
    }

    /// What this is, or what it refers to.
    fn resolved(self) -> Result<Place<'d>, ConfigError> {
        let mut place = self.clone();
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = place.text("$ref") else { return Ok(place) };
            if !reference.starts_with('#') {
                return Err(self.error(format!(
                    "refers to another file, {reference:?}; write all in one document, as \"asyncapi bundle\" does"
                )));
            }
            let target = self.document.at(reference);
            place = target.ok_or_else(|| self.error(format!("{reference:?} leads nowhere")))?;
        }
        Err(self.error("refers to itself"))
    }
}
