//! From an AsyncAPI document to routes.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::document::{Document, Place};
use super::payload::{self, Message};
use super::{AsyncApiOptions, Perspective, example};
use crate::config::{Config, ConfigError, Dialect, Prefixes, RouteConfig};
use crate::contract::{ContractOptions, Schema, SchemaSource};
use crate::dialect::rules::{ActionTemplate, Match, On, Rule};
use crate::routing::pattern::Pattern;
use crate::template::{Template, ValueTemplate};

/// A channel: a path, and what passes there.
struct Channel<'d> {
    place: Place<'d>,
    path: String,
    operations: Vec<Operation<'d>>,
}

/// What happens on a channel, as the server sees it.
struct Operation<'d> {
    is_receive: bool,
    messages: Vec<Message<'d>>,
    reply: Option<Vec<Message<'d>>>,
}

pub(super) fn add(
    config: &mut Config,
    document: &Value,
    options: &AsyncApiOptions,
) -> Result<(), ConfigError> {
    let document = Document(document);
    let root = document.root();
    match root.text("asyncapi") {
        Some(version) if version.starts_with("3.") => {}
        Some(version) => {
            return Err(ConfigError::at(
                "asyncapi",
                format!("expected version 3, got {version:?}; \"asyncapi convert\" makes 3 of 2"),
            ));
        }
        None => {
            return Err(ConfigError::at(
                "asyncapi",
                "this is no AsyncAPI document: it begins with asyncapi: 3.0.0",
            ));
        }
    }
    let channels = channels(&root, options.perspective)?;
    if channels.is_empty() {
        return Err(ConfigError::at("channels", "there is no channel of a server that speaks ws or wss"));
    }
    for channel in &channels {
        let contract = contract(document, channel)?;
        let given = config.routes.iter().position(|route| serves(config, route, &channel.path));
        let route = match given {
            Some(index) => &mut config.routes[index],
            None => {
                config.routes.push(route(document, channel, options)?);
                let last = config.routes.len() - 1;
                &mut config.routes[last]
            }
        };
        if contract.is_empty() && route.contract.is_none() {
            continue;
        }
        let own = route.contract.get_or_insert_default();
        own.mode = own.mode.or(Some(options.mode));
        own.receives = own.receives.take().or(contract.receives);
        own.sends = own.sends.take().or(contract.sends);
        own.binary |= contract.binary;
        own.is_described = true;
    }
    Ok(())
}

fn channels<'d>(root: &Place<'d>, perspective: Perspective) -> Result<Vec<Channel<'d>>, ConfigError> {
    let mut channels = Vec::new();
    for (_, place) in root.entries("channels")? {
        place.object()?;
        if let Some(base) = base(root, &place)? {
            let path = base + &pattern(&place)?;
            channels.push(Channel { place, path, operations: Vec::new() });
        }
    }
    let default = root.text("defaultContentType");
    for (_, place) in root.entries("operations")? {
        let channel = place.get("channel")?.ok_or_else(|| place.error("the key \"channel\" is missing"))?;
        let Some(found) = channels.iter_mut().find(|known| known.place.pointer == channel.pointer) else {
            continue;
        };
        let is_receive = match place.text("action") {
            Some("receive") => perspective == Perspective::Server,
            Some("send") => perspective == Perspective::Client,
            _ => return Err(place.error("the key \"action\" has to be \"send\" or \"receive\"")),
        };
        let reply = match place.get("reply")? {
            Some(reply) => {
                let channel = reply.get("channel")?.unwrap_or(channel.clone());
                Some(messages(&reply, &channel, default)?)
            }
            None => None,
        };
        found.operations.push(Operation {
            is_receive,
            messages: messages(&place, &channel, default)?,
            reply,
        });
    }
    Ok(channels)
}

/// The messages that an operation or a reply lists, or else all of its channel.
fn messages<'d>(
    place: &Place<'d>,
    channel: &Place<'d>,
    default: Option<&str>,
) -> Result<Vec<Message<'d>>, ConfigError> {
    let places = match place.items("messages")? {
        Some(listed) => listed,
        None => channel.entries("messages")?.into_iter().map(|(_, place)| place).collect(),
    };
    places.into_iter().map(|place| Message::of(place, default)).collect()
}

/// What comes before a channel's address: the path of its server; `None` if its servers speak something else.
fn base(root: &Place<'_>, channel: &Place<'_>) -> Result<Option<String>, ConfigError> {
    let servers = match channel.items("servers")? {
        Some(listed) => listed,
        None => root.entries("servers")?.into_iter().map(|(_, place)| place).collect(),
    };
    if servers.is_empty() {
        return Ok(Some(String::new()));
    }
    let Some(server) = servers.iter().find(|server| matches!(server.text("protocol"), Some("ws" | "wss")))
    else {
        return Ok(None);
    };
    let mut path = server.text("pathname").unwrap_or_default().trim_end_matches('/').to_owned();
    for (name, variable) in server.entries("variables")? {
        path = path.replace(&format!("{{{name}}}"), variable.text("default").unwrap_or_default());
    }
    Ok(Some(if path.is_empty() || path.starts_with('/') { path } else { format!("/{path}") }))
}

/// A channel's address as a pattern, whose parameters have the values that the document names.
fn pattern(channel: &Place<'_>) -> Result<String, ConfigError> {
    let Some(address) = channel.text("address") else {
        return Err(channel
            .error("a channel of a WebSocket needs an \"address\": the path, such as \"/orders/{id}\""));
    };
    let address = address.split('?').next().unwrap_or_default();
    let mut path = format!("/{}", address.trim_start_matches('/'));
    for (name, parameter) in channel.entries("parameters")? {
        if let Some(values) = parameter.items("enum")? {
            let values = values.iter().filter_map(|value| value.value.as_str()).map(regex::escape);
            let values = values.collect::<Vec<_>>().join("|");
            path = path.replace(&format!("{{{name}}}"), &format!("{{{name}:(?:{values})}}"));
        }
    }
    Ok(path)
}

/// Whether a route has the paths of a channel, whatever its parameters are called.
fn serves(config: &Config, route: &RouteConfig, path: &str) -> bool {
    let pattern = route.pattern.as_str();
    match config.prefixes(route) {
        [] => nameless(pattern) == nameless(path),
        prefixes => prefixes.iter().any(|prefix| nameless(&format!("{prefix}{pattern}")) == nameless(path)),
    }
}

/// A pattern without what is in its braces.
fn nameless(pattern: &str) -> String {
    let mut depth = 0_usize;
    let kept = pattern.chars().filter(|character| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        depth <= 1
    });
    kept.collect()
}

/// What the messages of a channel have to be in each direction. Where the document says nothing of one, anything.
fn contract(document: Document<'_>, channel: &Channel<'_>) -> Result<ContractOptions, ConfigError> {
    let of = |is_received: bool| {
        let replies = channel.operations.iter().filter(|operation| operation.is_receive != is_received);
        let own = channel.operations.iter().filter(|operation| operation.is_receive == is_received);
        let own = own.flat_map(|operation| operation.messages.clone());
        own.chain(replies.filter_map(|operation| operation.reply.clone()).flatten()).collect::<Vec<_>>()
    };
    let (received, sent) = match channel.operations.is_empty() {
        true => {
            let default = document.root().text("defaultContentType");
            let listed = channel.place.entries("messages")?.into_iter();
            let both: Vec<_> =
                listed.map(|(_, place)| Message::of(place, default)).collect::<Result<_, _>>()?;
            (both.clone(), both)
        }
        false => (of(true), of(false)),
    };
    let source = |messages: &[Message<'_>]| -> Result<_, ConfigError> {
        let Some(schema) = payload::schema(document, messages)? else { return Ok(None) };
        Schema::new(&schema).map_err(|error| ConfigError::at(error.path, error.message))?;
        Ok(Some(SchemaSource::Inline(Arc::new(schema))))
    };
    Ok(ContractOptions {
        mode: None,
        receives: source(&received)?,
        sends: source(&sent)?,
        binary: received.iter().chain(&sent).any(|message| message.is_binary),
        is_described: true,
    })
}

/// A route that does what the document says, with its examples.
fn route(
    document: Document<'_>,
    channel: &Channel<'_>,
    options: &AsyncApiOptions,
) -> Result<RouteConfig, ConfigError> {
    if let Some(binding) =
        channel.place.get("bindings")?.and_then(|bindings| bindings.get("ws").transpose()).transpose()?
        && binding.text("method").is_some_and(|method| !method.eq_ignore_ascii_case("GET"))
    {
        return Err(binding.error("a WebSocket opens with the method GET"));
    }
    let pattern = Pattern::new(&channel.path).map_err(|error| channel.place.error(error.to_string()))?;
    let mut route = RouteConfig::new(pattern);
    route.prefix = Some(Prefixes::default());
    route.dialect = Some(Dialect::Rules);
    route.subprotocols = subprotocols(&channel.place)?;
    let receiving = channel.operations.iter().filter(|operation| operation.is_receive);
    for operation in receiving {
        let replies = operation.reply.iter().flatten();
        let Some((reply, value)) =
            replies.filter_map(|reply| Some((reply, example::of(document, reply)?))).next()
        else {
            continue;
        };
        for message in &operation.messages {
            let answer = answer(message, reply, value.clone());
            route.rules.push(rule(On::Message, matching(document, message), vec![answer]));
        }
    }
    // The one that asks for the most is tried first.
    route.rules.sort_by_key(|rule| std::cmp::Reverse(rule.matching.sources().count()));
    if options.greet {
        let sending =
            channel.operations.iter().filter(|operation| !operation.is_receive && operation.reply.is_none());
        let messages = sending.flat_map(|operation| &operation.messages);
        let greetings = messages.filter_map(|message| example::of(document, message));
        let greetings: Vec<_> =
            greetings.map(|value| ActionTemplate::Reply(ValueTemplate::Constant(value))).collect();
        if !greetings.is_empty() {
            route.rules.push(rule(On::Connect, Match::default(), greetings));
        }
    }
    Ok(route)
}

fn rule(on: On, matching: Match, actions: Vec<ActionTemplate>) -> Rule {
    Rule { on, matching, lets: Default::default(), actions, proceed: false }
}

/// The subprotocols that the headers of the WebSocket binding name.
fn subprotocols(channel: &Place<'_>) -> Result<Vec<String>, ConfigError> {
    let Some(bindings) = channel.get("bindings")? else { return Ok(Vec::new()) };
    let Some(binding) = bindings.get("ws")? else { return Ok(Vec::new()) };
    let Some(headers) = binding.get("headers")? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for (name, schema) in headers.entries("properties")? {
        if name.eq_ignore_ascii_case("sec-websocket-protocol") {
            let listed = schema.value.get("enum").and_then(Value::as_array).into_iter().flatten();
            let values = schema.value.get("const").into_iter().chain(listed);
            names.extend(
                values
                    .filter_map(Value::as_str)
                    .filter(|name| crate::protocol::is_token(name))
                    .map(str::to_owned),
            );
        }
    }
    Ok(names)
}

/// What distinguishes a message from others: properties that have one value, or else those that are required.
fn matching(document: Document<'_>, message: &Message<'_>) -> Match {
    let schema = message
        .payload
        .as_ref()
        .and_then(|pointer| document.at(&format!("#{}", pointer.replace('%', "%25"))));
    let Some(schema) = schema else { return Match::default() };
    let (mut fields, mut needed) = (Map::new(), Map::new());
    let parts = schema.items("allOf").ok().flatten().unwrap_or_default();
    let direct = document.at(schema.text("$ref").unwrap_or_default()).unwrap_or_else(|| schema.clone());
    for part in std::iter::once(&direct).chain(&parts) {
        if let Some(value) = part.value.get("const").filter(|value| !value.is_object()) {
            return Match::try_from(value.clone()).unwrap_or_default();
        }
        for (name, property) in part.entries("properties").unwrap_or_default() {
            let values = property.value.get("enum").and_then(Value::as_array);
            let only = values.and_then(|values| if let [only] = &values[..] { Some(only) } else { None });
            if let Some(value) = property.value.get("const").or(only).filter(|value| !value.is_object()) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
        for name in part.value.get("required").and_then(Value::as_array).into_iter().flatten() {
            needed
                .insert(name.as_str().unwrap_or_default().to_owned(), serde_json::json!({ "exists": true }));
        }
    }
    let fields = if fields.is_empty() { needed } else { fields };
    // Names that no rule can match on are left out.
    let fields = fields.into_iter().filter(|(name, value)| {
        Match::try_from(Value::Object(Map::from_iter([(name.clone(), value.clone())]))).is_ok()
    });
    Match::try_from(Value::Object(fields.collect())).unwrap_or_default()
}

/// The reply, with the correlation id of the message where both have one.
fn answer(message: &Message<'_>, reply: &Message<'_>, value: Value) -> ActionTemplate {
    let at = |message: &Message<'_>| {
        let id = message.place.get("correlationId").ok().flatten()?;
        let pointer = id.text("location")?.strip_prefix("$message.payload#/")?;
        Some(pointer.split('/').map(str::to_owned).collect::<Vec<_>>())
    };
    let template = match (at(message), at(reply)) {
        (Some(from), Some(to)) => match Template::new(&format!("{{message.{}}}", from.join("."))) {
            Ok(template) => with(value, &to, &template),
            Err(_) => ValueTemplate::Constant(value),
        },
        _ => ValueTemplate::Constant(value),
    };
    ActionTemplate::Reply(template)
}

/// A value in which the part at a path is a template.
fn with(value: Value, path: &[String], template: &Template) -> ValueTemplate {
    let Some((name, rest)) = path.split_first() else { return ValueTemplate::Text(template.clone()) };
    match value {
        Value::Object(mut object) => {
            let part = object.remove(name).unwrap_or_default();
            let kept = object.into_iter().map(|(name, value)| (name, ValueTemplate::Constant(value)));
            let mut pairs = vec![(name.clone(), with(part, rest, template))];
            pairs.extend(kept);
            ValueTemplate::Object(pairs)
        }
        value => ValueTemplate::Constant(value),
    }
}
