//! What messages may be: their payloads as one schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::{Document, Place};
use crate::config::ConfigError;

/// A message of a channel.
#[derive(Clone, Debug)]
pub(super) struct Message<'d> {
    pub(super) place: Place<'d>,
    /// Where its payload's schema is; `None`: it may be anything.
    pub(super) payload: Option<String>,
    /// Whether it may be binary.
    pub(super) is_binary: bool,
}

impl<'d> Message<'d> {
    pub(super) fn of(place: Place<'d>, default_content_type: Option<&str>) -> Result<Self, ConfigError> {
        place.object()?;
        let content_type = place.text("contentType").or(default_content_type).unwrap_or("application/json");
        let is_text = ["json", "text/", "xml", "yaml"].iter().any(|text| content_type.contains(text));
        let payload = match place.get("payload")? {
            // A schema in another format, or in this one by its long name.
            Some(payload) if payload.value.get("schemaFormat").is_some() => {
                let format = payload.text("schemaFormat").unwrap_or_default();
                let is_json_schema =
                    ["aai.asyncapi", "schema+json", "schema+yaml"].iter().any(|name| format.contains(name));
                payload.get("schema")?.filter(|_| is_json_schema).map(|schema| schema.pointer)
            }
            Some(payload) => Some(payload.pointer),
            None => None,
        };
        Ok(Self { place, payload, is_binary: !is_text })
    }
}

/// One schema for several messages, with all that they refer to; `None` where anything is allowed.
pub(super) fn schema(document: Document<'_>, messages: &[Message<'_>]) -> Result<Option<Value>, ConfigError> {
    let payloads: Option<BTreeSet<&str>> =
        messages.iter().map(|message| message.payload.as_deref()).collect();
    let Some(payloads) = payloads.filter(|payloads| !payloads.is_empty()) else { return Ok(None) };
    let references: Vec<Value> =
        payloads.iter().map(|pointer| json!({ "$ref": reference(pointer) })).collect();
    let mut schema = match references.as_slice() {
        [only] => only.clone(),
        _ => json!({ "anyOf": references }),
    };
    let mut taken = BTreeSet::new();
    let mut wanted: Vec<String> = payloads.into_iter().map(str::to_owned).collect();
    while let Some(pointer) = wanted.pop() {
        let is_within = |parent: &String| pointer == *parent || pointer.starts_with(&format!("{parent}/"));
        if taken.iter().any(is_within) {
            continue;
        }
        let Some(place) = document.at(&reference(&pointer)) else { continue };
        let copy = translated(&place, &mut wanted)?;
        put(&mut schema, &pointer, copy);
        taken.insert(pointer);
    }
    Ok(Some(schema))
}

fn reference(pointer: &str) -> String {
    format!("#{}", pointer.replace('%', "%25"))
}

/// A copy of a schema of draft 07 in terms of 2020-12. What it refers to is added to `wanted`.
fn translated(place: &Place<'_>, wanted: &mut Vec<String>) -> Result<Value, ConfigError> {
    let each = |key: &str, value, wanted: &mut Vec<String>| translated(&place.below(key, value), wanted);
    match place.value {
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items.map(|(index, value)| each(&index.to_string(), value, wanted)).collect()
        }
        Value::Object(object) => {
            let has_tuple = object.get("items").is_some_and(Value::is_array);
            let mut copy = Map::new();
            for (key, value) in object {
                let name = match key.as_str() {
                    "items" if has_tuple => "prefixItems",
                    "additionalItems" if has_tuple => "items",
                    name => name,
                };
                let value = match (key.as_str(), value) {
                    // These are values, not schemas.
                    ("const" | "enum" | "default" | "examples" | "example", value) => value.clone(),
                    ("$ref", Value::String(target)) => {
                        let pointer = target.strip_prefix('#').filter(|pointer| pointer.starts_with('/'));
                        let pointer = pointer.ok_or_else(|| {
                            place.error(format!(
                                "refers to {target:?}; write all in one document, as \"asyncapi bundle\" does"
                            ))
                        })?;
                        wanted.push(
                            percent_encoding::percent_decode_str(pointer).decode_utf8_lossy().into_owned(),
                        );
                        value.clone()
                    }
                    (key, value) => each(key, value, wanted)?,
                };
                copy.insert(name.to_owned(), value);
            }
            Ok(Value::Object(copy))
        }
        value => Ok(value.clone()),
    }
}

/// Puts a value at a pointer, with objects on the way.
fn put(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        let Value::Object(object) = place else { return };
        place = object.entry(name).or_insert_with(|| json!({}));
    }
    *place = value;
}
