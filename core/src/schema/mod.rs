//! What options of all rooms are made of: kinds of values, and errors that name the key.
//!
//! Nothing here knows an option by name. Each room owns the options that belong to it; `config` composes them.

pub(crate) mod error;
mod interval;
mod reading;
pub(crate) mod secret;
pub(crate) mod suggest;
mod toggle;
mod variables;

pub use error::ConfigError;
pub use interval::Interval;
pub(crate) use reading::read;
pub use secret::Secret;
pub(crate) use suggest::nearest;
pub use toggle::Toggle;
pub(crate) use variables::replace_variables;
