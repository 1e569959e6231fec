//! AsyncAPI 3 documents: what one describes becomes routes and contracts, and a configuration becomes one.
//!
//! A channel whose servers speak `ws` or `wss`, or that names none, is a path. What the document's application receives is what
//! clients send, and what it sends is what they are sent; a document that describes the client says `perspective = "client"`.
//!
//! - A route of the configuration with the channel's path gets its contract and keeps its behaviour. For the others a route is
//!   made that answers as the document says: what it receives with the example of the operation's `reply`.
//! - Payloads are JSON Schemas, by default those of AsyncAPI, a superset of draft 07; both are read as 2020-12. Of payloads in
//!   other formats (Avro, Protobuf) nothing is checked.
//! - Messages of a content type that is not text or JSON may be binary.

mod document;
mod example;
mod export;
mod import;
mod options;
mod payload;

use serde_json::Value;

use super::{Config, ConfigError};

pub use options::{AsyncApiOptions, Perspective};

impl Config {
    /// Takes in an AsyncAPI 3 document: its channels become routes, unless there is one for their path already, and their
    /// messages contracts. [`load`](Self::load) does this with the file that `asyncapi` names.
    ///
    /// # Errors
    ///
    /// The document is no AsyncAPI 3, or something in it is wrong: the path says where in the document.
    pub fn add_asyncapi(&mut self, document: &Value, options: &AsyncApiOptions) -> Result<(), ConfigError> {
        import::add(self, document, options)
    }

    /// An AsyncAPI 3 document of this configuration, as far as it says what passes: routes, subprotocols, contracts, rules.
    pub fn asyncapi_document(&self, title: &str) -> Value {
        export::document(self, title)
    }
}
