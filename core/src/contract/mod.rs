//! What the messages of a route have to be: schemas for each direction, and what becomes of messages that break them.

pub mod schema;

pub use schema::{Schema, SchemaError, Violation};
