//! Native servers that share a Redis, or a NATS, for the tasks that talk to them.

pub(crate) mod broker;
mod node;

pub(crate) use broker::Broker;
pub(crate) use node::{Node, configuration};
