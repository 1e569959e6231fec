//! From a configuration to an AsyncAPI document.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::config::{AuthenticateConfig, Config, RouteConfig};

/// What the messages of a direction are called, and the operation that they belong to.
const DIRECTIONS: [(&str, &str); 2] = [("receive", "received"), ("send", "sent")];

pub(super) fn document(config: &Config, title: &str) -> Value {
    let (mut channels, mut operations, mut schemas) = (Map::new(), Map::new(), Map::new());
    let mut names = BTreeSet::new();
    for route in config.routes.iter().filter(|route| !route.disabled) {
        let pattern = route.pattern.as_str();
        let paths = match config.prefixes(route) {
            [] => vec![pattern.to_owned()],
            prefixes => prefixes.iter().map(|prefix| format!("{prefix}{pattern}")).collect(),
        };
        for path in paths {
            let (address, parameters) = address(&path);
            let name = unique(name(&address), &mut names);
            let channel = channel(route, &address, &parameters, &name, &mut schemas);
            for (action, message) in DIRECTIONS {
                let operation = json!({
                    "action": action,
                    "channel": { "$ref": format!("#/channels/{name}") },
                    "messages": [{ "$ref": format!("#/channels/{name}/messages/{message}") }],
                });
                operations.insert(format!("{name}.{action}"), operation);
            }
            channels.insert(name, channel);
        }
    }
    let listen = &config.listen;
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": { "title": title, "version": "1.0.0" },
        "servers": { "switchboard": {
            "host": format!("{}:{}", listen.host, listen.port),
            "protocol": if listen.tls.is_some() { "wss" } else { "ws" },
        } },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
    });
    if !schemas.is_empty() {
        document["components"] = json!({ "schemas": schemas });
    }
    document
}

fn channel(
    route: &RouteConfig,
    address: &str,
    parameters: &[String],
    name: &str,
    schemas: &mut Map<String, Value>,
) -> Value {
    let contract = route.contract.as_ref();
    let sources =
        [contract.and_then(|one| one.receives.as_ref()), contract.and_then(|one| one.sends.as_ref())];
    let mut messages = Map::new();
    for ((_, message), source) in DIRECTIONS.into_iter().zip(sources) {
        let mut described = json!({ "name": message });
        if let Some(schema) = source.and_then(|source| source.schema()) {
            let key = format!("{name}.{message}");
            described["payload"] = json!({ "$ref": format!("#/components/schemas/{key}") });
            // AsyncAPI has no schemas that are true or false.
            let schema = match schema {
                Value::Bool(true) => json!({}),
                Value::Bool(false) => json!({ "not": {} }),
                schema => moved(schema, &format!("#/components/schemas/{key}")),
            };
            schemas.insert(key, schema);
        }
        messages.insert(message.to_owned(), described);
    }
    let mut channel = json!({ "address": address, "messages": messages });
    if !parameters.is_empty() {
        channel["parameters"] =
            parameters.iter().map(|name| (name.clone(), json!({}))).collect::<Map<_, _>>().into();
    }
    if let Some(binding) = binding(route) {
        channel["bindings"] = json!({ "ws": binding });
    }
    channel
}

/// What an opening handshake has to have: a token, and a subprotocol.
fn binding(route: &RouteConfig) -> Option<Value> {
    let (mut query, mut headers) = (None, Map::new());
    match &route.authenticate {
        AuthenticateConfig::Open => {}
        AuthenticateConfig::Authorization => {
            headers.insert("Authorization".to_owned(), json!({ "type": "string" }));
        }
        AuthenticateConfig::Header(name) => {
            headers.insert(name.to_string(), json!({ "type": "string" }));
        }
        AuthenticateConfig::Token(token) => {
            query = token.token.query.as_ref();
            if let Some(header) = &token.token.header {
                headers.insert(header.clone(), json!({ "type": "string" }));
            }
        }
    }
    if !route.subprotocols.is_empty() && !route.subprotocols.iter().any(|name| name == "*") {
        let schema = json!({ "type": "string", "enum": route.subprotocols });
        headers.insert("Sec-WebSocket-Protocol".to_owned(), schema);
    }
    if query.is_none() && headers.is_empty() {
        return None;
    }
    let mut binding = json!({ "method": "GET", "bindingVersion": "0.1.0" });
    if let Some(name) = query {
        binding["query"] = json!({ "type": "object", "properties": { name.as_str(): { "type": "string" } } });
    }
    if !headers.is_empty() {
        binding["headers"] = json!({ "type": "object", "properties": headers });
    }
    Some(binding)
}

/// A pattern as an address, whose parameters have names alone, with those names. Wildcards become parameters.
fn address(pattern: &str) -> (String, Vec<String>) {
    let (mut address, mut names) = (String::new(), Vec::new());
    let mut characters = pattern.chars().peekable();
    let mut parameter = |address: &mut String, name: String| {
        address.push_str(&format!("{{{name}}}"));
        names.push(name);
    };
    let mut wildcards = 0;
    while let Some(character) = characters.next() {
        match character {
            '{' => {
                let (mut depth, mut inside) = (1, String::new());
                for character in characters.by_ref() {
                    depth += i32::from(character == '{') - i32::from(character == '}');
                    if depth == 0 {
                        break;
                    }
                    inside.push(character);
                }
                parameter(&mut address, inside.split(':').next().unwrap_or_default().to_owned());
            }
            '*' | '?' => {
                while characters.next_if_eq(&'*').is_some() {}
                wildcards += 1;
                parameter(&mut address, format!("any{wildcards}"));
            }
            character => address.push(character),
        }
    }
    (address, names)
}

/// A key for a channel: `/ws/chat/{room}` is `ws.chat.room`.
fn name(address: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    let parts = address.split(|character| !is_plain(character)).filter(|part| !part.is_empty());
    match parts.collect::<Vec<_>>().join(".") {
        name if name.is_empty() => "root".to_owned(),
        name => name,
    }
}

fn unique(name: String, names: &mut BTreeSet<String>) -> String {
    let mut candidate = name.clone();
    let mut number = 1;
    while !names.insert(candidate.clone()) {
        number += 1;
        candidate = format!("{name}-{number}");
    }
    candidate
}

/// A schema at another place of a document: its references to itself begin there. One with an `$id` is its own document.
fn moved(schema: &Value, base: &str) -> Value {
    match schema {
        Value::Object(object) if object.contains_key("$id") => schema.clone(),
        Value::Object(object) => {
            let moved_entry = |(key, value): (&String, &Value)| {
                let value = match (key.as_str(), value) {
                    ("const" | "enum" | "default" | "examples", value) => value.clone(),
                    ("$ref", Value::String(target)) => match target.strip_prefix('#') {
                        Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => {
                            format!("{base}{pointer}").into()
                        }
                        _ => value.clone(),
                    },
                    (_, value) => moved(value, base),
                };
                (key.clone(), value)
            };
            Value::Object(object.iter().map(moved_entry).collect())
        }
        Value::Array(list) => list.iter().map(|value| moved(value, base)).collect(),
        value => value.clone(),
    }
}
