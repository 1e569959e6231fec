//! Native servers that share a Redis, for the tasks that talk to them.

pub(crate) mod broker;
mod node;

pub(crate) use broker::Broker;
pub(crate) use node::{Node, configuration};
