//! The keywords of the validation vocabulary, which need no other subschema.

use serde_json::{Map, Number, Value};

use super::error::SchemaError;
use super::node::{Bound, Counted, Keyword, Types};
use super::pattern;
use crate::schema::nearest;

/// The keywords of one schema object.
pub(super) struct Assertions<'s> {
    pub(super) object: &'s Map<String, Value>,
    /// Where it stands.
    pub(super) location: &'s str,
}

impl Assertions<'_> {
    /// Appends those that there are, cheap ones first.
    pub(super) fn compile(&self, keywords: &mut Vec<Keyword>) -> Result<(), SchemaError> {
        if let Some(value) = self.object.get("type") {
            keywords.push(Keyword::Type(self.types(value)?));
        }
        if let Some(value) = self.object.get("const") {
            keywords.push(Keyword::Const(value.clone()));
        }
        if let Some(value) = self.object.get("enum") {
            let values = value.as_array().ok_or_else(|| self.wrong("enum", "expected a list of values"))?;
            keywords.push(Keyword::Enum(values.clone()));
        }
        for (name, bound) in [
            ("minimum", Bound::Minimum),
            ("exclusiveMinimum", Bound::ExclusiveMinimum),
            ("maximum", Bound::Maximum),
            ("exclusiveMaximum", Bound::ExclusiveMaximum),
        ] {
            if let Some(number) = self.number(name)? {
                keywords.push(Keyword::Bound(bound, number.clone()));
            }
        }
        if let Some(number) = self.number("multipleOf")? {
            if number.as_f64().is_none_or(|number| number <= 0.0) {
                return Err(self.wrong("multipleOf", "expected a number above 0"));
            }
            keywords.push(Keyword::MultipleOf(number.clone()));
        }
        for (name, of, is_most) in [
            ("minLength", Counted::Characters, false),
            ("maxLength", Counted::Characters, true),
            ("minItems", Counted::Items, false),
            ("maxItems", Counted::Items, true),
            ("minProperties", Counted::Properties, false),
            ("maxProperties", Counted::Properties, true),
        ] {
            if let Some(limit) = self.count(name)? {
                keywords.push(Keyword::Count { of, limit, is_most });
            }
        }
        if let Some(value) = self.object.get("pattern") {
            let source =
                value.as_str().ok_or_else(|| self.wrong("pattern", "expected a regular expression"))?;
            let regex = pattern::compile(source).map_err(|message| self.wrong("pattern", message))?;
            keywords.push(Keyword::Pattern { regex, source: source.to_owned() });
        }
        match self.object.get("uniqueItems") {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => keywords.push(Keyword::UniqueItems),
            Some(_) => return Err(self.wrong("uniqueItems", "expected true or false")),
        }
        if let Some(value) = self.object.get("required") {
            keywords.push(Keyword::Required(self.names("required", value)?));
        }
        if let Some(value) = self.object.get("dependentRequired") {
            let wrong = || self.wrong("dependentRequired", "expected an object of lists of keys");
            let dependencies = value
                .as_object()
                .ok_or_else(wrong)?
                .iter()
                .map(|(name, names)| Ok((name.clone(), self.names("dependentRequired", names)?)));
            keywords.push(Keyword::DependentRequired(dependencies.collect::<Result<_, SchemaError>>()?));
        }
        Ok(())
    }

    /// A whole number that is not negative.
    pub(super) fn count(&self, keyword: &str) -> Result<Option<u64>, SchemaError> {
        let Some(value) = self.object.get(keyword) else { return Ok(None) };
        let whole = || value.as_f64().filter(|count| *count >= 0.0 && count.fract() == 0.0);
        match value.as_u64().or_else(|| whole().map(|count| count as u64)) {
            Some(count) => Ok(Some(count)),
            None => Err(self.wrong(keyword, "expected a whole number that is not negative")),
        }
    }

    fn number(&self, keyword: &str) -> Result<Option<&Number>, SchemaError> {
        match self.object.get(keyword) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(_) => Err(self.wrong(keyword, "expected a number")),
        }
    }

    fn types(&self, value: &Value) -> Result<Types, SchemaError> {
        let names = match value {
            Value::Array(names) => names.as_slice(),
            name => std::slice::from_ref(name),
        };
        let mut types = Types::default();
        for name in names {
            let name = name.as_str().unwrap_or_default();
            if !types.add(name) {
                let known = || Types::NAMES.iter().map(|(name, _)| *name);
                let meant = nearest(name, known()).map(|name| format!("; did you mean {name:?}?"));
                let known: Vec<_> = known().collect();
                let message = format!("expected {}{}", known.join(", "), meant.unwrap_or_default());
                return Err(self.wrong("type", message));
            }
        }
        Ok(types)
    }

    fn names(&self, keyword: &str, value: &Value) -> Result<Vec<String>, SchemaError> {
        let names = value.as_array().map(|names| names.iter().map(|name| name.as_str().map(str::to_owned)));
        let names = names.and_then(|names| names.collect::<Option<Vec<_>>>());
        names.ok_or_else(|| self.wrong(keyword, "expected a list of keys, as [\"id\"]"))
    }

    fn wrong(&self, keyword: &str, message: impl Into<String>) -> SchemaError {
        SchemaError::at(self.location, keyword, message)
    }
}
