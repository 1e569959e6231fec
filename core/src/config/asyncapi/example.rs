//! What a message could be: an example of the document, or one that its schema gives.

use serde_json::{Map, Value, json};

use super::document::{Document, Place};
use super::payload::Message;

/// How deep made-up values nest.
const MAX_DEPTH: usize = 12;

/// An example of a message; `None` where the document says too little.
pub(super) fn of(document: Document<'_>, message: &Message<'_>) -> Option<Value> {
    let examples = message.place.items("examples").ok().flatten().unwrap_or_default();
    if let Some(payload) = examples.iter().find_map(|example| example.value.get("payload")) {
        return Some(payload.clone());
    }
    let payload = message.payload.as_ref()?;
    made_up(&document.at(&format!("#{}", payload.replace('%', "%25")))?, MAX_DEPTH)
}

/// A value that a schema probably allows.
fn made_up(schema: &Place<'_>, depth: usize) -> Option<Value> {
    let object = match schema.value {
        Value::Object(object) => object,
        Value::Bool(true) => return Some(json!({})),
        _ => return None,
    };
    let depth = depth.checked_sub(1)?;
    if let Some(reference) = schema.text("$ref") {
        return made_up(&schema.document().at(reference)?, depth);
    }
    for key in ["const", "default"] {
        if let Some(value) = object.get(key) {
            return Some(value.clone());
        }
    }
    for key in ["examples", "enum"] {
        if let Some(value) = object.get(key).and_then(Value::as_array).and_then(|values| values.first()) {
            return Some(value.clone());
        }
    }
    if let Some(parts) = schema.items("allOf").ok().flatten() {
        let mut whole =
            own(schema, object, depth).and_then(|value| value.as_object().cloned()).unwrap_or_default();
        for part in parts {
            whole.extend(made_up(&part, depth)?.as_object().cloned().unwrap_or_default());
        }
        return Some(Value::Object(whole));
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = schema.items(key).ok().flatten() {
            return choices.iter().find_map(|choice| made_up(choice, depth));
        }
    }
    own(schema, object, depth)
}

/// A value of the type that a schema names itself.
fn own(schema: &Place<'_>, object: &Map<String, Value>, depth: usize) -> Option<Value> {
    let kind = match object.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds.first()?.as_str()?,
        _ if object.contains_key("properties") => "object",
        _ => return None,
    };
    Some(match kind {
        "object" => {
            let properties = schema.entries("properties").ok()?;
            let values = properties
                .iter()
                .filter_map(|(name, place)| Some(((*name).to_owned(), made_up(place, depth)?)));
            Value::Object(values.collect())
        }
        "array" => {
            let item = schema.get("items").ok().flatten().and_then(|items| made_up(&items, depth));
            item.into_iter().collect()
        }
        "string" => text(object).into(),
        "integer" | "number" => number(object),
        "boolean" => true.into(),
        _ => Value::Null,
    })
}

fn text(object: &Map<String, Value>) -> String {
    let known = match object.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("date") => "2026-01-01",
        Some("time") => "00:00:00Z",
        Some("email") => "ada@example.com",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("uri" | "url") => "https://example.com/",
        Some("hostname") => "example.com",
        Some("ipv4") => "127.0.0.1",
        _ => "text",
    };
    let bound = |key: &str| object.get(key).and_then(Value::as_u64);
    let least = bound("minLength").unwrap_or(0).min(1_000) as usize;
    let most = bound("maxLength").map_or(usize::MAX, |most| most as usize);
    format!("{known}{}", "x".repeat(least.saturating_sub(known.len()))).chars().take(most).collect()
}

fn number(object: &Map<String, Value>) -> Value {
    let bound = |key: &str| object.get(key).filter(|value| value.is_number());
    if let Some(least) = bound("minimum").or(bound("maximum")) {
        return least.clone();
    }
    match (
        bound("exclusiveMinimum").and_then(Value::as_f64),
        bound("exclusiveMaximum").and_then(Value::as_f64),
    ) {
        (Some(least), _) => json!((least + 1.0) as i64),
        (None, Some(most)) => json!((most - 1.0) as i64),
        (None, None) => bound("multipleOf").cloned().unwrap_or(json!(1)),
    }
}
