//! From a request to a route, and who may come in. Knows no handler and no connection.

pub(crate) mod authentication;
pub(crate) mod hosts;
mod nearest;
pub(crate) mod origin;
pub mod pattern;
pub(crate) mod route;
pub(crate) mod route_key;
pub(crate) mod router;
mod serialized_origin;
