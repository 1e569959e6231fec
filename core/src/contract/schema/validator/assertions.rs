//! Keywords that look at the value alone, and how a value is shown in a report.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::Validator;
use crate::contract::schema::equality::{digest, equal};
use crate::contract::schema::node::{Bound, Counted, Node};
use crate::contract::schema::number;

/// How many bytes of a value or key are shown.
const SHOWN: usize = 60;

impl<'v> Validator<'v> {
    pub(super) fn bound(&mut self, node: &'v Node, bound: Bound, limit: &Number, number: &Number) -> bool {
        let order = number::compare(number, limit);
        let (keyword, holds, words) = match bound {
            Bound::Minimum => ("minimum", order != Ordering::Less, "at least"),
            Bound::ExclusiveMinimum => ("exclusiveMinimum", order == Ordering::Greater, "more than"),
            Bound::Maximum => ("maximum", order != Ordering::Greater, "at most"),
            Bound::ExclusiveMaximum => ("exclusiveMaximum", order == Ordering::Less, "less than"),
        };
        holds || self.violate(node, keyword, || format!("expected {words} {limit}, got {number}"))
    }

    pub(super) fn count(
        &mut self,
        node: &'v Node,
        of: Counted,
        limit: u64,
        is_most: bool,
        value: &Value,
    ) -> bool {
        let (count, [least, most], unit) = match (of, value) {
            (Counted::Characters, Value::String(text)) => {
                self.step(text.len() as u64 / 16);
                (text.chars().count(), ["minLength", "maxLength"], "characters")
            }
            (Counted::Items, Value::Array(list)) => (list.len(), ["minItems", "maxItems"], "items"),
            (Counted::Properties, Value::Object(object)) => {
                (object.len(), ["minProperties", "maxProperties"], "keys")
            }
            _ => return true,
        };
        let count = count as u64;
        match is_most {
            true if count > limit => {
                self.violate(node, most, || format!("expected at most {limit} {unit}, got {count}"))
            }
            false if count < limit => {
                self.violate(node, least, || format!("expected at least {limit} {unit}, got {count}"))
            }
            _ => true,
        }
    }

    pub(super) fn unique(&mut self, node: &'v Node, list: &'v [Value]) -> bool {
        let mut seen: HashMap<u64, Vec<usize>> = HashMap::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let mut steps = 0;
            let same = seen.entry(digest(value, &mut steps)).or_default();
            // A peer could make many digests equal.
            self.step(steps * (1 + same.len() as u64));
            if self.exhausted.is_some() {
                return false;
            }
            if let Some(first) = same.iter().copied().find(|first| equal(&list[*first], value)) {
                return self
                    .violate(node, "uniqueItems", || format!("the items {first} and {index} are equal"));
            }
            same.push(index);
        }
        true
    }

    pub(super) fn required(&mut self, node: &'v Node, names: &[String], object: &Map<String, Value>) -> bool {
        let mut holds = true;
        for name in names.iter().filter(|name| !object.contains_key(*name)) {
            holds = self.violate(node, "required", || format!("the key {:?} is missing", cut(name)));
        }
        holds
    }
}

/// What kind of value it is. What it is is not said: it may be a secret.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value where a few are allowed; the beginning of a long one.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        value => {
            let text = value.to_string();
            match text.len() > SHOWN {
                true => format!("{}…", cut(&text)),
                false => text,
            }
        }
    }
}

pub(super) fn not_among(values: &[Value], value: &Value) -> String {
    /// How many are named.
    const NAMED: usize = 8;
    let mut names: Vec<String> = values.iter().take(NAMED).map(shown).collect();
    if values.len() > NAMED {
        names.push("…".to_owned());
    }
    format!("expected one of {}, got {}", names.join(", "), shown(value))
}

/// The beginning of a text.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN)]
}
