//! Clients of the other nodes of a cluster: each node tells its own in entries, and what is meant for one client goes to its
//! node.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Commands;
use super::client::Client;
use crate::cluster::{EntryChange, Node};
use crate::handler::HandlerError;
use crate::handler::context::Context;
use crate::message::{CloseCode, Message};
use crate::time::WallTime;

/// The clients of other nodes, by the ids that others know.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    clients: BTreeMap<Arc<str>, (Node, Client)>,
}

/// What the others see of a client, as an entry.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    email: Option<String>,
    /// In microseconds.
    connected_at: u64,
}

/// What a node is to do for a client of its own.
#[derive(Serialize, Deserialize)]
enum Order {
    Send(String),
    Disconnect(String),
}

impl Elsewhere {
    /// The clients, by their ids.
    pub(super) fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values().map(|(_, client)| client)
    }

    /// The node of a client.
    fn node_of(&self, id: &str) -> Option<&Node> {
        self.clients.get(id).map(|(node, _)| node)
    }

    fn change(&mut self, node: &Node, entries: Vec<EntryChange>) {
        for (id, value) in entries {
            let entry = value.and_then(|value| serde_json::from_slice::<Entry>(&value).ok());
            match entry {
                Some(Entry { name, email, connected_at }) => {
                    let connected_at = WallTime::from_us(connected_at);
                    let (is_authenticated, is_crashing) = (false, false);
                    let client =
                        Client { id: id.clone(), name, email, connected_at, is_authenticated, is_crashing };
                    self.clients.insert(id, (node.clone(), client));
                }
                None if self.node_of(&id) == Some(node) => drop(self.clients.remove(&id)),
                None => {}
            }
        }
    }
}

impl Commands {
    /// Whether a client is connected to another node.
    pub(super) fn is_elsewhere(&self, id: &str) -> bool {
        self.elsewhere.node_of(id).is_some()
    }

    /// Sends a message to a client of another node.
    pub(super) fn send_elsewhere(&self, cx: &mut Context<'_>, id: &str, message: &Message) {
        self.order(cx, id, &Order::Send(id.to_owned()), message);
    }

    /// Closes the connection of a client of another node.
    pub(super) fn disconnect_elsewhere(&self, cx: &mut Context<'_>, id: &str) {
        self.order(cx, id, &Order::Disconnect(id.to_owned()), &"".into());
    }

    fn order(&self, cx: &mut Context<'_>, id: &str, order: &Order, message: &Message) {
        if let (Some(node), Ok(header)) = (self.elsewhere.node_of(id), serde_json::to_vec(order)) {
            cx.send_to_node(node, &header, message);
        }
    }

    /// Another node wants something done for a client of this one.
    pub(super) fn carry_out_for_node(
        &self,
        cx: &mut Context<'_>,
        header: &[u8],
        message: Message,
    ) -> Result<(), HandlerError> {
        let order = serde_json::from_slice(header)?;
        let (Order::Send(id) | Order::Disconnect(id)) = &order;
        // It may be gone by now.
        if let Some(&to) = self.clients.get(id.as_str()) {
            match order {
                Order::Send(_) => cx.send_to(to, message),
                Order::Disconnect(_) => cx.with(to).close(CloseCode::NORMAL, "Disconnected")?,
            }
        }
        Ok(())
    }

    /// Clients of another node have come or gone.
    pub(super) fn present_at_node(&mut self, cx: &mut Context<'_>, node: &Node, entries: Vec<EntryChange>) {
        self.elsewhere.change(node, entries);
        self.tell_presence_here(cx);
    }

    /// Tells the clients of this node who is there, as each node does.
    pub(super) fn tell_presence_here(&self, cx: &mut Context<'_>) {
        let (message, to) = (self.present(cx), cx.everyone());
        cx.send_to_each(to, message);
    }
}

/// Tells the other nodes that a client has come, or that it has gone.
pub(super) fn tell(cx: &mut Context<'_>, id: &str, client: Option<&Client>) {
    if !cx.is_in_cluster() {
        return;
    }
    let entry = client.map(|Client { name, email, connected_at, .. }| {
        let (name, email) = (name.clone(), email.clone());
        serde_json::json!(Entry { name, email, connected_at: connected_at.as_us() }).to_string().into()
    });
    cx.set_entry(id, entry);
}
