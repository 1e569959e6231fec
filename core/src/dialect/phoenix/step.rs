//! One step of a channel for one client, from the client's message to the reply.

use serde_json::Value;

use crate::interface::connection_id::ConnectionId;

#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: ConnectionId,
    pub(super) topic: String,
    /// Which of the route's channels.
    pub(super) mount: usize,
    pub(super) reference: Value,
    pub(super) stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// The client is joining.
    Join(Joining),
    /// The client has joined.
    In,
}

#[derive(Debug)]
pub(super) struct Joining {
    pub(super) join_ref: Value,
    /// The `join_ref` of the join before this one, whose end is told after the reply.
    pub(super) replaced: Option<Value>,
    /// The position from which on the client wants to have missed nothing, if it takes part in the history; empty: from now on.
    pub(super) from: Option<String>,
    /// What user code asked for meanwhile: it comes after the reply too.
    pub(super) commands: Vec<(String, Value)>,
}

impl Step {
    /// Commands that may wait for a join.
    const MAX_COMMANDS: usize = 1_000;

    /// Keeps a command until the join is answered; gives back whether this is a join with room for it.
    pub(super) fn defer(&mut self, name: &str, payload: &Value) -> bool {
        match &mut self.stage {
            Stage::Join(Joining { commands, .. }) if commands.len() < Self::MAX_COMMANDS => {
                commands.push((name.to_owned(), payload.clone()));
                true
            }
            _ => false,
        }
    }
}
