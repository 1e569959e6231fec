//! What the messages of a route have to be: a schema for each direction, and what becomes of messages that break it.
//!
//! The engine holds messages to it between the client and the handler: a received one before its handler sees it, one that is
//! sent before it goes to the host. A text is read as JSON; a text that is none is taken for a JSON string of that text, so
//! that `{ "const": "ping" }` describes it. Binary messages break a contract, unless it lets them pass.

mod options;
pub mod schema;

use serde_json::Value;

use crate::message::Message;

pub use options::{ContractMode, ContractOptions, SchemaSource};
pub use schema::{Schema, SchemaError, Violation};

/// What the messages of a route have to be.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// What becomes of messages that break it. Default: they are passed on, and logged.
    pub mode: ContractMode,
    /// What messages from clients have to be. Default: anything.
    pub receives: Option<Schema>,
    /// What messages to clients have to be. Default: anything.
    pub sends: Option<Schema>,
    /// Whether binary messages pass. Default false: in a direction that has a schema they break it.
    pub binary: bool,
}

impl Contract {
    /// What is wrong with a message from a client; empty if nothing is.
    pub fn received(&self, message: &Message) -> Vec<Violation> {
        self.violations(self.receives.as_ref(), message)
    }

    /// What is wrong with a message to clients; empty if nothing is.
    pub fn sent(&self, message: &Message) -> Vec<Violation> {
        self.violations(self.sends.as_ref(), message)
    }

    fn violations(&self, schema: Option<&Schema>, message: &Message) -> Vec<Violation> {
        let Some(schema) = schema else { return Vec::new() };
        match message.as_text() {
            Some(text) => {
                // The parser stops at 128 levels.
                let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
                schema.validate(&value)
            }
            None if self.binary => Vec::new(),
            None => vec![Violation {
                path: String::new(),
                keyword: "type",
                schema: "#".to_owned(),
                message: format!("expected text, got a binary message of {} bytes", message.len()),
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_that_is_not_json_is_a_string_and_binary_passes_only_where_it_may() {
        let schema = |schema| Some(Schema::new(&schema).unwrap());
        let contract = Contract {
            receives: schema(json!({ "anyOf": [{ "const": "ping" }, { "type": "object" }] })),
            sends: schema(json!({ "type": "number" })),
            ..Contract::default()
        };
        let binary = || Message::Binary(vec![1, 2].into());
        for (message, is_fine) in
            [("ping", true), ("\"ping\"", true), ("{}", true), ("pong", false), ("{", false)]
        {
            assert_eq!(contract.received(&message.into()).is_empty(), is_fine, "{message}");
        }
        assert!(contract.sent(&"5".into()).is_empty());
        assert_eq!(contract.sent(&"x".into())[0].message, "expected a number, got text");
        assert_eq!(contract.sent(&binary())[0].message, "expected text, got a binary message of 2 bytes");
        let lenient = Contract { binary: true, ..contract };
        assert!(lenient.sent(&binary()).is_empty());
        assert!(Contract::default().received(&binary()).is_empty());
    }
}
