//! From JSON Schema to TypeScript: one declaration per definition.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

const HEADER: &str = "/** The configuration as data. Written by `cargo xtask schema` from the Rust types, as `schema.json` is. */\n";

const API_HEADER: &str = "/** What the control API takes and gives. Written by `cargo xtask schema` from the Rust types, as `openapi.json` is. */\n";

/// A column width at which a union is still written on one line.
const WIDTH: usize = 110;

/// The declarations for a schema: `Config` for the whole of it, and one for each of its `$defs`.
pub(super) fn declarations(schema: &Value) -> Result<String> {
    let mut text = HEADER.to_owned();
    text.push_str(&declaration("Config", schema)?);
    text.push_str(&all(&schema["$defs"])?);
    Ok(trimmed(&text))
}

/// The declarations for the schemas of an OpenAPI document. What `configuration` declares in the same words comes from there.
pub(super) fn api_declarations(document: &Value, configuration: &str) -> Result<String> {
    let (mut shared, mut own) = (Vec::new(), String::new());
    for (name, text) in each(&document["components"]["schemas"])? {
        match configuration.contains(&trimmed(&text)) {
            true => shared.push(name),
            false => own.push_str(&text),
        }
    }
    let used: Vec<&str> =
        shared.iter().copied().filter(|name| names(&own).any(|used| used == *name)).collect();
    let (shared, used) = (shared.join(", "), used.join(", "));
    let imports = format!(
        "\nimport type {{ {used} }} from './configuration.js'\n\nexport type {{ {shared} }} from './configuration.js'\n"
    );
    Ok(trimmed(&format!("{API_HEADER}{imports}{own}")))
}

fn all(definitions: &Value) -> Result<String> {
    Ok(each(definitions)?.into_iter().map(|(_, text)| text).collect())
}

/// The name and the declaration of each definition.
fn each(definitions: &Value) -> Result<Vec<(&str, String)>> {
    let definitions = definitions.as_object().context("there are no definitions")?.iter();
    let declared = definitions.map(|(name, definition)| {
        let text = declaration(name, definition).with_context(|| format!("in the definition of {name}"))?;
        Ok((name.as_str(), text))
    });
    declared.collect()
}

/// Every word of a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
}

fn trimmed(text: &str) -> String {
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn declaration(name: &str, schema: &Value) -> Result<String> {
    let comment = comment(schema, 0);
    let is_closed_object =
        schema["properties"].is_object() && schema["additionalProperties"] == Value::Bool(false);
    Ok(match is_closed_object {
        true => format!("\n{comment}export interface {name} {}\n", expression(schema, 0)?),
        false => format!("\n{comment}export type {name} = {}\n", expression(schema, 0)?),
    })
}

/// What TypeScript calls the values of a schema, at this depth of indentation.
fn expression(schema: &Value, depth: usize) -> Result<String> {
    let keys = match schema {
        Value::Bool(true) => return Ok("unknown".to_owned()),
        Value::Object(keys) => keys,
        _ => bail!("expected a schema, got {schema}"),
    };
    if let Some(reference) = keys.get("$ref") {
        let path = reference.as_str().unwrap_or_default();
        let name = ["#/$defs/", "#/components/schemas/"].iter().find_map(|start| path.strip_prefix(start));
        return Ok(name.with_context(|| format!("an unknown $ref {reference}"))?.to_owned());
    }
    if let Some(constant) = keys.get("const") {
        return Ok(literal(constant));
    }
    if let Some(values) = keys.get("enum").and_then(Value::as_array) {
        return Ok(union(&values.iter().map(literal).collect::<Vec<_>>(), depth));
    }
    if let Some(choices) = keys.get("anyOf").or(keys.get("oneOf")) {
        let choices = choices.as_array().context("anyOf and oneOf are lists")?;
        let choices =
            choices.iter().map(|choice| expression(choice, depth + 1)).collect::<Result<Vec<_>>>()?;
        return Ok(union(&choices, depth));
    }
    match keys.get("type") {
        None => Ok("unknown".to_owned()),
        Some(Value::String(kind)) => of_kind(kind, keys, depth),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().map(|kind| of_kind(kind.as_str().unwrap_or_default(), keys, depth));
            Ok(union(&kinds.collect::<Result<Vec<_>>>()?, depth))
        }
        Some(other) => bail!("an unknown type {other}"),
    }
}

fn of_kind(kind: &str, keys: &Map<String, Value>, depth: usize) -> Result<String> {
    Ok(match kind {
        "null" | "boolean" | "string" | "number" => kind.to_owned(),
        "integer" => "number".to_owned(),
        "array" => list(keys.get("items"), depth)?,
        "object" => match keys.get("properties") {
            Some(properties) => object(properties, keys, depth)?,
            None => record(keys.get("additionalProperties"), depth)?,
        },
        _ => bail!("an unknown type {kind:?}"),
    })
}

fn list(items: Option<&Value>, depth: usize) -> Result<String> {
    let item = match items {
        Some(items) => expression(items, depth)?,
        None => "unknown".to_owned(),
    };
    Ok(if item.contains('|') { format!("({item})[]") } else { format!("{item}[]") })
}

fn record(values: Option<&Value>, depth: usize) -> Result<String> {
    let value = match values {
        None | Some(Value::Bool(true)) => "unknown".to_owned(),
        Some(Value::Bool(false)) => "never".to_owned(),
        Some(values) => expression(values, depth)?,
    };
    Ok(format!("Record<string, {value}>"))
}

fn object(properties: &Value, keys: &Map<String, Value>, depth: usize) -> Result<String> {
    let required: Vec<&str> = keys
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut text = String::from("{\n");
    for (name, schema) in properties.as_object().context("properties are an object")? {
        let indent = "  ".repeat(depth + 1);
        let key = if is_identifier(name) { name.clone() } else { literal(&Value::String(name.clone())) };
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        let value = expression(schema, depth + 1).with_context(|| format!("at {name}"))?;
        text.push_str(&format!("{}{indent}{key}{optional}: {value}\n", comment(schema, depth + 1)));
    }
    text.push_str(&format!("{}}}", "  ".repeat(depth)));
    Ok(text)
}

fn union(choices: &[String], depth: usize) -> String {
    let mut different: Vec<&str> = Vec::new();
    for choice in choices {
        if !different.contains(&choice.as_str()) {
            different.push(choice);
        }
    }
    let line = different.join(" | ");
    if different.len() < 2 || (!line.contains('\n') && line.len() + 2 * depth <= WIDTH) {
        return line;
    }
    let indent = format!("\n{}| ", "  ".repeat(depth + 1));
    format!("{indent}{}", different.join(&indent))
}

fn comment(schema: &Value, depth: usize) -> String {
    let Some(description) = schema["description"].as_str() else {
        return String::new();
    };
    let indent = "  ".repeat(depth);
    let lines: Vec<String> =
        description.replace("*/", "*\u{200b}/").lines().map(|line| line.trim_end().to_owned()).collect();
    match &lines[..] {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let lines: Vec<String> =
                lines.iter().map(|line| format!("{indent} * {line}").trim_end().to_owned()).collect();
            format!("{indent}/**\n{}\n{indent} */\n", lines.join("\n"))
        }
    }
}

/// JSON as TypeScript writes it here, with single quotes.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        value => value.to_string(),
    }
}

fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '$')
        && characters
            .all(|character| character.is_ascii_alphanumeric() || character == '_' || character == '$')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_schema_has_its_type() {
        let table = [
            (json!({}), "unknown"),
            (json!(true), "unknown"),
            (json!({"type": "integer", "minimum": 0}), "number"),
            (json!({"type": ["string", "null"]}), "string | null"),
            (json!({"$ref": "#/$defs/Rule"}), "Rule"),
            (json!({"anyOf": [{"type": "integer"}, {"const": false}]}), "number | false"),
            (json!({"oneOf": [{"const": "it's"}, {"const": "b"}]}), "'it\\'s' | 'b'"),
            (json!({"type": "string", "enum": ["a", "b"]}), "'a' | 'b'"),
            (json!({"$ref": "#/components/schemas/Room"}), "Room"),
            (json!({"type": "array", "items": {"type": "string"}}), "string[]"),
            (json!({"type": "array", "items": {"type": ["string", "number"]}}), "(string | number)[]"),
            (json!({"type": "array"}), "unknown[]"),
            (json!({"type": "object"}), "Record<string, unknown>"),
            (
                json!({"type": "object", "additionalProperties": {"type": "boolean"}}),
                "Record<string, boolean>",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}, "b-c": {"type": "null"}}, "required": ["a"]}),
                "{\n  a: string\n  'b-c'?: null\n}",
            ),
        ];
        for (schema, expected) in table {
            assert_eq!(expression(&schema, 0).expect("a known schema"), expected, "{schema}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for schema in [json!({"type": "date"}), json!({"$ref": "elsewhere"}), json!(1), json!({"type": 1})] {
            assert!(expression(&schema, 0).is_err(), "{schema}");
        }
    }

    #[test]
    fn definitions_are_declared_with_their_descriptions() {
        let schema = json!({
            "description": "All.",
            "type": "object",
            "additionalProperties": false,
            "properties": { "rule": { "$ref": "#/$defs/Rule", "description": "One.\nTwo." } },
            "$defs": { "Rule": { "type": "string", "description": "A rule." } },
        });
        let expected = format!(
            "{HEADER}\n/** All. */\nexport interface Config {{\n  /**\n   * One.\n   * Two.\n   */\n  rule?: Rule\n}}\n\n\
             /** A rule. */\nexport type Rule = string\n"
        );
        assert_eq!(declarations(&schema).expect("a known schema"), expected);
    }
}
