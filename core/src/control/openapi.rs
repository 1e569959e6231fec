//! The control API as OpenAPI 3.1 describes it, made of the types that carry it out.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::control::body::{AddFaults, Broadcast, Close, Publish, Reset, Send, StartRecording, Terminate};
use crate::control::breakpoint::{
    AddBreakpoint, BreakpointView, BreakpointsView, DecideAllHeld, DecideHeld, HeldView, Pause, Resume,
};
use crate::control::clock::MoveClock;
use crate::control::event::Event;
use crate::control::operation::{self, Described, Operation};
use crate::control::recording_file::MEDIA_TYPE;
use crate::control::subscription;
use crate::control::view::{
    ClockView, ConnectionView, ConnectionsView, DoneView, ErrorView, FaultView, FaultsView, FeedValuesView,
    FeedsView, MessagesView, PresencesView, RecordingView, RecordingsView, RoomsView, RoutesView, ServerView,
};
use crate::control::{MAX_BODY, PATH};
use crate::interface::stats::Stats;

/// The document: all operations with what they take and give, and the messages of the WebSocket of live events.
pub fn openapi() -> Value {
    let mut types = Types::default();
    let mut paths = Map::new();
    for described in operation::ALL {
        let path = paths.entry(described.path).or_insert_with(|| json!({}));
        path[described.method.as_str().to_ascii_lowercase()] = operation(described, &mut types);
    }
    let error = types.response::<ErrorView>();
    let failed = json!({
        "description": "Nothing was done; `error` says what was wrong and what to write.",
        "content": { "application/json": { "schema": error } },
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard control API",
            "version": "1",
            "description": format!(
                "Looks at a running Switchboard and acts on it. A body has at most {MAX_BODY} bytes. Every request shows the \
                 token; pages of other origins are refused with it too, and there is no CORS."
            ),
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [
            { "url": format!("http://127.0.0.1:4004{PATH}"), "description": "the native server, with --control" },
            { "url": format!("http://localhost:5173{PATH}"), "description": "Vite's development server" },
        ],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": { "Failed": failed },
            "schemas": types.definitions(),
        },
    })
}

fn operation(described: &Described, types: &mut Types) -> Value {
    let Described { operation, path, summary, parameters, .. } = described;
    let in_path = path.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
    let in_path = in_path.map(|name| {
        let description = match name {
            "id" if path.starts_with("/faults") => "What adding them has given.",
            "id" if path.starts_with("/breakpoints") => "What adding it has given.",
            "id" if path.starts_with("/held") => "What names the message in the list and in the event `held`.",
            "id" => "The connection's id.",
            _ if path.starts_with("/recordings") => "The name under which it was started.",
            _ => "The feed's name.",
        };
        json!({ "name": name, "in": "path", "required": true, "description": description, "schema": { "type": "string" } })
    });
    let in_query = parameters.iter().map(|parameter| {
        let kind = if parameter.is_number { "integer" } else { "string" };
        json!({ "name": parameter.name, "in": "query", "description": parameter.description, "schema": { "type": kind } })
    });
    let parameters: Vec<Value> = in_path.into_iter().chain(in_query).collect();
    let (request, response) = types.of(*operation);
    let name = format!("{operation:?}");
    let name = name[..1].to_ascii_lowercase() + &name[1..];
    let mut value = json!({
        "operationId": name,
        "summary": summary,
        "responses": { "4XX": { "$ref": "#/components/responses/Failed" } },
    });
    if !parameters.is_empty() {
        value["parameters"] = parameters.into();
    }
    if let Some(schema) = request {
        let is_required = *operation != Operation::Reset;
        value["requestBody"] =
            json!({ "required": is_required, "content": { "application/json": { "schema": schema } } });
    }
    match response {
        None if *operation == Operation::Recording => {
            let lines = json!({ "schema": { "type": "string" } });
            value["responses"]["200"] =
                json!({ "description": "The file.", "content": { MEDIA_TYPE: lines } });
        }
        Some(schema) => {
            value["responses"]["200"] =
                json!({ "description": "Done.", "content": { "application/json": { "schema": schema } } });
        }
        None => {
            value["responses"]["101"] = json!({
                "description": "A WebSocket of text messages: the server sends each a `ControlEvent`, first `subscribed`, and \
                                takes each a `ControlSubscribe`.",
            });
            value["responses"]["503"] = json!({ "$ref": "#/components/responses/Failed" });
        }
    }
    value
}

/// The types of requests and of responses. Of the former, what has a default may be left out.
struct Types {
    requests: SchemaGenerator,
    responses: SchemaGenerator,
}

impl Default for Types {
    fn default() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
            })
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            responses: settings().for_serialize().into_generator(),
        }
    }
}

impl Types {
    /// What an operation takes and gives as JSON; it gives nothing if it sends a file or opens a WebSocket.
    fn of(&mut self, operation: Operation) -> (Option<Value>, Option<Value>) {
        match operation {
            Operation::Server => (None, Some(self.response::<ServerView>())),
            Operation::Routes => (None, Some(self.response::<RoutesView>())),
            Operation::Connections => (None, Some(self.response::<ConnectionsView>())),
            Operation::Connection => (None, Some(self.response::<ConnectionView>())),
            Operation::Messages => (None, Some(self.response::<MessagesView>())),
            Operation::Rooms => (None, Some(self.response::<RoomsView>())),
            Operation::Presence => (None, Some(self.response::<PresencesView>())),
            Operation::Stats => (None, Some(self.response::<Stats>())),
            Operation::Feeds => (None, Some(self.response::<FeedsView>())),
            Operation::Feed => (None, Some(self.response::<FeedValuesView>())),
            Operation::Publish => (Some(self.request::<Publish>()), Some(self.response::<DoneView>())),
            Operation::Send => (Some(self.request::<Send>()), Some(self.response::<DoneView>())),
            Operation::Broadcast => (Some(self.request::<Broadcast>()), Some(self.response::<DoneView>())),
            Operation::Close => (Some(self.request::<Close>()), Some(self.response::<DoneView>())),
            Operation::Terminate => (Some(self.request::<Terminate>()), Some(self.response::<DoneView>())),
            Operation::Faults => (None, Some(self.response::<FaultsView>())),
            Operation::AddFaults => (Some(self.request::<AddFaults>()), Some(self.response::<FaultView>())),
            Operation::Breakpoints => (None, Some(self.response::<BreakpointsView>())),
            Operation::AddBreakpoint => {
                (Some(self.request::<AddBreakpoint>()), Some(self.response::<BreakpointView>()))
            }
            Operation::Held => (None, Some(self.response::<HeldView>())),
            Operation::DecideHeld => (Some(self.request::<DecideHeld>()), Some(self.response::<DoneView>())),
            Operation::DecideAllHeld => {
                (Some(self.request::<DecideAllHeld>()), Some(self.response::<DoneView>()))
            }
            Operation::Pause => (Some(self.request::<Pause>()), Some(self.response::<DoneView>())),
            Operation::Resume => (Some(self.request::<Resume>()), Some(self.response::<DoneView>())),
            Operation::Recordings => (None, Some(self.response::<RecordingsView>())),
            Operation::Recording => (None, None),
            Operation::StartRecording => {
                (Some(self.request::<StartRecording>()), Some(self.response::<RecordingView>()))
            }
            Operation::RemoveFaults
            | Operation::ClearFaults
            | Operation::RemoveBreakpoint
            | Operation::ClearBreakpoints
            | Operation::StopRecording => (None, Some(self.response::<DoneView>())),
            Operation::Clock => (None, Some(self.response::<ClockView>())),
            Operation::MoveClock => (Some(self.request::<MoveClock>()), Some(self.response::<ClockView>())),
            Operation::Reset => (Some(self.request::<Reset>()), Some(self.response::<DoneView>())),
            Operation::Events => {
                self.request::<subscription::Request>();
                self.response::<Event<'static>>();
                (None, None)
            }
        }
    }

    fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().to_value()
    }

    fn response<T: JsonSchema>(&mut self) -> Value {
        self.responses.subschema_for::<T>().to_value()
    }

    fn definitions(mut self) -> Map<String, Value> {
        let mut definitions = self.responses.take_definitions(true);
        definitions.extend(self.requests.take_definitions(true));
        definitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` in a value.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            _ => {}
        }
    }

    #[test]
    fn everything_that_is_referred_to_is_there_and_everything_has_a_description() {
        let document = openapi();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 30, "{found:?}");
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("within the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let schemas = document["components"]["schemas"].as_object().expect("an object");
        for (name, schema) in schemas {
            assert!(schema["description"].is_string(), "{name} has no description");
        }
        let operations = document["paths"].as_object().expect("an object").values();
        let operations: usize = operations.map(|path| path.as_object().map_or(0, Map::len)).sum();
        assert_eq!(operations, operation::ALL.len());
    }
}
